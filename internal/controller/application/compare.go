// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// comparePatience bounds how long one pass waits for answers of a cluster. What it has not asked by then is unknown, and
// asked in a later pass.
const comparePatience = 30 * time.Second

// compare brings the table up to date: the rows that were touched, or all of them if what is desired or a rule
// changed. Without a desired state nothing is compared, and what the rows said before is no verdict about now.
func (p *pass) compare(ctx context.Context) {
	p.st.comparer.Store(nil)
	if p.state == nil {
		return
	}
	rules, err := p.ignoreRules()
	if err != nil {
		p.found.add(v1alpha1.ApplicationConditionComparisonError, err.Error())
		return
	}
	p.settle()
	c := p.newComparer(rules)
	made := string(object.DigestOf([]any{p.state.Digest, p.target.Version, syncOptions(p.app), c.adopt, c.compareAs, c.migrates != nil}))
	if !p.postpones(made) {
		p.bringUpToDate(ctx, c, made)
	}
	p.st.comparer.Store(c)
	p.compared = true
	p.complete = p.judgeInventory()
	p.reportRows()
	p.reportUnserved()
	p.reportRestless(ctx, c.live)
	p.retryDoubtful()
}

// postpones reports whether rows that are marked may wait: the operation that runs marks them, and what they say together is
// told when it ends, or now and then. made is what rows are made by now.
func (p *pass) postpones(made string) bool {
	left := writesDuringOperation - p.Clock.Since(p.st.comparedAt)
	if p.st.running == nil || p.refresh != "" || p.st.made != made || !p.st.table.ready || left <= 0 {
		return false
	}
	p.requeue(left)
	return true
}

// bringUpToDate computes the rows that are marked, or all if they were made by something else.
func (p *pass) bringUpToDate(ctx context.Context, c *comparer, made string) {
	p.watch(ctx)
	p.st.comparedAt = p.Clock.Now()
	p.st.touchDoubtful(p.st.comparedAt)
	dirty, all := p.st.takeDirty(p.st.comparedAt)
	if p.st.made != made || p.st.state == nil {
		all = true
		p.st.made = made
		p.wants(p.st.id, p.target.Server, p.state)
	}
	p.st.state = p.state
	p.st.table.persistHealth(p.rules.Settings.PersistHealth)
	first := all && !p.st.table.ready
	for _, key := range c.bringUpToDate(ctx, p.state, dirty, all) {
		p.st.compared(key, p.Clock.Now())
	}
	if first {
		c.recollect(ctx, p.app)
	}
	p.st.place(p.target.Server, p.unserved)
	if awaitedCame(p.cluster, p.unserved) {
		p.requeue(letGoEvery) // its event may have come before it was noted that the kind is awaited
	}
}

// settle sees to it that the rows are about the cluster that the application is sent to: what was learned of another one
// says nothing of this one.
func (p *pass) settle() {
	if p.st.on(p.target.Server) && p.st.learned != nil {
		return
	}
	p.st.table.clear()
	p.st.learned = newLearned(p.Accepted, p.st.id, p.target.Server)
	p.st.touch()
}

func (p *pass) newComparer(rules *diff.Rules) *comparer {
	options, _ := plan.ParseOptions(syncOptions(p.app))
	return &comparer{
		Controller: p.Controller, id: p.st.id, table: p.st.table, learned: p.st.learned,
		self:        p.keyOf(p.st.id),
		destination: p.app.Spec.Destination, cluster: p.cluster, live: p.cluster, writes: clusterTarget{c: p.cluster, as: p.identityOn(p.cluster)}, server: p.target.Server,
		beyond: beyond(p.cluster), settings: p.rules, customs: p.customs.of(p.rules, p.Log), rules: rules, options: options, adopt: options.Adopt(p.app),
		compareAs: diff.ParseCompareOptions(p.app.Annotations[v1alpha1.AnnotationCompareOptions]),
		migrates:  p.migrates(),
	}
}

// migrates returns the tracker if objects that carry a former tracking mark count as marked, so that another tracking
// method by itself makes nothing OutOfSync. With self-heal they do not: it marks them anew, and only what is marked is pruned.
func (p *pass) migrates() *object.Tracker {
	if policy := p.app.Spec.SyncPolicy; policy != nil && policy.Automated != nil && policy.Automated.SelfHeal != nil && *policy.Automated.SelfHeal {
		return nil
	}
	return &p.rules.Settings.Tracker
}

// bringUpToDate computes the rows that are marked, or all. It returns those whose objects' changes were no noise.
func (c *comparer) bringUpToDate(ctx context.Context, state *desired.State, marked map[object.Key]mark, all bool) (compared []object.Key) {
	ctx, cancel := context.WithTimeout(ctx, comparePatience)
	defer cancel()
	defer c.learned.save()
	if all {
		c.everything(ctx, state)
		return nil
	}
	for key, m := range marked {
		switch {
		case !m.event:
			c.one(ctx, key)
		case c.event(ctx, key):
			compared = append(compared, key)
		}
	}
	return compared
}

