// SPDX-License-Identifier: Apache-2.0

package change

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/internal/cli/app/view"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// NewPatchCmd returns the command patch.
func NewPatchCmd(s *session.Session) *cobra.Command {
	var (
		patch, kind string
		format      output.Format
	)
	cmd := &cobra.Command{
		Use:   "patch NAME",
		Short: "Change an application by a JSON patch or a merge patch",
		Example: command.Example(
			`bowline app patch web --type merge --patch '{"spec":{"source":{"targetRevision":"main"}}}'`,
			`bowline app patch web --patch '[{"op":"replace","path":"/spec/source/path","value":"web"}]'`),
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if kind != "json" && kind != "merge" {
				return command.Usage(cmd, fmt.Sprintf("--type is %q and has to be json or merge", kind))
			}
			if patch == "" {
				return command.Usage(cmd, "it needs --patch")
			}
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			namespace, name := s.Split(args[0])
			app, err := services.Applications.Patch(cmd.Context(), &application.ApplicationPatchRequest{Name: name, AppNamespace: namespace, Patch: patch, PatchType: kind})
			if err != nil {
				return err
			}
			return view.Show(cmd.OutOrStdout(), format, app)
		},
	}
	cmd.Flags().StringVar(&patch, "patch", "", "the patch")
	cmd.Flags().StringVar(&kind, "type", "json", "json (RFC 6902) or merge (RFC 7396)")
	output.Flag(cmd.Flags(), &format, output.YAML, output.JSON, output.Name)
	return cmd
}
