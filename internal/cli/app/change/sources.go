// SPDX-License-Identifier: Apache-2.0

package change

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/app/spec"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// NewAddSourceCmd returns the command add-source.
func NewAddSourceCmd(s *session.Session) *cobra.Command {
	var flags *spec.Flags
	cmd := &cobra.Command{
		Use:     "add-source NAME",
		Short:   "Add a source to an application that has a list of them",
		Example: command.Example("bowline app add-source web --repo https://github.com/argoproj/argocd-example-apps --path guestbook --source-name guestbook"),
		Args:    command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return update(cmd, s, args[0], &flags.Validate, func(app *v1alpha1.Application) error {
				if len(app.Spec.Sources) == 0 {
					return fault.New(fault.Mistake, "add a source to", "application "+args[0], "", "it has no list of sources", "move spec.source into spec.sources with `bowline app edit "+args[0]+"` first")
				}
				source := v1alpha1.ApplicationSource{}
				if err := flags.Source(cmd.Context(), &source, ""); err != nil {
					return command.Usage(cmd, err.Error())
				}
				if source.RepoURL == "" {
					return command.Usage(cmd, "a source needs --repo")
				}
				app.Spec.Sources = append(app.Spec.Sources, source)
				return nil
			})
		},
	}
	flags = spec.New(cmd.Flags(), reader(cmd))
	return cmd
}

// NewRemoveSourceCmd returns the command remove-source.
func NewRemoveSourceCmd(s *session.Session) *cobra.Command {
	var which which
	cmd := &cobra.Command{
		Use:   "remove-source NAME",
		Short: "Take one of several sources out of an application",
		Example: command.Example(
			"bowline app remove-source web --source-position 1",
			"bowline app remove-source web --source-name guestbook"),
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return update(cmd, s, args[0], nil, func(app *v1alpha1.Application) error {
				if len(app.Spec.Sources) < 2 {
					return fault.New(fault.Mistake, "remove a source from", "application "+args[0], "", "it has no other source", "delete the application, or change the source with `bowline app set`")
				}
				position, err := spec.Position(app, which.position, which.name)
				if err != nil {
					return command.Usage(cmd, err.Error())
				}
				app.Spec.Sources = slices.Delete(app.Spec.Sources, position-1, position)
				return nil
			})
		},
	}
	which.bind(cmd.Flags())
	return cmd
}
