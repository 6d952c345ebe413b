// SPDX-License-Identifier: Apache-2.0

// Package list is the verb `bowline app list`.
package list

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/app/view"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Options are the flags.
type Options struct {
	Selector string
	Projects []string
	Repo     string
	Cluster  string
	Path     string
	Output   output.Format
}

// NewCmd returns the command.
func NewCmd(s *session.Session) *cobra.Command {
	opts := Options{}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List applications",
		Example: command.Example(
			"bowline app list",
			"bowline app list -l team=shop -p payments -o name"),
		Args: command.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run(cmd.Context(), s, opts, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&opts.Selector, "selector", "l", "", "label selector, such as team=shop")
	flags.StringArrayVarP(&opts.Projects, "project", "p", nil, "only applications of this project; may be repeated")
	flags.StringVarP(&opts.Repo, "repo", "r", "", "only applications with a source in this repository")
	flags.StringVarP(&opts.Cluster, "cluster", "c", "", "only applications of the cluster with this name or URL")
	flags.StringVarP(&opts.Path, "path", "P", "", "only applications with a source in this folder")
	output.Flag(flags, &opts.Output, output.Wide, output.Name, output.JSON, output.YAML)
	return cmd
}

func run(ctx context.Context, s *session.Session, opts Options, w io.Writer) error {
	selector, err := labels.Parse(opts.Selector)
	if err != nil {
		return fault.Wrap(fault.Mistake, "use", "--selector "+opts.Selector, err, "write a label selector such as team=shop")
	}
	c, err := s.Client()
	if err != nil {
		return err
	}
	apps, err := c.List(ctx, client.Filter{
		Namespace: s.ListNamespace(), Labels: selector, Projects: opts.Projects, Repo: opts.Repo,
	})
	if err != nil {
		return err
	}
	return write(w, opts.Output, slices.DeleteFunc(apps, func(app v1alpha1.Application) bool { return !opts.holds(&app) }))
}

// holds reports whether an application is of the cluster and the folder.
func (o Options) holds(app *v1alpha1.Application) bool {
	d := app.Spec.Destination
	inFolder := func(source v1alpha1.ApplicationSource) bool { return source.Path == o.Path }
	return (o.Cluster == "" || d.Server == o.Cluster || d.Name == o.Cluster) && (o.Path == "" || slices.ContainsFunc(client.Sources(app), inFolder))
}

func write(w io.Writer, format output.Format, apps []v1alpha1.Application) error {
	plain := make([]v1alpha1.Application, len(apps)) // never nil: a program is to read an empty list
	for i, app := range apps {
		plain[i] = output.Application(app)
	}
	if ok, err := output.Encode(w, format, plain); ok {
		return err
	}
	if format == output.Name {
		for _, app := range apps {
			fmt.Fprintln(w, app.Namespace+"/"+app.Name)
		}
		return nil
	}
	rows := make([][]string, len(apps))
	for i := range apps {
		rows[i] = row(&apps[i])
	}
	output.Table(w, []string{
		"NAME", "CLUSTER", "NAMESPACE", "PROJECT", "STATUS", "HEALTH", "SYNCPOLICY", "CONDITIONS", "REPO", "PATH", "TARGET",
	}, rows)
	return nil
}

func row(app *v1alpha1.Application) []string {
	first := v1alpha1.ApplicationSource{}
	if sources := client.Sources(app); len(sources) > 0 {
		first = sources[0]
	}
	return []string{
		app.Namespace + "/" + app.Name,
		cmp.Or(app.Spec.Destination.Server, app.Spec.Destination.Name),
		app.Spec.Destination.Namespace,
		cmp.Or(app.Spec.Project, v1alpha1.DefaultAppProjectName),
		string(cmp.Or(app.Status.Sync.Status, v1alpha1.SyncStatusCodeUnknown)),
		string(cmp.Or(app.Status.Health.Status, v1alpha1.HealthStatusUnknown)),
		policy(app), conditions(app),
		first.RepoURL, cmp.Or(first.Path, first.Chart), first.TargetRevision,
	}
}

func policy(app *v1alpha1.Application) string {
	auto, prune := view.Automated(app)
	switch {
	case prune:
		return "Auto-Prune"
	case auto:
		return "Auto"
	}
	return "Manual"
}

// conditions names the types of conditions, each once, with the number of them if there are several.
func conditions(app *v1alpha1.Application) string {
	count := map[string]int{}
	var types []string
	for _, c := range app.Status.Conditions {
		if count[string(c.Type)]++; count[string(c.Type)] == 1 {
			types = append(types, string(c.Type))
		}
	}
	if len(types) == 0 {
		return "<none>"
	}
	slices.Sort(types)
	for i, name := range types {
		if count[name] > 1 {
			types[i] = fmt.Sprintf("%s(%d)", name, count[name])
		}
	}
	return strings.Join(types, ",")
}
