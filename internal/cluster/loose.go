// SPDX-License-Identifier: Apache-2.0

package cluster

// looseObjects are the top-level objects of a namespace, by the instance name of their mark ("" for none).
type looseObjects map[string]map[place]struct{}

func (o looseObjects) add(owner string, at place) {
	if o[owner] == nil {
		o[owner] = map[place]struct{}{}
	}
	o[owner][at] = struct{}{}
}

func (o looseObjects) remove(owner string, at place) {
	delete(o[owner], at)
	if len(o[owner]) == 0 {
		delete(o, owner)
	}
}

// moveLoose keeps the top-level objects of a namespace in which orphans are looked for. It is called before the nodes
// change, and reports whether anything changed.
func (x *index) moveLoose(at place, before, after *entry, l links) bool {
	objects := x.loose[at.n.namespace]
	if at.n.namespace == "" || objects == nil {
		return false
	}
	was := before != nil && x.topLevel(before)
	is := after != nil && len(l.parents) == 0
	if was == is && (!is || before.owner() == after.owner()) {
		return false
	}
	if was {
		objects.remove(before.owner(), at)
	}
	if is {
		objects.add(after.owner(), at)
	}
	return true
}

// topLevel reports whether an object in the index has no parent.
func (x *index) topLevel(e *entry) bool {
	if !e.linked {
		return true
	}
	nd := x.nodes[e.id]
	return nd == nil || nd.parent == nil
}

// seek says in which namespaces orphans are looked for; it returns those that are new.
func (x *index) seek(namespaces map[string]struct{}) (fresh []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for namespace := range x.loose {
		if _, ok := namespaces[namespace]; !ok {
			delete(x.loose, namespace)
		}
	}
	for namespace := range namespaces {
		if x.loose[namespace] == nil {
			x.loose[namespace] = looseObjects{}
			fresh = append(fresh, namespace)
		}
	}
	return fresh
}

// gather notes the top-level objects of one kind in these namespaces. The kind's lock is held.
func (x *index) gather(k *kind, namespaces map[string]struct{}) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for n, e := range k.objects {
		if _, ok := namespaces[n.namespace]; !ok || x.loose[n.namespace] == nil {
			continue
		}
		if x.topLevel(e) {
			x.loose[n.namespace].add(e.owner(), place{k, n})
		}
	}
}
