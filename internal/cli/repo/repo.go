// SPDX-License-Identifier: Apache-2.0

// Package repo holds the nouns `bowline repo` and `bowline repocreds`: repositories, and credentials for all repositories below a
// URL.
package repo

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/complete"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/prompt"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// NewCmd returns the command repo with all its verbs.
func NewCmd(s *session.Session) *cobra.Command {
	cmd := command.Group("repo", "Work with repositories", newAddCmd(s), newGetCmd(s), newListCmd(s), newRemoveCmd(s))
	s.BindCluster(cmd.PersistentFlags())
	return cmd
}

func newAddCmd(s *session.Session) *cobra.Command {
	c, r, upsert := credentials{}, v1alpha1.Repository{}, false
	cmd := &cobra.Command{
		Use: "add REPOURL", Short: "Add a repository", Args: command.Exactly("REPOURL"),
		Long: "Add a repository. The server tries whether it can be read before it takes it.",
		Example: command.Example("bowline repo add https://git.example.com/shop --username git --password $PASSWORD",
			"bowline repo add git@git.example.com:shop.git --ssh-private-key-path ~/.ssh/id_ed25519",
			"bowline repo add https://charts.example.com --type helm --name stable",
			"bowline repo add oci://registry.example.com/shop --type oci"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.complete(cmd, args[0]); err != nil {
				return err
			}
			if c.creds.Type == "helm" && r.Name == "" {
				return command.Usage(cmd, "a repository of type helm needs a --name")
			}
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			made, err := services.Repositories.CreateRepository(cmd.Context(), &repository.RepoCreateRequest{Repo: join(r, c.creds, args[0]), Upsert: upsert})
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "Repository '%s' added\n", fault.RedactURL(made.Repo))
			}
			return err
		},
	}
	c.bind(cmd.Flags())
	flags := cmd.Flags()
	bindRepository(flags, &r)
	flags.BoolVar(&upsert, "upsert", false, "change the repository if it exists and is another")
	return cmd
}

// bindRepository adds the flags about a repository but those about its credentials.
func bindRepository(flags *pflag.FlagSet, r *v1alpha1.Repository) {
	flags.StringVar(&r.Name, "name", "", "name of the repository")
	flags.StringVar(&r.Project, "project", "", "project that alone may use the repository")
	flags.BoolVar(&r.Insecure, "insecure-skip-server-verification", false, "take any certificate or host key of the server")
	flags.BoolVar(&r.InsecureIgnoreHostKey, "insecure-ignore-host-key", false, "take any host key of the server; use --insecure-skip-server-verification")
	flags.BoolVar(&r.EnableLFS, "enable-lfs", false, "fetch files of Git LFS")
	flags.StringVar(&r.Proxy, "proxy", "", "proxy to reach the repository by")
	flags.Int64Var(&r.Depth, "depth", 0, "how many commits to fetch; 0 is all")
	flags.BoolVar(&r.WebhookManifestCacheWarmDisabled, "webhook-manifest-cache-warm-disabled", false, "do not render ahead on webhooks")
}

// join makes a repository of what is its own and of its credentials.
func join(r v1alpha1.Repository, c v1alpha1.RepoCreds, url string) *v1alpha1.Repository {
	r.Repo, r.Type, r.Username, r.Password, r.BearerToken, r.SSHPrivateKey = url, c.Type, c.Username, c.Password, c.BearerToken, c.SSHPrivateKey
	r.TLSClientCertData, r.TLSClientCertKey = c.TLSClientCertData, c.TLSClientCertKey
	r.GithubAppID, r.GithubAppInstallationID = c.GithubAppID, c.GithubAppInstallationID
	r.GithubAppPrivateKey, r.GithubAppEnterpriseBaseURL = c.GithubAppPrivateKey, c.GithubAppEnterpriseBaseURL
	r.GCPServiceAccountKey, r.ForceHTTPBasicAuth, r.NoProxy = c.GCPServiceAccountKey, c.ForceHTTPBasicAuth, c.NoProxy
	r.UseAzureWorkloadIdentity, r.AzureActiveDirectoryEndpoint = c.UseAzureWorkloadIdentity, c.AzureActiveDirectoryEndpoint
	r.AzureServicePrincipalClientID, r.AzureServicePrincipalClientSecret = c.AzureServicePrincipalClientID, c.AzureServicePrincipalClientSecret
	r.AzureServicePrincipalTenantID = c.AzureServicePrincipalTenantID
	r.EnableOCI, r.InsecureOCIForceHTTP = c.EnableOCI, c.InsecureOCIForceHTTP
	return &r
}

// url is the output format that lists URLs.
const url output.Format = "url"

