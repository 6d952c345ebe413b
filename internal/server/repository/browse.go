// SPDX-License-Identifier: Apache-2.0

package repository

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"

	rpcrepository "github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/source"
	"github.com/bowline-cd/bowline/internal/tree"
)

// see returns whose a repository is for a project, after checking that the caller may see it: the project's own if it has one, else
// one for all, else an address that nobody declared.
func (s *Service) see(ctx context.Context, address, project string) (*v1alpha1.Repository, error) {
	r, err := s.exact(ctx, reading, address, project)
	if err == nil && r == nil && project != "" {
		r, err = s.exact(ctx, reading, address, "")
	}
	if err != nil {
		return nil, err
	}
	known := &v1alpha1.Repository{Repo: address}
	if r != nil {
		known = r.Repository
	}
	if s.Gate.Enforce(ctx, reading.right(access.Get, known.Project, known.Repo)) != nil {
		return nil, gate.Hidden()
	}
	return known, nil
}

// ListRefs returns the branches and tags of a Git repository.
func (s *Service) ListRefs(ctx context.Context, query *rpcrepository.RepoQuery) (*rpcrepository.Refs, error) {
	r, err := s.see(ctx, query.Repo, query.AppProject)
	if err != nil {
		return nil, err
	}
	read, err := s.Credentials().For(query.Repo, r.Project)
	if err != nil {
		return nil, err
	}
	refs, err := s.Store.Refs(ctx, read)
	if err != nil {
		return nil, err
	}
	return &rpcrepository.Refs{Branches: refs.Branches(), Tags: refs.AllTags()}, nil
}

// ListOCITags returns the tags of a registry's repository.
func (s *Service) ListOCITags(ctx context.Context, query *rpcrepository.RepoQuery) (*rpcrepository.Refs, error) {
	r, err := s.see(ctx, query.Repo, query.AppProject)
	if err != nil {
		return nil, err
	}
	read, err := s.Credentials().ForType(source.KindOCI, query.Repo, r.Project)
	if err != nil {
		return nil, err
	}
	tags, err := s.Store.ImageTags(ctx, read)
	return &rpcrepository.Refs{Tags: tags}, err
}

// GetHelmCharts returns the charts that the index of a repository lists.
func (s *Service) GetHelmCharts(ctx context.Context, query *rpcrepository.RepoQuery) (*rpcrepository.HelmChartsResponse, error) {
	r, err := s.see(ctx, query.Repo, query.AppProject)
	if err != nil {
		return nil, err
	}
	read, err := s.Credentials().ForType(source.KindHelm, query.Repo, r.Project)
	if err != nil {
		return nil, err
	}
	charts, err := s.Store.Charts(ctx, read)
	if err != nil {
		return nil, err
	}
	out := &rpcrepository.HelmChartsResponse{Items: make([]rpcrepository.HelmChart, 0, len(charts))}
	for _, c := range charts {
		out.Items = append(out.Items, rpcrepository.HelmChart{Name: c.Name, Versions: c.Versions})
	}
	return out, nil
}

// ListApps returns the folders of a repository that a tool renders. It fetches, so only who may create or update the application
// that they ask for is answered.
func (s *Service) ListApps(ctx context.Context, query *rpcrepository.RepoAppsQuery) (*rpcrepository.RepoAppsResponse, error) {
	if _, err := s.see(ctx, query.Repo, query.AppProject); err != nil {
		return nil, err
	}
	app := func(action string) access.Right {
		return access.Right{Resource: access.Applications, Action: action, Object: query.AppProject + "/" + query.AppName}
	}
	if !s.Gate.Allows(ctx, app(access.Update)) {
		if err := s.Gate.Enforce(ctx, app(access.Create)); err != nil {
			return nil, err
		}
	}
	if err := s.Permits(ctx, query.AppProject, query.Repo); err != nil {
		return nil, err
	}
	files, err := s.open(ctx, desired.Commit{Repo: desired.Repo{URL: query.Repo, Project: query.AppProject}, Revision: query.Revision}, nil)
	if err != nil {
		return nil, err
	}
	found, err := discover(ctx, files)
	if err != nil {
		return nil, err
	}
	out := &rpcrepository.RepoAppsResponse{Items: []rpcrepository.AppInfo{}}
	for _, path := range slices.Sorted(maps.Keys(found)) {
		out.Items = append(out.Items, rpcrepository.AppInfo{Path: path, Type: found[path]})
	}
	return out, nil
}

// open returns the files of what is wanted.
func (s *Service) open(ctx context.Context, wanted desired.Commit, paths []string) (tree.Tree, error) {
	commit, err := s.Files.Resolve(ctx, wanted, "")
	if err != nil {
		return nil, err
	}
	return s.Files.Tree(ctx, commit, paths)
}

// markers are the files that show what renders their folder. Where there are both, Kustomize goes first, as in Argo CD.
var markers = map[string]string{
	"Chart.yaml": helmType, "kustomization.yaml": kustomizeType, "kustomization.yml": kustomizeType, "Kustomization": kustomizeType,
}

const (
	helmType      = "Helm"
	kustomizeType = "Kustomize"
)

// maxFolders bounds how many folders of a repository are looked into.
const maxFolders = 20_000

// discover returns the folders that a tool renders, with the tool. The root is ".".
func discover(ctx context.Context, files tree.Tree) (map[string]string, error) {
	out := map[string]string{}
	for seen, queue := 0, []string{""}; len(queue) > 0; seen++ {
		if seen == maxFolders {
			return nil, fault.New(fault.Mistake, "look for applications in", "the repository", "", "it has more than 20000 folders", "name the path")
		}
		dir := queue[0]
		queue = queue[1:]
		entries, err := files.List(ctx, dir)
		if errors.Is(err, tree.ErrAbsent) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			switch kind := markers[e.Name]; {
			case e.Mode == tree.Dir:
				queue = append(queue, tree.Join(dir, e.Name))
			case kind == "" || e.Mode != tree.File && e.Mode != tree.Executable:
			case kind == kustomizeType || out[shownPath(dir)] == "":
				out[shownPath(dir)] = kind
			}
		}
	}
	return out, nil
}

func shownPath(dir string) string {
	if dir == "" {
		return "."
	}
	return dir
}
