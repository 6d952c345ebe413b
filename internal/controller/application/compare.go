// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/object"
)

// comparePatience bounds how long one pass waits for answers of a cluster. What it has not asked by then is unknown, and
// asked in a later pass.
const comparePatience = 30 * time.Second

// compare brings the table up to date: the rows that were touched, or all of them if what is desired or a rule
// changed. Without a desired state nothing is compared, and what the rows said before is no verdict about now.
func (p *pass) compare(ctx context.Context) {
	if p.state == nil {
		return
	}
	rules, err := p.ignoreRules()
	if err != nil {
		p.found.add(v1alpha1.ApplicationConditionComparisonError, err.Error())
		return
	}
	p.watch(ctx)
	if !p.st.on(p.target.Server) {
		p.st.rows = map[object.Key]*row{} // what was learned of another cluster says nothing of this one
		p.st.touch()
	}
	p.st.touchDoubtful(p.Clock.Now())
	dirty, all := p.st.takeDirty()
	made := string(object.DigestOf([]any{p.state.Digest, p.target.Version, syncOptions(p.app), adoptOf(p.app)}))
	if p.st.made != made || p.st.state == nil {
		all = true
		p.st.made = made
		p.wants(p.st.id, p.target.Server, p.state)
	}
	p.st.state = p.state
	ctx, cancel := context.WithTimeout(ctx, comparePatience)
	defer cancel()
	t := &table{p: p, rules: rules}
	if all {
		t.everything(ctx)
	} else {
		for key := range dirty {
			t.one(ctx, key)
		}
	}
	p.st.place(p.target.Server, p.unserved)
	if awaitedCame(p.cluster, p.unserved) {
		p.requeue(letGoEvery) // its event may have come before it was noted that the kind is awaited
	}
	p.compared = true
	p.complete = p.judgeInventory()
	p.reportRows()
	p.reportUnserved()
	p.retryDoubtful()
}

// watch makes sure that every kind that is desired, or was part of the application, is watched.
func (p *pass) watch(ctx context.Context) {
	kinds := map[schema.GroupVersionKind]struct{}{}
	for _, o := range p.state.Objects {
		kinds[o.GVK()] = struct{}{}
	}
	for _, r := range p.app.Status.Resources {
		gvk := schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind}
		kinds[gvk] = struct{}{}
	}
	list := slices.Collect(maps.Keys(kinds))
	p.cluster.Watch(list...)
	if p.st.made == "" && p.cluster.Connection().Connected {
		// The first list of a kind takes milliseconds. Waiting for it once spares a pass, and a status, that knows nothing.
		ctx, cancel := context.WithTimeout(ctx, firstListTime)
		defer cancel()
		if err := p.cluster.Wait(ctx, list...); err != nil {
			p.log.Debug("kinds are still being listed", "error", err)
		}
	}
}

// firstListTime bounds the wait for the first lists of kinds: with more objects it goes on without it.
const firstListTime = time.Second

// reportRows tells what rows say that a person should know.
func (p *pass) reportRows() {
	answers := p.cluster.Connection().Connected // or else that is what there is to say
	for _, r := range sortedRows(p.st.rows) {
		switch {
		case r.verdict == Unknown && r.reason != "" && p.complete && answers:
			p.found.add(conditionWarning, fmt.Sprintf("%s: %s", r.key, r.reason))
		case r.shared != "":
			p.found.add(v1alpha1.ApplicationConditionSharedResourceWarning,
				fmt.Sprintf("%s is part of applications %s and %s", r.key, p.st.id, r.shared))
		}
	}
}

// reportUnserved tells which kinds the cluster does not serve, unless the application brings them: one line each, about
// the first of its objects.
func (p *pass) reportUnserved() {
	told := kinds{}
	for _, r := range sortedRows(p.st.rows) {
		if r.desired == nil || r.verdict != Missing || r.reason == "" {
			continue
		}
		gvk := r.desired.GVK()
		if _, done := told[gvk]; done || p.brings(gvk.Group) {
			continue
		}
		told[gvk] = struct{}{}
		p.found.add(conditionWarning, fmt.Sprintf("%s (%s) cannot be applied: %s; correct its apiVersion and kind, or install the CustomResourceDefinition",
			r.key, r.desired.Origin, r.reason))
	}
}

