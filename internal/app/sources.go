// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/controller/application"
	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/source"
	"github.com/bowline-cd/bowline/internal/tree"
)

// projects answers what a project permits.
type projects interface {
	PermitSource(ctx context.Context, project, url string) error
	ProjectSpec(ctx context.Context, name string) (v1alpha1.AppProjectSpec, error)
}

// sources joins the store with the credentials, the settings and the projects of the moment.
type sources struct {
	store   *source.Store
	poller  *source.Poller
	current func() *configuration.Snapshot
	log     *slog.Logger
	ctx     context.Context // of the process
	engine  *desired.Engine
	// applications are told what moved.
	applications *application.Controller
	projects     projects
	// local, if set, stands in for repositories: for previews of what is not committed yet.
	local *local

	mu      sync.Mutex
	follows map[string][]followed       // by application
	asked   map[string]asking           // by application
	kept    map[string][]desired.Commit // by application: the places where something of its history is pinned
}

func newSources(ctx context.Context, store *source.Store, current func() *configuration.Snapshot, log *slog.Logger) *sources {
	return &sources{store: store, current: current, log: log, ctx: ctx, follows: map[string][]followed{}, asked: map[string]asking{}, kept: map[string][]desired.Commit{}}
}

// unreachable marks an error as "the repository did not answer", without changing its text.
type unreachable struct{ err error }

func (u unreachable) Error() string        { return u.err.Error() }
func (u unreachable) Unwrap() error        { return u.err }
func (u unreachable) Is(target error) bool { return target == desired.ErrUnreachable }

func translate(err error) error {
	if err != nil && source.Unreachable(err) {
		return unreachable{err}
	}
	return err
}

// repository returns how what is asked for is read.
func (s *sources) repository(c desired.Commit) (source.Repository, error) {
	if r, ok := s.local.repository(c); ok {
		return r, nil
	}
	credentials := s.current().Credentials
	url := c.Repo.URL
	switch c.Kind {
	case desired.KindOCI:
		return credentials.ForType(source.KindOCI, url, c.Repo.Project)
	case desired.KindFile:
		return credentials.ForType(source.KindFile, url, c.Repo.Project)
	case desired.KindChart:
		if name, ok := render.RepositoryName(url); ok {
			return s.named(name, c)
		}
		return credentials.ForType(source.KindHelm, url, c.Repo.Project)
	default:
		return credentials.For(url, c.Repo.Project)
	}
}

// named returns the chart repository that a Secret gives a name, if the project may read it.
func (s *sources) named(name string, c desired.Commit) (source.Repository, error) {
	r, ok, err := s.current().Credentials.ByName(name, c.Repo.Project)
	if err != nil {
		return r, err
	}
	if !ok {
		return r, fault.New(fault.Mistake, "use", "the chart repository "+name, "", "no Secret of type repository has this name",
			"name the repository in its Secret, or write its address into the chart's dependencies")
	}
	return r, s.projects.PermitSource(s.ctx, c.Repo.Project, r.URL)
}

// artifact returns what is asked for of a repository that is not Git; ok is false for Git.
func artifact(c desired.Commit) (a source.Artifact, ok bool) {
	switch c.Kind {
	case desired.KindChart:
		return source.Artifact{Kind: source.ArtifactChart, Name: c.Chart, Revision: c.Revision, PassCredentials: c.PassCredentials}, true
	case desired.KindOCI:
		return source.Artifact{Kind: source.ArtifactOCI, Revision: c.Revision}, true
	case desired.KindFile:
		return source.Artifact{Kind: source.ArtifactFile}, true
	default:
		return source.Artifact{}, false
	}
}

// Resolve implements desired.Sources.
func (s *sources) Resolve(ctx context.Context, wanted desired.Commit, tagPrefix string) (desired.Commit, error) {
	if files, ok := s.standIn(wanted); ok {
		wanted.ID = files.Root()
		return wanted, nil
	}
	r, err := s.repository(wanted)
	if err != nil {
		return wanted, err
	}
	if a, ok := artifact(wanted); ok {
		pin, err := within(ctx, s, wanted.Repo, func(ctx context.Context) (source.Pin, error) { return s.store.ResolveArtifact(ctx, r, a) })
		wanted.ID, wanted.Digest = shownAs(wanted.Kind, pin), pin.Digest
		return wanted, err
	}
	wanted.ID, err = within(ctx, s, wanted.Repo, func(ctx context.Context) (string, error) {
		return s.store.Resolve(ctx, r, source.Revision{Name: wanted.Revision, TagPrefix: tagPrefix})
	})
	return wanted, err
}

