// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The consistency probe holds the store against the API server: each watched kind is listed now and then, metadata
// alone, and every object's uid and resourceVersion compared. A watch cannot be trusted to tell that it does not tell.
//
// What differs may only be on its way. So a difference counts if the same object differs in the same way once more
// after a pause, in a fresh list; then the kind is listed anew, which puts it right. In between the unwatched kinds are
// looked at, for marks and owners that came since the sweep.

// probes counts what the probe has found.
type probes struct {
	mu      sync.Mutex
	repairs map[schema.GroupKind]int
}

func (p *probes) repaired(gk schema.GroupKind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.repairs == nil {
		p.repairs = map[schema.GroupKind]int{}
	}
	p.repairs[gk]++
}

func (p *probes) count(gk schema.GroupKind) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.repairs[gk]
}

// rest is how long a kind is left alone after a probe that took so long: at the usual pace a thousand times as long, so
// that probes of a kind take at most a thousandth of anybody's time.
func (c *Cluster) rest(took time.Duration) time.Duration {
	return took * (c.opts.ProbeEvery / (600 * time.Millisecond))
}

// probeLoop goes round all kinds for ever, each round spread over ProbeEvery.
func (c *Cluster) probeLoop(ctx context.Context) {
	least := c.opts.ProbeEvery / 1200 // however many kinds there are
	for ctx.Err() == nil {
		jobs := c.probeRound()
		pause := max(least, c.opts.ProbeEvery/time.Duration(len(jobs)+1))
		for _, job := range append(jobs, func(context.Context) {}) {
			if sleep(ctx, c.opts.Clock, jitter(pause)+pause/4) != nil || c.link.wait(ctx) != nil {
				return
			}
			job(ctx)
		}
	}
}

// probeRound returns what to look at in one round, in any order.
func (c *Cluster) probeRound() (jobs []func(context.Context)) {
	c.mu.RLock()
	watched := map[schema.GroupKind]bool{}
	for gk, k := range c.kinds {
		watched[gk] = true
		for _, r := range k.watches {
			jobs = append(jobs, func(ctx context.Context) { c.probeScope(ctx, k, r) })
		}
	}
	c.mu.RUnlock()
	for _, res := range c.listable() {
		if !watched[res.GVK.GroupKind()] {
			jobs = append(jobs, func(ctx context.Context) { c.glance(ctx, res) })
		}
	}
	rand.Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
	return jobs
}

// glance looks at a kind that nobody watches, as the sweep does. An error changes nothing: the sweep's word stands.
func (c *Cluster) glance(ctx context.Context, res Resource) {
	gk := res.GVK.GroupKind()
	c.sweep.mu.Lock()
	a := c.sweep.answers[gk]
	due := a != nil && a.state == clean && !c.opts.Clock.Now().Before(a.next)
	c.sweep.mu.Unlock()
	if !due {
		return
	}
	began := c.opts.Clock.Now()
	found, err := c.look(ctx, res)
	if err != nil {
		return
	}
	c.answer(gk, a, found, nil)
	now := c.opts.Clock.Now()
	c.sweep.mu.Lock()
	a.next = now.Add(c.rest(now.Sub(began)))
	c.sweep.mu.Unlock()
	if found.mark || len(found.owners) > 0 {
		c.reconcile()
	}
}

// probeScope compares one collection with its store, and has it listed anew if they differ for good.
func (c *Cluster) probeScope(ctx context.Context, k *kind, r *reflector) {
	if !k.quiet(r.namespace) || c.opts.Clock.Now().Before(r.restsUntil()) {
		return
	}
	began := c.opts.Clock.Now()
	defer r.note(func(rec *record) { rec.probes++ })
	first, err := c.compare(ctx, k, r)
	now := c.opts.Clock.Now()
	r.restUntil(now.Add(c.rest(now.Sub(began))))
	if err != nil || len(first) == 0 {
		return // what does not answer shows in the watch
	}
	if sleep(ctx, c.opts.Clock, c.opts.ProbePause) != nil {
		return
	}
	if first = k.still(first); len(first) == 0 {
		return
	}
	second, err := c.compare(ctx, k, r)
	if err != nil {
		return
	}
	wrong := 0
	for n, d := range second {
		if first[n] == d {
			wrong++
		}
	}
	if wrong == 0 || !k.quiet(r.namespace) {
		return
	}
	c.opts.Logger.Warn("the watch of a kind lost changes: the kind is listed anew", "cluster", c.cfg.Name, "server", c.cfg.Server,
		"kind", k.gk().String(), "namespace", r.namespace, "objects", wrong)
	c.probes.repaired(k.gk())
	r.relist()
}

