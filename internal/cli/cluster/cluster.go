// SPDX-License-Identifier: Apache-2.0

// Package cluster is the noun `bowline cluster`: the clusters that applications may go to, and how they are reached.
//
// The words of this package:
//
//   - Manager: the service account that the server works as in a cluster: argocd-manager, as Argo CD's command line makes it,
//     so that either of the two can take it over from the other.
package cluster

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/complete"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/prompt"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// NewCmd returns the command with all its verbs.
func NewCmd(s *session.Session) *cobra.Command {
	cmd := command.Group("cluster", "Work with clusters", newAddCmd(s), newListCmd(s), newGetCmd(s), newSetCmd(s), newRotateCmd(s), newRemoveCmd(s))
	s.BindCluster(cmd.PersistentFlags())
	return cmd
}

// server is the output format that lists URLs of servers.
const server output.Format = "server"

// query names a cluster by the URL of its server, or by its name. The id is how REST names it.
func query(selector string) *cluster.ClusterQuery {
	if strings.HasPrefix(selector, "https://") || strings.HasPrefix(selector, "http://") {
		return &cluster.ClusterQuery{Server: selector, ID: &cluster.ClusterID{Type: "server", Value: selector}}
	}
	return &cluster.ClusterQuery{Name: selector, ID: &cluster.ClusterID{Type: "name", Value: selector}}
}

func newListCmd(s *session.Session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use: "list", Short: "List clusters", Args: command.NoArgs, Example: command.Example("bowline cluster list"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			list, err := services.Clusters.List(cmd.Context(), &cluster.ClusterQuery{})
			if err != nil {
				return err
			}
			items := list.Items
			if items == nil {
				items = []v1alpha1.Cluster{}
			}
			if ok, err := output.Encode(cmd.OutOrStdout(), format, items); ok {
				return err
			}
			write(cmd.OutOrStdout(), format, items)
			return nil
		},
	}
	output.Flag(cmd.Flags(), &format, output.Wide, output.JSON, output.YAML, server)
	return cmd
}

func write(w io.Writer, format output.Format, items []v1alpha1.Cluster) {
	rows := [][]string{}
	for i := range items {
		c := &items[i]
		if format == server {
			fmt.Fprintln(w, output.Clean(c.Server))
		}
		where := c.Server
		if n := len(c.Namespaces); n > 0 {
			where = fmt.Sprintf("%s (%d namespaces)", c.Server, n)
		}
		state := c.Info.ConnectionState
		rows = append(rows, []string{where, c.Name, c.Info.ServerVersion, state.Status, state.Message, c.Project})
	}
	if format != server {
		output.Table(w, []string{"SERVER", "NAME", "VERSION", "STATUS", "MESSAGE", "PROJECT"}, rows)
	}
}

func newGetCmd(s *session.Session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use: "get SERVER/NAME...", Short: "Show clusters", Args: command.AtLeastOne("SERVER/NAME"), ValidArgsFunction: complete.Every(s, complete.Clusters),
		Example: command.Example("bowline cluster get in-cluster", "bowline cluster get https://east.example.com -o wide"),
		RunE: func(cmd *cobra.Command, args []string) error {
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			var found []v1alpha1.Cluster
			for _, selector := range args {
				c, err := services.Clusters.Get(cmd.Context(), query(selector))
				if err != nil {
					return err
				}
				found = append(found, *c)
			}
			return show(cmd.OutOrStdout(), format, found)
		},
	}
	output.Flag(cmd.Flags(), &format, output.YAML, output.JSON, output.Wide, server)
	return cmd
}

func show(w io.Writer, format output.Format, found []v1alpha1.Cluster) error {
	var answer any = found
	if len(found) == 1 {
		answer = found[0]
	}
	if ok, err := output.Encode(w, format, answer); ok {
		return err
	}
	if format == server {
		write(w, format, found)
		return nil
	}
	for i := range found {
		details(w, &found[i])
	}
	return nil
}

// details writes a cluster for people.
func details(w io.Writer, c *v1alpha1.Cluster) {
	namespaces := "all namespaces"
	if len(c.Namespaces) > 0 {
		namespaces = strings.Join(c.Namespaces, ", ")
	}
	fmt.Fprintf(w, `Cluster information

  Server URL:            %s
  Server Name:           %s
  Server Version:        %s
  Namespaces:            %s

TLS configuration

  Client cert:           %t
  Cert validation:       %t

Authentication

  Basic authentication:  %t
  oAuth authentication:  %t
  AWS authentication:    %t

Disable compression: %t

Use proxy: %t

`, output.Clean(c.Server), output.Clean(cmp.Or(c.Name, "-")), output.Clean(c.Info.ServerVersion), output.Clean(namespaces),
		len(c.Config.TLSClientConfig.CertData) > 0, !c.Config.TLSClientConfig.Insecure, c.Config.Username != "", c.Config.BearerToken != "",
		c.Config.AWSAuthConfig != nil, c.Config.DisableCompression, c.Config.ProxyURL != "")
}

func newRotateCmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use: "rotate-auth SERVER/NAME", Short: "Have the server replace the token that it shows to a cluster", Args: command.Exactly("SERVER/NAME"),
		ValidArgsFunction: complete.First(s, complete.Clusters), Example: command.Example("bowline cluster rotate-auth east"),
		RunE: func(cmd *cobra.Command, args []string) error {
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			if _, err := services.Clusters.RotateAuth(cmd.Context(), query(args[0])); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Cluster '%s' rotated auth\n", args[0])
			return nil
		},
	}
}

func newRemoveCmd(s *session.Session) *cobra.Command {
	yes := false
	cmd := &cobra.Command{
		Use: "rm SERVER/NAME...", Short: "Remove clusters", Args: command.AtLeastOne("SERVER/NAME"), ValidArgsFunction: complete.Every(s, complete.Clusters),
		Long: `Remove clusters. What applications there are stays as it is, and is not known any more. If the kubeconfig has a context of the
cluster's name the manager and its rights are removed from the cluster too.`,
		Example: command.Example("bowline cluster rm east"),
		RunE: func(cmd *cobra.Command, args []string) error {
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			for _, selector := range args {
				if !yes && (prompt.Terminal(cmd) || s.Asks()) {
					if sure, err := prompt.Confirm(cmd, "Remove '"+selector+"'? The health of applications there will be Unknown."); err != nil {
						return err
					} else if !sure {
						continue
					}
				}
				if err := remove(cmd, s, services.Clusters, selector); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func remove(cmd *cobra.Command, s *session.Session, clusters cluster.ClusterService, selector string) error {
	found, err := clusters.Get(cmd.Context(), query(selector))
	if err != nil {
		return err
	}
	if _, err := clusters.Delete(cmd.Context(), query(selector)); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Cluster '%s' removed\n", selector)
	config, ok, err := contextConfig(s.Kubeconfig, found.Name)
	if err != nil || !ok || config.Host != found.Server { // the context is another cluster's
		return err
	}
	m, err := newManager(config, systemNamespace)
	if err != nil {
		return err
	}
	return m.uninstall(cmd.Context())
}

func newSetCmd(s *session.Session) *cobra.Command {
	wanted := v1alpha1.Cluster{}
	var labels, annotations []string
	cmd := &cobra.Command{
		Use: "set NAME", Short: "Change a cluster", Args: command.Exactly("NAME"), ValidArgsFunction: complete.First(s, complete.Clusters),
		Example: command.Example("bowline cluster set east --name east-1", "bowline cluster set east --namespace shop --namespace tools"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if wanted.Labels, err = pairs(cmd, "--label", labels); err != nil {
				return err
			}
			if wanted.Annotations, err = pairs(cmd, "--annotation", annotations); err != nil {
				return err
			}
			if len(wanted.Namespaces) == 1 && wanted.Namespaces[0] == "*" {
				wanted.Namespaces = nil
			}
			request := &cluster.ClusterUpdateRequest{Cluster: &wanted, ID: query(args[0]).ID, UpdatedFields: changed(cmd)}
			if len(request.UpdatedFields) == 0 {
				return command.Usage(cmd, "no flag says what to change")
			}
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			if _, err := services.Clusters.Update(cmd.Context(), request); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Cluster '%s' updated.\n", args[0])
			return nil
		},
	}
	cmd.Flags().StringVar(&wanted.Name, "name", "", "new name of the cluster")
	cmd.Flags().StringArrayVar(&wanted.Namespaces, "namespace", nil, "namespace that is managed; * is all; may be repeated")
	cmd.Flags().StringArrayVar(&labels, "label", nil, "label, as KEY=VALUE; may be repeated")
	cmd.Flags().StringArrayVar(&annotations, "annotation", nil, "annotation, as KEY=VALUE; may be repeated")
	return cmd
}

// changed are the fields that flags are about.
func changed(cmd *cobra.Command) (fields []string) {
	for _, f := range []struct{ flag, field string }{{"name", "name"}, {"namespace", "namespaces"}, {"label", "labels"}, {"annotation", "annotations"}} {
		if cmd.Flags().Changed(f.flag) {
			fields = append(fields, f.field)
		}
	}
	return fields
}

// pairs reads flags of the form KEY=VALUE.
func pairs(cmd *cobra.Command, flag string, raw []string) (map[string]string, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	out := map[string]string{}
	for _, text := range raw {
		key, value, ok := strings.Cut(text, "=")
		if !ok || key == "" {
			return nil, command.Usage(cmd, fmt.Sprintf("%s is %q and has to be KEY=VALUE", flag, text))
		}
		out[key] = value
	}
	return out, nil
}
