// SPDX-License-Identifier: Apache-2.0

package project

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	rpcapplication "github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	rpcproject "github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/server/links"
	"github.com/bowline-cd/bowline/internal/settings/declared"
)

// GetDetailedProject returns a project with what it inherits, the projects it inherits from, and what belongs to it alone of
// repositories and clusters, as far as the caller may see those.
func (s *Service) GetDetailedProject(ctx context.Context, query *rpcproject.ProjectQuery) (*rpcproject.DetailedProjectsResponse, error) {
	p, err := s.Get(ctx, query)
	if err != nil {
		return nil, err
	}
	globals, err := s.globals(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &rpcproject.DetailedProjectsResponse{GlobalProjects: globals, Project: p}
	for i := range globals {
		inherit(&p.Spec, &globals[i].Spec)
	}
	if out.Repositories, err = s.repositoriesOf(ctx, p.Name); err != nil {
		return nil, err
	}
	out.Clusters, err = s.clustersOf(ctx, p.Name)
	return out, err
}

func (s *Service) repositoriesOf(ctx context.Context, project string) ([]v1alpha1.Repository, error) {
	secrets, err := s.Hub.Secrets(ctx, declared.RepositoryKind(false))
	if err != nil {
		return nil, err
	}
	var out []v1alpha1.Repository
	for i := range secrets {
		r, _ := declared.ReadRepository(&secrets[i]) // what is wrong with it shows when it is used
		if r.Project == project && s.Gate.Allows(ctx, access.Right{Resource: access.Repositories, Action: access.Get, Object: project + "/" + r.Repo}) {
			out = append(out, declared.ShownRepository(r))
		}
	}
	return out, nil
}

func (s *Service) clustersOf(ctx context.Context, project string) ([]v1alpha1.Cluster, error) {
	secrets, err := s.Hub.Secrets(ctx, declared.ClusterKind)
	if err != nil {
		return nil, err
	}
	var out []v1alpha1.Cluster
	for i := range secrets {
		c, _ := declared.ReadCluster(&secrets[i])
		if c.Project == project && s.Gate.Allows(ctx, access.Right{Resource: access.Clusters, Action: access.Get, Object: project + "/" + c.Server}) {
			out = append(out, declared.ShownCluster(c))
		}
	}
	return out, nil
}

// GetGlobalProjects returns the projects that a project inherits from.
func (s *Service) GetGlobalProjects(ctx context.Context, query *rpcproject.ProjectQuery) (*rpcproject.GlobalProjectsResponse, error) {
	p, err := s.Get(ctx, query)
	if err != nil {
		return nil, err
	}
	globals, err := s.globals(ctx, p)
	return &rpcproject.GlobalProjectsResponse{Items: globals}, err
}

// heritage is an entry of globalProjects: the projects with these labels inherit from the one of this name.
type heritage struct {
	ProjectName   string               `json:"projectName"`
	LabelSelector metav1.LabelSelector `json:"labelSelector"`
}

func (s *Service) globals(ctx context.Context, p *v1alpha1.AppProject) ([]v1alpha1.AppProject, error) {
	cm, err := s.Hub.Data(ctx, v1alpha1.ConfigMapName)
	if err != nil {
		return nil, err
	}
	var entries []heritage
	if err := yaml.Unmarshal([]byte(cm["globalProjects"]), &entries); err != nil {
		return nil, brokenHeritage("it is not a list of projectName and labelSelector")
	}
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	var out []v1alpha1.AppProject
	for _, entry := range entries {
		selector, err := metav1.LabelSelectorAsSelector(&entry.LabelSelector)
		if err != nil {
			return nil, brokenHeritage("the selector for " + entry.ProjectName + " cannot be used: " + err.Error())
		}
		at := slices.IndexFunc(all.Items, func(g v1alpha1.AppProject) bool { return g.Name == entry.ProjectName })
		if at >= 0 && entry.ProjectName != p.Name && selector.Matches(labels.Set(p.Labels)) {
			out = append(out, *show(&all.Items[at]))
		}
	}
	return out, nil
}

func brokenHeritage(cause string) error {
	return fault.New(fault.Stalled, "read", "the global projects", "globalProjects in ConfigMap "+v1alpha1.ConfigMapName, cause, "correct it")
}

// inherit adds the rules of a global project.
func inherit(to, from *v1alpha1.AppProjectSpec) {
	to.ClusterResourceWhitelist = append(to.ClusterResourceWhitelist, from.ClusterResourceWhitelist...)
	to.ClusterResourceBlacklist = append(to.ClusterResourceBlacklist, from.ClusterResourceBlacklist...)
	to.NamespaceResourceWhitelist = append(to.NamespaceResourceWhitelist, from.NamespaceResourceWhitelist...)
	to.NamespaceResourceBlacklist = append(to.NamespaceResourceBlacklist, from.NamespaceResourceBlacklist...)
	to.SyncWindows = append(to.SyncWindows, from.SyncWindows...)
	to.SourceRepos = append(to.SourceRepos, from.SourceRepos...)
	to.Destinations = append(to.Destinations, from.Destinations...)
	to.DestinationServiceAccounts = append(to.DestinationServiceAccounts, from.DestinationServiceAccounts...)
}

// GetSyncWindowsState returns the windows of a project that are active now.
func (s *Service) GetSyncWindowsState(ctx context.Context, query *rpcproject.SyncWindowsQuery) (*rpcproject.SyncWindowsResponse, error) {
	p, err := s.Get(ctx, &rpcproject.ProjectQuery{Name: query.Name})
	if err != nil {
		return nil, err
	}
	out := &rpcproject.SyncWindowsResponse{Windows: []v1alpha1.SyncWindow{}}
	for _, w := range p.Spec.SyncWindows {
		// Alone, a window that allows opens while it is active, and one that denies closes. One that cannot be read closes always.
		open := plan.CompileWindows(v1alpha1.SyncWindows{w}).Ask(plan.Moment{Now: s.Hub.Clock.Now()}).Open
		if w != nil && open == (w.Kind == v1alpha1.SyncWindowKindAllow) {
			out.Windows = append(out.Windows, *w)
		}
	}
	return out, nil
}

// ListLinks returns the links of project.links that are for a project.
func (s *Service) ListLinks(ctx context.Context, query *rpcproject.ListProjectLinksRequest) (*rpcapplication.LinksResponse, error) {
	p, err := s.Get(ctx, &rpcproject.ProjectQuery{Name: query.Name})
	if err != nil {
		return nil, err
	}
	p.Status = v1alpha1.AppProjectStatus{}
	value, err := runtime.DefaultUnstructuredConverter.ToUnstructured(p)
	if err != nil {
		return nil, err
	}
	shown, wrong := links.Evaluate(s.Settings().Showing.ProjectLinks, map[string]any{"project": value})
	for _, err := range wrong {
		s.Log.Warn("a link of argocd-cm is left out", "error", err)
	}
	return &rpcapplication.LinksResponse{Items: shown}, nil
}
