// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"slices"

	"github.com/bowline-cd/bowline/internal/object"
)

// Moved takes notice that a revision of a repository went from one commit to another, between which the files at the
// changed paths differ. match tells which sources follow that revision of that repository, by Repo and Revision; ID is
// not set. It returns the applications that have to be looked at again, and those that are proven unchanged: their
// State stands under the new commit from now on. Both are sorted.
//
// An application is proven unchanged only if its last State was made at from and read nothing that changed. One that
// was made at another commit, that is being asked for right now or whose last answer was an error is to be looked at.
func (e *Engine) Moved(match func(Commit) bool, from, to string, changed []string) (touched, unchanged []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	hit := e.index.touched(changed)
	for id, q := range e.asked {
		if !q.follows(match) {
			continue
		}
		known := e.apps[id]
		if q.running || q.failed || known == nil || known.spec != q.spec {
			touched = append(touched, id)
			continue
		}
		switch next := known.moved(match, from, to); {
		case next == known:
			// It was asked for after the move: there is nothing new to it.
		case next == nil || hit[id]:
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

// Following returns the applications that follow a revision of a repository, sorted: those to look at when what
// changed is not known, or when the repository stopped or began to answer.
func (e *Engine) Following(match func(Commit) bool) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var ids []string
	for id, q := range e.asked {
		if q.follows(match) {
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
	return Commit{Repo: Repo{URL: object.NormaliseRepoURL(c.Repo.URL)}, Revision: c.Revision}
}

func (q *question) follows(match func(Commit) bool) bool { return slices.ContainsFunc(q.wanted, match) }

// moved returns the entry with every matching source at the newer commit: itself if they are there already, nil if one
// of them was at neither.
func (n *entry) moved(match func(Commit) bool, from, to string) *entry {
	commits := slices.Clone(n.state.Commits)
	for i, c := range commits {
		if !match(Commit{Repo: c.Repo, Revision: c.Revision}) || c.ID == to {
			continue
		}
		if c.ID != from {
			return nil
		}
		commits[i].ID = to
	}
	return n.movedTo(commits, n.target)
}
