// SPDX-License-Identifier: Apache-2.0

// Package admin is the noun `bowline admin`: what those do who look after an installation, straight on its cluster, whether a
// server runs or not.
package admin

import (
	"fmt"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/admin/backup"
	"github.com/bowline-cd/bowline/internal/cli/admin/clusters"
	"github.com/bowline-cd/bowline/internal/cli/admin/declare"
	"github.com/bowline-cd/bowline/internal/cli/admin/projects"
	"github.com/bowline-cd/bowline/internal/cli/admin/reach"
	"github.com/bowline-cd/bowline/internal/cli/admin/settings"
	"github.com/bowline-cd/bowline/internal/cli/app/create"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/proj"
	"github.com/bowline-cd/bowline/internal/cli/repo"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// initialPassword is the Secret of the first password, as Argo CD calls it.
const initialPassword = "argocd-initial-admin-secret"

// NewCmd returns the command with all its verbs. connect leads to the cluster; nil is that of the kubeconfig. Its flags are s's,
// which no other command should share. asks reports whether to ask before something is deleted.
func NewCmd(s *session.Session, connect reach.Connect, asks func() bool) *cobra.Command {
	if connect == nil {
		connect = reach.Cluster
	}
	cmd := command.Group("admin", "Look after an installation, straight on its cluster",
		backup.NewExportCmd(s, connect), backup.NewImportCmd(s, connect, asks), newInitialPasswordCmd(s, connect), settings.NewCmd(s, connect),
		command.Group("app", "Declare applications", newGenerateAppCmd()),
		projects.NewCmd(s, connect, proj.NewGenerateCmd()), command.Group("repo", "Declare repositories", repo.NewGenerateCmd()), clusters.NewCmd(s, connect),
	)
	s.BindCluster(cmd.PersistentFlags())
	return cmd
}

// newInitialPasswordCmd returns the command initial-password.
func newInitialPasswordCmd(s *session.Session, connect reach.Connect) *cobra.Command {
	return &cobra.Command{
		Use:   "initial-password",
		Short: "Show the first password of the account admin",
		Long: `Show the first password of the account admin, which was made when the installation first started. Change it with
"bowline account update-password", and delete the Secret ` + initialPassword + ` then.`,
		Example: command.Example("bowline admin initial-password"),
		Args:    command.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(s)
			if err != nil {
				return err
			}
			secret, key := &corev1.Secret{}, kube.ObjectKey{Namespace: s.Namespace, Name: initialPassword}
			if err := reach.Explain(c.Get(cmd.Context(), key, secret), "read", "Secret "+key.String()); err != nil {
				return err
			}
			password, ok := secret.Data["password"]
			if !ok {
				return fault.New(fault.Stalled, "read", "Secret "+key.String(), "data.password", "it holds no password", "set one with `bowline account bcrypt` in Secret "+v1alpha1.SecretName)
			}
			fmt.Fprintln(cmd.OutOrStdout(), string(password))
			fmt.Fprintln(cmd.ErrOrStderr(), "\nIt is for the first login only: change it with `bowline account update-password`.")
			return nil
		},
	}
}

// newGenerateAppCmd returns the command app generate-spec.
func newGenerateAppCmd() *cobra.Command {
	var (
		input *create.Input
		out   declare.Output
	)
	cmd := &cobra.Command{
		Use:   "generate-spec [NAME]",
		Short: "Write an application as YAML, by flags",
		Example: command.Example(
			"bowline admin app generate-spec web --repo https://github.com/argoproj/argocd-example-apps --path guestbook --dest-name in-cluster --dest-namespace web",
			"bowline admin app generate-spec -f application.yaml --revision v1.2.3 --inline"),
		Args: command.AtMostOne("name of an application"),
		RunE: func(cmd *cobra.Command, args []string) error {
			apps, err := input.Applications(cmd, args)
			if err != nil {
				return err
			}
			if len(apps) > 1 {
				return command.Usage(cmd, fmt.Sprintf("the file holds %d applications, and one is written", len(apps)))
			}
			return out.Write(cmd, input.File, apps[0])
		},
	}
	input = create.Bind(cmd)
	out.Bind(cmd, true)
	return cmd
}
