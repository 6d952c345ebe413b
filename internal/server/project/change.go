// SPDX-License-Identifier: Apache-2.0

package project

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/hub"
)

// widens refuses a change that gives a project more than the caller may give: a cluster or a repository that it did not have, or
// other kinds on any of its clusters, for which the right to update the cluster or the repository is needed.
func (s *Service) widens(ctx context.Context, asked, now *v1alpha1.AppProject) error {
	before, after := &now.Spec, &asked.Spec
	touched := without(clustersOf(after), clustersOf(before))
	if !equality.Semantic.DeepEqual(kindsOf(before), kindsOf(after)) {
		touched = clustersOf(after)
	}
	for _, cluster := range touched {
		if err := s.Gate.Enforce(ctx, access.Right{Resource: access.Clusters, Action: access.Update, Object: cluster}); err != nil {
			return err
		}
	}
	for _, repository := range without(after.SourceRepos, before.SourceRepos) {
		if err := s.Gate.Enforce(ctx, access.Right{Resource: access.Repositories, Action: access.Update, Object: repository}); err != nil {
			return err
		}
	}
	return nil
}

func kindsOf(spec *v1alpha1.AppProjectSpec) []any {
	return []any{spec.ClusterResourceWhitelist, spec.ClusterResourceBlacklist, spec.NamespaceResourceBlacklist,
		spec.NamespaceResourceWhitelist == nil, spec.NamespaceResourceWhitelist}
}

// clustersOf are the clusters of destinations, by server or, where none is named, by name.
func clustersOf(spec *v1alpha1.AppProjectSpec) []string {
	var out []string
	for _, d := range spec.Destinations {
		cluster := d.Server
		if cluster == "" {
			cluster = d.Name
		}
		if !slices.Contains(out, cluster) {
			out = append(out, cluster)
		}
	}
	return out
}

func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

// strands refuses a change by which applications of the project would lose their source or their destination.
func (s *Service) strands(ctx context.Context, asked, now *v1alpha1.AppProject) error {
	apps, err := s.applications(ctx, now)
	if err != nil || len(apps) == 0 {
		return err
	}
	scoped := s.Clusters.ScopedTo(now.Name)
	before, after := access.Compile(now, scoped), access.Compile(asked, scoped)
	sources, destinations := 0, 0
	for i := range apps {
		spec := &apps[i].Spec
		if slices.ContainsFunc(addresses(spec), func(url string) bool { return before.Source(url) == nil && after.Source(url) != nil }) {
			sources++
		}
		place, err := s.Clusters.Places(spec.Destination)
		if err != nil {
			continue // it has no cluster, whatever the project says
		}
		to := access.Destination{Server: place.Server, Name: place.Name, Namespace: spec.Destination.Namespace}
		if before.Destination(to) == nil && after.Destination(to) != nil {
			destinations++
		}
	}
	var parts []string
	if sources > 0 {
		parts = append(parts, fmt.Sprintf("%d applications source became invalid", sources))
	}
	if destinations > 0 {
		parts = append(parts, fmt.Sprintf("%d applications destination became invalid", destinations))
	}
	if len(parts) == 0 {
		return nil
	}
	return fault.New(fault.Mistake, "write", thing(now.Name), "spec", "as a result of project update "+strings.Join(parts, " and "),
		"keep what they use, or move them first")
}

func addresses(spec *v1alpha1.ApplicationSpec) []string {
	var out []string
	if spec.Source != nil {
		out = append(out, spec.Source.RepoURL)
	}
	for _, source := range spec.Sources {
		out = append(out, source.RepoURL)
	}
	return out
}

// applications returns the applications of a project, wherever it permits them to live. Others may name the project as they like:
// they are none of its, and keep nobody from changing or deleting it.
func (s *Service) applications(ctx context.Context, p *v1alpha1.AppProject) ([]v1alpha1.Application, error) {
	list := &v1alpha1.ApplicationList{}
	if err := s.Hub.Client.List(ctx, list); err != nil {
		return nil, hub.Failed("list", "the applications of "+thing(p.Name), err)
	}
	rules := access.Compile(p, s.Clusters.ScopedTo(p.Name))
	return slices.DeleteFunc(list.Items, func(a v1alpha1.Application) bool {
		return cmp.Or(a.Spec.Project, v1alpha1.DefaultAppProjectName) != p.Name || rules.ApplicationNamespace(a.Namespace, s.Hub.Home) != nil
	}), nil
}