func newGetCmd(s *session.Session) *cobra.Command {
	query, refresh := repository.RepoQuery{}, ""
	var format output.Format
	cmd := &cobra.Command{
		Use: "get REPO", Short: "Show a repository", Args: command.Exactly("REPO"), ValidArgsFunction: complete.First(s, complete.Repositories),
		Example: command.Example("bowline repo get https://git.example.com/shop"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := hard(cmd, refresh); err != nil {
				return err
			}
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			query.Repo, query.ForceRefresh = args[0], refresh != ""
			found, err := services.Repositories.Get(cmd.Context(), &query)
			if err != nil {
				return err
			}
			if ok, err := output.Encode(cmd.OutOrStdout(), format, found); ok {
				return err
			}
			return write(cmd.OutOrStdout(), format, []v1alpha1.Repository{*found})
		},
	}
	cmd.Flags().StringVar(&query.AppProject, "project", "", "project of the repository")
	cmd.Flags().StringVar(&refresh, "refresh", "", "hard tries the connection now")
	output.Flag(cmd.Flags(), &format, output.Wide, output.JSON, output.YAML, url)
	return cmd
}

func hard(cmd *cobra.Command, refresh string) error {
	if refresh != "" && refresh != "hard" {
		return command.Usage(cmd, fmt.Sprintf("--refresh is %q and has to be hard", refresh))
	}
	return nil
}

func newListCmd(s *session.Session) *cobra.Command {
	refresh := ""
	var format output.Format
	cmd := &cobra.Command{
		Use: "list", Short: "List repositories", Args: command.NoArgs, Example: command.Example("bowline repo list", "bowline repo list --refresh hard"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := hard(cmd, refresh); err != nil {
				return err
			}
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			list, err := services.Repositories.ListRepositories(cmd.Context(), &repository.RepoQuery{ForceRefresh: refresh != ""})
			if err != nil {
				return err
			}
			items := list.Items
			if items == nil {
				items = []v1alpha1.Repository{}
			}
			if ok, err := output.Encode(cmd.OutOrStdout(), format, items); ok {
				return err
			}
			return write(cmd.OutOrStdout(), format, items)
		},
	}
	cmd.Flags().StringVar(&refresh, "refresh", "", "hard tries the connections now")
	output.Flag(cmd.Flags(), &format, output.Wide, output.JSON, output.YAML, url)
	return cmd
}

func write(w io.Writer, format output.Format, items []v1alpha1.Repository) error {
	rows := [][]string{}
	for i := range items {
		r := &items[i]
		if format == url {
			fmt.Fprintln(w, output.Clean(r.Repo))
		}
		rows = append(rows, []string{r.Type, r.Name, r.Repo, fmt.Sprint(r.Insecure || r.InsecureIgnoreHostKey), fmt.Sprint(r.EnableOCI), fmt.Sprint(r.EnableLFS),
			has(r), r.ConnectionState.Status, r.ConnectionState.Message, r.Project})
	}
	if format != url {
		output.Table(w, []string{"TYPE", "NAME", "REPO", "INSECURE", "OCI", "LFS", "CREDS", "STATUS", "MESSAGE", "PROJECT"}, rows)
	}
	return nil
}

// has says whether a repository has credentials, as far as answers tell: they have no secrets.
func has(r *v1alpha1.Repository) string {
	if r.InheritedCreds {
		return "inherited"
	}
	return fmt.Sprint(r.Username != "" || r.SSHPrivateKey != "" || r.GithubAppID != 0 || r.UseAzureWorkloadIdentity || r.AzureServicePrincipalClientID != "")
}

func newRemoveCmd(s *session.Session) *cobra.Command {
	project := ""
	cmd := &cobra.Command{
		Use: "rm REPO...", Short: "Remove repositories", Args: command.AtLeastOne("REPO"), ValidArgsFunction: complete.Every(s, complete.Repositories),
		Example: command.Example("bowline repo rm https://git.example.com/shop"),
		RunE: func(cmd *cobra.Command, args []string) error {
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			for _, repo := range args {
				if yes, err := mayRemove(cmd, s, "repository", repo); err != nil {
					return err
				} else if !yes {
					continue
				}
				if _, err := services.Repositories.DeleteRepository(cmd.Context(), &repository.RepoQuery{Repo: repo, AppProject: project}); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "Repository '%s' removed\n", fault.RedactURL(repo))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&project, "project", "", "project of the repository")
	return cmd
}

func mayRemove(cmd *cobra.Command, s *session.Session, what, url string) (bool, error) {
	if !s.Asks() {
		return true, nil
	}
	return prompt.Confirm(cmd, fmt.Sprintf("Remove %s '%s'?", what, fault.RedactURL(url)))
}
