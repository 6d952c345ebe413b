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
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
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

// Engine computes and remembers States. It is safe for concurrent use; calls for one application are made one at a
// time by their caller.
type Engine struct {
	sources Sources
	limits  render.Limits

	mu    sync.Mutex
	apps  map[string]*entry
	index index
}

// entry is what is remembered of one application.
type entry struct {
	spec    object.Digest // of the sources' spec
	sources []rendered
	state   *State
	target  string // Target.Version the state was made for
}

// rendered is one rendered source.
type rendered struct {
	commit    Commit
	reads     tree.ReadSet
	manifests []rawManifest
	typ       v1alpha1.ApplicationSourceType
	refOnly   bool
}

// NewEngine returns an Engine without memory.
func NewEngine(sources Sources, limits render.Limits) *Engine {
	return &Engine{sources: sources, limits: limits, apps: map[string]*entry{}, index: index{}}
}

// For returns what the application named id asks for at the newest revision. When the repository is unreachable it
// returns the standing State, if there is one, and an *UnreachableError: both count. Any other error means that the
// newest revision has no State.
func (e *Engine) For(ctx context.Context, id string, app *v1alpha1.Application, target Target) (*State, error) {
	sources := SourcesOf(app)
	if len(sources) == 0 {
		return nil, noSource()
	}
	spec := object.DigestOf([]any{sources, ProjectOf(app)})
	commits, err := e.resolve(ctx, ProjectOf(app), sources)
	if err != nil {
		if !errors.Is(err, ErrUnreachable) {
			return nil, err
		}
		return e.standing(id, spec, target, err)
	}
	return e.at(ctx, id, spec, sources, commits, target)
}

func noSource() error {
	return fault.New(fault.Mistake, "read", "the application", "spec.source", "it names no source", "set spec.source.repoURL and spec.source.path")
}

func (e *Engine) resolve(ctx context.Context, project string, sources []v1alpha1.ApplicationSource) ([]Commit, error) {
	commits := make([]Commit, len(sources))
	for i, s := range sources {
		if s.Chart != "" {
			return nil, fault.New(fault.Wait, "resolve", "chart "+s.Chart, sourceField(i, len(sources), "chart"),
				"Helm repositories are not read by this version of Bowline yet", "use a Git repository")
		}
		repo := Repo{URL: s.RepoURL, Project: project}
		id, err := e.sources.Resolve(ctx, repo, s.TargetRevision, s.TagPrefix)
		if err != nil {
			return nil, err
		}
		commits[i] = Commit{Repo: repo, Revision: s.TargetRevision, ID: id}
	}
	return commits, nil
}

func sourceField(i, n int, field string) string {
	if n == 1 {
		return "spec.source." + field
	}
	return fmt.Sprintf("spec.sources[%d].%s", i, field)
}

// standing returns the State of the last resolved source set, made for the present target.
func (e *Engine) standing(id string, spec object.Digest, target Target, cause error) (*State, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.apps[id]
	if known == nil || known.spec != spec {
		return nil, &UnreachableError{Err: cause}
	}
	if err := known.make(target); err != nil {
		return nil, err
	}
	return known.state, &UnreachableError{Standing: known.state.Commits, Err: cause}
}

// At returns what an application asks for at a given source set: a manual sync to a revision, or a rollback. It
// remembers nothing of it.
func (e *Engine) At(ctx context.Context, project string, sources []v1alpha1.ApplicationSource, revisions []string, target Target) (*State, error) {
	commits := make([]Commit, len(sources))
	made := &entry{}
	for i, s := range sources {
		revision := s.TargetRevision
		if i < len(revisions) && revisions[i] != "" {
			revision = revisions[i]
		}
		repo := Repo{URL: s.RepoURL, Project: project}
		commit, err := e.sources.Resolve(ctx, repo, revision, s.TagPrefix)
		if err != nil {
			return nil, err
		}
		commits[i] = Commit{Repo: repo, Revision: revision, ID: commit}
		r, err := e.render(ctx, i, s, commits[i])
		if err != nil {
			return nil, err
		}
		made.sources = append(made.sources, r)
	}
	err := made.make(target)
	return made.state, err
}

func (e *Engine) at(ctx context.Context, id string, spec object.Digest, sources []v1alpha1.ApplicationSource, commits []Commit, target Target) (*State, error) {
	e.mu.Lock()
	known := e.apps[id]
	if known != nil && known.spec != spec {
		known = nil
	}
	e.mu.Unlock()

	next := &entry{spec: spec, sources: make([]rendered, len(sources))}
	same := known != nil
	for i, s := range sources {
		r, reused, err := e.reuse(ctx, known, i, commits[i])
		if err == nil && !reused {
			r, err = e.render(ctx, i, s, commits[i])
		}
		if err != nil {
			return nil, err
		}
		same = same && reused
		next.sources[i] = r
	}
	if same {
		// The objects do not have to be made again: only their revision is newer.
		next.state, next.target = known.state.movedTo(commits), known.target
	}
	if err := next.make(target); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.remember(id, next)
	return next.state, nil
}