// brings reports whether a definition of some kind of a group is part of the application.
func (p *pass) brings(group string) bool {
	return slices.ContainsFunc(p.state.Objects, func(o desired.Object) bool {
		return o.Key.Kind == "CustomResourceDefinition" && strings.HasSuffix(o.Key.Name, "."+group)
	})
}

// table computes rows.
type table struct {
	p     *pass
	rules *diff.Rules
}

// everything computes each row anew, and finds the objects that are ours and no longer desired.
func (t *table) everything(ctx context.Context) {
	keep := map[object.Key]bool{}
	for i := range t.p.state.Objects {
		key := t.p.state.Objects[i].Key
		keep[key] = true
		t.desired(ctx, &t.p.state.Objects[i])
	}
	for _, key := range t.p.cluster.Owned(t.p.st.id) {
		if !keep[key] {
			keep[key] = true
			t.extra(ctx, key)
		}
	}
	for key := range t.p.st.rows {
		if !keep[key] {
			delete(t.p.st.rows, key)
		}
	}
}

// one computes the row of one object.
func (t *table) one(ctx context.Context, key object.Key) {
	for i := range t.p.state.Objects {
		if t.p.state.Objects[i].Key == key {
			t.desired(ctx, &t.p.state.Objects[i])
			return
		}
	}
	t.extra(ctx, key)
}

// row returns the row of a key, made if there is none, with all but its memory cleared.
func (t *table) row(key object.Key, version string) *row {
	old := t.p.st.rows[key]
	r := &row{key: key, version: version}
	if old != nil {
		r.accepted, r.confirmed, r.keep = old.accepted, old.confirmed, old.keep
	}
	t.p.st.rows[key] = r
	return r
}

// extra computes the row of an object that is not desired: it has one only while it is there and ours.
func (t *table) extra(ctx context.Context, key object.Key) {
	live := t.p.cluster.Get(ctx, key, "")
	if live.Presence == cluster.Absent || live.Presence == cluster.Present && live.Owner != t.p.st.id {
		delete(t.p.st.rows, key)
		return
	}
	t.p.wanted.concern(key, t.p.st.id)
	if t.p.claimant(ctx, t.p.target.Server, key, t.p.st.id) != "" {
		delete(t.p.st.rows, key) // it changes hands: the application that desires it now takes it over
		return
	}
	version := ""
	if live.Object != nil {
		version = live.Object.GroupVersionKind().Version
	}
	r := t.row(key, version)
	if live.Presence == cluster.Unknown {
		r.reason = live.Reason
		return
	}
	r.verdict = Extra
	t.see(r, live)
	r.ignoreExtraneous = hasOption(live.Object.GetAnnotations()[v1alpha1.AnnotationCompareOptions], "IgnoreExtraneous")
}

// desired computes the row of an object that is desired.
func (t *table) desired(ctx context.Context, o *desired.Object) {
	r := t.row(o.Key, o.Version)
	r.desired = o
	if o.Refused != nil {
		r.verdict, r.reason = Refused, o.Refused.Error()
		return
	}
	live := t.p.cluster.Get(ctx, o.Key, o.Version)
	switch live.Presence {
	case cluster.Unknown:
		r.reason = live.Reason
		return
	case cluster.Absent:
		r.verdict, r.reason, r.confirmed, r.keep = Missing, live.Reason, nil, false
		return
	}
	r.keep = false
	t.see(r, live)
	r.shared = t.sharedWith(ctx, r.key, live.Owner)
	t.judge(ctx, r, live)
}

// see takes over what a live object says of itself.
func (t *table) see(r *row, live cluster.Live) {
	r.live = identity{present: true, uid: live.UID, resourceVersion: live.ResourceVersion, deleting: live.Deleting}
	r.ignoreHealth = live.Object.GetAnnotations()[v1alpha1.AnnotationIgnoreHealthCheck] == "true" || t.isSelf(r.key)
	r.health, r.hasHealth = t.p.rules.Health.Of(live.Object)
	r.images = imagesOf(live.Object)
}

func (t *table) isSelf(key object.Key) bool {
	return key == object.Key{Group: v1alpha1.Group, Kind: v1alpha1.ApplicationKind, Namespace: t.p.Namespace, Name: t.p.app.Name}
}

