// SPDX-License-Identifier: Apache-2.0

package application

import (
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
)

// wantedIndex answers who desires an object, by cluster: an object that carries no mark concerns the application that
// is about to adopt it, and one that changes hands concerns both.
type wantedIndex struct {
	mu   sync.RWMutex
	by   map[string]map[object.Key][]string
	apps map[string]wanting
}

type wanting struct {
	server string
	keys   []object.Key
}

func newWantedIndex() *wantedIndex {
	return &wantedIndex{by: map[string]map[object.Key][]string{}, apps: map[string]wanting{}}
}

// set replaces what an application desires; server "" means nothing.
func (x *wantedIndex) set(id, server string, state *desired.State) {
	x.mu.Lock()
	defer x.mu.Unlock()
	before := x.apps[id]
	for _, k := range before.keys {
		x.drop(before.server, k, id)
	}
	delete(x.apps, id)
	if server == "" || state == nil {
		return
	}
	now := wanting{server: server}
	if x.by[server] == nil {
		x.by[server] = map[object.Key][]string{}
	}
	for _, o := range state.Objects {
		now.keys = append(now.keys, o.Key)
		x.by[server][o.Key] = append(x.by[server][o.Key], id)
	}
	x.apps[id] = now
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
	seen := map[string]bool{}
	var out []string
	for k, ids := range x.by[server] {
		if k.GroupKind() != gk {
			continue
		}
		for _, id := range ids {
			if !seen[id] {
				seen[id] = true
				out = append(out, id)
			}
		}
	}
	return out
}

// Changed takes one entry of a cluster's feed: the rows it concerns are marked, and their applications woken.
func (c *Controller) Changed(server string, change cluster.Change) {
	switch change.Event {
	case cluster.Added, cluster.Modified, cluster.Deleted:
		c.touch(change.Owners, change.Key)
		c.touch(c.wanted.of(server, change.Key), change.Key)
	case cluster.KindSynced, cluster.KindUnknown, cluster.KindGone:
		c.touch(change.Owners)
		c.touch(c.wanted.ofKind(server, change.Key.GroupKind()))
	case cluster.KindsChanged:
		for _, st := range c.states.all() {
			if st.awaitsKind(server) {
				st.touch()
				c.Enqueue(st.id)
			}
		}
	default:
		for _, st := range c.states.all() {
			if st.on(server) {
				c.Enqueue(st.id)
			}
		}
	}
}

// touch marks rows (all of them without keys) of applications and wakes them.
func (c *Controller) touch(ids []string, keys ...object.Key) {
	for _, id := range ids {
		if st := c.states.peek(id); st != nil {
			st.touch(keys...)
			c.Enqueue(id)
		}
	}
}

// undecided reports whether it is not known what an application desires: it exists, and has no state yet.
func (c *Controller) undecided(id string) bool {
	st := c.states.peek(id)
	return st != nil && c.Engine.Peek(id) == nil
}
