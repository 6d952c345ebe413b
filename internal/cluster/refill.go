// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/topology"
)

// refills are objects whose details are missing: they came before the owner that makes them ours, or are to be judged
// anew.
type refills struct {
	mu     sync.Mutex
	places map[place]struct{}
	calm   bool // every list that was under way is over
	wake   chan struct{}
}

func newRefills() *refills {
	return &refills{places: map[place]struct{}{}, wake: make(chan struct{}, 1)}
}

func (r *refills) add(places []place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, at := range places {
		if at.kind.describe != nil {
			r.places[at] = struct{}{}
		}
	}
	if len(r.places) > 0 {
		signal(r.wake)
	}
}

func (r *refills) calmed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calm = true
	signal(r.wake)
}

func (r *refills) take() (places map[place]struct{}, calm bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	places, calm = r.places, r.calm
	r.places, r.calm = map[place]struct{}{}, false
	return places, calm
}

// readSingly is how many objects of a kind are read one by one; beyond that listing all of them costs less.
const readSingly = 200

// refill reads what is missing: most often an application took over a few objects that were there.
func (c *Cluster) refill(ctx context.Context, places map[place]struct{}) {
	lacking := map[*kind][]place{}
	for at := range places {
		if at.kind.lacksDetail(at.n) {
			lacking[at.kind] = append(lacking[at.kind], at)
		}
	}
	for k, places := range lacking {
		if len(places) > readSingly {
			c.refillAll(ctx, k, places)
		} else {
			c.refillEach(ctx, places)
		}
	}
}

func (c *Cluster) refillEach(ctx context.Context, places []place) {
	var wg sync.WaitGroup
	turn := make(semaphore, parallelReads)
	for _, at := range places {
		release, err := turn.acquire(ctx)
		if err != nil {
			break
		}
		wg.Go(func() {
			defer release()
			c.refillOne(ctx, at)
		})
	}
	wg.Wait()
}

// refillAll reads the objects from one list of each scope.
func (c *Cluster) refillAll(ctx context.Context, k *kind, places []place) {
	release, err := c.reads.acquire(ctx)
	if err != nil {
		return
	}
	defer release()
	wanted := make(map[nsName]struct{}, len(places))
	for _, at := range places {
		wanted[at.n] = struct{}{}
	}
	each := func(raw []byte) error {
		it, err := decodeItem(raw)
		if err != nil {
			return err
		}
		if _, ok := wanted[nsName{it.meta.Namespace, it.meta.Name}]; ok {
			k.detail(it)
		}
		return nil
	}
	for _, namespace := range sortedKeys(k.scopes) {
		for token, more := "", true; more; more = token != "" {
			head, err := c.api.list(ctx, collectionPath(k.res.GVR, namespace), acceptJSON, token, pageSize, each)
			if err != nil {
				c.link.report(err)
				break // a tree says that it lacks them
			}
			token = head.next
		}
	}
}

func (c *Cluster) refillOne(ctx context.Context, at place) {
	key := at.kind.key(at.n)
	raw, err := c.readRaw(ctx, at.kind.res.GVK, key.Namespace, key.Name)
	if err != nil {
		return // a tree says that it lacks it; the next event brings it
	}
	if it, err := decodeItem(raw); err == nil {
		at.kind.detail(it)
	}
}

// lacksDetail reports whether a tree would show something of the object that the store does not hold.
func (k *kind) lacksDetail(n nsName) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	e := k.objects[n]
	return !k.gone && k.describe != nil && k.mode != watchMetadata && e != nil && e.detail().empty() && e.body().empty()
}

// detail takes what a read brought of an object, if the store is not past it, and tells of it: to who draws trees it is
// another object now.
func (k *kind) detail(it item) {
	detail := k.describe(it.raw)
	k.mu.Lock()
	defer k.mu.Unlock()
	n := nsName{it.meta.Namespace, it.meta.Name}
	e := k.objects[n]
	if k.gone || e == nil || e.id != uidOf(it.meta.UID) {
		return
	}
	if isNewer, known := newer(e.rv(), it.meta.ResourceVersion); !known || isNewer {
		return // its own event has brought it
	}
	e.rest().detail = detail
	k.tell(n, Modified, e, e)
}

// trim drops the details of objects that were kept until their owners were known, and turned out to be nobody's.
func (c *Cluster) trim() {
	for _, k := range c.watching() {
		if k.describe != nil && !k.alwaysShown() {
			k.trim()
		}
	}
}

func (k *kind) trim() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.objects {
		if !e.detail().empty() && e.owner() == "" && !k.index.ours(e.id) {
			e.more.detail = packed{}
		}
	}
}

func (c *Cluster) watching() []*kind {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]*kind, 0, len(c.kinds))
	for _, k := range c.kinds {
		out = append(out, k)
	}
	return out
}

// reread forgets every detail, and has those of objects below ours read again.
func (c *Cluster) reread() {
	for _, k := range c.watching() {
		if k.describe == nil {
			continue
		}
		var places []place
		k.mu.Lock()
		for n, e := range k.objects {
			if !e.detail().empty() {
				e.more.detail = packed{}
				places = append(places, place{k, n})
			}
		}
		k.mu.Unlock()
		c.refills.add(places)
	}
}

// describer reads what a tree shows of an object, by the present judge, and packs it.
func (c *Cluster) describer(res Resource) func([]byte) packed {
	if !topology.Shows(res.GVK.GroupKind()) {
		return nil
	}
	return func(raw []byte) packed {
		live := liveOf(raw, res.GVK, "")
		if live.Object == nil {
			return packDetail(topology.Detail{})
		}
		return packDetail(topology.Describe(live.Object, c.judging.Load()))
	}
}

// packDetail packs what a tree shows: most details are a third as large as text as they are as values.
func packDetail(d topology.Detail) packed {
	raw, err := json.Marshal(d)
	if err != nil {
		return packed{data: "{}"}
	}
	return pack(raw)
}

func (p packed) detail() (d topology.Detail) {
	if p.empty() {
		return d
	}
	if raw, err := p.unpack(); err == nil {
		_ = json.Unmarshal(raw, &d) // we wrote it
	}
	return d
}

// placeOf is where an object is in the store; ok is false if its kind is not watched.
func (c *Cluster) placeOf(key object.Key) (place, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	k := c.kinds[key.GroupKind()]
	if k == nil {
		return place{}, false
	}
	if !k.res.Namespaced {
		key.Namespace = ""
	}
	return place{k, nsName{key.Namespace, key.Name}}, true
}
