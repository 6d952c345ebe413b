// SPDX-License-Identifier: Apache-2.0

// Package appset is the noun `bowline appset`: application sets, which generate applications.
package appset

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/applicationset"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/app/view"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// NewCmd returns the command with its verbs.
func NewCmd(s *session.Session) *cobra.Command {
	cmd := command.Group("appset", "Look at application sets", newListCmd(s), newGetCmd(s))
	s.BindCluster(cmd.PersistentFlags())
	return cmd
}

func bindNamespace(cmd *cobra.Command, namespace *string) {
	cmd.Flags().StringVarP(namespace, "appset-namespace", "N", "", "namespace of the application sets (default: the control namespace)")
}

// newListCmd returns the command list.
func newListCmd(s *session.Session) *cobra.Command {
	var (
		query  applicationset.ApplicationSetListQuery
		format output.Format
	)
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List application sets",
		Example: command.Example("bowline appset list -l team=shop -o name"),
		Args:    command.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			answer, err := services.ApplicationSets.List(cmd.Context(), &query)
			if err != nil {
				return err
			}
			return writeList(cmd.OutOrStdout(), format, answer.Items)
		},
	}
	bindNamespace(cmd, &query.AppsetNamespace)
	cmd.Flags().StringVarP(&query.Selector, "selector", "l", "", "label selector, such as team=shop")
	cmd.Flags().StringArrayVarP(&query.Projects, "project", "p", nil, "only application sets of this project; may be repeated")
	output.Flag(cmd.Flags(), &format, output.Wide, output.Name, output.JSON, output.YAML)
	return cmd
}

// plain is a set as programs are to see it.
func plain(set v1alpha1.ApplicationSet) v1alpha1.ApplicationSet {
	set.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("ApplicationSet"))
	set.ManagedFields = nil
	return set
}

func writeList(w io.Writer, format output.Format, sets []v1alpha1.ApplicationSet) error {
	out := make([]v1alpha1.ApplicationSet, len(sets)) // never nil: a program is to read an empty list
	var rows [][]string
	for i, set := range sets {
		out[i] = plain(set)
		rows = append(rows, row(set))
	}
	if ok, err := output.Encode(w, format, out); ok {
		return err
	}
	if format == output.Name {
		for _, set := range sets {
			fmt.Fprintln(w, qualified(set))
		}
		return nil
	}
	output.Table(w, []string{"NAME", "PROJECT", "SYNCPOLICY", "HEALTH", "CONDITIONS", "REPO", "PATH", "TARGET"}, rows)
	return nil
}

func qualified(set v1alpha1.ApplicationSet) string { return set.Namespace + "/" + set.Name }

func row(set v1alpha1.ApplicationSet) []string {
	first := v1alpha1.ApplicationSource{}
	if all := sources(set); len(all) > 0 {
		first = all[0]
	}
	return []string{
		qualified(set), project(set), setPolicy(set), health(set), conditions(set),
		first.RepoURL, cmp.Or(first.Path, first.Chart), first.TargetRevision,
	}
}

func project(set v1alpha1.ApplicationSet) string {
	return cmp.Or(set.Spec.Template.Spec.Project, v1alpha1.DefaultAppProjectName)
}

func health(set v1alpha1.ApplicationSet) string {
	return string(cmp.Or(set.Status.Health.Status, v1alpha1.HealthStatusUnknown))
}

func sources(set v1alpha1.ApplicationSet) []v1alpha1.ApplicationSource {
	spec := set.Spec.Template.Spec
	if len(spec.Sources) == 0 && spec.Source != nil {
		return []v1alpha1.ApplicationSource{*spec.Source}
	}
	return spec.Sources
}

// setPolicy says what becomes of applications that are no longer generated.
func setPolicy(set v1alpha1.ApplicationSet) string {
	policy := set.Spec.SyncPolicy
	switch {
	case policy == nil:
		return "<none>"
	case policy.PreserveResourcesOnDeletion:
		return "preserve"
	case policy.ApplicationsSync != nil:
		return string(*policy.ApplicationsSync)
	}
	return "<none>"
}

// conditions names those that hold.
func conditions(set v1alpha1.ApplicationSet) string {
	var names []string
	for _, c := range set.Status.Conditions {
		if c.Status == v1alpha1.ApplicationSetConditionStatusTrue {
			names = append(names, string(c.Type))
		}
	}
	if len(names) == 0 {
		return "<none>"
	}
	return strings.Join(names, ",")
}

// newGetCmd returns the command get.
func newGetCmd(s *session.Session) *cobra.Command {
	var (
		namespace  string
		parameters bool
		format     output.Format
	)
	cmd := &cobra.Command{
		Use:     "get NAME",
		Short:   "Show one application set",
		Example: command.Example("bowline appset get shops -o yaml"),
		Args:    command.Exactly("the name of an application set"),
		RunE: func(cmd *cobra.Command, args []string) error {
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			query := applicationset.ApplicationSetGetQuery{Name: args[0], AppsetNamespace: namespace}
			if where, name, ok := strings.Cut(args[0], "/"); ok {
				query.AppsetNamespace, query.Name = where, name
			}
			set, err := services.ApplicationSets.Get(cmd.Context(), &query)
			if err != nil {
				return err
			}
			return writeOne(cmd.OutOrStdout(), format, *set, parameters)
		},
	}
	bindNamespace(cmd, &namespace)
	cmd.Flags().BoolVar(&parameters, "show-params", false, "show the parameters of Helm too")
	output.Flag(cmd.Flags(), &format, output.Wide, output.Name, output.JSON, output.YAML)
	return cmd
}

func writeOne(w io.Writer, format output.Format, set v1alpha1.ApplicationSet, parameters bool) error {
	if ok, err := output.Encode(w, format, plain(set)); ok {
		return err
	}
	if format == output.Name {
		fmt.Fprintln(w, qualified(set))
		return nil
	}
	line := func(label, value string) { fmt.Fprintf(w, "%-20s%s\n", label, output.Clean(value)) }
	line("Name:", qualified(set))
	line("Project:", project(set))
	line("Server:", cmp.Or(set.Spec.Template.Spec.Destination.Server, set.Spec.Template.Spec.Destination.Name))
	line("Namespace:", set.Spec.Template.Spec.Destination.Namespace)
	line("Health Status:", health(set))
	fmt.Fprintln(w, map[bool]string{true: "Source:", false: "Sources:"}[len(sources(set)) < 2])
	for _, source := range sources(set) {
		line("- Repo:", source.RepoURL)
		line("  Target:", source.TargetRevision)
		line("  Path:", cmp.Or(source.Path, source.Chart))
	}
	line("SyncPolicy:", templatePolicy(set))
	writeConditions(w, set)
	if parameters {
		view.Parameters(w, sources(set))
	}
	return nil
}

func templatePolicy(set v1alpha1.ApplicationSet) string {
	on, prune := view.Automated(&v1alpha1.Application{Spec: set.Spec.Template.Spec})
	switch {
	case prune:
		return "Automated (Prune)"
	case on:
		return "Automated"
	}
	return "<none>"
}

func writeConditions(w io.Writer, set v1alpha1.ApplicationSet) {
	if len(set.Status.Conditions) == 0 {
		return
	}
	var rows [][]string
	for _, c := range set.Status.Conditions {
		rows = append(rows, []string{string(c.Type), string(c.Status), strings.Join(strings.Fields(c.Message), " "), view.Time(c.LastTransitionTime)})
	}
	fmt.Fprintln(w)
	output.Table(w, []string{"CONDITION", "STATUS", "MESSAGE", "LAST TRANSITION"}, rows)
}
