// SPDX-License-Identifier: Apache-2.0

package repo

import (
	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/admin/declare"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/settings/declared"
)

// NewGenerateCmd returns the command `bowline admin repo generate-spec`.
func NewGenerateCmd() *cobra.Command {
	var (
		c   credentials
		r   v1alpha1.Repository
		out declare.Output
	)
	cmd := &cobra.Command{
		Use: "generate-spec REPOURL", Short: "Write the Secret that declares a repository, by flags", Args: command.Exactly("REPOURL"),
		Long: `Write the Secret that declares a repository, by flags. It holds the credentials as they are: seal or encrypt it before it
goes into a repository.`,
		Example: command.Example("bowline admin repo generate-spec https://git.example.com/shop --username git --password \"$PASSWORD\""),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.complete(cmd, args[0]); err != nil {
				return err
			}
			if c.creds.Type == "helm" && r.Name == "" {
				return command.Usage(cmd, "a repository of type helm needs a --name")
			}
			return out.Write(cmd, "", declared.NewRepository(join(r, c.creds, args[0]), false))
		},
	}
	c.bind(cmd.Flags())
	bindRepository(cmd.Flags(), &r)
	out.Bind(cmd, false)
	return cmd
}