// sharedWith returns the application that an object's mark names if that application still desires it: then it is not
// ours to take. One that is gone, or does not desire the object at its newest revision, has let go of it.
func (t *table) sharedWith(ctx context.Context, key object.Key, owner string) string {
	if owner == "" || owner == t.p.st.id {
		return ""
	}
	t.p.wanted.concern(key, t.p.st.id)
	for _, id := range t.p.wanted.of(t.p.target.Server, key) {
		if id == owner {
			return owner
		}
	}
	if t.p.undecided(ctx, owner) {
		return owner // what it desires is not known: not yet looked at, or its source cannot be read
	}
	return ""
}

// judge compares, and asks the API server about what cannot be decided here.
func (t *table) judge(ctx context.Context, r *row, live cluster.Live) {
	in, err := t.input(ctx, r, live.Object)
	if err != nil {
		r.reason = err.Error()
		return
	}
	res := diff.Compare(in)
	if res.NeedsConfirmation {
		if c := r.confirmed; c != nil && c.key == res.Key {
			res = c.result
		} else {
			res = t.confirm(ctx, in, res)
			r.confirmed = nil
			if res.Verdict != diff.Unknown {
				r.confirmed = &confirmation{key: res.Key, result: res}
			}
		}
	}
	if res.Learned != nil {
		r.accepted = res.Learned
	}
	r.changes, r.reason = res.Changes, ""
	switch res.Verdict {
	case diff.Same:
		r.verdict = Same
	case diff.Different:
		r.verdict = Different
	default:
		r.verdict, r.reason = Unknown, res.Reason
	}
}

func (t *table) input(ctx context.Context, r *row, live *unstructured.Unstructured) (diff.Input, error) {
	sch, err := t.p.schemas.get(ctx, t.p.cluster, r.desired.GVK())
	if err != nil {
		return diff.Input{}, err
	}
	want := r.desired.Decode()
	return diff.Input{
		Desired: want, DesiredDigest: r.desired.Digest, Live: live, Accepted: r.accepted,
		How: howOf(optionsOf(t.p.app, want)), Adopt: adoptOf(t.p.app), Schema: sch, Rules: t.rules,
	}, nil
}

// confirm asks the API server what an apply would make of the object.
func (t *table) confirm(ctx context.Context, in diff.Input, candidate diff.Result) diff.Result {
	res, err := t.ask(ctx, in, candidate)
	if errors.Is(err, cluster.ApplyRefused) && in.How != diff.ThreeWay {
		// Server-side apply does not take it, so a sync writes it as client-side apply does: compare it that way.
		in.How = diff.ThreeWay
		if candidate = diff.Compare(in); !candidate.NeedsConfirmation {
			return candidate
		}
		res, err = t.ask(ctx, in, candidate)
	}
	if err == nil {
		return res
	}
	if errors.Is(err, cluster.Invalid) || errors.Is(err, cluster.ApplyRefused) || errors.Is(err, cluster.WebhookRefused) {
		// The API server would not take what is desired, so live is not that: a sync will say why, in its own words.
		candidate.Verdict, candidate.NeedsConfirmation = diff.Different, false
		return candidate
	}
	candidate.Verdict, candidate.NeedsConfirmation = diff.Unknown, false
	candidate.Reason = "whether it differs could not be confirmed: " + err.Error()
	return candidate
}

func hasOption(list, option string) bool {
	for part := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(part) == option {
			return true
		}
	}
	return false
}

// imagesOf returns the images of every pod template in an object.
func imagesOf(u *unstructured.Unstructured) []string {
	var out []string
	for _, at := range [][]string{{"spec"}, {"spec", "template", "spec"}, {"spec", "jobTemplate", "spec", "template", "spec"}} {
		for _, list := range []string{"initContainers", "containers"} {
			containers, _, _ := unstructured.NestedSlice(u.Object, append(at[:len(at):len(at)], list)...)
			for _, c := range containers {
				if m, ok := c.(map[string]any); ok {
					if image, ok := m["image"].(string); ok && image != "" {
						out = append(out, image)
					}
				}
			}
		}
	}
	return out
}
