// SPDX-License-Identifier: Apache-2.0

package repo

import (
	"cmp"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/repocreds"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// NewCredsCmd returns the command repocreds with all its verbs.
func NewCredsCmd(s *session.Session) *cobra.Command {
	cmd := command.Group("repocreds", "Work with credentials for all repositories below a URL", newCredsAddCmd(s), newCredsListCmd(s), newCredsRemoveCmd(s))
	s.BindCluster(cmd.PersistentFlags())
	return cmd
}

func newCredsAddCmd(s *session.Session) *cobra.Command {
	c, upsert := credentials{}, false
	cmd := &cobra.Command{
		Use: "add REPOURL", Short: "Add credentials for all repositories below a URL", Args: command.Exactly("REPOURL"),
		Example: command.Example("bowline repocreds add https://git.example.com/shop/ --username git --password $PASSWORD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.complete(cmd, args[0]); err != nil {
				return err
			}
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			c.creds.URL = args[0]
			made, err := services.RepoCreds.CreateRepositoryCredentials(cmd.Context(), &repocreds.RepoCredsCreateRequest{Creds: &c.creds, Upsert: upsert})
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "Repository credentials for '%s' added\n", fault.RedactURL(made.URL))
			}
			return err
		},
	}
	c.bind(cmd.Flags())
	cmd.Flags().StringVar(&c.creds.Proxy, "proxy-url", "", "proxy to reach the repositories by")
	cmd.Flags().BoolVar(&upsert, "upsert", false, "change the credentials if there are others for the URL")
	return cmd
}

func newCredsListCmd(s *session.Session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use: "list", Short: "List the URLs that there are credentials for", Args: command.NoArgs, Example: command.Example("bowline repocreds list"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			list, err := services.RepoCreds.ListRepositoryCredentials(cmd.Context(), &repocreds.RepoCredsQuery{})
			if err != nil {
				return err
			}
			return writeCreds(cmd.OutOrStdout(), format, list.Items)
		},
	}
	output.Flag(cmd.Flags(), &format, output.Wide, output.JSON, output.YAML, url)
	return cmd
}

func writeCreds(w io.Writer, format output.Format, items []v1alpha1.RepoCreds) error {
	if items == nil {
		items = []v1alpha1.RepoCreds{}
	}
	if ok, err := output.Encode(w, format, items); ok {
		return err
	}
	rows := [][]string{}
	for _, c := range items {
		if format == url {
			fmt.Fprintln(w, output.Clean(c.URL))
		}
		rows = append(rows, []string{c.URL, cmp.Or(c.Username, "-"), fmt.Sprint(c.SSHPrivateKey != ""), fmt.Sprint(c.TLSClientCertData != "")})
	}
	if format != url {
		output.Table(w, []string{"URL PATTERN", "USERNAME", "SSH_CREDS", "TLS_CREDS"}, rows)
	}
	return nil
}

func newCredsRemoveCmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use: "rm CREDSURL...", Short: "Remove credentials", Args: command.AtLeastOne("CREDSURL"), Example: command.Example("bowline repocreds rm https://git.example.com/shop/"),
		RunE: func(cmd *cobra.Command, args []string) error {
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			for _, url := range args {
				if yes, err := mayRemove(cmd, s, "the credentials for", url); err != nil {
					return err
				} else if !yes {
					continue
				}
				if _, err := services.RepoCreds.DeleteRepositoryCredentials(cmd.Context(), &repocreds.RepoCredsDeleteRequest{URL: url}); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "Repository credentials for '%s' removed\n", fault.RedactURL(url))
			}
			return nil
		},
	}
}