// reuse returns the remembered render of a source if nothing it read differs at the commit.
func (e *Engine) reuse(ctx context.Context, known *entry, i int, commit Commit) (rendered, bool, error) {
	if known == nil || i >= len(known.sources) {
		return rendered{}, false, nil
	}
	r := known.sources[i]
	if r.commit.ID == commit.ID {
		r.commit = commit
		return r, true, nil
	}
	t, err := e.sources.Tree(ctx, commit.Repo, commit.ID, r.reads.Roots())
	if err != nil {
		return rendered{}, false, err
	}
	holds, err := r.reads.Holds(ctx, t)
	if err != nil || !holds {
		return rendered{}, false, err
	}
	r.commit = commit
	return r, true, nil
}

func (e *Engine) render(ctx context.Context, i int, s v1alpha1.ApplicationSource, commit Commit) (rendered, error) {
	if s.Ref != "" && s.Path == "" && s.Chart == "" {
		return rendered{commit: commit, refOnly: true}, nil
	}
	t, err := e.sources.Tree(ctx, commit.Repo, commit.ID, []string{s.Path})
	if err != nil {
		return rendered{}, err
	}
	traced := tree.Trace(t)
	out, err := render.Render(ctx, render.Input{Tree: traced, Source: s, Index: i, Limits: e.limits})
	if err != nil {
		return rendered{}, err
	}
	raw, err := encode(out.Manifests)
	if err != nil {
		return rendered{}, err
	}
	return rendered{commit: commit, reads: traced.ReadSet(), manifests: raw, typ: out.Type}, nil
}

// make brings the state up to date with the target.
func (n *entry) make(target Target) error {
	if n.state != nil && n.target == target.Version {
		return nil
	}
	state := &State{}
	var all []rawManifest
	for _, r := range n.sources {
		state.Commits = append(state.Commits, r.commit)
		if r.refOnly {
			continue
		}
		state.Types = append(state.Types, r.typ)
		all = append(all, r.manifests...)
	}
	objects, warnings, err := process(all, target)
	if err != nil {
		return err
	}
	state.Objects, state.Warnings, state.Digest = objects, warnings, digestOf(objects)
	n.state, n.target = state, target.Version
	return nil
}

// movedTo returns the same objects under newer commits.
func (s *State) movedTo(commits []Commit) *State {
	moved := *s
	moved.Commits = commits
	return &moved
}

// Moved takes notice that a revision of a repository is at another commit, of which the paths of all changed files are
// known. It returns the applications that have to be looked at again, and those that are proven unchanged: their State
// stands under the new commit from now on.
func (e *Engine) Moved(match func(Repo) bool, from, to string, changed []string) (touched, unchanged []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	hit := e.index.touched(match, changed)
	for id, known := range e.apps {
		concerned, same := known.moved(match, from, to)
		switch {
		case !concerned:
			continue
		case hit[id] || same == nil:
			touched = append(touched, id)
		default:
			e.remember(id, same)
			unchanged = append(unchanged, id)
		}
	}
	return touched, unchanged
}

// moved returns the entry at the newer commit; nil if it is not all at the older one.
func (n *entry) moved(match func(Repo) bool, from, to string) (concerned bool, same *entry) {
	next := *n
	next.sources = make([]rendered, len(n.sources))
	copy(next.sources, n.sources)
	commits := make([]Commit, len(n.sources))
	for i, r := range n.sources {
		if match(r.commit.Repo) && r.commit.ID == from {
			concerned = true
			next.sources[i].commit.ID = to
		}
		commits[i] = next.sources[i].commit
	}
	if !concerned || n.state == nil {
		return concerned, nil
	}
	next.state = n.state.movedTo(commits)
	return true, &next
}

// Forget drops what is remembered of an application.
func (e *Engine) Forget(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if known := e.apps[id]; known != nil {
		e.index.drop(id, known)
		delete(e.apps, id)
	}
}

// remember is called with the lock held.
func (e *Engine) remember(id string, n *entry) {
	if known := e.apps[id]; known != nil {
		e.index.drop(id, known)
	}
	e.apps[id] = n
	e.index.set(id, n)
}

// Peek returns the remembered State of an application, or nil.
func (e *Engine) Peek(id string) *State {
	e.mu.Lock()
	defer e.mu.Unlock()
	if known := e.apps[id]; known != nil {
		return known.state
	}
	return nil
}
