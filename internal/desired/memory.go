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
	// Commits has one id for each source.
	Commits []string `json:"commits"`
}

func (n *entry) record() record {
	r := record{Spec: n.spec}
	for _, s := range n.sources {
		r.Commits = append(r.Commits, s.commit.ID)
	}
	return r
}

func (n *entry) sameRecord(o *entry) bool {
	return n.spec == o.spec && slices.EqualFunc(n.sources, o.sources, func(a, b rendered) bool { return a.commit.ID == b.commit.ID })
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
func (e *Engine) standing(ctx context.Context, id string, q *question, target Target, cause error) (*State, error) {
	known := e.known(id)
	if known == nil || known.spec != q.spec {
		var err error
		if known, err = e.restore(ctx, id, q, target); err != nil {
			cause = fmt.Errorf("%w (nor can the last known revision be shown: %w)", cause, err)
		}
	}
	if known == nil {
		return nil, &UnreachableError{Err: cause}
	}
	next := known.movedTo(known.state.Commits, target.Version)
	if err := next.make(target); err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.remember(id, q, next)
	e.mu.Unlock()
	return next.state, &UnreachableError{Standing: next.state.Commits, Err: cause}
}

// restore renders the source set that Memory holds for the question, from what Sources has at hand; nil if Memory holds
// none.
func (e *Engine) restore(ctx context.Context, id string, q *question, target Target) (*entry, error) {
	data, err := e.memory.Load(id)
	if err != nil || data == nil {
		return nil, err
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("the record of its commits is damaged: %w", err)
	}
	if r.Spec != q.spec || len(r.Commits) != len(q.sources) {
		return nil, nil
	}
	commits := slices.Clone(q.wanted)
	for i, commit := range r.Commits {
		commits[i].ID = commit
	}
	restored, err := e.renderAll(ctx, q.sources, commits, target)
	if err != nil {
		return nil, err
	}
	restored.spec = q.spec
	if err := restored.make(target); err != nil {
		return nil, err
	}
	return restored, nil
}
