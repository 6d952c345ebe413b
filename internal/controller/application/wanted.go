// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"maps"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
)

// wantedIndex answers who desires an object, by cluster: an object that carries no mark concerns the application that
// is about to adopt it, and one that changes hands concerns both.
type wantedIndex struct {
	mu   sync.RWMutex
	by   map[string]map[object.Key][]string
	kind map[string]map[schema.GroupKind]map[string]int // how many objects of a kind each application desires
	apps map[string]wanting
	// concerned are the applications whose row of an object depends on who else desires it.
	concerned map[object.Key]map[string]struct{}
}

type wanting struct {
	server string
	keys   keySet
}

func newWantedIndex() *wantedIndex {
	return &wantedIndex{by: map[string]map[object.Key][]string{}, kind: map[string]map[schema.GroupKind]map[string]int{}, apps: map[string]wanting{}, concerned: map[object.Key]map[string]struct{}{}}
}

// set replaces what an application desires; server "" means that it is gone. It returns what rows of other
// applications depend on that: they have to be made again, and say so again if they still do.
func (x *wantedIndex) set(id, server string, state *desired.State) map[string][]object.Key {
	x.mu.Lock()
	defer x.mu.Unlock()
	before, known := x.apps[id]
	for k := range before.keys {
		x.drop(before.server, k, id)
	}
	delete(x.apps, id)
	if server == "" || state == nil {
		for _, ids := range x.concerned {
			delete(ids, id) // affected drops the sets that are empty by now
		}
		return x.affected(id, func(object.Key) bool { return true })
	}
	now := wanting{server, keySet{}}
	for _, o := range state.Objects {
		if o.Refused != nil {
			continue // it will not have it
		}
		now.keys[o.Key] = struct{}{}
		x.add(server, o.Key, id)
	}
	x.apps[id] = now
	return x.affected(id, func(k object.Key) bool {
		_, was := before.keys[k]
		_, is := now.keys[k]
		return !known || before.server != now.server || was != is
	})
}

func (x *wantedIndex) add(server string, k object.Key, id string) {
	if x.by[server] == nil {
		x.by[server], x.kind[server] = map[object.Key][]string{}, map[schema.GroupKind]map[string]int{}
	}
	x.by[server][k] = append(x.by[server][k], id)
	gk := k.GroupKind()
	if x.kind[server][gk] == nil {
		x.kind[server][gk] = map[string]int{}
	}
	x.kind[server][gk][id]++
}

// concern notes that an application's row of an object depends on who else desires it. Call it before asking.
func (x *wantedIndex) concern(k object.Key, id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.concerned[k] == nil {
		x.concerned[k] = map[string]struct{}{}
	}
	x.concerned[k][id] = struct{}{}
}

// unconcern takes back what concern noted: the application has no row of the object any more.
func (x *wantedIndex) unconcern(k object.Key, id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if delete(x.concerned[k], id); len(x.concerned[k]) == 0 {
		delete(x.concerned, k)
	}
}

// affected takes the rows of others that are concerned by a change of what id desires. The lock is held.
func (x *wantedIndex) affected(id string, changed func(object.Key) bool) map[string][]object.Key {
	out := map[string][]object.Key{}
	for k, ids := range x.concerned {
		if !changed(k) {
			continue
		}
		for other := range ids {
			if other != id {
				out[other] = append(out[other], k)
				delete(ids, other)
			}
		}
		if len(ids) == 0 {
			delete(x.concerned, k)
		}
	}
	return out
}

// decided reports whether it is known what an application desires.
func (x *wantedIndex) decided(id string) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	_, ok := x.apps[id]
	return ok
}

func (x *wantedIndex) drop(server string, k object.Key, id string) {
	ids := x.by[server][k]
	for i, other := range ids {
		if other == id {
			ids = append(ids[:i:i], ids[i+1:]...)
			break
		}
	}
	if len(ids) == 0 {
		delete(x.by[server], k)
	} else {
		x.by[server][k] = ids
	}
	of := x.kind[server][k.GroupKind()]
	if of[id]--; of[id] == 0 {
		delete(of, id)
	}
}

// of returns the applications that desire an object.
func (x *wantedIndex) of(server string, k object.Key) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.by[server][k]
}

// ofKind returns the applications that desire any object of a kind.
func (x *wantedIndex) ofKind(server string, gk schema.GroupKind) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.Collect(maps.Keys(x.kind[server][gk]))
}

// Changed takes one entry of a cluster's feed: the rows it concerns are marked, and their applications woken.
func (c *Controller) Changed(server string, change cluster.Change) {
	switch change.Event {
	case cluster.Added, cluster.Modified, cluster.Deleted:
		c.changed(change.Owners, change.Key)
		c.changed(c.wanted.of(server, change.Key), change.Key)
	case cluster.KindSynced, cluster.KindUnknown, cluster.KindGone:
		c.touch(change.Owners)
		c.touch(c.wanted.ofKind(server, change.Key.GroupKind()))
		c.recount(server, "")
	case cluster.OrphansChanged:
		c.recount(server, change.Key.Namespace)
	case cluster.KindsChanged:
		for _, st := range c.states.all() {
			switch {
			case len(st.awaits(server)) > 0:
				st.touch()
				c.Enqueue(st.id)
			case st.on(server) && c.Engine.AsksCluster(st.id):
				c.Enqueue(st.id)
			}
		}
	default:
		for _, st := range c.states.all() {
			if st.on(server) {
				if change.Event == cluster.LinkChanged {
					st.touch() // what could not be compared without it can be now
				}
				c.Enqueue(st.id)
			}
		}
	}
}

// changed marks the rows of an object that changed, and has them looked at as soon as their applications' budgets permit.
func (c *Controller) changed(ids []string, key object.Key) {
	for _, id := range ids {
		st := c.states.peek(id)
		if st == nil {
			continue
		}
		pause, wake, held := st.noteEvent(key, c.Clock.Now())
		if held {
			name := c.nameOf(id)
			c.Metrics.Held(name.Namespace, name.Name)
		}
		if wake {
			c.wake(id, pause)
		}
	}
}

// recount has the applications that look for orphans in a namespace ("" for any) count them again.
func (c *Controller) recount(server, namespace string) {
	for _, st := range c.states.all() {
		if st.on(server) && st.noteOrphans(namespace, c.Clock.Now()) {
			c.wake(st.id, orphansPause)
		}
	}
}

// touch marks rows (all of them without keys) of applications and wakes them.
func (c *Controller) touch(ids []string, keys ...object.Key) {
	for _, id := range ids {
		if st := c.states.peek(id); st != nil {
			st.touch(keys...)
			c.wake(id, 0)
		}
	}
}

// wants notes what an application desires, and wakes those whose rows depend on it.
func (c *Controller) wants(id, server string, state *desired.State) {
	for other, keys := range c.wanted.set(id, server, state) {
		c.touch([]string{other}, keys...)
	}
}

// undecided reports whether it is not known what an application desires: it exists, and was not compared yet.
func (c *Controller) undecided(ctx context.Context, id string) bool {
	if c.wanted.decided(id) {
		return false
	}
	err := c.Client.Get(ctx, c.nameOf(id), &v1alpha1.Application{}, client.UnsafeDisableDeepCopy)
	return !apierrors.IsNotFound(err)
}
