// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
)

// Memory keeps small records beyond the life of the process: which commits an application was last resolved to. It is
// asked only when a repository does not answer; losing it costs nothing else. It holds no secrets.
type Memory interface {
	// Load returns the record saved last for an application; nil if there is none.
	Load(id string) ([]byte, error)
	// Save replaces the record of an application; nil data removes it.
	Save(id string, data []byte) error
}

type noMemory struct{}

func (noMemory) Load(string) ([]byte, error) { return nil, nil }
func (noMemory) Save(string, []byte) error   { return nil }

// record is what Memory holds of one application.
type record struct {
	// Spec is the digest of the sources and the project the commits were resolved for. Under another spec they mean
	// nothing.
	Spec object.Digest `json:"spec"`
	// Commits has one id for each source, Digests those of artifacts ("" for a commit).
	Commits []string `json:"commits"`
	Digests []string `json:"digests,omitempty"`
	// Remotes are what the renders needed besides; Past are earlier source sets that had remotes, the newest first.
	Remotes []Commit `json:"remotes,omitempty"`
	Past    []pinned `json:"past,omitempty"`
}

func (n *entry) record() record {
	r := record{Spec: n.spec, Commits: idsOf(n.state.Commits), Remotes: n.state.Remotes, Past: n.past}
	for i, c := range n.state.Commits {
		if c.Digest != "" {
			if r.Digests == nil {
				r.Digests = make([]string, len(n.state.Commits))
			}
			r.Digests[i] = c.Digest
		}
	}
	return r
}

func (n *entry) sameRecord(o *entry) bool {
	return n.spec == o.spec && slices.Equal(n.state.Commits, o.state.Commits) && slices.Equal(n.state.Remotes, o.state.Remotes) && len(n.past) == len(o.past)
}

// loadRecord returns the record of an application; nil if there is none.
func (e *Engine) loadRecord(id string) (*record, error) {
	data, err := e.memory.Load(id)
	if err != nil || data == nil {
		return nil, err
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("the record of its commits is damaged: %w", err)
	}
	return &r, nil
}

// save writes an application's record if it is older than its entry. A record that cannot be written stays due, and
// the next Flush says why.
func (e *Engine) save(id string) { _ = e.flush(id) }

// Flush writes the records that are due: those of applications that Moved proved unchanged, which are not written
// commit by commit, and those that could not be written before. Call it now and then, and at the end.
func (e *Engine) Flush() error {
	e.mu.Lock()
	ids := slices.Sorted(maps.Keys(e.dirty))
	e.mu.Unlock()
	var errs []error
	for _, id := range ids {
		errs = append(errs, e.flush(id))
	}
	return errors.Join(errs...)
}

func (e *Engine) flush(id string) error {
	e.saving.Lock()
	defer e.saving.Unlock()
	e.mu.Lock()
	known := e.apps[id]
	_, due := e.dirty[id]
	delete(e.dirty, id)
	e.mu.Unlock()
	if known == nil || !due {
		return nil
	}
	data, err := json.Marshal(known.record())
	if err == nil {
		err = e.memory.Save(id, data)
	}
	if err == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.apps[id] != nil {
		e.dirty[id] = struct{}{}
	}
	return fmt.Errorf("remember the commits of %s: %w", id, err)
}

// standing returns the State of the last resolved source set, made for the present target.
func (e *Engine) standing(ctx context.Context, q *question, target Target, cause error) (*State, error) {
	known := e.known(q.id)
	if known == nil || known.spec != q.spec {
		var err error
		if known, err = e.restore(ctx, q, target); err != nil {
			cause = fmt.Errorf("%w (nor can the last known revision be shown: %w)", cause, err)
		}
	}
	if known == nil {
		return nil, &UnreachableError{Err: cause}
	}
	next := known
	if known.target != target.Version {
		var err error
		if next, err = e.retarget(ctx, q, known, target); err != nil {
			return nil, err
		}
	}
	e.mu.Lock()
	e.remember(q.id, q, next)
	e.mu.Unlock()
	return next.state, &UnreachableError{Standing: next.state.Commits, Err: cause}
}

