// SPDX-License-Identifier: Apache-2.0

// Package index keeps all applications in memory, in the form that lists, searches and streams are answered from. It is told
// of changes by whoever watches the control plane, and never asks.
//
// The words of this package:
//
//   - Entry: one application as it was at one moment, with what is searched and sorted by. It never changes; a newer one takes
//     its place.
//   - Query: which entries are wanted, in which order.
//   - Facet: a field that can be chosen by, with how many entries each of its values would leave.
//   - Subscription: the newest entries of what changed since they were last taken. However slow the taker, it holds one entry
//     for each application.
package index

import (
	"cmp"
	"slices"
	"strconv"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Options are what an Index needs besides the applications.
type Options struct {
	// Object is how policies name an application.
	Object func(app *v1alpha1.Application) string
	// Cluster returns the address and the name of a destination's cluster, as far as they are known; nil takes what the
	// destination says.
	Cluster func(v1alpha1.ApplicationDestination) (server, name string)
}

// Index holds the applications. Its methods are safe for concurrent use.
type Index struct {
	opts Options

	mu      sync.RWMutex
	entries map[types.NamespacedName]*Entry
	ordered []*Entry // by name, then namespace
	rights  map[string]uint32
	slots   uint32
	newest  version
	gone    []*Entry // the last that were deleted, oldest first
	forgot  version  // of the newest deletion that is not in gone any more
	began   version  // the newest when the index was first filled: nothing is known of deletions before
	subs    map[*Subscription]struct{}
	news    chan struct{} // closed with the next change that matters to lists; nil if nobody waits
	changes uint64        // how many such changes there were
}

// tombstones is how many deletions a stream that is resumed can be told of.
const tombstones = 2048

// New returns an empty Index.
func New(opts Options) *Index {
	if opts.Cluster == nil {
		opts.Cluster = func(d v1alpha1.ApplicationDestination) (string, string) { return d.Server, d.Name }
	}
	return &Index{
		opts: opts, entries: map[types.NamespacedName]*Entry{}, rights: map[string]uint32{}, subs: map[*Subscription]struct{}{},
	}
}

// Put takes in an application as it is now. It is kept and must not be changed any more. One that is there already in the same
// version is no news.
func (x *Index) Put(app *v1alpha1.Application) {
	key := types.NamespacedName{Namespace: app.Namespace, Name: app.Name}
	e := x.entryOf(app)
	x.mu.Lock()
	defer x.mu.Unlock()
	old := x.entries[key]
	if old != nil && old.App.ResourceVersion == app.ResourceVersion && old.App.UID == app.UID {
		return
	}
	if old != nil && old.App.UID == app.UID {
		e.Slot = old.Slot
	} else {
		e.Slot = x.slots
		x.slots++
	}
	e.Right = x.rightOf(e.Object)
	e.continues(old)
	x.entries[key] = e
	x.note(e)
	at, found := slices.BinarySearchFunc(x.ordered, e, byName)
	if found {
		x.ordered[at] = e
	} else {
		x.ordered = slices.Insert(x.ordered, at, e)
	}
	x.publish(key, e)
	if old == nil || !sameInLists(old.App, app) {
		x.announce()
	}
}

// Drop takes notice that an application is gone. app is its last state.
func (x *Index) Drop(app *v1alpha1.Application) {
	key := types.NamespacedName{Namespace: app.Namespace, Name: app.Name}
	x.mu.Lock()
	defer x.mu.Unlock()
	old := x.entries[key]
	if old == nil {
		return
	}
	e := *old
	e.App, e.Deleted, e.version = app, true, max(old.version, parseVersion(app.ResourceVersion))
	e.shown = &shown{}
	delete(x.entries, key)
	if at, found := slices.BinarySearchFunc(x.ordered, old, byName); found {
		x.ordered = slices.Delete(x.ordered, at, at+1)
	}
	x.note(&e)
	if x.gone = append(x.gone, &e); len(x.gone) > tombstones {
		x.forgot = max(x.forgot, x.gone[0].version)
		x.gone = slices.Delete(x.gone, 0, 1)
	}
	x.publish(key, &e)
	x.announce()
}

// Filled takes notice that the index now has every application there is.
func (x *Index) Filled() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.began = x.newest
	x.announce()
}

// Get returns the entry of an application; nil if there is none.
func (x *Index) Get(namespace, name string) *Entry {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.entries[types.NamespacedName{Namespace: namespace, Name: name}]
}

// All returns the entries, ordered by name and then namespace, and the newest resource version among all that were ever seen.
// The slice is the caller's own.
func (x *Index) All() (entries []*Entry, resourceVersion string) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.Clone(x.ordered), x.newest.String()
}

func (x *Index) note(e *Entry) { x.newest = max(x.newest, e.version) }

// rightOf numbers the names that policies have for applications, so that what is allowed fits into a bit.
func (x *Index) rightOf(object string) uint32 {
	n, ok := x.rights[object]
	if !ok {
		n = uint32(len(x.rights)) //nolint:gosec // there are never that many names
		x.rights[object] = n
	}
	return n
}

func byName(a, b *Entry) int {
	return cmp.Or(cmp.Compare(a.App.Name, b.App.Name), cmp.Compare(a.App.Namespace, b.App.Namespace))
}

// version is a resource version. API servers of Kubernetes hand out numbers that grow with every write
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions); 0 is one that is no number.
type version uint64

func parseVersion(text string) version {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return version(n)
}

func (v version) String() string { return strconv.FormatUint(uint64(v), 10) }
