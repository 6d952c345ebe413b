// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"fmt"
	"slices"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// Bounds of one render. What was fetched stays, so a render that is tried again after a bound begins further on.
const (
	maxFetches = 20  // how often it asks for more of trees that were not fetched whole
	maxRounds  = 10  // how often it needs something new
	maxRemotes = 100 // how much it needs altogether
)

// attempt is one render of a source, repeated until it has all that it needs.
type attempt struct {
	*answer
	i       int
	in      render.Input
	own     *reading
	refs    []*reading
	remotes []*reading
	fetches int
	rounds  int
}

// render renders a source from nothing. before is what it was made of last time, or nil: what was read then is fetched
// together, and what was needed then is at hand at once.
func (a *answer) render(ctx context.Context, i int, before *rendered, cause string) (rendered, error) {
	if a.q.refOnly(i) {
		return rendered{refOnly: true, mounts: []mount{{commit: a.commits[i]}}}, nil
	}
	t := &attempt{answer: a, i: i}
	t.prepare()
	if err := t.mountAll(ctx, before); err != nil {
		return rendered{}, err
	}
	out, err := t.run(ctx)
	if err != nil {
		return rendered{}, err
	}
	r, err := t.finish(ctx, out, cause)
	if err != nil {
		return rendered{}, err
	}
	if len(r.used.Volatile) > 0 {
		t.compareWithSecond(ctx, &r)
	}
	return r, nil
}

// prepare fills in all of the input but trees.
func (t *attempt) prepare() {
	target := &t.target
	t.in = render.Input{
		Source: t.q.sources[t.i], Index: t.i, Where: t.q.where(t.i), App: target.Instance, Release: target.Release, Namespace: target.Namespace,
		Build: t.q.environment(t.i, t.commits[t.i], target), Options: target.Options, Limits: target.Limits,
	}
	if target.Facts != nil {
		t.in.Cluster = &witness{facts: target.Facts}
	}
}

// mountAll opens the trees that the render is known to read.
func (t *attempt) mountAll(ctx context.Context, before *rendered) error {
	t.own = &reading{mount: mount{commit: t.commits[t.i]}, paths: planned(t.in, "")}
	t.own.paths = append(t.own.paths, before.rootsOf("", t.own.commit)...)
	if err := t.own.open(ctx, t.sources); err != nil {
		return err
	}
	for ref, source := range t.q.refs {
		r := &reading{mount: mount{role: "$" + ref, commit: t.commits[source]}, paths: planned(t.in, ref)}
		r.paths = append(r.paths, before.rootsOf(r.role, r.commit)...)
		if err := r.open(ctx, t.sources); err != nil {
			return err
		}
		t.refs = append(t.refs, r)
	}
	if before == nil {
		return nil
	}
	for k := range before.mounts {
		if m := &before.mounts[k]; m.role == remote {
			// It may not be needed any more: what is wrong with it counts when it is asked for.
			_ = t.add(ctx, m.need(), m.reads.roots())
		}
	}
	return nil
}

// add mounts a remote.
func (t *attempt) add(ctx context.Context, n render.Need, paths []string) error {
	if len(t.remotes) == maxRemotes {
		return fault.New(fault.Mistake, "render", t.in.Where, n.Where, fmt.Sprintf("it needs more than %d repositories, charts and files from elsewhere", maxRemotes),
			"bring some of them into the repository")
	}
	for {
		commit, err := t.pin(ctx, n)
		if err != nil {
			return err
		}
		r := &reading{mount: mount{role: remote, commit: commit, where: n.Where}, need: n, paths: paths}
		switch err := r.open(ctx, t.sources); {
		case err == nil:
			t.remotes = append(t.remotes, r)
			return nil
		case !t.unpin(commit, err):
			return askedBy(n, "read", err)
		}
	}
}

// run renders until nothing is missing or needed any more.
func (t *attempt) run(ctx context.Context) (render.Output, error) {
	for {
		out, err := t.once(ctx)
		more, fetchErr := t.fetchMore(ctx)
		switch {
		case fetchErr != nil:
			return out, fetchErr
		case more:
			continue
		case err != nil:
			return out, err
		case len(out.Needs) == 0:
			return out, nil
		}
		if err := t.supply(ctx, out.Needs); err != nil {
			return out, err
		}
	}
}

