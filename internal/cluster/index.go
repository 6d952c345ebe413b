// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"maps"
	"slices"
	"sync"

	"github.com/bowline-cd/bowline/internal/object"
)

// index answers "what does this application own", "what came of this object" and "what in this namespace is
// nobody's" without a walk over the store. Each change costs work in proportion to what hangs on the object that changed.
//
// It holds a node for each object that is marked, has a parent, or has a role; an object that is nobody's and stands alone
// costs nothing here. The lock of a kind may be held when its own is taken, never the other way round.
type index struct {
	refills func([]place) // told of descendants of ours that may have come before their owner; must not block
	calm    func()        // told when no kind's first list is under way any more; must not block

	mu       sync.RWMutex
	nodes    map[uid]*node
	owned    map[string]map[*node]struct{} // instance name → objects with its mark
	loose    map[string]looseObjects       // namespace in which orphans are looked for → its top-level objects
	loads    map[string]load               // host → what its Pods ask for
	settling int                           // kinds whose first list is not over: parents may still come
}

// place is where an object is found in the store.
type place struct {
	kind *kind
	n    nsName
}

// node is an object in the index, or what is known of a parent that is not (only its uid), or a role.
type node struct {
	place         // no kind: only a parent or a role
	id     uid    // metadata.uid, or that of a role
	owner  string // instance name
	parent *node  // the first one; nil: none
	kin    *kin   // nil: no other relatives
}

// kin are a node's relatives besides its first parent, which most leaves have alone.
type kin struct {
	parents  []*node // the others
	children group
	roles    []*node // that this object has
	holders  []*node // of a role: who has it
}

// links are the relatives that an object itself names.
type links struct{ parents, roles []uid }

func (l links) none() bool { return len(l.parents) == 0 && len(l.roles) == 0 }

func newIndex() *index {
	return &index{
		refills: func([]place) {}, calm: func() {},
		nodes: map[uid]*node{}, owned: map[string]map[*node]struct{}{}, loose: map[string]looseObjects{}, loads: map[string]load{},
	}
}

// move replaces what the index says of an object: from the state of before (nil: was not there) to that of after. It
// reports whether the orphans of the object's namespace may be others now.
func (x *index) move(at place, before, after *entry, l links) (looseChanged bool) {
	if after != nil {
		after.linked = after.owner() != "" || !l.none()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.same(at, before, after, l) {
		return false
	}
	looseChanged = x.moveLoose(at, before, after, l)
	if before != nil && before.linked && (after == nil || after.id != before.id || !after.linked) {
		x.removeNode(at, before.id)
	}
	if after != nil && after.linked {
		x.setNode(at, after, l)
	}
	return looseChanged
}

// same reports whether before and after mean the same to the index.
func (x *index) same(at place, before, after *entry, l links) bool {
	if before == nil || after == nil {
		return before == nil && after == nil
	}
	if before.id != after.id || before.linked != after.linked || before.owner() != after.owner() {
		return false
	}
	if !after.linked {
		return true
	}
	nd := x.nodes[after.id]
	return nd != nil && nd.place == at && nd.sameLinks(l)
}

func (nd *node) sameLinks(l links) bool {
	var parents, roles []*node
	if nd.kin != nil {
		parents, roles = nd.kin.parents, nd.kin.roles
	}
	if (nd.parent == nil) != (len(l.parents) == 0) || nd.parent != nil && nd.parent.id != l.parents[0] {
		return false
	}
	same := func(a *node, b uid) bool { return a.id == b }
	return slices.EqualFunc(parents, l.parents[min(1, len(l.parents)):], same) && slices.EqualFunc(roles, l.roles, same)
}

func (x *index) setNode(at place, e *entry, l links) {
	nd := x.nodeOf(e.id)
	x.clear(nd)
	nd.place, nd.owner = at, e.owner()
	if nd.owner != "" {
		if x.owned[nd.owner] == nil {
			x.owned[nd.owner] = map[*node]struct{}{}
		}
		x.owned[nd.owner][nd] = struct{}{}
	}
	for i, id := range l.parents {
		parent := x.nodeOf(id)
		parent.relatives().children.add(nd)
		if i == 0 {
			nd.parent = parent
		} else {
			kin := nd.relatives()
			kin.parents = append(kin.parents, parent)
		}
	}
	for _, id := range l.roles {
		role := x.nodeOf(id)
		held, holds := role.relatives(), nd.relatives()
		held.holders = append(held.holders, nd)
		holds.roles = append(holds.roles, role)
	}
	if x.isOurs(nd) {
		if below := x.below(nd); len(below) > 0 {
			x.refills(below)
		}
	}
}

// removeNode forgets an object; if others hang on it what is known of it as a parent stays.
func (x *index) removeNode(at place, id uid) {
	nd := x.nodes[id]
	if nd == nil || nd.place != at {
		return // it moved to another kind, which serves the same objects
	}
	x.clear(nd)
	nd.place = place{}
	x.prune(nd)
}

// clear takes a node out of everything it said of itself; what others say of it stays.
func (x *index) clear(nd *node) {
	if nd.owner != "" {
		delete(x.owned[nd.owner], nd)
		if len(x.owned[nd.owner]) == 0 {
			delete(x.owned, nd.owner)
		}
		nd.owner = ""
	}
	var roles []*node
	parents := slices.Collect(nd.parents())
	nd.parent = nil
	if nd.kin != nil {
		roles = nd.kin.roles
		nd.kin.parents, nd.kin.roles = nil, nil
	}
	for _, parent := range parents {
		parent.kin.children.remove(nd)
		x.prune(parent)
	}
	for _, role := range roles {
		role.kin.holders = slices.DeleteFunc(role.kin.holders, func(h *node) bool { return h == nd })
		x.prune(role)
	}
}

// prune drops a node that nothing is known of.
func (x *index) prune(nd *node) {
	if k := nd.kin; k != nil && k.children.len() == 0 && len(k.parents)+len(k.roles)+len(k.holders) == 0 {
		nd.kin = nil
	}
	if nd.kind == nil && nd.parent == nil && nd.kin == nil && x.nodes[nd.id] == nd {
		delete(x.nodes, nd.id)
	}
}

func (x *index) nodeOf(id uid) *node {
	nd := x.nodes[id]
	if nd == nil {
		nd = &node{id: id}
		x.nodes[id] = nd
	}
	return nd
}

func (nd *node) relatives() *kin {
	if nd.kin == nil {
		nd.kin = &kin{}
	}
	return nd.kin
}

// ownedBy returns the objects that carry an application's mark, sorted.
func (x *index) ownedBy(app string) []object.Key {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return keysOf(maps.Keys(x.owned[app]))
}

// owners returns who owns anything, sorted.
func (x *index) owners() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.Sorted(maps.Keys(x.owned))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// begins notes that a kind's first list is under way.
func (x *index) begins() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.settling++
}

// settled notes that a kind's first list is over, or will never be.
func (x *index) settled() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.settling--; x.settling == 0 {
		x.calm()
	}
}
