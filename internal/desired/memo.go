// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"errors"
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// entry is what is remembered of one application. Once remembered it is never changed, only replaced.
type entry struct {
	spec    object.Digest // of the question it answers
	sources []rendered
	roots   []string // paths under which a change concerns the application
	state   *State
	target  string // Target.Version the state was made for
}

// rendered is one rendered source.
type rendered struct {
	commit    Commit
	reads     tree.ReadSet
	manifests []rawManifest
	warnings  []string
	typ       v1alpha1.ApplicationSourceType
	refOnly   bool
}

func newEntry(spec object.Digest, sources []rendered) *entry {
	n := &entry{spec: spec, sources: sources}
	for _, r := range sources {
		n.roots = append(n.roots, r.reads.Roots()...)
	}
	return n
}

// at answers a question whose revisions are resolved.
func (e *Engine) at(ctx context.Context, id string, q *question, commits []Commit, target Target) (*State, error) {
	next, err := e.next(ctx, e.reusable(id, q), q, commits, target)
	if err != nil {
		return nil, err
	}
	if err := next.make(target); err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.remember(id, q, next)
	delete(e.fresh, id)
	e.mu.Unlock()
	e.save(id)
	return next.state, nil
}

// next returns the entry at the commits, made of what is known as far as that still holds.
func (e *Engine) next(ctx context.Context, known *entry, q *question, commits []Commit, target Target) (*entry, error) {
	if known == nil {
		next, err := e.renderAll(ctx, q.sources, commits, target)
		if err == nil {
			next.spec = q.spec
		}
		return next, err
	}
	same := true
	sources := make([]rendered, len(q.sources))
	for i := range q.sources {
		r, holds, err := e.reuse(ctx, known.sources[i], commits[i])
		if err == nil && !holds {
			same = false
			r, err = e.render(ctx, i, q.sources, commits[i], target, known.sources[i].reads.Roots())
		}
		if err != nil {
			return nil, err
		}
		sources[i] = r
	}
	if same {
		return known.movedTo(commits, target.Version), nil
	}
	return newEntry(q.spec, sources), nil
}

// movedTo returns the same objects under newer commits: they do not have to be made again. When nothing differs at all
// it is the entry itself, otherwise a copy of which only the state may still be changed.
func (n *entry) movedTo(commits []Commit, target string) *entry {
	if n.target == target && slices.Equal(n.state.Commits, commits) {
		return n
	}
	moved := *n
	moved.sources = slices.Clone(n.sources)
	for i := range moved.sources {
		moved.sources[i].commit = commits[i]
	}
	state := *n.state
	state.Commits = commits
	moved.state = &state
	return &moved
}

// reuse returns a remembered render if nothing that it read differs at the commit.
func (e *Engine) reuse(ctx context.Context, r rendered, commit Commit) (rendered, bool, error) {
	if r.commit.same(commit) || r.refOnly {
		r.commit = commit
		return r, true, nil
	}
	t, err := e.sources.Tree(ctx, commit, r.reads.Roots())
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

func (e *Engine) renderAll(ctx context.Context, sources []v1alpha1.ApplicationSource, commits []Commit, target Target) (*entry, error) {
	out := make([]rendered, len(sources))
	for i := range sources {
		var err error
		if out[i], err = e.render(ctx, i, sources, commits[i], target, nil); err != nil {
			return nil, err
		}
	}
	return newEntry("", out), nil
}

func (e *Engine) render(ctx context.Context, i int, sources []v1alpha1.ApplicationSource, commit Commit, target Target, before []string) (rendered, error) {
	s := sources[i]
	if s.Ref != "" && s.Path == "" && s.Chart == "" {
		return rendered{commit: commit, refOnly: true}, nil
	}
	in := render.Input{Source: s, Index: i, Where: sourceField(i, len(sources)), App: target.Instance, Limits: target.Limits}
	out, reads, err := e.renderPlanned(ctx, in, commit, before)
	if err != nil {
		return rendered{}, err
	}
	raw, err := encode(out.Manifests)
	if err != nil {
		return rendered{}, err
	}
	return rendered{commit: commit, reads: reads, manifests: raw, warnings: out.Warnings, typ: out.Type}, nil
}

// maxFetches bounds how often one render asks for more. What was fetched stays, so the next try begins further on.
const maxFetches = 20

// renderPlanned fetches what the render is known to read, the source's path and what it read before, and what it then
// turns out to need: links may lead anywhere in the repository.
func (e *Engine) renderPlanned(ctx context.Context, in render.Input, commit Commit, before []string) (render.Output, tree.ReadSet, error) {
	path, _ := tree.Clean(in.Source.Path) // a path that climbs out is refused by render
	paths := append([]string{path}, before...)
	for fetches := 1; ; fetches++ {
		t, err := e.sources.Tree(ctx, commit, paths)
		if err != nil {
			return render.Output{}, tree.ReadSet{}, err
		}
		traced := tree.Trace(t)
		in.Tree = traced
		out, err := e.renderer.Render(ctx, in)
		var missing interface{ MissingPath() string }
		if !errors.As(err, &missing) || fetches == maxFetches || slices.Contains(paths, missing.MissingPath()) {
			return out, traced.ReadSet(), err
		}
		paths = append(paths, missing.MissingPath())
	}
}

// make brings the state up to date with the target. It is called before the entry is remembered.
func (n *entry) make(target Target) error {
	if n.state != nil && n.target == target.Version {
		return nil
	}
	state := &State{}
	var all []rawManifest
	var warnings warner
	for _, r := range n.sources {
		state.Commits = append(state.Commits, r.commit)
		if r.refOnly {
			continue
		}
		state.Types = append(state.Types, r.typ)
		all = append(all, r.manifests...)
		for _, w := range r.warnings {
			warnings.add(v1alpha1.ApplicationConditionManifestWarning, w)
		}
	}
	objects, err := process(all, target, &warnings)
	if err != nil {
		return err
	}
	state.Objects, state.Warnings, state.Digest = objects, warnings.conditions(), digestOf(objects)
	n.state, n.target = state, target.Version
	return nil
}
