// SPDX-License-Identifier: Apache-2.0

// Package event carries what happened from the rooms where it happens to those that tell others.
//
// The words of this room:
//
//   - Record: one thing that happened to one application, or to one object of it. It says what, never what should be.
//   - Reason: what kind of thing, by the names of the Kubernetes Events that Argo CD writes.
//   - Bus: hands each record to every subscriber. A slow subscriber loses records and is told how many; it never
//     slows the publisher down, because an operation must not wait for whoever watches it.
package event

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/internal/object"
)

// Reason is what kind of thing happened.
type Reason string

// The reasons. They are the reasons of the Kubernetes Events too.
const (
	StatusRefreshed    Reason = "StatusRefreshed"
	ResourceCreated    Reason = "ResourceCreated"
	ResourceUpdated    Reason = "ResourceUpdated"
	ResourceDeleted    Reason = "ResourceDeleted"
	OperationStarted   Reason = "OperationStarted"
	OperationCompleted Reason = "OperationCompleted"
	ResourceActionRan  Reason = "ResourceActionRan"
	// SyncWindowOverridden is a reason of our own: a person has an operation pass closed sync windows.
	SyncWindowOverridden Reason = "SyncWindowOverridden"
	// CallRefused is one more: somebody tried to change the application and may not.
	CallRefused Reason = "CallRefused"
)

// Record is one thing that happened.
type Record struct {
	At     time.Time
	Reason Reason
	// Failed marks what a person should look at: it becomes an Event of type Warning.
	Failed bool
	// App is the Application it happened to.
	App types.NamespacedName
	// UID is that of the Application, so that an Event is shown with this one and not with its successor of the same name.
	UID types.UID
	// Object is the managed object it happened to; the zero Key when it is about the Application itself.
	Object object.Key
	// User is who asked for it; "" for Bowline itself.
	User string
	// Message is one sentence for people. It holds no secret values.
	Message string
}

// Bus hands records to subscribers. Its zero value is ready for use by any number of goroutines.
type Bus struct {
	mu   sync.Mutex
	subs map[*Subscription]struct{}
}

// Publish hands the record to every subscriber that has room for it. It never blocks.
func (b *Bus) Publish(r Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.subs {
		select {
		case s.records <- r:
		default:
			s.dropped++
		}
	}
}

// Subscribe begins a subscription that holds up to buffer records which were not received yet.
func (b *Bus) Subscribe(buffer int) *Subscription {
	s := &Subscription{bus: b, records: make(chan Record, buffer)}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.subs == nil {
		b.subs = map[*Subscription]struct{}{}
	}
	b.subs[s] = struct{}{}
	return s
}

// Subscription receives the records that are published while it lasts.
type Subscription struct {
	bus     *Bus
	records chan Record
	dropped uint64 // guarded by bus.mu
}

// Records is the channel of records, in the order they were published. Close closes it.
func (s *Subscription) Records() <-chan Record { return s.records }

// Dropped returns how many records were lost because the buffer was full.
func (s *Subscription) Dropped() uint64 {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	return s.dropped
}

// Close ends the subscription. Records that are in the buffer can still be received.
func (s *Subscription) Close() {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	if _, open := s.bus.subs[s]; open {
		delete(s.bus.subs, s)
		close(s.records)
	}
}
