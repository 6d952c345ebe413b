// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"strings"
	"time"
)

// artifact returns what a followed revision of a repository that is not Git stands for; ok is false for Git.
func (v Revision) artifact(r Repository) (a Artifact, ok bool) {
	switch {
	case v.Chart != "":
		return Artifact{Kind: ArtifactChart, Name: v.Chart, Revision: v.Name, PassCredentials: v.PassCredentials}, true
	case r.Type == KindOCI, strings.HasPrefix(r.URL, ociScheme):
		return Artifact{Kind: ArtifactOCI, Revision: v.Name}, true
	}
	return Artifact{}, false
}

// fixed reports whether what the artifact is cannot change: such is looked up once and not polled.
func (a Artifact) fixed() bool {
	if _, digest := digestHex(a.Revision); digest {
		return true
	}
	return a.Kind == ArtifactChart && isExact(a.Revision)
}

// split parts the followed revisions into those of Git and those that are artifacts.
func (r *polled) split(revisions []Revision) (git, other []Revision) {
	for _, revision := range revisions {
		if _, ok := revision.artifact(r.repo); ok {
			other = append(other, revision)
		} else {
			git = append(git, revision)
		}
	}
	return git, other
}

// onlyArtifacts reports whether nothing of Git is followed.
func (r *polled) onlyArtifacts() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for revision := range r.revisions {
		if _, ok := revision.artifact(r.repo); !ok {
			return false
		}
	}
	return true
}

// findArtifacts finds out what artifacts are now. If ask is set, answers that were there before the turn do not do, but all
// revisions share those that come in it: one index, one list of tags, one question for each tag.
func (r *polled) findArtifacts(ctx context.Context, ask bool, revisions []Revision) []finding {
	store := r.poller.store
	begin := store.clock.Now()
	found := make([]finding, 0, len(revisions))
	for _, revision := range revisions {
		a, _ := revision.artifact(r.repo)
		if digest, ok := r.settled(revision); ok && a.fixed() {
			found = append(found, finding{revision: revision, commit: digest})
			continue
		}
		f := finding{revision: revision}
		shop, err := store.artifacts.shop(r.repo, a.Kind)
		if err != nil {
			f.err = err
		} else {
			notBefore := begin
			if !ask {
				notBefore = begin.Add(-shop.trust())
			}
			pin, err := shop.resolve(ctx, a, notBefore)
			f.commit, f.err = pin.Digest, err
			pace := r.poller.pace.Load()
			shop.vouch(vouchForTwice*pace.interval + pace.jitter)
		}
		found = append(found, f)
		if Unreachable(f.err) || ctx.Err() != nil {
			return r.unasked(found, revisions, f.err)
		}
	}
	return found
}

// unasked spreads a failure to be asked to the revisions that were not looked at any more: a server that does not answer
// is not asked for each of them.
func (r *polled) unasked(found []finding, revisions []Revision, err error) []finding {
	for _, revision := range revisions[len(found):] {
		if a, _ := revision.artifact(r.repo); a.fixed() {
			if digest, ok := r.settled(revision); ok {
				found = append(found, finding{revision: revision, commit: digest})
				continue
			}
		}
		found = append(found, finding{revision: revision, err: err})
	}
	return found
}

// settled returns what a revision is known to be, if there is no failure to clear.
func (r *polled) settled(revision Revision) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, ok := r.revisions[revision]
	if !ok || f.commit == "" || f.err != nil {
		return "", false
	}
	return f.commit, true
}

// vouch says for how long answers count as recent, because they are asked for again before.
func (s *shop) vouch(age time.Duration) { s.vouched.Store(int64(age)) }