// discrepancy is how an object differs between the API server and the store.
type discrepancy struct {
	uid    uid
	stored string // its resourceVersion in the store; "" if it is not there
	listed bool
}

// compare lists a collection and returns what the store does not have, has in an older version, or has although the
// API server has not.
func (c *Cluster) compare(ctx context.Context, k *kind, r *reflector) (map[nsName]discrepancy, error) {
	release, err := c.retries.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	before := k.version(r.namespace) // the watch goes on while the list comes, and passes it
	out, seen, matched := map[nsName]discrepancy{}, make(map[uid]struct{}, k.count(r.namespace)), 0
	each := func(raw []byte) error {
		it, err := decodeItem(raw)
		if err != nil {
			return err
		}
		n := nsName{it.meta.Namespace, it.meta.Name}
		if stored, there, current := k.compare(n, &it.meta); !current {
			out[n] = discrepancy{uidOf(it.meta.UID), stored, true}
			if !there {
				return nil
			}
		}
		seen[uidOf(it.meta.UID)] = struct{}{}
		matched++
		return nil
	}
	for token := ""; ; {
		head, err := c.api.list(ctx, collectionPath(r.res.GVR, r.namespace), acceptMetadataList, token, pageSize, each)
		if err != nil {
			c.link.report(err)
			return nil, err
		}
		if isNewer, known := newer(before, head.rv); known && isNewer {
			// Storage restored from a backup while the watch waits for a future that will not come: no object is to blame.
			out[nsName{}] = discrepancy{listed: true}
		}
		if token = head.next; token == "" {
			break
		}
	}
	if k.count(r.namespace) > matched {
		k.extra(r.namespace, seen, out)
	}
	return out, nil
}

// quiet reports whether the scope has been listed and nothing is known to be wrong with it.
func (k *kind) quiet(namespace string) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	s := k.scopes[namespace]
	return !k.gone && s.listed && s.failing.IsZero()
}

// version returns the newest resourceVersion that a scope has seen.
func (k *kind) version(namespace string) string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.scopes[namespace].rv
}

// count returns how many objects the store has in a scope.
func (k *kind) count(namespace string) (n int) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if namespace == "" {
		return len(k.objects)
	}
	for at := range k.objects {
		if at.namespace == namespace {
			n++
		}
	}
	return n
}

// compare says what the store has of an object that a list shows: whether it is there at all, and not older.
func (k *kind) compare(n nsName, m *itemMeta) (stored string, there, current bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	e := k.objects[n]
	switch {
	case e == nil || e.id != uidOf(m.UID):
		return "", false, k.buried[n] == m.UID
	case e.is(m):
		return "", true, true
	}
	stored = e.rv()
	isNewer, known := newer(stored, m.ResourceVersion)
	return stored, true, known && isNewer
}

// extra adds what the store has and a list has not.
func (k *kind) extra(namespace string, seen map[uid]struct{}, out map[nsName]discrepancy) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for n, e := range k.objects {
		if namespace != "" && n.namespace != namespace {
			continue
		}
		if _, ok := seen[e.id]; !ok {
			out[n] = discrepancy{e.id, e.rv(), false}
		}
	}
}

// still keeps the discrepancies that no event has settled since.
func (k *kind) still(found map[nsName]discrepancy) map[nsName]discrepancy {
	k.mu.RLock()
	defer k.mu.RUnlock()
	out := map[nsName]discrepancy{}
	for n, d := range found {
		stored := ""
		if e := k.objects[n]; e != nil && (e.id == d.uid || d.stored == "") {
			stored = e.rv()
		}
		if stored == d.stored {
			out[n] = d
		}
	}
	return out
}

func (r *reflector) restUntil(until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rests = until
}

func (r *reflector) restsUntil() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rests
}
