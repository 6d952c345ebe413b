// SPDX-License-Identifier: Apache-2.0

package proj

import (
	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/internal/cli/admin/declare"
	"github.com/bowline-cd/bowline/internal/cli/command"
)

// NewGenerateCmd returns the command `bowline admin proj generate-spec`.
func NewGenerateCmd() *cobra.Command {
	var (
		opts options
		out  declare.Output
		file string
	)
	cmd := &cobra.Command{
		Use: "generate-spec [PROJECT]", Short: "Write a project as YAML, by flags", Args: command.AtMostOne("PROJECT"),
		Example: command.Example("bowline admin proj generate-spec shop -s https://git.example.com/shop -d https://kubernetes.default.svc,shop-*",
			"bowline admin proj generate-spec -f shop.yaml --description 'the shop' --inline"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := wanted(cmd, args, file, &opts)
			if err != nil {
				return err
			}
			return out.Write(cmd, file, p)
		},
	}
	opts.bind(cmd.Flags())
	out.Bind(cmd, true)
	cmd.Flags().StringVarP(&file, "file", "f", "", "file or URL of a manifest, or - for standard input")
	return cmd
}