func (s *sources) standIn(c desired.Commit) (tree.Tree, bool) {
	return s.local.files(c)
}

// shownAs returns what status shows as the revision: a chart's version, otherwise a digest.
func shownAs(kind desired.Kind, pin source.Pin) string {
	if kind == desired.KindChart {
		return pin.Version
	}
	return pin.Digest
}

// Tree implements desired.Sources.
func (s *sources) Tree(ctx context.Context, commit desired.Commit, paths []string) (tree.Tree, error) {
	if files, ok := s.standIn(commit); ok {
		return files, nil
	}
	r, err := s.repository(commit)
	if err != nil {
		return nil, err
	}
	if a, ok := artifact(commit); ok {
		pin := source.Pin{Version: commit.ID, Digest: commit.Digest}
		return within(ctx, s, commit.Repo, func(ctx context.Context) (tree.Tree, error) { return s.store.ArtifactTree(ctx, r, a, pin) })
	}
	want := make([]source.Want, 0, len(paths))
	for _, p := range paths {
		want = append(want, source.Want{Path: p})
	}
	var options []source.TreeOption
	if s.current().Settings.Fetching.Submodules {
		options = append(options, source.WithSubmodules(func(url string) (source.Repository, error) { return s.submodule(url, commit.Repo.Project) }))
	}
	return within(ctx, s, commit.Repo, func(ctx context.Context) (tree.Tree, error) { return s.store.Tree(ctx, r, commit.ID, want, options...) })
}

// submodule returns how the repository of a submodule is read: like any other that the project permits. Its address is
// written by whoever may push to the repository above it.
func (s *sources) submodule(url, project string) (source.Repository, error) {
	if err := s.projects.PermitSource(s.ctx, project, url); err != nil {
		return source.Repository{}, err
	}
	return s.current().Credentials.For(url, project)
}

// Verify implements desired.Sources.
func (s *sources) Verify(ctx context.Context, commit desired.Commit, tagPrefix string) error {
	if _, ok := s.standIn(commit); ok || commit.Kind != desired.KindGit {
		return nil
	}
	spec, err := s.projects.ProjectSpec(ctx, commit.Repo.Project)
	if err != nil {
		return err
	}
	policy, err := source.PolicyFor(&spec, commit.Repo.URL)
	if err != nil {
		return err
	}
	r, err := s.repository(commit)
	if err != nil {
		return err
	}
	_, err = within(ctx, s, commit.Repo, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.store.Verify(ctx, r, commit.ID, source.Revision{Name: commit.Revision, TagPrefix: tagPrefix}, policy, s.current().Keyring)
	})
	return err
}

// Keep implements application.Keeper.
func (s *sources) Keep(ctx context.Context, id string, commits []desired.Commit) error {
	wanted := map[desired.Commit][]desired.Commit{} // by what is the same of all that lies in one place
	s.mu.Lock()
	for _, place := range s.kept[id] {
		wanted[place] = nil // what is kept there is let go of unless it is named again
	}
	delete(s.kept, id)
	for _, c := range commits {
		place := placeOf(c)
		if len(wanted[place]) == 0 {
			s.kept[id] = append(s.kept[id], place)
		}
		wanted[place] = append(wanted[place], c)
	}
	s.mu.Unlock()
	var failures []error
	for place, commits := range wanted {
		failures = append(failures, s.keepAt(ctx, id, place, commits))
	}
	return errors.Join(failures...)
}

// placeOf returns what is the same of all that is pinned together: a repository, as what it is read.
func placeOf(c desired.Commit) desired.Commit { return desired.Commit{Repo: c.Repo, Kind: c.Kind} }

// keepAt pins what an application needs of one repository.
func (s *sources) keepAt(ctx context.Context, id string, place desired.Commit, commits []desired.Commit) error {
	r, err := s.repository(place)
	if err != nil {
		return err
	}
	if place.Kind == desired.KindGit {
		ids := make([]string, 0, len(commits))
		for _, c := range commits {
			ids = append(ids, c.ID)
		}
		return s.store.Keep(ctx, r, id, ids)
	}
	pins := make([]source.Pin, 0, len(commits))
	for _, c := range commits {
		pins = append(pins, source.Pin{Version: c.ID, Digest: c.Digest})
	}
	return s.store.KeepArtifacts(r, id, pins)
}
