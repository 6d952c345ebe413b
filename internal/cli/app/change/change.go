// SPDX-License-Identifier: Apache-2.0

// Package change are the verbs that change the spec of an application: `bowline app set`, `unset`, `add-source`,
// `remove-source`, `edit` and `patch`.
package change

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/app/spec"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// errNothing says that an application is already as it is to be.
var errNothing = errors.New("nothing to change")

// update reads an application, has its spec changed, and writes it.
func update(cmd *cobra.Command, s *session.Session, name string, validate *bool, change func(*v1alpha1.Application) error) error {
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
	err = change(app)
	if errors.Is(err, errNothing) {
		say(cmd.OutOrStdout(), name, "unchanged")
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := services.Applications.UpdateSpec(ctx, &application.ApplicationUpdateSpecRequest{
		Name: bare, AppNamespace: namespace, Spec: &app.Spec, Validate: validate,
	}); err != nil {
		return err
	}
	say(cmd.OutOrStdout(), name, "updated")
	return nil
}

func say(w io.Writer, name, what string) { fmt.Fprintf(w, "application %s: %s\n", name, what) }

// which are the flags that choose one of several sources.
type which struct {
	position int
	name     string
}

func (c *which) bindPosition(flags *pflag.FlagSet) {
	flags.IntVar(&c.position, "source-position", -1, "which of several sources, counted from 1")
}

func (c *which) bind(flags *pflag.FlagSet) {
	c.bindPosition(flags)
	flags.StringVar(&c.name, "source-name", "", "which of several sources, by its name")
}

// NewSetCmd returns the command set.
func NewSetCmd(s *session.Session) *cobra.Command {
	var (
		flags *spec.Flags
		which which
	)
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Change the spec of an application by flags",
		Example: command.Example(
			"bowline app set web --revision v1.2.3",
			"bowline app set shop --helm-set replicas=3 --sync-policy automated --self-heal",
			"bowline app set shop --source-position 2 --path overlays/prod"),
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return update(cmd, s, args[0], &flags.Validate, func(app *v1alpha1.Application) error {
				position, err := spec.Position(app, which.position, flags.SourceName)
				if err != nil {
					return command.Usage(cmd, err.Error())
				}
				given, err := flags.Apply(cmd.Context(), app, position)
				switch {
				case err != nil:
					return command.Usage(cmd, err.Error())
				case !given:
					return command.Usage(cmd, "say with flags what to change")
				}
				return nil
			})
		},
	}
	flags = spec.New(cmd.Flags(), reader(cmd))
	which.bindPosition(cmd.Flags())
	return cmd
}

func reader(cmd *cobra.Command) func(context.Context, string) ([]byte, error) {
	return func(ctx context.Context, path string) ([]byte, error) { return command.Read(ctx, cmd, path) }
}

// NewUnsetCmd returns the command unset.
func NewUnsetCmd(s *session.Session) *cobra.Command {
	var (
		unset spec.Unset
		which which
	)
	cmd := &cobra.Command{
		Use:   "unset NAME",
		Short: "Take settings out of the source of an application",
		Example: command.Example(
			"bowline app unset web --kustomize-image nginx",
			"bowline app unset shop -p replicas --values values-prod.yaml"),
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return update(cmd, s, args[0], nil, func(app *v1alpha1.Application) error {
				position, err := spec.Position(app, which.position, which.name)
				if err != nil {
					return command.Usage(cmd, err.Error())
				}
				changed, err := unset.Apply(app, position)
				switch {
				case err != nil:
					return command.Usage(cmd, err.Error())
				case !changed:
					return errNothing
				}
				return nil
			})
		},
	}
	unset.Bind(cmd.Flags())
	which.bind(cmd.Flags())
	return cmd
}