// once renders with fresh notes of what is read.
func (t *attempt) once(ctx context.Context) (render.Output, error) {
	in := t.in
	in.Trace = &render.Trace{}
	for _, r := range t.all() {
		r.rewind()
	}
	in.Tree = t.own.tracer
	if len(t.refs) > 0 {
		in.Refs = map[string]tree.Tree{}
	}
	for _, r := range t.refs {
		in.Refs[r.role[1:]] = r.tracer
	}
	for _, r := range t.remotes {
		in.Remotes = append(in.Remotes, r.asRemote())
	}
	return t.renderer.Render(ctx, in)
}

func (t *attempt) all() []*reading {
	return slices.Concat([]*reading{t.own}, t.refs, t.remotes)
}

// fetchMore asks for what a render met and was not fetched. An error means that a tree cannot be read, now or at all.
func (t *attempt) fetchMore(ctx context.Context) (more bool, err error) {
	for _, r := range t.all() {
		missing, failure := r.tree.met()
		if failure == nil {
			continue
		}
		if t.fetches == maxFetches || !r.more(missing, t.fetches) {
			return false, failure
		}
		if err := r.open(ctx, t.sources); err != nil {
			return false, err
		}
		more = true
	}
	if more {
		t.fetches++
	}
	return more, nil
}

// supply resolves what a render needs.
func (t *attempt) supply(ctx context.Context, needs []render.Need) error {
	t.rounds++
	if t.rounds > maxRounds {
		return fault.New(fault.Mistake, "render", t.in.Where, needs[0].Where,
			fmt.Sprintf("what it needs from elsewhere needs something else in turn, %d times over; the last was %s", maxRounds, redacted(needs[0])), "bring some of it into the repository")
	}
	had := map[string]bool{}
	for _, r := range t.remotes {
		had[r.need.Key()] = true
	}
	added := false
	helm := t.q.sources[t.i].Helm
	for _, n := range needs {
		n.PassCredentials = n.Kind == render.NeedChart && helm != nil && helm.PassCredentials
		if had[n.Key()] {
			continue
		}
		if err := t.add(ctx, n, nil); err != nil {
			return err
		}
		had[n.Key()], added = true, true
	}
	if !added {
		return fault.New(fault.Bug, "render", t.in.Where, needs[0].Where, "it asks again for what it was given: "+redacted(needs[0]), "report this")
	}
	return nil
}

func redacted(n render.Need) string {
	n.URL = fault.RedactURL(n.URL)
	return n.String()
}

// finish packs what is remembered of a render.
func (t *attempt) finish(ctx context.Context, out render.Output, cause string) (rendered, error) {
	raw, err := encode(out.Manifests)
	if err != nil {
		return rendered{}, err
	}
	r := rendered{manifests: raw, warnings: out.Warnings, typ: out.Type, limits: t.target.Limits, target: t.target.Version, cause: cause, key: t.q.key(t.i, &t.target, out.Type)}
	r.used = t.answers(ctx, out.Used)
	r.mounts = append(r.mounts, t.own.done())
	for _, m := range slices.Concat(t.refs, t.remotes) {
		if done := m.done(); len(done.reads) > 0 {
			r.mounts = append(r.mounts, done)
		}
	}
	slices.SortFunc(r.mounts[1:], compareMounts)
	r.inputs = r.inputsDigest()
	return r, nil
}

// answers returns what a render used, with the values that it saw.
func (t *attempt) answers(ctx context.Context, u render.Used) used {
	out := used{Volatile: u.Volatile}
	for _, name := range u.Build {
		out.Build = append(out.Build, variable{name, t.in.Build[name]})
	}
	if !u.KubeVersion && !u.APIVersions {
		return out
	}
	out.Server = t.target.Server
	if u.KubeVersion {
		out.KubeVersion = notKnown
		if v, err := kubeVersion(ctx, t.in.Cluster); err == nil {
			out.KubeVersion = v
		}
	}
	if u.APIVersions {
		out.APIVersions = notKnown
		if v, err := apiVersions(ctx, t.in.Cluster); err == nil {
			out.APIVersions = t.lists.digest(v)
		}
	}
	return out
}

// notKnown stands for the answer of a cluster that gave none to a render that went on without: any answer is another.
const notKnown = "?"

// inputsDigest is equal for renders from equal inputs, at whatever commits.
func (r *rendered) inputsDigest() object.Digest {
	parts := []any{r.key, r.used.Build, r.used.KubeVersion, r.used.APIVersions}
	for _, m := range r.mounts {
		role := m.role
		if role == remote {
			role += needOf(m.commit).Key()
		}
		parts = append(parts, role)
		for _, s := range m.reads {
			parts = append(parts, s.path, s.id)
		}
	}
	return object.DigestOf(parts)
}
