// SPDX-License-Identifier: Apache-2.0

// Package cert is the noun `bowline cert`: the certificates and host keys by which servers of repositories are trusted.
package cert

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/certificate"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/prompt"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// NewCmd returns the command with all its verbs.
func NewCmd(s *session.Session) *cobra.Command {
	cmd := command.Group("cert", "Work with certificates and host keys of repositories' servers", newAddTLSCmd(s), newAddSSHCmd(s), newListCmd(s), newRemoveCmd(s))
	s.BindCluster(cmd.PersistentFlags())
	return cmd
}

func newAddTLSCmd(s *session.Session) *cobra.Command {
	from, upsert := "-", false
	cmd := &cobra.Command{
		Use: "add-tls SERVERNAME", Short: "Trust certificates for a server", Args: command.Exactly("SERVERNAME"),
		Example: command.Example("bowline cert add-tls git.example.com --from ca.pem"),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := command.Read(cmd.Context(), cmd, from)
			if err != nil {
				return err
			}
			certs, err := certificates(data)
			if err != nil {
				return err
			}
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			item := v1alpha1.RepositoryCertificate{ServerName: args[0], CertType: "https", CertData: join(certs)}
			if _, err := services.Certificates.CreateCertificate(cmd.Context(), &certificate.RepositoryCertificateCreateRequest{
				Certificates: &v1alpha1.RepositoryCertificateList{Items: []v1alpha1.RepositoryCertificate{item}}, Upsert: upsert,
			}); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Created/updated TLS certificate entry for repository server %s with %d unique PEM certificates\n", args[0], len(certs))
			return nil
		},
	}
	cmd.Flags().StringVar(&from, "from", "-", "PEM file with the certificates; - is standard input")
	cmd.Flags().BoolVar(&upsert, "upsert", false, "replace the certificates of the server if there are others")
	return cmd
}

func newAddSSHCmd(s *session.Session) *cobra.Command {
	from, batch, upsert := "-", false, false
	cmd := &cobra.Command{
		Use: "add-ssh", Short: "Trust host keys for SSH", Args: command.NoArgs,
		Long:    "Trust host keys for SSH, given in the form of a known_hosts file, such as ssh-keyscan prints.",
		Example: command.Example("ssh-keyscan git.example.com | bowline cert add-ssh --batch"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			data, err := command.Read(cmd.Context(), cmd, from)
			if err != nil {
				return err
			}
			items, err := hostKeys(data)
			if err != nil {
				return err
			}
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			made, err := services.Certificates.CreateCertificate(cmd.Context(), &certificate.RepositoryCertificateCreateRequest{
				Certificates: &v1alpha1.RepositoryCertificateList{Items: items}, Upsert: upsert,
			})
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "Successfully created %d SSH known host entries\n", len(made.Items))
			}
			return err
		},
	}
	cmd.Flags().StringVar(&from, "from", "-", "file with the host keys; - is standard input")
	cmd.Flags().BoolVar(&batch, "batch", false, "without meaning: host keys are always read as a whole")
	cmd.Flags().BoolVar(&upsert, "upsert", false, "replace host keys if there are others")
	return cmd
}

func newListCmd(s *session.Session) *cobra.Command {
	query, sorted := certificate.RepositoryCertificateQuery{}, ""
	var format output.Format
	cmd := &cobra.Command{
		Use: "list", Short: "List certificates and host keys", Args: command.NoArgs, Example: command.Example("bowline cert list --cert-type ssh"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case query.CertType != "" && query.CertType != "ssh" && query.CertType != "https":
				return command.Usage(cmd, fmt.Sprintf("--cert-type is %q and has to be ssh or https", query.CertType))
			case sorted != "" && sorted != "hostname" && sorted != "type":
				return command.Usage(cmd, fmt.Sprintf("--sort is %q and has to be hostname or type", sorted))
			}
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			list, err := services.Certificates.ListCertificates(cmd.Context(), &query)
			if err != nil {
				return err
			}
			return write(cmd.OutOrStdout(), format, list.Items, sorted)
		},
	}
	cmd.Flags().StringVar(&sorted, "sort", "", "order of the table: hostname (default) or type")
	cmd.Flags().StringVar(&query.CertType, "cert-type", "", "only ssh or https")
	cmd.Flags().StringVar(&query.HostNamePattern, "hostname-pattern", "", "only servers of this name; a glob")
	output.Flag(cmd.Flags(), &format, output.Wide, output.JSON, output.YAML)
	return cmd
}

func write(w io.Writer, format output.Format, items []v1alpha1.RepositoryCertificate, sorted string) error {
	if items == nil {
		items = []v1alpha1.RepositoryCertificate{}
	}
	if ok, err := output.Encode(w, format, items); ok {
		return err
	}
	slices.SortStableFunc(items, func(a, b v1alpha1.RepositoryCertificate) int {
		if sorted == "type" {
			return cmp.Compare(a.CertType, b.CertType)
		}
		return cmp.Compare(a.ServerName, b.ServerName)
	})
	rows := [][]string{}
	for _, c := range items {
		rows = append(rows, []string{c.ServerName, c.CertType, c.CertSubType, c.CertInfo})
	}
	output.Table(w, []string{"HOSTNAME", "TYPE", "SUBTYPE", "INFO"}, rows)
	return nil
}

func newRemoveCmd(s *session.Session) *cobra.Command {
	query := certificate.RepositoryCertificateQuery{}
	cmd := &cobra.Command{
		Use: "rm REPOSERVER", Short: "Remove certificates and host keys of a server", Args: command.Exactly("REPOSERVER"),
		Example: command.Example("bowline cert rm git.example.com --cert-type ssh"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "*" {
				return command.Usage(cmd, "REPOSERVER is *, which would remove all of them")
			}
			if s.Asks() {
				if yes, err := prompt.Confirm(cmd, "Remove the certificates and host keys of '"+args[0]+"'?"); err != nil || !yes {
					return err
				}
			}
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			query.HostNamePattern = args[0]
			gone, err := services.Certificates.DeleteCertificate(cmd.Context(), &query)
			if err != nil {
				return err
			}
			for _, c := range gone.Items {
				fmt.Fprintf(cmd.OutOrStdout(), "Removed cert for '%s' of type '%s' (subtype '%s')\n", c.ServerName, c.CertType, c.CertSubType)
			}
			if len(gone.Items) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "No certificates were removed (none matched the given pattern)")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&query.CertType, "cert-type", "", "only ssh or https")
	cmd.Flags().StringVar(&query.CertSubType, "cert-sub-type", "", "only host keys of this type, such as ssh-ed25519")
	return cmd
}
