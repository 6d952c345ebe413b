// SPDX-License-Identifier: Apache-2.0

// Package repository serves repositories and the credentials for them.
//
// The words of this room:
//
//   - Twin: what is declared for writing to a repository, beside what it is read with. Both have the same calls; a side says which
//     one a call is about.
//   - Credentials: what all repositories below an address are read with that say nothing themselves.
//   - State: whether a repository answered when it was last asked, and if not why.
//
// No answer holds anything that gives access.
package repository

import (
	"cmp"
	"context"
	"errors"
	"slices"

	corev1 "k8s.io/api/core/v1"

	rpcrepository "github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/hub"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/settings/declared"
	"github.com/bowline-cd/bowline/internal/source"
	"github.com/bowline-cd/bowline/internal/tree"
	"github.com/bowline-cd/bowline/internal/worker/plugin"
)

// Store asks repositories.
type Store interface {
	Reach(ctx context.Context, r source.Repository) error
	Refs(ctx context.Context, r source.Repository) (source.Refs, error)
	ImageTags(ctx context.Context, r source.Repository) ([]string, error)
	Charts(ctx context.Context, r source.Repository) ([]source.ChartVersions, error)
}

// Files brings the files of a source.
type Files interface {
	Resolve(ctx context.Context, wanted desired.Commit, tagPrefix string) (desired.Commit, error)
	Tree(ctx context.Context, commit desired.Commit, paths []string) (tree.Tree, error)
}

// Deps is what the service is made with.
type Deps struct {
	Gate  *gate.Gate
	Hub   *hub.Hub
	Store Store
	Files Files
	// Credentials returns those of the moment, Settings likewise.
	Credentials func() *source.Credentials
	Settings    func() *settings.Settings
	// Permits says whether a project may read from an address; nil means yes.
	Permits func(ctx context.Context, project, address string) error
	// Render makes the objects of a source, and Announce asks a plugin for its parameters.
	Render   func(ctx context.Context, in render.Input) (render.Output, error)
	Announce func(ctx context.Context, in render.Input) ([]plugin.Announcement, error)
}

// Service implements repository.RepositoryService.
type Service struct {
	Deps
	states states
}

var _ rpcrepository.RepositoryService = (*Service)(nil)

// New returns the service.
func New(deps Deps) *Service { return &Service{Deps: deps, states: states{clock: deps.Hub.Clock}} }

// side is what repositories are read with, or their twins.
type side struct {
	resource string
	writes   bool
}

var (
	reading = side{access.Repositories, false}
	writing = side{access.WriteRepos, true}
)

// right is a right on a repository: <project>/<address> if a project has it for itself.
func (s side) right(action, project, address string) access.Right {
	return access.Right{Resource: s.resource, Action: action, Object: access.AddressObject(project, address)}
}

// found is a repository with the Secret that declares it.
type found struct {
	*v1alpha1.Repository
	secret corev1.Secret
	broken error // what of the Secret cannot be read
}

// declared returns what Secrets declare on a side, by project and address.
func (s *Service) declared(ctx context.Context, on side) ([]found, error) {
	secrets, err := s.Hub.Secrets(ctx, declared.RepositoryKind(on.writes))
	if err != nil {
		return nil, err
	}
	out := make([]found, 0, len(secrets))
	for i := range secrets {
		r, err := declared.ReadRepository(&secrets[i])
		out = append(out, found{r, secrets[i], err})
	}
	slices.SortFunc(out, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.Project+"/"+a.Repo, b.Project+"/"+b.Repo), cmp.Compare(a.secret.Name, b.secret.Name))
	})
	return out, nil
}

// visible are those of declared that the caller may see.
func (s *Service) visible(ctx context.Context, on side) ([]found, error) {
	all, err := s.declared(ctx, on)
	return slices.DeleteFunc(all, func(r found) bool {
		return !s.Gate.Allows(ctx, on.right(access.Get, r.Project, r.Repo))
	}), err
}

// same reports whether an address names the repository, as it is spelled or as answers show it.
func (r found) same(address string) bool {
	return object.NormaliseRepoURL(r.Repo) == object.NormaliseRepoURL(address) || declared.ShownRepository(r.Repository).Repo == address
}

// pick returns what the caller sees at an address: what a project has, or, if they name none, the only one there is. All else is
// answered as if there was nothing.
func (s *Service) pick(ctx context.Context, on side, query *rpcrepository.RepoQuery) (found, error) {
	all, err := s.visible(ctx, on)
	if err != nil {
		return found{}, err
	}
	all = slices.DeleteFunc(all, func(r found) bool { return !r.same(query.Repo) })
	if len(all) == 1 && query.AppProject == "" {
		return all[0], nil
	}
	for _, r := range all {
		if r.Project == query.AppProject {
			return r, nil
		}
	}
	return found{}, gate.Hidden()
}

// List returns the repositories that the caller may see, with their states.
func (s *Service) List(ctx context.Context, query *rpcrepository.RepoQuery) (*v1alpha1.RepositoryList, error) {
	return s.list(ctx, reading, query)
}

// ListRepositories is List.
func (s *Service) ListRepositories(ctx context.Context, query *rpcrepository.RepoQuery) (*v1alpha1.RepositoryList, error) {
	return s.list(ctx, reading, query)
}

// ListWriteRepositories is List for twins.
func (s *Service) ListWriteRepositories(ctx context.Context, query *rpcrepository.RepoQuery) (*v1alpha1.RepositoryList, error) {
	return s.list(ctx, writing, query)
}

func (s *Service) list(ctx context.Context, on side, query *rpcrepository.RepoQuery) (*v1alpha1.RepositoryList, error) {
	all, err := s.visible(ctx, on)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(r found) bool { return query.Repo != "" && !r.same(query.Repo) })
	return &v1alpha1.RepositoryList{Items: s.shown(ctx, on, all, query.ForceRefresh)}, nil
}

// Get returns a repository with its state.
func (s *Service) Get(ctx context.Context, query *rpcrepository.RepoQuery) (*v1alpha1.Repository, error) {
	return s.get(ctx, reading, query)
}

// GetWrite is Get for a twin.
func (s *Service) GetWrite(ctx context.Context, query *rpcrepository.RepoQuery) (*v1alpha1.Repository, error) {
	return s.get(ctx, writing, query)
}

func (s *Service) get(ctx context.Context, on side, query *rpcrepository.RepoQuery) (*v1alpha1.Repository, error) {
	r, err := s.pick(ctx, on, query)
	if err != nil {
		return nil, err
	}
	return &s.shown(ctx, on, []found{r}, query.ForceRefresh)[0], nil
}

var errNone = errors.New("there are none for this address")
