// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/object"
)

// nsName is an object's place among those of its kind.
type nsName struct{ namespace, name string }

// kind is the store of one watched kind and the state of its watches.
type kind struct {
	res     Resource
	mode    mode
	tracker object.Tracker
	index   *index
	feed    *feed
	clock   clock.Clock
	grace   time.Duration // how long a failing watch still counts as current
	cancel  context.CancelFunc
	watches []*reflector // one for each scope

	answered func()              // called when the kind becomes known or unknown; must not block
	markMet  func()              // called when an object with a mark is met in a kind that is not watched in full; must not block
	describe func([]byte) packed // nil: nodes of the kind show nothing but their identity

	mu      sync.RWMutex
	objects map[nsName]*entry
	wanted  map[nsName]struct{} // unmarked objects somebody asked for
	buried  map[nsName]string   // uids that we deleted and whose deletion the watch has not told yet
	scopes  map[string]*scope   // by namespace; "" is the whole cluster
	said    announcement
	gone    bool // dropped: late events change nothing
}

// scope is the state of one list and watch.
type scope struct {
	listed    bool
	rv        string    // the newest resourceVersion seen
	failing   time.Time // zero: it works
	definite  bool      // failing for good: not a matter of time
	reason    string
	lastEvent time.Time
}

type announcement int

const (
	saidNothing announcement = iota
	saidSynced
	saidUnknown
)

func newKind(res Resource, namespaces []string) *kind {
	k := &kind{res: res, objects: map[nsName]*entry{}, wanted: map[nsName]struct{}{}, buried: map[nsName]string{}, scopes: map[string]*scope{}}
	if len(namespaces) == 0 || !res.Namespaced {
		namespaces = []string{""}
	}
	for _, namespace := range namespaces {
		k.scopes[namespace] = &scope{}
	}
	return k
}

func (k *kind) gk() schema.GroupKind { return k.res.GVK.GroupKind() }

func (k *kind) key(n nsName) object.Key {
	return object.Key{Group: k.res.GVK.Group, Kind: k.res.GVK.Kind, Namespace: n.namespace, Name: n.name}
}

// scopeOf returns the scope that watches a namespace, nil if none does.
func (k *kind) scopeOf(namespace string) *scope {
	if s := k.scopes[""]; s != nil {
		return s
	}
	return k.scopes[namespace]
}

// scopeName is the name of the scope that watches a namespace.
func (k *kind) scopeName(namespace string) string {
	if k.scopes[""] != nil {
		return ""
	}
	return namespace
}

// put takes an object that a list or watch showed. Unless forced, what is older than the store's stays out: the answer
// of an own write may be there before the watch tells of an earlier one.
func (k *kind) put(it item, forced bool) {
	s := k.read(it)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.gone {
		return
	}
	if !forced && k.buried[s.n] == it.meta.UID {
		return // told of before it was deleted
	}
	if old := k.objects[s.n]; old != nil && !forced {
		if isNewer, known := newer(old.rv(), it.meta.ResourceVersion); known && isNewer {
			return
		}
	}
	k.set(s)
}

// absorb takes the answer of an own write or a direct read. It is refused if the watch has already passed it: an
// object that is not in the store any more must not come back.
func (k *kind) absorb(it item, keep bool) {
	s := k.read(it)
	k.mu.Lock()
	defer k.mu.Unlock()
	sc := k.scopeOf(s.n.namespace)
	if k.gone || sc == nil || k.buried[s.n] == it.meta.UID {
		return
	}
	seen := sc.rv
	old := k.objects[s.n]
	if old != nil {
		seen = old.rv()
	}
	isNewer, known := newer(it.meta.ResourceVersion, seen)
	if (old == nil || !old.is(&it.meta)) && (!known || !isNewer) {
		return
	}
	if keep {
		k.wanted[s.n] = struct{}{}
	}
	k.set(s)
}

// set stores the object and tells of it if it is not what was there. The lock is held.
func (k *kind) set(s sight) {
	old := k.objects[s.n]
	if old != nil && old.is(&s.meta) {
		k.fill(old, s)
		return
	}
	if old == nil {
		s.n = nsName{intern(s.n.namespace), s.n.name}
	}
	now := k.entryOf(s)
	k.objects[s.n] = now
	k.index.moveLoad(old.takes(), now.use)
	if k.index.move(place{k, s.n}, old, now, s.links) {
		k.tellLoose(s.n.namespace)
	}
	event := Modified
	if old == nil {
		event = Added
	}
	k.tell(s.n, event, old, now)
}

// del takes a deletion that the watch showed at rv.
func (k *kind) del(n nsName, rv string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.buried, n)
	old := k.objects[n]
	if old == nil || k.gone {
		return
	}
	if isNewer, known := newer(old.rv(), rv); known && isNewer {
		return // an own write re-created it since
	}
	k.forget(n, old)
}

// bury takes an own deletion that left nothing behind, before the watch tells of it.
func (k *kind) bury(n nsName, uid string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.gone || k.scopeOf(n.namespace) == nil {
		return
	}
	old := k.objects[n]
	if old == nil || old.uid() != uid {
		return // the watch has told already
	}
	k.buried[n] = uid
	k.forget(n, old)
}

func (k *kind) forget(n nsName, old *entry) {
	delete(k.objects, n)
	delete(k.wanted, n)
	k.index.moveLoad(old.use, nil)
	if k.index.move(place{k, n}, old, nil, links{}) {
		k.tellLoose(n.namespace)
	}
	k.tell(n, Deleted, old, nil)
}

