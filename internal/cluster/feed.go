// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"slices"
	"sync"
	"time"

	"github.com/bowline-cd/bowline/internal/object"
)

// Event says what a Change is about.
type Event int

// The events. Object events have a Key with a name; kind events a Key with only group and kind; the others none.
const (
	Added Event = iota
	Modified
	Deleted
	KindSynced       // the kind's objects are in the store now: whoever desires or owns objects of it looks again
	KindUnknown      // the kind's objects cannot be told any more
	KindGone         // discovery says without error that the kind is not served any more
	KindsChanged     // discovery changed: kinds came or went, or API versions
	InventoryChanged // Inventory answers differently
	LinkChanged      // the API server began or ceased to answer
	OrphansChanged   // Orphans may answer differently for the namespace of Key
)

func (e Event) String() string {
	return [...]string{"added", "modified", "deleted", "kind synced", "kind unknown", "kind gone", "kinds changed", "inventory changed", "link changed", "orphans changed"}[e]
}

// Change is one entry of the feed. Several changes of one key that nobody has read yet come as one, with the last
// event, all owners and the first time.
type Change struct {
	Key    object.Key
	Event  Event
	Owners []string  // instance names: the object's owners before and after; of a kind, all of its owners
	At     time.Time // when it reached this process
}

// feed hands changes to subscribers. Publishing never blocks: each subscriber has its own queue, which holds at most
// one entry for each key.
type feed struct {
	mu     sync.Mutex
	subs   map[*subscriber]struct{}
	closed bool
	done   sync.WaitGroup
}

type subscriber struct {
	mu      sync.Mutex
	order   []object.Key
	pending map[object.Key]*Change
	taken   []*Change // of these the subscriber has not been given the first yet
	wake    chan struct{}
	stop    chan struct{}
	once    sync.Once
}

func newFeed() *feed { return &feed{subs: map[*subscriber]struct{}{}} }

// subscribe calls fn for each change, in order for each key, from one goroutine, until cancel is called or the feed
// closes.
func (f *feed) subscribe(fn func(Change)) (cancel func()) {
	s := &subscriber{pending: map[object.Key]*Change{}, wake: make(chan struct{}, 1), stop: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return func() {}
	}
	f.subs[s] = struct{}{}
	f.done.Go(func() { s.deliver(fn) })
	return func() {
		f.mu.Lock()
		delete(f.subs, s)
		f.mu.Unlock()
		s.once.Do(func() { close(s.stop) })
	}
}

func (f *feed) publish(c Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.subs {
		s.put(c)
	}
}

func (f *feed) close() {
	f.mu.Lock()
	f.closed = true
	for s := range f.subs {
		s.once.Do(func() { close(s.stop) })
	}
	clear(f.subs)
	f.mu.Unlock()
	f.done.Wait()
}

func (s *subscriber) put(c Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := c.Key
	if key.Name == "" {
		key.Namespace = "event/" + c.Event.String() + "/" + c.Key.Namespace // kind-level changes coalesce by event: one does not replace another
	}
	if waiting := s.pending[key]; waiting != nil {
		waiting.Event = mergeEvents(waiting.Event, c.Event)
		waiting.Owners = unionOwners(waiting.Owners, c.Owners)
		return
	}
	s.pending[key] = &c
	s.order = append(s.order, key)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// mergeEvents: an object added and then modified before anybody looked is still new.
func mergeEvents(first, then Event) Event {
	if first == Added && then == Modified {
		return Added
	}
	return then
}

func unionOwners(a, b []string) []string {
	out := a
	for _, owner := range b {
		if !slices.Contains(out, owner) {
			out = append(slices.Clip(out), owner)
		}
	}
	return out
}

func (s *subscriber) deliver(fn func(Change)) {
	for {
		select {
		case <-s.stop:
			return
		case <-s.wake:
		}
		s.take()
		for c := s.next(); c != nil; c = s.next() {
			select {
			case <-s.stop:
				return
			default:
				fn(*c)
			}
		}
	}
}

// take makes what is pending the subscriber's: what comes from now on does not change it.
func (s *subscriber) take() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = make([]*Change, 0, len(s.order))
	for _, key := range s.order {
		s.taken = append(s.taken, s.pending[key])
	}
	s.order = nil
	clear(s.pending)
}

func (s *subscriber) next() *Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.taken) == 0 {
		s.taken = nil
		return nil
	}
	c := s.taken[0]
	s.taken = s.taken[1:]
	return c
}

// backlog returns how many changes wait for the slowest subscriber, and since when the oldest of them does.
func (f *feed) backlog() (n int, oldest time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.subs {
		s.mu.Lock()
		waiting := len(s.taken) + len(s.order)
		switch {
		case waiting <= n:
		case len(s.taken) > 0:
			n, oldest = waiting, s.taken[0].At
		default:
			n, oldest = waiting, s.pending[s.order[0]].At
		}
		s.mu.Unlock()
	}
	return n, oldest
}
