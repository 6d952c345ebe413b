// SPDX-License-Identifier: Apache-2.0

package index

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Subscription collects what changed. Wake has a value as long as there is something to Take.
type Subscription struct {
	Wake <-chan struct{}

	of   *Index
	only *types.NamespacedName // nil: all
	wake chan struct{}

	mu      sync.Mutex
	pending map[types.NamespacedName]*Entry
	order   []types.NamespacedName
}

// Start is where a subscription begins.
type Start struct {
	// Entries are all there are at this moment, ordered by name: what changes later is told.
	Entries []*Entry
	// Gone are those that are known to have been deleted since the version asked for, oldest first.
	Gone []*Entry
	// Lost says that there may have been other deletions since: they are too long ago.
	Lost bool
}

// Subscribe begins a subscription to all applications, or to one. since is a resource version from before; "" for none.
func (x *Index) Subscribe(only *types.NamespacedName, since string) (*Subscription, Start) {
	s := &Subscription{of: x, only: only, wake: make(chan struct{}, 1), pending: map[types.NamespacedName]*Entry{}}
	s.Wake = s.wake
	x.mu.Lock()
	defer x.mu.Unlock()
	x.subs[s] = struct{}{}
	start := Start{}
	if only == nil {
		start.Entries = slices.Clone(x.ordered)
	} else if e := x.entries[*only]; e != nil {
		start.Entries = []*Entry{e}
	}
	if from := parseVersion(since); since != "" {
		for _, e := range x.gone {
			if e.version >= from {
				start.Gone = append(start.Gone, e)
			}
		}
		start.Lost = from < max(x.forgot, x.began)
	}
	return s, start
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	delete(s.of.subs, s)
}

// Take returns the newest entry of each application that changed since the last call, in the order of the first change.
func (s *Subscription) Take() []*Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*Entry, len(s.order))
	for i, key := range s.order {
		out[i] = s.pending[key]
	}
	clear(s.pending)
	s.order = s.order[:0]
	if cap(s.order) > keptOrder {
		s.order, s.pending = nil, map[types.NamespacedName]*Entry{}
	}
	return out
}

// keptOrder is how much room a subscription keeps for the next changes: a thousand of them that were busy once must not hold
// what that took.
const keptOrder = 64

// Newer reports whether an entry is newer than a resource version. One whose version is no number is.
func (e *Entry) Newer(than string) bool {
	v := parseVersion(than)
	return v == 0 || e.version == 0 || e.version > v
}

// publish tells all subscriptions. It is called with the lock held.
func (x *Index) publish(key types.NamespacedName, e *Entry) {
	for s := range x.subs {
		if s.only == nil || *s.only == key {
			s.offer(key, e)
		}
	}
}

func (s *Subscription) offer(key types.NamespacedName, e *Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending[key] == nil {
		s.order = append(s.order, key)
	}
	s.pending[key] = e
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
