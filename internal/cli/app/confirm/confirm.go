// SPDX-License-Identifier: Apache-2.0

// Package confirm is the verb `bowline app confirm-deletion`: what argocd's clients write to approve deletions, whatever
// they are. `bowline app approve` is the one that approves exactly what was looked at.
package confirm

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// NewCmd returns the command.
func NewCmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use:   "confirm-deletion NAME",
		Short: "Approve all deletions of an application that wait now",
		Long: `Approve all deletions of an application that wait now, as argocd does. To approve exactly those that were looked at use
"bowline app approve".`,
		Example: command.Example("bowline app confirm-deletion web"),
		Args:    command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd, s, args[0])
		},
	}
}

func run(cmd *cobra.Command, s *session.Session, name string) error {
	services, err := s.Services(cmd.Context())
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
		v1alpha1.AnnotationDeletionApproved: s.Now().UTC().Format(time.RFC3339),
	}}})
	if err != nil {
		return fault.Wrap(fault.Bug, "write", "a patch", err, "")
	}
	namespace, bare := s.Split(name)
	if _, err := services.Applications.Patch(cmd.Context(), &application.ApplicationPatchRequest{
		Name: bare, AppNamespace: namespace, Patch: string(patch), PatchType: "merge",
	}); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "application %s: the deletions that waited are approved\n", name)
	return nil
}
