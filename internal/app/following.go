// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"maps"
	"slices"

	"github.com/bowline-cd/bowline/internal/controller/application"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/source"
)

// followed is one revision that an application is about.
type followed struct {
	wanted   desired.Commit
	key      string // of the repository
	revision source.Revision
}

// asking is what an application was last followed by. As long as it and the credentials are the same there is nothing to do.
type asking struct {
	credentials *source.Credentials
	follows     []application.Followed
}

// Want implements application.Poller. Every pass calls it.
func (s *sources) Want(id string, follows []application.Followed) {
	asked := asking{s.current().Credentials, follows}
	if s.wantsStill(id, asked) {
		return
	}
	s.want(id, follows)
	if slices.ContainsFunc(follows, func(f application.Followed) bool { return f.Wanted.Kind != desired.KindGit }) {
		return // which repository a chart's name stands for is for its project to say, too
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[id] = asked
}

func (s *sources) wantsStill(id string, now asking) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, known := s.asked[id]
	return known && before.credentials == now.credentials && slices.Equal(before.follows, now.follows)
}

func (s *sources) want(id string, follows []application.Followed) {
	var list []followed
	var watches []source.Watch
	for _, f := range follows {
		r, err := s.repository(f.Wanted)
		if err != nil {
			continue // Resolve says so
		}
		watch, ok := watchOf(r, f)
		if !ok {
			continue
		}
		list = append(list, followed{wanted: f.Wanted, key: r.Key(), revision: watch.Revisions[0]})
		watches = append(watches, watch)
	}
	s.mu.Lock()
	same := slices.Equal(s.follows[id], list)
	s.follows[id] = list
	s.mu.Unlock()
	if !same {
		s.poller.Want(id, watches...)
	}
}

// Forget implements application.Poller. What is pinned where the application followed something can be let go of after
// it, be it that another process pinned it.
func (s *sources) Forget(id string) {
	s.mu.Lock()
	for _, f := range s.follows[id] {
		if place := placeOf(f.wanted); !slices.Contains(s.kept[id], place) {
			s.kept[id] = append(s.kept[id], place)
		}
	}
	delete(s.follows, id)
	delete(s.asked, id)
	s.mu.Unlock()
	s.poller.Forget(id)
}

// Refresh implements application.Poller.
func (s *sources) Refresh(ctx context.Context, id string) error { return s.poller.Refresh(ctx, id) }

// reset forgets who follows what: credentials may have changed, and with them which mirror serves whom. The poller
// learns it from each application's next pass.
func (s *sources) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.follows)
	clear(s.asked)
}

// retain removes the mirrors that nobody follows and in which nothing is pinned, once as many applications follow
// something as there are: before that it is not known who follows what.
func (s *sources) retain(applications int) error {
	pinned := map[desired.Commit]struct{}{}
	s.mu.Lock()
	following := slices.Collect(maps.Keys(s.follows))
	for _, places := range s.kept {
		for _, place := range places {
			pinned[place] = struct{}{}
		}
	}
	s.mu.Unlock()
	if len(following) < applications || len(following) == 0 {
		return nil
	}
	for _, id := range following {
		for _, c := range s.engine.Pinned(id) {
			pinned[placeOf(c)] = struct{}{}
		}
	}
	repositories := s.poller.Repositories()
	for place := range pinned {
		if r, err := s.repository(place); err == nil { // what cannot be read any more needs no copy
			repositories = append(repositories, r)
		}
	}
	return s.store.Retain(repositories)
}

// moved is told by the poller what became of a revision.
func (s *sources) moved(m source.Move) {
	match := s.matching(m)
	if m.Err != nil || m.From == "" || m.From == m.To || !source.IsCommitID(m.To) {
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

// matching returns which sources of applications, and which of their remotes, are about the revision that moved.
func (s *sources) matching(m source.Move) func(desired.Commit) bool {
	key := m.Repository.Key()
	about := map[desired.Commit]bool{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.follows {
		for _, f := range list {
			if f.key == key && f.revision == m.Revision {
				about[f.wanted] = true
			}
		}
	}
	return func(c desired.Commit) bool { return about[c] }
}

// watchOf returns what the poller is to look at; ok is false for what is not followed: a file is looked at again with each
// render that needs it.
func watchOf(r source.Repository, f application.Followed) (w source.Watch, ok bool) {
	revision := source.Revision{Name: f.Wanted.Revision, TagPrefix: f.TagPrefix}
	switch f.Wanted.Kind {
	case desired.KindFile:
		return source.Watch{}, false
	case desired.KindChart:
		revision = source.Revision{Name: f.Wanted.Revision, Chart: f.Wanted.Chart, PassCredentials: f.Wanted.PassCredentials}
	case desired.KindOCI:
		revision.TagPrefix = ""
	}
	return source.Watch{Repository: r, Revisions: []source.Revision{revision}}, true
}
