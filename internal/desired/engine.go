// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
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
	moved map[string]int      // applications whose remotes are to be resolved anew, with a number that differs each time
	moves int
	lists lists
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
		apps: map[string]*entry{}, asked: map[string]*question{}, index: index{}, dirty: map[string]struct{}{}, fresh: map[string]struct{}{}, moved: map[string]int{},
	}
}

// For returns what the application named id asks for at the newest revision. When a repository is unreachable it
// returns the standing State, if there is one, and an *UnreachableError: both count. Any other error means that the
// newest revision has no State.
func (e *Engine) For(ctx context.Context, id string, app *v1alpha1.Application, target Target) (*State, error) {
	q := newQuestion(id, ProjectOf(app), SourcesOf(app))
	e.begin(id, q)
	state, err := e.newest(ctx, q, target)
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

// newest answers a question at the newest revisions, or else at those that stand.
func (e *Engine) newest(ctx context.Context, q *question, target Target) (*State, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	commits, err := e.resolve(ctx, q.sources, q.wanted)
	if err == nil {
		var state *State
		if state, err = e.at(ctx, q, commits, target); err == nil {
			return state, nil
		}
	}
	if errors.Is(err, ErrUnreachable) {
		return e.standing(ctx, q, target, err)
	}
	return nil, err
}

// at answers a question whose revisions are resolved, and remembers the answer.
func (e *Engine) at(ctx context.Context, q *question, commits []Commit, target Target) (*State, error) {
	a, moved := e.begun(q, commits, target)
	if err := a.verify(ctx); err != nil {
		return nil, err
	}
	next, err := a.next(ctx)
	if err != nil {
		return nil, err
	}
	if err := next.make(commits, &target); err != nil {
		return nil, err
	}
	e.bringPast(next, q.id)
	e.mu.Lock()
	e.remember(q.id, q, next)
	if a.fresh {
		delete(e.fresh, q.id)
	}
	if e.moved[q.id] == moved {
		delete(e.moved, q.id)
	}
	e.mu.Unlock()
	e.save(q.id)
	return next.state, nil
}

// begun returns an answer with what may be reused for it.
func (e *Engine) begun(q *question, commits []Commit, target Target) (a *answer, moved int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a = &answer{Engine: e, q: q, target: target, commits: commits, known: e.apps[q.id], keeps: true, pins: map[Commit]Commit{}}
	if _, a.fresh = e.fresh[q.id]; a.fresh {
		a.known = nil
	}
	moved = e.moved[q.id]
	if a.known != nil {
		a.recall(moved == 0 && slices.Equal(a.known.state.Commits, commits), a.known.target == target.Version, a.known.state.Remotes)
	}
	return a, moved
}

// verify has the sources' signatures checked, if that was not done for these commits and this target.
func (a *answer) verify(ctx context.Context) error {
	if a.known != nil && a.known.verified == a.target.Version && slices.Equal(a.known.state.Commits, a.commits) {
		return nil
	}
	for i, c := range a.commits {
		if err := a.sources.Verify(ctx, c, a.q.sources[i].TagPrefix); err != nil {
			return err
		}
	}
	return nil
}

// At returns what the application named id asks for at a given source set: a manual sync to a revision, or a rollback.
// revisions holds one for each source; an empty or missing one means the source's own. What the renders need from
// elsewhere is what it was when the application last was at these revisions, if that is known. Nothing of it is remembered.
func (e *Engine) At(ctx context.Context, id, project string, sources []v1alpha1.ApplicationSource, revisions []string, target Target) (*State, error) {
	q := newQuestion(id, project, sources)
	if err := q.check(); err != nil {
		return nil, err
	}
	for i := range min(len(sources), len(revisions)) {
		if revisions[i] != "" {
			q.wanted[i].Revision = revisions[i]
		}
	}
	commits, err := e.resolve(ctx, sources, q.wanted)
	if err != nil {
		return nil, err
	}
	a, _ := e.begun(q, commits, target)
	a.keeps = false
	a.recall(true, false, e.pastRemotes(id, commits))
	if err := a.verify(ctx); err != nil {
		return nil, err
	}
	made, err := a.next(ctx)
	if err != nil {
		return nil, err
	}
	if err := made.make(commits, &target); err != nil {
		return nil, err
	}
	return made.state, nil
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

// Afresh has the next answer for an application made without what is remembered of it. Until there is one the State that
// is remembered stands: a repository that does not answer takes nothing away.
func (e *Engine) Afresh(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fresh[id] = struct{}{}
}

// Forget drops what is remembered of an application, in memory and on disk.
func (e *Engine) Forget(id string) error {
	e.saving.Lock()
	defer e.saving.Unlock()
	e.mu.Lock()
	known := e.apps[id]
	if known != nil {
		e.index.drop(id, known.roots)
	}
	delete(e.apps, id)
	delete(e.asked, id)
	delete(e.dirty, id)
	delete(e.fresh, id)
	delete(e.moved, id)
	e.mu.Unlock()
	return errors.Join(e.memory.Save(id, nil), e.drop(known))
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
