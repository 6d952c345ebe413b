// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/topology"
)

// Tree is what hangs together below some objects.
type Tree struct {
	v1alpha1.ApplicationTree
	// Complete: every kind that can hold descendants was looked at, and everything that nodes show was read. Otherwise
	// there may be more, and Reason says why.
	Complete bool
	Reason   string
	// Pending: what is missing is being read at this moment. Otherwise waiting may be in vain.
	Pending bool
}

// Tree returns the objects of these keys that are there, with everything that came of them, sorted; orphans begin trees
// of their own, whose nodes are OrphanedNodes. It costs work in proportion to the trees. Roots that are not in the cluster
// are left out: the caller knows what it desires.
func (c *Cluster) Tree(roots, orphans []object.Key) Tree {
	c.watchTrees(roots)
	out := Tree{Reason: c.stale()}
	if out.Reason == "" {
		out.Reason, out.Pending = c.unlisted(func(gk schema.GroupKind, _ need) bool { return gk != hostKind })
	}
	drawn := map[place]struct{}{}
	own := c.draw(roots, drawn)
	loose := c.draw(orphans, drawn)
	out.Reason, out.Pending = c.link.explain(out.Reason, out.Pending)
	if out.Reason == "" && len(own.unread) > 0 {
		out.Pending = true
		out.Reason = fmt.Sprintf("%d objects are still being read", len(own.unread))
	}
	c.refills.add(own.unread) // they came before their owner, or hang on a root without our mark
	out.Complete = out.Reason == ""
	out.Nodes, out.OrphanedNodes = own.nodes(), loose.nodes()
	out.Hosts = c.hosts(own)
	return out
}

// drawing is a tree as it is being collected.
type drawing struct {
	boughs []bough
	unread []place // objects whose details are missing
}

// bough is one object of it.
type bough struct {
	place
	parents []place
	node    v1alpha1.ResourceNode
	use     *topology.PodFacts
}

// draw collects what hangs on the roots and is not drawn yet.
func (c *Cluster) draw(roots []object.Key, drawn map[place]struct{}) *drawing {
	d := &drawing{}
	var starts []start
	for _, key := range roots {
		at, ok := c.placeOf(key)
		if !ok {
			continue
		}
		at.kind.mu.RLock()
		if e := at.kind.objects[at.n]; e != nil {
			starts = append(starts, start{at, e.id})
		}
		at.kind.mu.RUnlock()
	}
	d.boughs = c.index.hanging(starts, drawn)
	for i := range d.boughs {
		d.show(&d.boughs[i])
	}
	return d
}

// start is an object that a tree begins with.
type start struct {
	place
	id uid
}

// hanging returns the objects at the starts and below them, each with its parents, as far as they are not drawn yet.
func (x *index) hanging(starts []start, drawn map[place]struct{}) []bough {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var out []bough
	var waiting []*node
	visit := func(at place, nd *node) {
		if _, ok := drawn[at]; ok {
			return
		}
		drawn[at] = struct{}{}
		b := bough{place: at}
		if nd != nil {
			for parent := range nd.above() {
				if parent.kind != nil && nd.mayBelow(parent) {
					b.parents = append(b.parents, parent.place)
				}
			}
			waiting = append(waiting, nd)
		}
		out = append(out, b)
	}
	for _, s := range starts {
		visit(s.place, x.nodes[s.id])
	}
	for len(waiting) > 0 {
		nd := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		for child := range nd.under() {
			if child.kind != nil {
				visit(child.place, child)
			}
		}
	}
	return out
}

// show fills in a node from the store. An object that went meanwhile leaves it without a name.
func (d *drawing) show(b *bough) {
	k := b.kind
	k.mu.RLock()
	e := k.objects[b.n]
	if e == nil {
		k.mu.RUnlock()
		return
	}
	b.node = v1alpha1.ResourceNode{ResourceRef: k.ref(b.n, e), ResourceVersion: e.rv(), CreatedAt: e.createdAt()}
	b.use = e.use
	detail, body := e.detail(), e.body()
	k.mu.RUnlock()
	if detail.empty() && k.describe != nil {
		if detail = k.fromBody(b.n, e, body); detail.empty() {
			d.unread = append(d.unread, b.place)
		}
	}
	shown := detail.detail()
	b.node.Images, b.node.Info, b.node.NetworkingInfo = shown.Images, shown.Info, shown.Network
	if h := shown.Health; h != nil {
		b.node.Health = &v1alpha1.HealthStatus{Status: h.Status, Message: h.Message}
	}
}

// fromBody reads the detail of an object that is kept as a whole, and keeps it for the next tree.
func (k *kind) fromBody(n nsName, e *entry, body packed) packed {
	if body.empty() {
		return packed{}
	}
	raw, err := body.unpack()
	if err != nil {
		return packed{}
	}
	detail := k.describe(raw)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.objects[n] == e {
		e.rest().detail = detail
	}
	return detail
}

// ref names an object of the kind. The lock is held.
func (k *kind) ref(n nsName, e *entry) v1alpha1.ResourceRef {
	gvk := k.res.GVK
	return v1alpha1.ResourceRef{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind, Namespace: n.namespace, Name: n.name, UID: e.uid()}
}

// nodes returns the nodes in their order, with references to their parents.
func (d *drawing) nodes() []v1alpha1.ResourceNode {
	refs := make(map[place]v1alpha1.ResourceRef, len(d.boughs))
	for i := range d.boughs {
		if b := &d.boughs[i]; b.node.Name != "" {
			refs[b.place] = b.node.ResourceRef
		}
	}
	out := make([]v1alpha1.ResourceNode, 0, len(refs))
	for i := range d.boughs {
		b := &d.boughs[i]
		if b.node.Name == "" {
			continue
		}
		for _, parent := range b.parents {
			if ref, ok := refs[parent]; ok {
				b.node.ParentRefs = append(b.node.ParentRefs, ref)
			}
		}
		slices.SortFunc(b.node.ParentRefs, compareRefs)
		out = append(out, b.node)
	}
	slices.SortFunc(out, func(a, b v1alpha1.ResourceNode) int { return compareRefs(a.ResourceRef, b.ResourceRef) })
	return out
}

func compareRefs(a, b v1alpha1.ResourceRef) int {
	return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
}

// Children returns the watched objects right below the one with this uid, sorted.
func (c *Cluster) Children(uid types.UID) []object.Key {
	c.index.mu.RLock()
	defer c.index.mu.RUnlock()
	nd := c.index.nodes[uidOf(string(uid))]
	if nd == nil {
		return nil
	}
	return keysOf(nd.under())
}
