// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// ErrUnreachable is what errors of Sources are when a repository did not answer, as opposed to answering that
// something is not there.
var ErrUnreachable = errors.New("repository is unreachable")

// UnreachableError says that the newest revision is not known, and names the one that stands meanwhile.
type UnreachableError struct {
	Standing []Commit // empty if nothing was ever resolved
	Err      error
}

func (e *UnreachableError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// Engine computes and remembers States. It is safe for concurrent use; calls of For for one application are made one
// at a time by their caller.
type Engine struct {
	sources  Sources
	renderer Renderer
	memory   Memory
	cache    Cache
	saving   sync.Mutex // held while memory is written: a record must not outlive Forget

	mu    sync.Mutex
	apps  map[string]*entry    // the last answer for each application; entries never change
	asked map[string]*question // what each application was last asked for
	index index
	fresh map[string]struct{} // applications whose next answer is made without what is remembered
	dirty map[string]struct{} // applications whose record in memory is older than their entry
}

// NewEngine returns an Engine that remembers nothing yet. memory and cache may be nil: then what stands, and what was
// rendered, does not outlive the process.
func NewEngine(sources Sources, renderer Renderer, memory Memory, cache Cache) *Engine {
	if memory == nil {
		memory = noMemory{}
	}
	if cache == nil {
		cache = noMemory{}
	}
	return &Engine{
		sources: sources, renderer: renderer, memory: memory, cache: cache,
		apps: map[string]*entry{}, asked: map[string]*question{}, index: index{}, dirty: map[string]struct{}{}, fresh: map[string]struct{}{},
	}
}

// question is what an application asks of its sources.
type question struct {
	spec    object.Digest // of the sources and the project
	sources []v1alpha1.ApplicationSource
	wanted  []Commit // repository and revision of each source; no commit yet
	// The two below are guarded by the Engine's lock. While one of them is true nobody can say that a newer commit
	// leaves the application's State as it is.
	running bool
	failed  bool
}

func newQuestion(app *v1alpha1.Application) *question {
	q := &question{sources: SourcesOf(app)}
	q.spec = object.DigestOf([]any{q.sources, ProjectOf(app)})
	for _, s := range q.sources {
		q.wanted = append(q.wanted, WantedOf(s, ProjectOf(app)))
	}
	return q
}

// For returns what the application named id asks for at the newest revision. When a repository is unreachable it
// returns the standing State, if there is one, and an *UnreachableError: both count. Any other error means that the
// newest revision has no State.
func (e *Engine) For(ctx context.Context, id string, app *v1alpha1.Application, target Target) (*State, error) {
	q := newQuestion(app)
	e.begin(id, q)
	state, err := e.answer(ctx, id, q, target)
	e.end(q, err)
	return state, err
}

func (e *Engine) begin(id string, q *question) {
	e.mu.Lock()
	defer e.mu.Unlock()
	q.running = true
	e.asked[id] = q
}

func (e *Engine) end(q *question, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	q.running, q.failed = false, err != nil
}

func (e *Engine) answer(ctx context.Context, id string, q *question, target Target) (*State, error) {
	if len(q.sources) == 0 {
		return nil, noSource()
	}
	commits, err := e.resolve(ctx, q.sources, q.wanted)
	if err == nil {
		var state *State
		if state, err = e.at(ctx, id, q, commits, target); err == nil {
			return state, nil
		}
	}
	if errors.Is(err, ErrUnreachable) {
		return e.standing(ctx, id, q, target, err)
	}
	return nil, err
}

// At returns what the application named id asks for at a given source set: a manual sync to a revision, or a rollback.
// revisions holds one for each source; an empty or missing one means the source's own. Nothing of it is remembered.
func (e *Engine) At(ctx context.Context, id, project string, sources []v1alpha1.ApplicationSource, revisions []string, target Target) (*State, error) {
	if len(sources) == 0 {
		return nil, noSource()
	}
	wanted := make([]Commit, len(sources))
	for i, s := range sources {
		wanted[i] = WantedOf(s, project)
		if i < len(revisions) && revisions[i] != "" {
			wanted[i].Revision = revisions[i]
		}
	}
	commits, err := e.resolve(ctx, sources, wanted)
	if err != nil {
		return nil, err
	}
	made, err := e.renderAll(ctx, sources, commits, target)
	if err != nil {
		return nil, err
	}
	if err := made.make(target); err != nil {
		return nil, err
	}
	return made.state, nil
}

func noSource() error {
	return fault.New(fault.Mistake, "read", "the application", "spec.source", "it names no source", "set spec.source.repoURL and spec.source.path")
}

// resolve finds the commit of every wanted revision.
func (e *Engine) resolve(ctx context.Context, sources []v1alpha1.ApplicationSource, wanted []Commit) ([]Commit, error) {
	commits := make([]Commit, len(sources))
	for i, s := range sources {
		commit, err := e.sources.Resolve(ctx, wanted[i], s.TagPrefix)
		if err != nil {
			return nil, err
		}
		commits[i] = commit
	}
	return commits, nil
}

func sourceField(i, n int) string {
	if n == 1 {
		return "spec.source"
	}
	return fmt.Sprintf("spec.sources[%d]", i)
}

// Afresh has the next answer for an application made without what is remembered of it. Until there is one the State that
// is remembered stands: a repository that does not answer takes nothing away.
func (e *Engine) Afresh(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fresh[id] = struct{}{}
}

// reusable returns what a new answer for an application may be made of.
func (e *Engine) reusable(id string, q *question) *entry {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.apps[id]
	if _, fresh := e.fresh[id]; fresh || known != nil && known.spec != q.spec {
		return nil
	}
	return known
}

// Forget drops what is remembered of an application, in memory and on disk.
func (e *Engine) Forget(id string) error {
	e.saving.Lock()
	defer e.saving.Unlock()
	e.mu.Lock()
	if known := e.apps[id]; known != nil {
		e.index.drop(id, known.roots)
	}
	delete(e.apps, id)
	delete(e.asked, id)
	delete(e.dirty, id)
	delete(e.fresh, id)
	e.mu.Unlock()
	return e.memory.Save(id, nil)
}

// remember keeps an answer, unless the application was forgotten or asked something else meanwhile. It is called with
// the lock held.
func (e *Engine) remember(id string, q *question, n *entry) {
	if e.asked[id] != q {
		return
	}
	known := e.apps[id]
	if known == n {
		return
	}
	e.apps[id] = n
	if known == nil || !sameStrings(known.roots, n.roots) {
		if known != nil {
			e.index.drop(id, known.roots)
		}
		e.index.set(id, n.roots)
	}
	if known == nil || !known.sameRecord(n) {
		e.dirty[id] = struct{}{}
	}
}

// Peek returns the remembered State of an application, or nil.
func (e *Engine) Peek(id string) *State {
	if known := e.known(id); known != nil {
		return known.state
	}
	return nil
}

func (e *Engine) known(id string) *entry {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.apps[id]
}
