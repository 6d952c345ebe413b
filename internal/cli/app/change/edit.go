// SPDX-License-Identifier: Apache-2.0

package change

import (
	"reflect"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/editor"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// NewEditCmd returns the command edit.
func NewEditCmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use:   "edit NAME",
		Short: "Change the spec of an application in an editor",
		Long: `Change the spec of an application in an editor: that of $KUBE_EDITOR, else of $EDITOR, else vi. What is refused is opened
again with the reason in a comment; saving it as it was opened gives up.`,
		Example: command.Example("bowline app edit web"),
		Args:    command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return edit(cmd, s, args[0])
		},
	}
}

func edit(cmd *cobra.Command, s *session.Session, name string) error {
	ctx := cmd.Context()
	services, err := s.Services(ctx)
	if err != nil {
		return err
	}
	namespace, bare := s.Split(name)
	app, err := services.Applications.Get(ctx, &application.ApplicationQuery{Name: bare, AppNamespace: namespace})
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(app.Spec)
	if err != nil {
		return fault.Wrap(fault.Bug, "write", "application "+name, err, "")
	}
	changed := false
	err = editor.Edit(cmd, "application "+name, text, func(edited []byte) error {
		wanted := v1alpha1.ApplicationSpec{}
		if err := yaml.UnmarshalStrict(edited, &wanted); err != nil {
			return err
		}
		if reflect.DeepEqual(wanted, app.Spec) {
			return nil
		}
		changed = true
		_, err := services.Applications.UpdateSpec(ctx, &application.ApplicationUpdateSpecRequest{Name: bare, AppNamespace: namespace, Spec: &wanted})
		return err
	})
	switch {
	case err != nil:
		return err
	case changed:
		say(cmd.OutOrStdout(), name, "updated")
	default:
		say(cmd.OutOrStdout(), name, "unchanged")
	}
	return nil
}
