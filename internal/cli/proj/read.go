// SPDX-License-Identifier: Apache-2.0

package proj

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/complete"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// none is what stands for an empty list.
const none = "<none>"

func newListCmd(s *session.Session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use: "list", Short: "List projects", Args: command.NoArgs, Example: command.Example("bowline proj list", "bowline proj list -o name"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			service, err := projects(cmd.Context(), s)
			if err != nil {
				return err
			}
			list, err := service.List(cmd.Context(), &project.ProjectQuery{})
			if err != nil {
				return err
			}
			return writeList(cmd.OutOrStdout(), format, list.Items)
		},
	}
	output.Flag(cmd.Flags(), &format, output.Wide, output.JSON, output.YAML, output.Name)
	return cmd
}

func writeList(w io.Writer, format output.Format, items []v1alpha1.AppProject) error {
	if items == nil {
		items = []v1alpha1.AppProject{}
	}
	if ok, err := output.Encode(w, format, items); ok {
		return err
	}
	var rows [][]string
	for i := range items {
		if format == output.Name {
			fmt.Fprintln(w, items[i].Name)
			continue
		}
		rows = append(rows, row(&items[i]))
	}
	if format != output.Name {
		output.Table(w, []string{"NAME", "DESCRIPTION", "DESTINATIONS", "SOURCES", "CLUSTER-RESOURCE-WHITELIST", "NAMESPACE-RESOURCE-BLACKLIST",
			"SIGNATURE-KEYS", "ORPHANED-RESOURCES", "DESTINATION-SERVICE-ACCOUNTS"}, rows)
	}
	return nil
}

func row(p *v1alpha1.AppProject) []string {
	spec := p.Spec
	return []string{
		p.Name, spec.Description, brief(destinations(spec), "destinations"), brief(spec.SourceRepos, "repos"),
		brief(clusterNames(spec.ClusterResourceWhitelist), "resources"), count(len(spec.NamespaceResourceBlacklist), "resources"),
		count(len(spec.SignatureKeys), "key(s)"), orphans(spec.OrphanedResources), brief(serviceAccounts(spec), "destinationServiceAccounts"),
	}
}

// brief is a list in a cell: its only element, or how many there are.
func brief(list []string, what string) string {
	if len(list) == 1 {
		return list[0]
	}
	return count(len(list), what)
}

func count(n int, what string) string {
	if n == 0 {
		return none
	}
	return fmt.Sprintf("%d %s", n, what)
}

func destinations(spec v1alpha1.AppProjectSpec) []string {
	out := make([]string, len(spec.Destinations))
	for i, d := range spec.Destinations {
		out[i] = d.Server + "," + d.Namespace
		if d.Server == "" {
			out[i] = d.Name + "," + d.Namespace
		}
	}
	return out
}

func serviceAccounts(spec v1alpha1.AppProjectSpec) []string {
	out := make([]string, len(spec.DestinationServiceAccounts))
	for i, a := range spec.DestinationServiceAccounts {
		out[i] = a.Server + "," + a.Namespace + "," + a.DefaultServiceAccount
	}
	return out
}

func clusterNames(items []v1alpha1.ClusterResourceRestrictionItem) []string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = strings.TrimSuffix(item.Group+"/"+item.Kind+"/"+item.Name, "/")
	}
	return out
}

func orphans(settings *v1alpha1.OrphanedResourcesMonitorSettings) string {
	if settings == nil {
		return "disabled"
	}
	text := fmt.Sprintf("warn=%t", settings.Warn == nil || *settings.Warn)
	if n := len(settings.Ignore); n > 0 {
		text += fmt.Sprintf(", ignored %d", n)
	}
	return "enabled (" + text + ")"
}

func newGetCmd(s *session.Session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use: "get PROJECT", Short: "Show a project", Args: command.Exactly("PROJECT"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj get shop", "bowline proj get shop -o yaml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			service, err := projects(cmd.Context(), s)
			if err != nil {
				return err
			}
			found, err := service.GetDetailedProject(cmd.Context(), &project.ProjectQuery{Name: args[0]})
			if err != nil {
				return err
			}
			if ok, err := output.Encode(cmd.OutOrStdout(), format, found.Project); ok {
				return err
			}
			show(cmd.OutOrStdout(), found)
			return nil
		},
	}
	output.Flag(cmd.Flags(), &format, output.Wide, output.JSON, output.YAML)
	return cmd
}

// show writes a project for people.
func show(w io.Writer, found *project.DetailedProjectsResponse) {
	p := found.Project
	repositories, clusters := make([]string, len(found.Repositories)), make([]string, len(found.Clusters))
	for i, r := range found.Repositories {
		repositories[i] = r.Repo
	}
	for i, c := range found.Clusters {
		clusters[i] = c.Server
	}
	denied := make([]string, len(p.Spec.NamespaceResourceBlacklist))
	for i, kind := range p.Spec.NamespaceResourceBlacklist {
		denied[i] = kind.Group + "/" + kind.Kind
	}
	keys := make([]string, len(p.Spec.SignatureKeys))
	for i, key := range p.Spec.SignatureKeys {
		keys[i] = key.KeyID
	}
	for _, line := range []struct {
		name   string
		values []string
	}{
		{"Name:", []string{p.Name}}, {"Description:", []string{p.Spec.Description}}, {"Destinations:", destinations(p.Spec)},
		{"Repositories:", p.Spec.SourceRepos}, {"Source Namespaces:", p.Spec.SourceNamespaces}, {"Scoped Repositories:", repositories},
		{"Allowed Cluster Resources:", clusterNames(p.Spec.ClusterResourceWhitelist)}, {"Scoped Clusters:", clusters},
		{"Denied Namespaced Resources:", denied}, {"Signature keys:", []string{strings.Join(keys, ", ")}}, {"Orphaned Resources:", []string{orphans(p.Spec.OrphanedResources)}},
	} {
		if len(line.values) == 0 || line.name == "Signature keys:" && len(keys) == 0 {
			line.values = []string{none}
		}
		for i, value := range line.values {
			if i > 0 {
				line.name = ""
			}
			fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-29s%s", line.name, output.Clean(value)), " "))
		}
	}
}