// watch makes sure that every kind that is desired, or was part of the application, is watched.
func (p *pass) watch(ctx context.Context) {
	kinds := p.kinds()
	p.cluster.Watch(kinds...)
	if p.st.made == "" {
		// The first list of a kind takes milliseconds. Waiting for it once spares a pass, and a status, that knows nothing.
		p.awaitLists(ctx, kinds, firstListTime)
	}
}

// kinds returns the kinds that are desired, or were part of the application.
func (p *pass) kinds() []schema.GroupVersionKind {
	kinds := map[schema.GroupVersionKind]struct{}{}
	for _, o := range p.state.Objects {
		kinds[o.GVK()] = struct{}{}
	}
	for _, r := range p.app.Status.Resources {
		gvk := schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind}
		kinds[gvk] = struct{}{}
	}
	return slices.Collect(maps.Keys(kinds))
}

// awaitLists waits until kinds are listed, or known not to be listable, as long as the limit; with more objects it goes on
// without it.
func (p *pass) awaitLists(ctx context.Context, kinds []schema.GroupVersionKind, limit time.Duration) {
	if !p.cluster.Connection().Connected {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := p.cluster.Wait(ctx, kinds...); err != nil {
		p.log.Debug("kinds are still being listed", "error", err)
	}
}

// How long the first lists of kinds are waited for: by a pass, which comes again, and by a preview, which does not.
const (
	firstListTime   = time.Second
	previewListTime = time.Minute
)

// reportRows tells what rows say that a person should know.
func (p *pass) reportRows() {
	answers := p.cluster.Connection().Connected // or else that is what there is to say
	for _, r := range p.st.table.among(p.st.table.sums.told) {
		switch {
		case r.verdict == Unknown && r.reason != "" && p.complete && answers:
			p.found.add(conditionWarning, fmt.Sprintf("%s: %s", r.key, r.reason))
		case r.shared != "":
			p.found.add(v1alpha1.ApplicationConditionSharedResourceWarning,
				fmt.Sprintf("%s is part of applications %s and %s", r.key, p.st.id, r.shared))
		}
	}
}

// conditionRestless is a condition of our own: an object changes more often than it is looked at.
const conditionRestless v1alpha1.ApplicationConditionType = "RestlessResourceWarning"

// reportRestless tells which objects change all the time, and who changes them.
func (p *pass) reportRestless(ctx context.Context, live liveState) {
	writers, next := p.st.restless(p.Clock.Now())
	p.requeue(next)
	for key, writer := range writers {
		if writer == "" {
			writer = lastWriter(live.Get(ctx, key, "").Object)
			p.st.wroteIt(key, writer)
		}
		p.found.add(conditionRestless, fmt.Sprintf("%s changes all the time, written by %s, and is looked at less often than it changes: "+
			"name the fields that change in resource.customizations.ignoreResourceUpdates of argocd-cm, or raise bowline.application.eventBudget", key, writer))
	}
}

// lastWriter returns the field manager that wrote an object last.
func lastWriter(u *unstructured.Unstructured) string {
	name, at := "somebody who is not known", time.Time{}
	if u == nil {
		return name
	}
	for _, entry := range u.GetManagedFields() {
		if entry.Time != nil && !entry.Time.Time.Before(at) {
			name, at = entry.Manager, entry.Time.Time
		}
	}
	return name
}

// reportUnserved tells which kinds the cluster does not serve, unless the application brings them: one line each, about
// the first of its objects.
func (p *pass) reportUnserved() {
	told := kinds{}
	for _, r := range p.st.table.among(p.st.table.sums.told) {
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

// everything computes each row anew, and finds the objects that are ours and no longer desired.
func (c *comparer) everything(ctx context.Context, state *desired.State) {
	c.table.want(state)
	keep := keySet{}
	for i := range state.Objects {
		o := &state.Objects[i]
		keep[o.Key] = struct{}{}
		c.desired(ctx, c.table.wanted[o.Key])
	}
	for _, key := range c.live.Owned(c.id) {
		if _, done := keep[key]; !done {
			keep[key] = struct{}{}
			c.extra(ctx, key)
		}
	}
	for _, r := range c.table.inOrder() {
		if _, there := keep[r.key]; !there {
			c.former(ctx, r)
		}
	}
	c.learned.settle(c.table.rows)
	c.table.complete()
}

// one computes the row of one object.
func (c *comparer) one(ctx context.Context, key object.Key) {
	if o := c.table.wanted[key]; o != nil {
		c.desired(ctx, o)
	} else {
		c.extra(ctx, key)
	}
}
