// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	crdGVK        = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}
	apiServiceGVK = schema.GroupVersionKind{Group: "apiregistration.k8s.io", Version: "v1", Kind: "APIService"}
)

// crdWatch follows the metadata of CustomResourceDefinitions and APIServices, because discovery itself cannot be
// watched: each change there asks for a new discovery.
type crdWatch struct {
	c *Cluster
	newest

	mu    sync.RWMutex
	known bool                // the CRDs were listed
	rvs   map[string]string   // CRD name ("widgets.example.com") → resourceVersion
	specs map[string]crdSpec  // CRD name → its specification
	gone  map[string]struct{} // deleted CRDs that discovery may still serve
}

// crdSpec is a state of a CRD's specification, which its generation names, and since when it is so.
type crdSpec struct {
	generation int64
	since      time.Time
}

// exists reports whether the CRD that defines a resource is known to be there.
func (w *crdWatch) exists(gr schema.GroupResource) bool {
	_, exists, _ := w.version(gr.String())
	return exists
}

func newCRDWatch(c *Cluster) *crdWatch {
	return &crdWatch{c: c, rvs: map[string]string{}, specs: map[string]crdSpec{}, gone: map[string]struct{}{}}
}

// start begins to watch. A cluster that refuses costs only promptness: discovery is read again now and then anyway.
func (w *crdWatch) start(ctx context.Context) {
	for _, watch := range []struct {
		gvk  schema.GroupVersionKind
		sink sink
	}{{crdGVK, w}, {apiServiceGVK, &apiServices{c: w.c}}} {
		res, presence, _ := w.c.snapshot().find(watch.gvk)
		if presence != Present || !res.can("watch") {
			continue
		}
		r := newReflector(w.c, res, "", watch.sink)
		r.metadata = true
		w.c.watched.Go(func() { r.run(ctx) })
	}
}

// settled reports whether discovery serves every CRD there is and none that is gone.
func (w *crdWatch) settled(cat *catalog) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	for name := range w.rvs {
		if !cat.serves(groupResource(name)) {
			return false
		}
	}
	for name := range w.gone {
		if cat.serves(groupResource(name)) {
			return false
		}
	}
	return true
}

func groupResource(crd string) schema.GroupResource {
	plural, group, _ := strings.Cut(crd, ".")
	return schema.GroupResource{Group: group, Resource: plural}
}

// version returns the resourceVersion of a CRD. known is false while the CRDs have not been listed.
func (w *crdWatch) version(crd string) (rv string, exists, known bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	rv, exists = w.rvs[crd]
	return rv, exists, w.known
}

func (w *crdWatch) put(it item, _ bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := it.meta.Name
	_, known := w.rvs[name]
	w.rvs[name] = it.meta.ResourceVersion
	spec := w.specs[name]
	if now := w.c.opts.Clock.Now(); !known || spec.generation != it.meta.Generation || it.meta.DeletionTimestamp != nil {
		w.specs[name] = crdSpec{it.meta.Generation, now}
	} else if now.Sub(spec.since) > patience {
		return // only its status changes, which some write all the time
	}
	delete(w.gone, name)
	if w.known {
		w.c.Refresh()
	}
}

func (w *crdWatch) del(n nsName, _ string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remove(n.name)
}

func (w *crdWatch) remove(name string) {
	delete(w.rvs, name)
	delete(w.specs, name)
	w.gone[name] = struct{}{}
	w.c.Refresh()
}

func (w *crdWatch) relisted(_, rv string, seen map[nsName]struct{}, _ bool) {
	w.restart(rv)
	cat := w.c.snapshot()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.known && slices.ContainsFunc(sortedKeys(w.rvs), func(name string) bool { return !cat.serves(groupResource(name)) }) {
		w.c.Refresh() // it came after the first discovery
	}
	w.known = true
	for name := range maps.Clone(w.rvs) {
		if _, ok := seen[nsName{name: name}]; !ok {
			w.remove(name)
		}
	}
}

func (w *crdWatch) failed(_, reason string, definite bool) {
	if definite {
		w.c.opts.Logger.Warn("cannot watch CustomResourceDefinitions: new kinds are noticed late", "cluster", w.c.cfg.Name, "reason", reason)
	}
}

// newest is the newest resourceVersion that a watch has told of: an older list shows that the storage went back.
type newest struct {
	lock sync.Mutex
	rv   string
}

func (n *newest) progress(_, rv string) {
	if rv != "" {
		n.restart(rv)
	}
}

func (n *newest) restart(rv string) {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.rv = rv
}

func (n *newest) wentBack(_, rv string) bool {
	n.lock.Lock()
	defer n.lock.Unlock()
	isNewer, known := newer(n.rv, rv)
	return known && isNewer
}

// apiServices only asks for discovery, whatever changes after the first list.
type apiServices struct {
	newest
	c      *Cluster
	listed bool // only the one reflector that feeds it touches this
}

func (a *apiServices) put(item, bool) {
	if a.listed {
		a.c.Refresh()
	}
}

func (a *apiServices) del(nsName, string)         { a.c.Refresh() }
func (a *apiServices) failed(_, _ string, _ bool) {}

func (a *apiServices) relisted(_, rv string, _ map[nsName]struct{}, _ bool) {
	a.restart(rv)
	a.listed = true
}
