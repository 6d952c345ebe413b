// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"iter"
	"slices"

	"github.com/bowline-cd/bowline/internal/object"
)

// group is a set of nodes. Most have one or two members, some thousands.
type group struct {
	few  []*node
	many map[*node]struct{} // instead of few, beyond fewAtMost
}

const fewAtMost = 16

func (g *group) len() int { return len(g.few) + len(g.many) }

func (g *group) has(nd *node) bool {
	_, ok := g.many[nd]
	return ok || slices.Contains(g.few, nd)
}

func (g *group) add(nd *node) {
	switch {
	case g.many != nil:
		g.many[nd] = struct{}{}
	case g.has(nd):
	case len(g.few) < fewAtMost:
		g.few = append(g.few, nd)
	default:
		g.many = map[*node]struct{}{nd: {}}
		for _, other := range g.few {
			g.many[other] = struct{}{}
		}
		g.few = nil
	}
}

func (g *group) remove(nd *node) {
	if g.many != nil {
		delete(g.many, nd)
		return
	}
	if i := slices.Index(g.few, nd); i >= 0 {
		g.few = slices.Delete(g.few, i, i+1)
	}
}

func (g *group) all() iter.Seq[*node] {
	return func(yield func(*node) bool) {
		for _, nd := range g.few {
			if !yield(nd) {
				return
			}
		}
		for nd := range g.many {
			if !yield(nd) {
				return
			}
		}
	}
}

// orHolders is the node itself or, of a role, whoever has it.
func (nd *node) orHolders() []*node {
	if nd.kind == nil && nd.kin != nil && len(nd.kin.holders) > 0 {
		return nd.kin.holders
	}
	return []*node{nd}
}

// above yields the objects right above a node: its parents, and whoever has the role of one.
func (nd *node) above() iter.Seq[*node] {
	return orHolders(nd.parents())
}

// parents yields what a node says is above it.
func (nd *node) parents() iter.Seq[*node] {
	return func(yield func(*node) bool) {
		if nd.parent == nil || !yield(nd.parent) || nd.kin == nil {
			return
		}
		for _, parent := range nd.kin.parents {
			if !yield(parent) {
				return
			}
		}
	}
}

func orHolders(nodes iter.Seq[*node]) iter.Seq[*node] {
	return func(yield func(*node) bool) {
		for nd := range nodes {
			for _, at := range nd.orHolders() {
				if !yield(at) {
					return
				}
			}
		}
	}
}

// under yields the objects right below a node.
func (nd *node) under() iter.Seq[*node] {
	return func(yield func(*node) bool) {
		if nd.kin == nil {
			return
		}
		for child := range nd.kin.children.all() {
			if child.mayBelow(nd) && !yield(child) {
				return
			}
		}
		for _, role := range nd.kin.roles {
			for child := range role.kin.children.all() {
				if child.mayBelow(nd) && !yield(child) {
					return
				}
			}
		}
	}
}

// mayBelow reports whether an object may have this parent: one in its own namespace, or one that is in none. The garbage
// collector takes any other ownerReference for one to an absent owner
// (https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/).
func (nd *node) mayBelow(parent *node) bool {
	return parent.kind == nil || parent.n.namespace == "" || parent.n.namespace == nd.n.namespace
}

// isOurs reports whether a node is marked or descends from one that is.
func (x *index) isOurs(nd *node) bool {
	ours, _ := x.climb(nd.n.namespace, slices.Values([]*node{nd}))
	return ours
}

// ours is isOurs of the object with this uid.
func (x *index) ours(id uid) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	nd := x.nodes[id]
	return nd != nil && nd.kind != nil && x.isOurs(nd)
}

// mayBeOurs reports whether an object in the namespace with these parents descends from a marked one, or may turn out to,
// because not everything was listed yet.
func (x *index) mayBeOurs(namespace string, l links) bool {
	if len(l.parents) == 0 {
		return false
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	ours, open := x.climb(namespace, orHolders(func(yield func(*node) bool) {
		for _, id := range l.parents {
			nd := x.nodes[id]
			if nd == nil {
				nd = &node{id: id}
			}
			if !yield(nd) {
				return
			}
		}
	}))
	return ours || open && x.settling > 0
}

// deepest is how many generations are followed upwards. Real trees have about six; a chain that somebody builds to keep
// us busy ends here.
const deepest = 64

// climb looks for a mark on nodes and above them. open reports that a way up ends at an object that the index does not
// know. namespace is that of the object whose parents the nodes are.
func (x *index) climb(namespace string, from iter.Seq[*node]) (ours, open bool) {
	var seen group
	var up func(namespace string, next iter.Seq[*node], left int) bool
	up = func(namespace string, next iter.Seq[*node], left int) bool {
		for nd := range next {
			switch {
			case left == 0 || seen.has(nd): // a cycle, or met on another way
				continue
			case nd.kind == nil:
				open = true
				continue
			case nd.n.namespace != "" && nd.n.namespace != namespace:
				continue
			}
			seen.add(nd)
			if nd.owner != "" || up(nd.n.namespace, nd.above(), left-1) {
				return true
			}
		}
		return false
	}
	return up(namespace, from, deepest), open
}

// below returns where a node and its descendants are, those with a mark of their own left out.
func (x *index) below(nd *node) []place {
	var out []place
	var seen group
	for waiting := []*node{nd}; len(waiting) > 0; {
		nd, waiting = waiting[len(waiting)-1], waiting[:len(waiting)-1]
		if seen.has(nd) {
			continue
		}
		seen.add(nd)
		if nd.kind != nil && nd.owner == "" {
			out = append(out, nd.place)
		}
		for child := range nd.under() {
			waiting = append(waiting, child)
		}
	}
	return out
}

// keysOf returns the keys of those nodes that are objects, sorted.
func keysOf(nodes iter.Seq[*node]) []object.Key {
	var out []object.Key
	for nd := range nodes {
		if nd.kind != nil {
			out = append(out, nd.kind.key(nd.n))
		}
	}
	slices.SortFunc(out, object.Key.Compare)
	return out
}
