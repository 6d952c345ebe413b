// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"slices"

	"github.com/bowline-cd/bowline/internal/object"
)

// Moved takes notice that a revision of a repository went from one commit to another, between which the files at the
// changed paths differ. match tells which sources and remotes follow that revision of that repository; it is given them
// without ID and Digest. It returns the applications that have to be looked at again, and those that are proven
// unchanged: their State stands under the new commit from now on. Both are sorted.
//
// An application is proven unchanged only if its last State was made at from and read nothing that changed. One that
// was made at another commit, that is being asked for right now or whose last answer was an error is to be looked at; so
// is one whose renders know the commit's name, or whose remotes are to be resolved anew with every commit.
func (e *Engine) Moved(match func(Commit) bool, from, to string, changed []string) (touched, unchanged []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	hit := e.index.touched(changed)
	for id, q := range e.asked {
		known := e.apps[id]
		if !q.follows(match) && !known.needs(match) {
			continue
		}
		if q.running || q.failed || known == nil || known.spec != q.spec {
			e.expect(id)
			touched = append(touched, id)
			continue
		}
		switch next := known.moved(match, from, to); {
		case next == known:
			// It was asked for after the move: there is nothing new to it.
		case next == nil || hit[id] && known.touched(match, changed):
			e.expect(id)
			touched = append(touched, id)
		default:
			e.remember(id, q, next)
			unchanged = append(unchanged, id)
		}
	}
	slices.Sort(touched)
	slices.Sort(unchanged)
	return touched, unchanged
}

// expect has the remotes of an application resolved anew. It is called with the lock held.
func (e *Engine) expect(id string) {
	e.moves++
	e.moved[id] = e.moves
}

// Following returns the applications that follow a revision of a repository, sorted: those to look at when what
// changed is not known, or when the repository stopped or began to answer. Their remotes are resolved anew when they are.
func (e *Engine) Following(match func(Commit) bool) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var ids []string
	for id, q := range e.asked {
		if q.follows(match) || e.apps[id].needs(match) {
			e.expect(id)
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Behind returns the applications that follow a revision which id follows too, and are known at another commit of it
// than id is. Those whose last answer was an error are left out: they were asked, and have nothing to say.
func (e *Engine) Behind(id string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	mine := e.apps[id]
	if q := e.asked[id]; mine == nil || q == nil || q.failed {
		return nil
	}
	at := map[Commit]string{}
	for _, c := range mine.state.Commits {
		at[shared(c)] = c.ID
	}
	var ids []string
	for other, q := range e.asked {
		known := e.apps[other]
		if other == id || q.failed || known == nil {
			continue
		}
		if slices.ContainsFunc(known.state.Commits, func(c Commit) bool { commit, ok := at[shared(c)]; return ok && commit != c.ID }) {
			ids = append(ids, other)
		}
	}
	return ids
}

// shared returns what two applications have in common that follow the same revision, be it from different projects.
func shared(c Commit) Commit {
	return Commit{Repo: Repo{URL: object.NormaliseRepoURL(c.Repo.URL)}, Kind: c.Kind, Chart: c.Chart, Revision: c.Revision}
}

// needs reports whether one of the remotes matches. Nothing is known of a nil entry.
func (n *entry) needs(match func(Commit) bool) bool {
	return n != nil && slices.ContainsFunc(n.state.Remotes, func(c Commit) bool { return match(c.Wanted()) })
}

// touched reports whether a change of paths in the repositories that match concerns the application.
func (n *entry) touched(match func(Commit) bool, changed []string) bool {
	for i := range n.sources {
		for k := range n.sources[i].mounts {
			if m := &n.sources[i].mounts[k]; match(m.commit.Wanted()) && slices.ContainsFunc(changed, m.reads.touched) {
				return true
			}
		}
	}
	return false
}

// moved returns the entry with every matching source and remote at the newer commit: itself if they are there already,
// nil if one of them was at neither, or if another commit is another input.
func (n *entry) moved(match func(Commit) bool, from, to string) *entry {
	news := false
	follow := func(c Commit) (Commit, bool) {
		if c.Kind != KindGit || c.ID == to || !match(c.Wanted()) {
			return c, c.Kind == KindGit || !match(c.Wanted())
		}
		ok := c.ID == from
		c.ID, news = to, true
		return c, ok
	}
	commits := slices.Clone(n.state.Commits)
	for i, c := range commits {
		var ok bool
		if commits[i], ok = follow(c); !ok {
			return nil
		}
	}
	sources := make([]rendered, len(n.sources))
	if news && slices.ContainsFunc(n.state.Remotes, func(c Commit) bool { return !exact(c) }) {
		return nil
	}
	for i := range n.sources {
		sources[i] = n.sources[i]
		mounts := slices.Clone(sources[i].mounts)
		for k := range mounts {
			var ok bool
			if mounts[k].commit, ok = follow(mounts[k].commit); !ok {
				return nil
			}
		}
		if mounts[0].commit != sources[i].commit() && sources[i].used.namesRevision() {
			return nil
		}
		sources[i].mounts = mounts
	}
	if !news {
		return n
	}
	return n.movedTo(sources, commits, n.target, "")
}
