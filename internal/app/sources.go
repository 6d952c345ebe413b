// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/bowline-cd/bowline/internal/controller/application"
	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/source"
	"github.com/bowline-cd/bowline/internal/tree"
)

// sources joins the Git store with the credentials of the moment.
type sources struct {
	store   *source.Store
	poller  *source.Poller
	current func() *configuration.Snapshot
	log     *slog.Logger
	ctx     context.Context // of the process
	engine  *desired.Engine
	// applications are told what moved.
	applications *application.Controller

	mu      sync.Mutex
	follows map[string][]followed     // by application
	kept    map[string][]desired.Repo // by application: where commits of its history are pinned
}

// followed is one revision that an application is about.
type followed struct {
	repo     desired.Repo
	key      string
	revision source.Revision
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

func (s *sources) repository(repo desired.Repo) (source.Repository, error) {
	return s.current().Credentials.For(repo.URL, repo.Project)
}

// Resolve implements desired.Sources.
func (s *sources) Resolve(ctx context.Context, wanted desired.Commit, tagPrefix string) (desired.Commit, error) {
	if err := onlyGit(wanted); err != nil {
		return wanted, err
	}
	r, err := s.repository(wanted.Repo)
	if err != nil {
		return wanted, err
	}
	wanted.ID, err = within(ctx, s, wanted.Repo, func(ctx context.Context) (string, error) {
		return s.store.Resolve(ctx, r, source.Revision{Name: wanted.Revision, TagPrefix: tagPrefix})
	})
	return wanted, err
}

// Tree implements desired.Sources.
func (s *sources) Tree(ctx context.Context, commit desired.Commit, paths []string) (tree.Tree, error) {
	if err := onlyGit(commit); err != nil {
		return nil, err
	}
	r, err := s.repository(commit.Repo)
	if err != nil {
		return nil, err
	}
	want := make([]source.Want, 0, len(paths))
	for _, p := range paths {
		want = append(want, source.Want{Path: p})
	}
	return within(ctx, s, commit.Repo, func(ctx context.Context) (tree.Tree, error) { return s.store.Tree(ctx, r, commit.ID, want) })
}

// Verify implements desired.Sources.
func (s *sources) Verify(context.Context, desired.Commit) error { return nil }

func onlyGit(c desired.Commit) error {
	if c.Kind == desired.KindGit {
		return nil
	}
	return fault.New(fault.Wait, "resolve", string(c.Kind)+" "+c.Chart, "", "only Git repositories are read by this version of Bowline yet", "use a Git repository")
}

// Keep implements application.Keeper.
func (s *sources) Keep(ctx context.Context, id string, commits []desired.Commit) error {
	byRepo := map[desired.Repo][]string{}
	s.mu.Lock()
	for _, repo := range s.kept[id] {
		byRepo[repo] = nil // what is kept there is let go of unless it is named again
	}
	for _, c := range commits {
		byRepo[c.Repo] = append(byRepo[c.Repo], c.ID)
	}
	s.kept[id] = slices.Collect(maps.Keys(byRepo))
	if len(commits) == 0 {
		delete(s.kept, id)
	}
	s.mu.Unlock()
	var failures []error
	for repo, ids := range byRepo {
		r, err := s.repository(repo)
		if err == nil {
			err = s.store.Keep(ctx, r, id, ids)
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// Want implements application.Poller.
func (s *sources) Want(id string, repos []desired.Repo, revisions []source.Revision) {
	var list []followed
	var watches []source.Watch
	for i, repo := range repos {
		r, err := s.repository(repo)
		if err != nil {
			continue // Resolve says so
		}
		list = append(list, followed{repo: repo, key: r.Key(), revision: revisions[i]})
		watches = append(watches, source.Watch{Repository: r, Revisions: revisions[i : i+1]})
	}
	s.mu.Lock()
	same := slices.Equal(s.follows[id], list)
	s.follows[id] = list
	s.mu.Unlock()
	if !same {
		s.poller.Want(id, watches...)
	}
}

// Forget implements application.Poller.
func (s *sources) Forget(id string) {
	s.mu.Lock()
	delete(s.follows, id)
	s.mu.Unlock()
	s.poller.Forget(id)
}

// reset forgets who follows what: credentials may have changed, and with them which mirror serves whom. The poller
// learns it from each application's next pass.
func (s *sources) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.follows)
}

// retain removes the mirrors that nobody follows, once as many applications follow something as there are: before that
// it is not known who follows what.
func (s *sources) retain(applications int) error {
	s.mu.Lock()
	following := len(s.follows)
	s.mu.Unlock()
	if following < applications || following == 0 {
		return nil
	}
	return s.store.Retain(s.poller.Repositories())
}

// moved is told by the poller what became of a revision.
func (s *sources) moved(m source.Move) {
	match := s.matching(m)
	if m.Err != nil || m.From == "" || m.From == m.To {
		s.applications.Look(s.engine.Following(match)...)
		return
	}
	changed, err := s.store.Changed(s.ctx, m.Repository, m.From, m.To)
	if err != nil {
		s.log.Warn("what a commit changed is not known: every application of the repository is looked at",
			"repository", m.Repository, "from", m.From, "to", m.To, "error", err)
		s.applications.Look(s.engine.Following(match)...)
		return
	}
	s.log.Info("revision moved", "repository", m.Repository, "revision", m.Revision, "from", m.From, "to", m.To, "files", len(changed))
	s.applications.Moved(match, m.From, m.To, changed)
}

// matching returns which sources of applications are about the revision that moved.
func (s *sources) matching(m source.Move) func(desired.Commit) bool {
	key := m.Repository.Key()
	about := map[desired.Commit]bool{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.follows {
		for _, f := range list {
			if f.key == key && f.revision == m.Revision {
				about[desired.Commit{Repo: f.repo, Revision: f.revision.Name}] = true
			}
		}
	}
	return func(c desired.Commit) bool { return about[c] }
}

// Refresh implements application.Poller.
func (s *sources) Refresh(ctx context.Context, id string) error { return s.poller.Refresh(ctx, id) }
