// SPDX-License-Identifier: Apache-2.0

package project

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime"

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
	p, globals, err := s.inherit(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &rpcproject.DetailedProjectsResponse{GlobalProjects: globals, Project: p}
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
	_, globals, err := s.inherit(ctx, p)
	return &rpcproject.GlobalProjectsResponse{Items: globals}, err
}

// inherit returns a project with what it inherits, and the projects that it inherits from.
func (s *Service) inherit(ctx context.Context, p *v1alpha1.AppProject) (*v1alpha1.AppProject, []v1alpha1.AppProject, error) {
	return access.Inherit(p, s.Settings().GlobalsOf(p), func(name string) (*v1alpha1.AppProject, error) {
		global, err := s.read(ctx, name)
		if fault.CodeOf(err) == fault.NotFound {
			return nil, nil
		}
		return global, err
	})
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
