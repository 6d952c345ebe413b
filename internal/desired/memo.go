// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
)

// entry is what is remembered of one application. Once remembered it is never changed, only replaced.
type entry struct {
	spec     object.Digest // of the question it answers
	sources  []rendered
	roots    []string // paths under which a change concerns the application
	state    *State
	target   string // Target.Version the state was made for
	verified string // Target.Version the commits were verified for; "" if they were not
	past     []pinned
}

// rendered is one rendered source.
type rendered struct {
	key       object.Digest // of what was given to the render before it began
	inputs    object.Digest // of all that it was made of
	mounts    []mount       // the source's own tree first, the others sorted
	used      used
	limits    render.Limits
	target    string // Target.Version for which the trees were last looked at
	manifests []rawManifest
	warnings  []string
	typ       v1alpha1.ApplicationSourceType
	refOnly   bool
	cause     string // why it was rendered
	kept      string // under which key the cache has it; "" if it does not
}

func (r *rendered) commit() Commit { return r.mounts[0].commit }

// rootsOf returns what was read of one of its trees, if that is of the same repository; a nil r has read nothing.
func (r *rendered) rootsOf(role string, commit Commit) []string {
	if r == nil {
		return nil
	}
	for _, m := range r.mounts {
		if m.role == role && m.commit.Repo.URL == commit.Repo.URL {
			return m.reads.roots()
		}
	}
	return nil
}

func compareMounts(a, b mount) int {
	if c := strings.Compare(a.role, b.role); c != 0 {
		return c
	}
	return strings.Compare(needOf(a.commit).Key(), needOf(b.commit).Key())
}

func newEntry(spec object.Digest, sources []rendered) *entry {
	n := &entry{spec: spec, sources: sources}
	for i := range sources {
		for _, m := range sources[i].mounts {
			n.roots = append(n.roots, m.reads.roots()...)
		}
	}
	slices.Sort(n.roots)
	n.roots = slices.Clip(slices.Compact(n.roots))
	return n
}

// answer is one attempt to answer a question: what it resolves is the same for all of its renders.
type answer struct {
	*Engine
	q       *question
	target  Target
	commits []Commit
	known   *entry // what may be reused; nil if nothing may
	fresh   bool   // nothing of the past is to be used
	keeps   bool   // what is rendered is kept in the cache
	pins    map[Commit]Commit
	// resolved are the pins that are not of the past.
	resolved []Commit
}

// next returns the entry at the commits, made of what is known as far as that still holds.
func (a *answer) next(ctx context.Context) (*entry, error) {
	same := a.known != nil && a.known.spec == a.q.spec
	sources := make([]rendered, len(a.q.sources))
	for i := range a.q.sources {
		r, holds, err := a.source(ctx, i)
		if err != nil {
			return nil, err
		}
		sources[i], same = r, same && holds
	}
	if same {
		return a.known.movedTo(sources, a.commits, a.target.Version, a.target.Version), nil
	}
	n := newEntry(a.q.spec, sources)
	n.verified = a.target.Version
	return n, nil
}

// source returns the render of one source; known is true if it is the one that is known.
func (a *answer) source(ctx context.Context, i int) (r rendered, known bool, err error) {
	before, cause := (*rendered)(nil), "it was not rendered before"
	if a.known != nil && i < len(a.known.sources) {
		before = &a.known.sources[i]
		if r, cause, err = a.reuse(ctx, i, before); err != nil || cause == "" {
			return r, true, err
		}
	}
	if before == nil || cause == otherSpec {
		if kept := a.load(i); kept != nil {
			before = kept
			if r, cause, err = a.reuse(ctx, i, kept); err != nil || cause == "" {
				return r, false, err
			}
		}
	}
	if a.fresh {
		cause = "a fresh answer was asked for"
	}
	r, err = a.render(ctx, i, before, cause)
	if err == nil {
		a.keep(i, &r)
	}
	return r, false, err
}

// otherSpec is why a render is of no use to another question.
const otherSpec = "the source's spec, a name or a setting is another"

// reuse returns a remembered render under the present commits if it would be the same now, or why it would not.
func (a *answer) reuse(ctx context.Context, i int, before *rendered) (r rendered, cause string, err error) {
	r = *before
	if a.q.refOnly(i) || before.refOnly {
		if a.q.refOnly(i) != before.refOnly {
			return r, otherSpec, nil
		}
		r.mounts = []mount{{commit: a.commits[i]}}
		return r, "", nil
	}
	if before.key != a.q.key(i, &a.target, before.typ) {
		return r, otherSpec, nil
	}
	if tighter(a.target.Limits, before.limits) {
		return r, "a limit is tighter", nil
	}
	environment := func() map[string]string { return a.q.environment(i, a.commits[i], &a.target) }
	if cause := before.used.differs(ctx, environment, &a.target, &a.lists); cause != "" {
		return r, cause, nil
	}
	return a.reuseMounts(ctx, i, r)
}

