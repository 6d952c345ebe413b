// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/topology"
)

// needs says which kinds are watched and how, for the sake of whom:
//
//   - in full those that somebody asked for or that hold marked objects,
//   - for trees, once somebody looks at one, the kinds that can descend from those,
//   - for orphans, while somebody looks for them, metadata of every namespaced kind.

// view is what people look at besides what is managed.
type view struct {
	trees   bool
	roots   kindSet             // of objects that somebody drew a tree of, besides what is managed
	looked  time.Time           // when the sweep was last asked for the sake of trees
	seekers map[string][]string // who looks for orphans, and in which namespaces
}

// need is one kind to watch.
type need struct {
	res  Resource
	mode mode
}

// needed returns the kinds to watch. The lock is held.
func (c *Cluster) needed() map[schema.GroupKind]need {
	out := map[schema.GroupKind]need{}
	add := func(gk schema.GroupKind, version string, mode mode) {
		if old, ok := out[gk]; ok && old.mode >= mode {
			return
		}
		if res, ok := c.watchable(gk, version); ok {
			out[gk] = need{res, mode}
		}
	}
	for gk, version := range c.asked {
		add(gk, version, watchFull)
	}
	for _, gk := range c.sweep.markedKinds() {
		if _, ok := out[gk]; !ok {
			add(gk, c.watchedVersion(gk), watchFull)
		}
	}
	for gk := range c.view.roots {
		add(gk, c.watchedVersion(gk), modeFor(gk))
	}
	if c.view.trees {
		for gk := range c.descendantKinds(slices.Collect(maps.Keys(out))) {
			add(gk, c.watchedVersion(gk), modeFor(gk))
			if gk == (schema.GroupKind{Kind: "Pod"}) {
				add(hostKind, c.watchedVersion(hostKind), watchSummary)
			}
		}
	}
	if len(c.view.seekers) > 0 {
		for gk, kind := range c.catalog.kinds {
			if kind.byVersion[kind.order[0]].Namespaced {
				add(gk, c.watchedVersion(gk), watchMetadata)
			}
		}
	}
	return out
}

func modeFor(gk schema.GroupKind) mode {
	if topology.Shows(gk) {
		return watchSummary
	}
	return watchMetadata
}

// descendantKinds returns the kinds that may descend from objects of these: by what is known of their controllers, and
// by what the sweep has met. The lock is held.
func (c *Cluster) descendantKinds(from []schema.GroupKind) map[schema.GroupKind]struct{} {
	met := map[schema.GroupKind][]schema.GroupKind{}
	for child, parents := range c.sweep.ownerKinds() {
		for parent := range parents {
			met[parent] = append(met[parent], child)
		}
	}
	out := map[schema.GroupKind]struct{}{}
	for len(from) > 0 {
		parent := from[len(from)-1]
		from = from[:len(from)-1]
		for _, child := range append(topology.MadeOf(parent), met[parent]...) {
			if _, ok := out[child]; !ok {
				out[child] = struct{}{}
				from = append(from, child)
			}
		}
	}
	return out
}

// lookAgain is how old the sweep may be by whose word a tree is drawn: a controller may have begun to make objects of
// kinds that nobody has seen below others.
const lookAgain = 10 * time.Minute

// WatchTrees begins to watch the kinds that descend from managed ones, for as long as the Cluster lives. Tree does it too;
// who calls it earlier waits less then.
func (c *Cluster) WatchTrees() { c.watchTrees(nil) }

// watchTrees watches these kinds too, whether anything of them is managed or not.
func (c *Cluster) watchTrees(roots []object.Key) {
	c.mu.Lock()
	began := !c.view.trees
	c.view.trees = true
	for _, key := range roots {
		if gk := key.GroupKind(); c.kinds[gk] == nil {
			if _, known := c.view.roots[gk]; !known {
				c.view.roots.add(gk)
				began = true
			}
		}
	}
	now := c.opts.Clock.Now()
	again := now.Sub(c.view.looked) > lookAgain && now.Sub(c.sweep.ended()) > lookAgain
	if again {
		c.view.looked = now
	}
	c.mu.Unlock()
	if again {
		c.sweep.renew()
		c.planSweep()
	}
	if began {
		c.reconcile()
	}
}

// ended is when the last full sweep was over.
func (s *sweepState) ended() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

// unlisted says why one of these kinds is not wholly in the store ("" if all are), and whether that may be a matter of
// moments. Kinds that the account may not list count as empty where the settings say so.
func (c *Cluster) unlisted(of func(schema.GroupKind, need) bool) (reason string, pending bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.catalog == nil {
		return "the cluster has not answered yet", true
	}
	needed := c.needed()
	for _, gk := range slices.SortedFunc(maps.Keys(needed), compareKinds) {
		if !of(gk, needed[gk]) {
			continue
		}
		why, waits := c.kinds[gk].unlisted(gk, &c.access)
		if reason == "" || waits && !pending {
			reason = cmp.Or(why, reason)
		}
		pending = pending || waits
	}
	return reason, pending
}

// explain says of what is missing that it is not on its way while the API server does not answer.
func (l *link) explain(reason string, pending bool) (string, bool) {
	up, why, _, _ := l.state()
	if reason == "" || !pending || up || why == notYet {
		return reason, pending
	}
	return "the cluster does not answer: " + why, false
}

// unlisted is Cluster.unlisted of one kind, which may be nil.
func (k *kind) unlisted(gk schema.GroupKind, a *access) (reason string, pending bool) {
	if k == nil {
		return "objects of the kind " + gk.String() + " are not listed yet", true
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	synced, reason := k.state()
	switch {
	case synced, k.said == saidUnknown && a.covers(gk, k.unsynced()):
		return "", false
	}
	return reason, k.said == saidNothing
}

// refillLoop reads what trees show of objects that turned out to descend from ours after they were listed.
func (c *Cluster) refillLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.refills.wake:
		}
		places, calm := c.refills.take()
		if calm {
			c.trim()
		}
		c.refill(ctx, places)
	}
}