// retarget makes what stands for another target, as far as that permits it.
func (e *Engine) retarget(ctx context.Context, q *question, known *entry, target Target) (*entry, error) {
	a := &answer{Engine: e, q: q, target: target, commits: known.state.Commits}
	if err := a.verify(ctx); err != nil {
		return nil, err
	}
	for i := range known.sources {
		for _, m := range known.sources[i].mounts {
			if m.role != remote {
				continue
			}
			if err := a.permitStanding(ctx, m); err != nil {
				return nil, err
			}
		}
	}
	next := known.movedTo(known.sources, known.state.Commits, target.Version, target.Version)
	return next, next.make(known.state.Commits, &target)
}

// permitStanding asks the project about a remote of what stands. Of a repository that only has a name the answer comes
// with resolving it, unless that one does not answer either.
func (a *answer) permitStanding(ctx context.Context, m mount) error {
	if _, named := render.RepositoryName(m.commit.Repo.URL); named {
		if _, err := a.sources.Resolve(ctx, m.commit.Wanted(), ""); err != nil && !errors.Is(err, ErrUnreachable) {
			return askedBy(m.need(), "read", err)
		}
	}
	return a.permit(m.need())
}

// restore renders the source set that Memory holds for the question, from what Sources has at hand; nil if Memory holds
// none.
func (e *Engine) restore(ctx context.Context, q *question, target Target) (*entry, error) {
	r, err := e.loadRecord(q.id)
	if err != nil || r == nil || r.Spec != q.spec || len(r.Commits) != len(q.sources) {
		return nil, err
	}
	commits := slices.Clone(q.wanted)
	for i, commit := range r.Commits {
		commits[i].ID = commit
		if i < len(r.Digests) {
			commits[i].Digest = r.Digests[i]
		}
	}
	a := &answer{Engine: e, q: q, target: target, commits: commits, pins: map[Commit]Commit{}}
	a.recall(true, true, r.Remotes)
	if err := a.verify(ctx); err != nil {
		return nil, err
	}
	restored, err := a.next(ctx)
	if err != nil {
		return nil, err
	}
	restored.past = r.Past
	return restored, restored.make(commits, &target)
}

// bringPast notes the source sets that an application had before, if they had remotes: a way back needs their pins.
func (e *Engine) bringPast(next *entry, id string) {
	before := e.known(id)
	if next == before {
		return
	}
	if before == nil {
		if len(next.state.Remotes) > 0 {
			if r, err := e.loadRecord(id); err == nil && r != nil { // without it a way back resolves anew
				next.past = addPast(r.Past, pinned{r.Commits, r.Remotes}, next.state.Commits)
			}
		}
		return
	}
	next.past = addPast(before.past, pinned{idsOf(before.state.Commits), before.state.Remotes}, next.state.Commits)
}

func addPast(past []pinned, last pinned, now []Commit) []pinned {
	if len(last.Remotes) == 0 || slices.Equal(last.Commits, idsOf(now)) {
		return past
	}
	out := []pinned{last}
	for _, p := range past {
		if len(out) < maxPast && !slices.Equal(p.Commits, last.Commits) {
			out = append(out, p)
		}
	}
	return out
}

// pastRemotes returns what the renders needed when an application was at these commits; nil if that is not known.
func (e *Engine) pastRemotes(id string, commits []Commit) []Commit {
	var all []pinned
	if known := e.known(id); known != nil {
		all = append([]pinned{{idsOf(known.state.Commits), known.state.Remotes}}, known.past...)
	} else if r, err := e.loadRecord(id); err == nil && r != nil {
		all = append([]pinned{{r.Commits, r.Remotes}}, r.Past...)
	}
	for _, p := range all {
		if slices.Equal(p.Commits, idsOf(commits)) {
			return p.Remotes
		}
	}
	return nil
}
