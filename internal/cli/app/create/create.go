// SPDX-License-Identifier: Apache-2.0

// Package create is the verb `bowline app create`, and reads applications from flags and files for
// `bowline admin app generate-spec`.
package create

import (
	"context"
	"fmt"
	"reflect"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// NewCmd returns the command.
func NewCmd(s *session.Session) *cobra.Command {
	var (
		input  *Input
		upsert bool
	)
	cmd := &cobra.Command{
		Use:   "create [NAME]",
		Short: "Create an application from flags or from a file",
		Example: command.Example(
			"bowline app create web --repo https://github.com/argoproj/argocd-example-apps --path guestbook --dest-name in-cluster --dest-namespace web",
			"bowline app create shop --repo https://charts.example.com --helm-chart shop --revision 1.2.x --dest-name in-cluster --dest-namespace shop --helm-set replicas=2",
			"bowline app create -f application.yaml --upsert"),
		Args: AtMostOneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			apps, err := input.Applications(cmd, args)
			if err != nil {
				return err
			}
			for _, app := range apps {
				if err := create(cmd, s, app, upsert, input.Spec.Validate); err != nil {
					return err
				}
			}
			return nil
		},
	}
	input = Bind(cmd)
	cmd.Flags().BoolVar(&upsert, "upsert", false, "change the application if there is one of this name with another spec")
	return cmd
}

// AtMostOneName asks for at most one name.
func AtMostOneName(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return command.Usage(cmd, fmt.Sprintf("it takes the name of one application, but got %d arguments", len(args)))
	}
	return nil
}

func create(cmd *cobra.Command, s *session.Session, app *v1alpha1.Application, upsert, validate bool) error {
	ctx := cmd.Context()
	services, err := s.Services(ctx)
	if err != nil {
		return err
	}
	if s.AppNamespace != "" {
		app.Namespace = s.AppNamespace
	}
	before, err := existing(ctx, services.Applications, app)
	if err != nil {
		return err
	}
	created, err := services.Applications.Create(ctx, &application.ApplicationCreateRequest{Application: app, Upsert: upsert, Validate: &validate})
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "application %s: %s\n", qualified(created), outcome(before, created))
	return nil
}

// existing returns the application of that name; nil if there is none, or none that the caller may know of.
func existing(ctx context.Context, apps application.ApplicationService, app *v1alpha1.Application) (*v1alpha1.Application, error) {
	found, err := apps.Get(ctx, &application.ApplicationQuery{Name: app.Name, AppNamespace: app.Namespace})
	if fault.CodeOf(err) == fault.NotFound || fault.Is(err, fault.Forbidden) {
		return nil, nil
	}
	return found, err
}

// outcome says what became of an application that was to be created.
func outcome(before, after *v1alpha1.Application) string {
	switch {
	case before == nil:
		return "created"
	case reflect.DeepEqual(before.Spec, after.Spec) && sameWords(before.Labels, after.Labels) && sameWords(before.Annotations, after.Annotations):
		return "unchanged"
	}
	return "updated"
}

func sameWords(a, b map[string]string) bool {
	return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b)
}

func qualified(app *v1alpha1.Application) string {
	if app.Namespace == "" {
		return app.Name
	}
	return app.Namespace + "/" + app.Name
}