// reuseMounts looks whether all trees show a render what it saw.
func (a *answer) reuseMounts(ctx context.Context, i int, r rendered) (_ rendered, cause string, err error) {
	now := make([]Commit, len(r.mounts))
	same := true
	for k := range r.mounts {
		m := &r.mounts[k]
		commit, ok, err := a.commitOf(ctx, i, m)
		if err != nil {
			return r, "", err
		}
		if !ok {
			return r, m.name() + " is no source any more", nil
		}
		now[k], same = commit, same && commit == m.commit
		if cause, err := a.differs(ctx, m, commit, r.target == a.target.Version); err != nil || cause != "" {
			return r, cause, err
		}
	}
	if !same {
		r.mounts = slices.Clone(r.mounts)
		for k := range r.mounts {
			r.mounts[k].commit = now[k]
		}
	}
	r.target = a.target.Version
	return r, "", nil
}

// commitOf returns the commit at which a tree is to be read now.
func (a *answer) commitOf(ctx context.Context, i int, m *mount) (Commit, bool, error) {
	switch m.role {
	case "":
		return a.commits[i], true, nil
	case remote:
		commit, err := a.pin(ctx, m.need())
		return commit, true, err
	default:
		source, ok := a.q.refs[m.role[1:]]
		if !ok {
			return Commit{}, false, nil
		}
		return a.commits[source], true, nil
	}
}

// differs says what a tree shows that it did not show before; "" if nothing. The same commit shows the same for sure only
// while settings and project are the same: they decide about submodules.
func (a *answer) differs(ctx context.Context, m *mount, commit Commit, sure bool) (string, error) {
	if sure && m.commit.sameContent(commit) || len(m.reads) == 0 {
		return "", nil
	}
	t, err := a.sources.Tree(ctx, commit, m.reads.roots())
	if err != nil {
		return "", err
	}
	path, differs, err := m.reads.differs(ctx, t)
	if err != nil || !differs {
		return "", err
	}
	if path == "" {
		path = "the root"
	}
	if name := m.name(); name != "" {
		path += " of " + name
	}
	return path + " changed", nil
}

// movedTo returns the same objects under newer commits: they do not have to be made again. When nothing differs at all
// it is the entry itself, otherwise a copy of which only the state may still be changed.
func (n *entry) movedTo(sources []rendered, commits []Commit, target, verified string) *entry {
	remotes := remotesOf(sources)
	if n.target == target && n.verified == verified && slices.Equal(n.state.Commits, commits) && slices.Equal(n.state.Remotes, remotes) {
		return n
	}
	moved := *n
	moved.sources, moved.verified = sources, verified
	state := *n.state
	state.Commits, state.Remotes, state.made = commits, remotes, sources
	moved.state = &state
	return &moved
}

// make brings the state up to date with the target. It is called before the entry is remembered.
func (n *entry) make(commits []Commit, target *Target) error {
	if n.state != nil && n.target == target.Version {
		return nil
	}
	state := &State{Commits: commits, Remotes: remotesOf(n.sources), made: n.sources}
	var all []rawManifest
	var warnings warner
	var inputs []object.Digest
	for i := range n.sources {
		r := &n.sources[i]
		state.Types = append(state.Types, r.typ)
		if r.refOnly {
			continue
		}
		inputs = append(inputs, r.inputs)
		all = append(all, r.manifests...)
		for _, w := range r.warnings {
			warnings.add(v1alpha1.ApplicationConditionManifestWarning, w)
		}
	}
	if err := withinLimits(all, target.Limits); err != nil {
		return err
	}
	objects, err := process(all, *target, &warnings)
	if err != nil {
		return err
	}
	state.Objects, state.Warnings, state.Digest, state.Inputs = objects, warnings.conditions(), digestOf(objects), object.DigestOf(inputs)
	n.state, n.target = state, target.Version
	return nil
}

// withinLimits checks what one application gives, all of its sources together.
func withinLimits(all []rawManifest, limits render.Limits) error {
	limits = limits.WithDefaults()
	size := int64(0)
	for i := range all {
		size += int64(len(all[i].json))
	}
	switch {
	case len(all) > limits.Objects:
		return fault.New(fault.Mistake, "render", "the application", "", fmt.Sprintf("it has %d objects, and an application may have %d", len(all), limits.Objects),
			"split it, or raise bowline.render.maxObjects in argocd-cm")
	case size > limits.OutputBytes:
		return fault.New(fault.Mistake, "render", "the application", "", fmt.Sprintf("its objects are %d bytes together, and an application may have %d", size, limits.OutputBytes),
			"split it, or raise bowline.render.maxOutput in argocd-cm")
	}
	return nil
}
