// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
)

// A look is what an event of an object leads to: its row is computed again, by what the last pass found out about the
// application. Only if that changes what the status is made of, a pass follows. A look reads neither the Application nor the
// other rows, so that it costs the same whatever the size of the application.

// look brings the rows up to date that events touched. done says that this was all there was to do, and when the next look
// or pass is due (zero: with the next event); else a whole pass is.
func (c *Controller) look(ctx context.Context, st *appState) (wait time.Duration, done bool) {
	now := c.Clock.Now()
	if !c.needsNoPass(st, now) {
		return 0, false
	}
	due, wait := st.takeDue(now)
	if len(due) > 0 && c.lookAt(ctx, st, due) {
		return 0, false
	}
	others, later := st.otherOrphans(now)
	if others {
		st.demand()
		return 0, false
	}
	if later > 0 && (wait == 0 || later < wait) {
		wait = later
	}
	if left := st.dueAt.Sub(now); !st.dueAt.IsZero() && (wait == 0 || left < wait) {
		wait = max(left, time.Millisecond)
	}
	return wait, true
}

// needsNoPass reports whether nothing happened but to objects since the last pass.
func (c *Controller) needsNoPass(st *appState, now time.Time) bool {
	last := st.comparer.Load()
	if last == nil || st.running != nil || st.demands(now) || !st.dueAt.IsZero() && !now.Before(st.dueAt) || st.acted != c.mayAct() {
		return false
	}
	if rules := c.Rules(); rules.Version != last.settings.Version || rules.Plugins != last.settings.Plugins {
		return false
	}
	found, err := c.Clusters.Find(last.destination)
	return err == nil && found == last.cluster
}

// lookAt computes rows again, and reports whether that changed what the status is made of.
func (c *Controller) lookAt(ctx context.Context, st *appState, due map[object.Key]mark) (news bool) {
	comparer, began, done := st.comparer.Load(), c.Clock.Now(), false
	defer func() {
		if !done {
			st.touch() // a panic: the pass that is tried again makes all rows anew
		}
		c.Metrics.Reconciled(c.nameOf(st.id).Namespace, comparer.server, c.Clock.Since(began).Seconds())
	}()
	for _, key := range comparer.bringUpToDate(ctx, nil, due, false) {
		st.compared(key, began)
	}
	if news = st.table.takeNews(); news {
		st.demand()
		st.spendPass(began)
	}
	done = true
	return news
}

// noiseFor is how long noise is believed to be no more than that: a rule may name fields that are desired, and whoever edits
// one of those by hand makes the next noise a difference.
const noiseFor = 3 * time.Minute

// event computes the row of an object that changed, and reports whether what changed was more than noise. If it was not, all
// that can be new is the object's health, and it is compared only now and then.
func (c *comparer) event(ctx context.Context, key object.Key) (compared bool) {
	o := c.table.wanted[key]
	if o == nil {
		c.extra(ctx, key)
		return true
	}
	if o.Refused != nil {
		return false
	}
	if o.Hook || o.Aside {
		c.desired(ctx, o)
		return false
	}
	live := c.live.Get(ctx, key, o.Version)
	noise := c.noiseOf(o.GVK().GroupKind(), live)
	onlyNoise := c.onlyNoise(c.table.rows[key], live, noise)
	if onlyNoise && c.Clock.Since(time.Unix(c.table.rows[key].made, 0)) < noiseFor {
		c.table.edit(key, func(r *row) {
			r.live = identityOf(live)
			r.health, r.hasHealth = c.settings.Health.Of(live.Object)
		})
		return false
	}
	r := c.row(key, o.Version)
	r.desired, r.noise = o, noise
	defer c.table.put(r)
	c.desiredIs(ctx, r, live)
	return !onlyNoise
}

func (c *comparer) noiseOf(gk schema.GroupKind, live cluster.Live) object.Digest {
	if live.Presence != cluster.Present {
		return ""
	}
	return c.customs.noise.Digest(gk, live.Raw)
}

// onlyNoise reports whether an object is, apart from what concerns nobody, as it was when its row was made. A comparison
// that did not come to its end is made again.
func (c *comparer) onlyNoise(before *row, live cluster.Live, noise object.Digest) bool {
	return before != nil && noise != "" && before.noise == noise && before.verdict != Unknown && before.shared == "" &&
		before.live.present && before.live.uid == live.UID && before.live.owner == live.Owner && before.live.deleting == live.Deleting
}