// tell publishes an object's change. Before the kind was listed once there is nothing to change from: KindSynced
// stands for all of it.
func (k *kind) tell(n nsName, event Event, old, now *entry) {
	if k.said == saidNothing {
		return
	}
	var owners []string
	for _, e := range []*entry{old, now} {
		if owner := e.owner(); owner != "" && !slices.Contains(owners, owner) {
			owners = append(owners, owner)
		}
	}
	k.feed.publish(Change{Key: k.key(n), Event: event, Owners: owners, At: k.clock.Now()})
}

// relisted ends a list at rv that showed exactly seen: what it did not show is gone, unless it came later.
func (k *kind) relisted(namespace, rv string, seen map[nsName]struct{}, forced bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.gone {
		return
	}
	for n, old := range k.objects {
		if _, ok := seen[n]; ok || (namespace != "" && n.namespace != namespace) {
			continue
		}
		if isNewer, known := newer(old.rv(), rv); known && isNewer && !forced {
			continue
		}
		k.forget(n, old)
	}
	for n := range k.buried {
		if namespace == "" || n.namespace == namespace {
			delete(k.buried, n)
		}
	}
	s := k.scopes[namespace]
	s.listed, s.rv = true, rv
	s.works(k.clock.Now())
	k.announce()
}

// wentBack reports whether rv is older than what the scope has seen: the API server's storage was restored from a
// backup, and the store's guard against older objects must not keep what was.
func (k *kind) wentBack(namespace, rv string) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	s := k.scopes[namespace]
	isNewer, known := newer(s.rv, rv)
	return s.listed && known && isNewer
}

func (s *scope) works(now time.Time) {
	s.failing, s.definite, s.reason, s.lastEvent = time.Time{}, false, "", now
}

// progress notes that the watch is alive at rv.
func (k *kind) progress(namespace, rv string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.scopes[namespace]
	if rv != "" {
		s.rv = rv
	}
	s.works(k.clock.Now())
	k.announce()
}

// failed notes that listing or watching does not work, for the moment or for good.
func (k *kind) failed(namespace, reason string, definite bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.scopes[namespace]
	if s.failing.IsZero() {
		s.failing = k.clock.Now()
	}
	s.reason, s.definite = reason, definite
	k.announce()
}

// state reports whether the store may be believed, and if not, why. The lock is held.
func (k *kind) state() (synced bool, reason string) {
	for _, namespace := range sortedKeys(k.scopes) {
		if synced, reason = k.stateIn(namespace); !synced {
			return false, reason
		}
	}
	return true, ""
}

// answers reports whether the store may be believed.
func (k *kind) answers() bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	synced, _ := k.state()
	return synced
}

// stateIn is state for what one scope holds. The lock is held.
func (k *kind) stateIn(namespace string) (synced bool, reason string) {
	s := k.scopes[namespace]
	switch {
	case !s.listed && s.reason != "":
		return false, k.cannot(namespace, s.reason)
	case !s.listed:
		return false, "objects of the kind " + k.gk().String() + " are still being listed"
	case !s.failing.IsZero() && (s.definite || k.clock.Since(s.failing) > k.grace):
		return false, k.cannot(namespace, s.reason)
	}
	return true, ""
}

// unsynced returns the namespaces whose scopes are not to be believed. The lock is held.
func (k *kind) unsynced() []string {
	return slices.DeleteFunc(sortedKeys(k.scopes), func(namespace string) bool {
		synced, _ := k.stateIn(namespace)
		return synced
	})
}

func (k *kind) cannot(namespace, reason string) string {
	if namespace != "" {
		return "cannot list " + k.gk().String() + " in namespace " + namespace + ": " + reason
	}
	return "cannot list " + k.gk().String() + ": " + reason
}

// announce tells subscribers once when the kind becomes known or unknown. The lock is held.
func (k *kind) announce() {
	if k.said == saidSynced && !k.failingNow() {
		return
	}
	synced, _ := k.state()
	next, event := saidUnknown, KindUnknown
	switch {
	case synced:
		next, event = saidSynced, KindSynced
	case !k.failingNow():
		return
	}
	if k.said == next || k.gone {
		return
	}
	if k.said == saidNothing {
		k.index.settled()
	}
	k.said = next
	k.tellKind(event)
	k.answered()
}

func (k *kind) failingNow() bool {
	for _, s := range k.scopes {
		if !s.failing.IsZero() && (s.definite || k.clock.Since(s.failing) > k.grace) {
			return true
		}
	}
	return false
}

func (k *kind) tellKind(event Event) {
	owners := map[string]struct{}{}
	for _, e := range k.objects {
		if owner := e.owner(); owner != "" {
			owners[owner] = struct{}{}
		}
	}
	k.feed.publish(Change{Key: k.key(nsName{}), Event: event, Owners: slices.Sorted(maps.Keys(owners)), At: k.clock.Now()})
}

// drop takes the kind out of the index; its late events change nothing any more.
func (k *kind) drop() {
	k.cancel()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.gone = true
	if k.said == saidNothing {
		k.index.settled()
	}
	for n, e := range k.objects {
		k.index.moveLoad(e.use, nil)
		k.index.move(place{k, n}, e, nil, links{})
	}
}
