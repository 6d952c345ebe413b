// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// sweepAttempts is how often a list may fail before its kind is named as unlistable and no longer waited for.
const sweepAttempts = 3

// retryUnlistable is how often such a kind is tried again.
const retryUnlistable = 5 * time.Minute

type sweepState struct {
	mu       sync.Mutex
	answers  map[schema.GroupKind]*sweepAnswer
	owners   map[schema.GroupKind]kindSet // kinds in which an object with an ownerReference was seen, ever, and to which kinds
	met      bool                         // noteMark was called since the sweep last looked
	complete bool
	at       time.Time
	last     string // the Inventory last told, to tell only changes
}

type sweepAnswer struct {
	state    answerState
	reason   string
	attempts int
	next     time.Time // not before
}

type answerState int

const (
	pending    answerState = iota
	clean                  // no marks
	marked                 // at least one mark: watched
	unlistable             // could not be listed
	denied                 // may not be listed, and is left out for it
)

func (s *sweepState) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers, s.owners = map[schema.GroupKind]*sweepAnswer{}, map[schema.GroupKind]kindSet{}
	s.complete, s.at, s.last = false, time.Time{}, ""
}

// takeMet reports whether noteMark was called since the last time.
func (s *sweepState) takeMet() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	met := s.met
	s.met = false
	return met
}

func (s *sweepState) markedKinds() []schema.GroupKind {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []schema.GroupKind
	for gk, a := range s.answers {
		if a.state == marked {
			out = append(out, gk)
		}
	}
	return out
}

// noteMark tells that an object of ours was met in a kind that is not watched in full: soon it will be. It never
// blocks, and may be called with a kind's lock held.
func (c *Cluster) noteMark(gk schema.GroupKind) {
	c.sweep.mu.Lock()
	defer c.sweep.mu.Unlock()
	if a := c.sweep.answers[gk]; a != nil && a.state != marked {
		*a = sweepAnswer{state: marked}
		c.sweep.met = true
		signal(c.sweeps)
	}
}

// ownerKinds returns the kinds in which a sweep has met an object with an ownerReference, each with the kinds that these
// references name: such objects may descend from one of ours. A kind stays among them until it is not served any more, so
// that whoever watches it because of this answer does not take the answer away. Kinds in which a mark was met first may be
// missing, for they are watched anyway. Whenever the answer changes reconcile runs.
func (s *sweepState) ownerKinds() map[schema.GroupKind]kindSet {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[schema.GroupKind]kindSet, len(s.owners))
	for gk, owners := range s.owners {
		out[gk] = maps.Clone(owners)
	}
	return out
}

// kindSet is a set of kinds; it grows from nil.
type kindSet map[schema.GroupKind]struct{}

func (s *kindSet) add(gk schema.GroupKind) {
	if *s == nil {
		*s = kindSet{}
	}
	(*s)[gk] = struct{}{}
}

func compareKinds(a, b schema.GroupKind) int {
	return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Kind, b.Kind))
}

// listable returns the kinds a sweep has to answer for, in order.
func (c *Cluster) listable() []Resource {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.catalog == nil {
		return nil
	}
	var out []Resource
	for gk := range c.catalog.kinds {
		if res, ok := c.watchable(gk, ""); ok {
			out = append(out, res)
		}
	}
	slices.SortFunc(out, func(a, b Resource) int { return compareKinds(a.GVK.GroupKind(), b.GVK.GroupKind()) })
	return out
}

// planSweep brings the list of kinds to answer for in line with discovery: new ones are pending, gone ones dropped.
func (c *Cluster) planSweep() {
	kinds := map[schema.GroupKind]bool{}
	for _, res := range c.listable() {
		kinds[res.GVK.GroupKind()] = true
	}
	s := &c.sweep
	s.mu.Lock()
	maps.DeleteFunc(s.answers, func(gk schema.GroupKind, _ *sweepAnswer) bool { return !kinds[gk] })
	maps.DeleteFunc(s.owners, func(gk schema.GroupKind, _ kindSet) bool { return !kinds[gk] })
	for gk := range kinds {
		if s.answers[gk] == nil {
			s.answers[gk] = &sweepAnswer{}
		}
	}
	s.mu.Unlock()
	signal(c.sweeps)
}

// sweepLoop answers what is pending, and begins anew every SweepEvery.
func (c *Cluster) sweepLoop(ctx context.Context) {
	renew := c.opts.Clock.Now().Add(c.opts.SweepEvery)
	for {
		if c.link.wait(ctx) != nil {
			return
		}
		if !c.opts.Clock.Now().Before(renew) {
			renew = c.opts.Clock.Now().Add(c.opts.SweepEvery)
			c.sweep.renew()
		}
		if c.sweep.takeMet() {
			c.reconcile()
		}
		c.tellInventory(c.sweepPending(ctx))
		timer := c.opts.Clock.NewTimer(max(time.Millisecond, min(c.sweep.due(c.opts.Clock.Now()), renew.Sub(c.opts.Clock.Now()))))
		select {
		case <-ctx.Done():
		case <-timer.C():
		case <-c.sweeps:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// renew makes answers pending again. Marked kinds are watched and need none.
func (s *sweepState) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for gk, a := range s.answers {
		if a.state != marked {
			s.answers[gk] = &sweepAnswer{} // a new one: a list that began before does not answer for it
		}
	}
}

// doubt makes a kind pending again whose watch stood for its answer, and ended without one.
func (s *sweepState) doubt(gk schema.GroupKind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.answers[gk]; a != nil && a.state == clean {
		s.answers[gk] = &sweepAnswer{}
	}
}

// due returns how long until something is to be tried again.
func (s *sweepState) due(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := time.Hour
	for _, a := range s.answers {
		if a.state == pending || a.state == unlistable || a.state == denied {
			out = min(out, max(0, a.next.Sub(now)))
		}
	}
	return out
}

// sweepPending lists every kind that is due and not watched anyway, and reports whether there was any.
func (c *Cluster) sweepPending(ctx context.Context) bool {
	var wg sync.WaitGroup
	began, kinds, objects := c.opts.Clock.Now(), 0, 0
	var count sync.Mutex
	for _, res := range c.listable() {
		due := c.sweepDue(res)
		if due == nil {
			continue
		}
		kinds++
		wg.Go(func() {
			found, err := c.look(ctx, res)
			count.Lock()
			objects += found.objects
			count.Unlock()
			if ctx.Err() == nil {
				c.answer(res.GVK.GroupKind(), due, found, err)
			}
		})
	}
	wg.Wait()
	if kinds == 0 || ctx.Err() != nil {
		return false
	}
	if c.opts.Metrics.Sweep != nil {
		c.opts.Metrics.Sweep(kinds, objects, c.opts.Clock.Since(began))
	}
	c.opts.Logger.Debug("swept", "cluster", c.cfg.Name, "kinds", kinds, "objects", objects)
	c.reconcile()
	return true
}

// sweepDue returns the answer to fill if a kind is to be listed now, else nil. Watched kinds answer by their watch.
func (c *Cluster) sweepDue(res Resource) *sweepAnswer {
	c.mu.RLock()
	watched := c.kinds[res.GVK.GroupKind()] != nil
	c.mu.RUnlock()
	c.sweep.mu.Lock()
	defer c.sweep.mu.Unlock()
	a := c.sweep.answers[res.GVK.GroupKind()]
	switch {
	case a == nil, a.state == clean, a.state == marked:
		return nil
	case watched:
		a.state = clean // the watch stands for it
		return nil
	case c.opts.Clock.Now().Before(a.next):
		return nil
	}
	return a
}

// found is what a look at the objects of a kind has met.
type found struct {
	objects int
	mark    bool    // an object of ours, at which the look ended
	owners  kindSet // the kinds that ownerReferences name
	denied  bool    // in some namespace, or everywhere, the account may not look, and this is respected
}

// look lists a kind's metadata until it meets an object of ours. What namespaces hold that can be listed counts although
// others cannot.
func (c *Cluster) look(ctx context.Context, res Resource) (out found, err error) {
	release, err := c.looks.acquire(ctx)
	if err != nil {
		return out, err
	}
	defer release()
	c.mu.RLock()
	tracker := c.tracker
	c.mu.RUnlock()
	namespaces := c.cfg.Namespaces
	if len(namespaces) == 0 || !res.Namespaced {
		namespaces = []string{""}
	}
	each := func(raw []byte) error {
		it, err := decodeItem(raw)
		if err != nil {
			return err
		}
		out.objects++
		for _, ref := range it.meta.OwnerReferences {
			out.owners.add(ref.groupKind())
		}
		key := (&kind{res: res}).key(nsName{it.meta.Namespace, it.meta.Name})
		if tracker.Owner(key, it.meta.marks(tracker)) != "" {
			out.mark = true
			return errEnough
		}
		return nil
	}
	var failed error
	for _, namespace := range namespaces {
		for token, more := "", true; more; more = token != "" {
			head, err := c.api.list(ctx, collectionPath(res.GVR, namespace), acceptMetadataList, token, pageSize, each)
			if errors.Is(err, errEnough) {
				return out, nil
			}
			if err != nil {
				c.link.report(err)
				if c.refusal(ctx, res, namespace, err) {
					out.denied = true
				} else if failed == nil {
					failed = err
				}
				break // what other namespaces hold is worth knowing all the same
			}
			c.access.allow(res.GVK.GroupKind(), namespace)
			token = head.next
		}
	}
	return out, failed
}

// errEnough ends a look at what was looked for.
var errEnough = errors.New("enough")

func (c *Cluster) answer(gk schema.GroupKind, a *sweepAnswer, found found, err error) {
	c.sweep.mu.Lock()
	defer c.sweep.mu.Unlock()
	if len(found.owners) > 0 && c.sweep.answers[gk] != nil {
		known := c.sweep.owners[gk]
		for owner := range found.owners {
			known.add(owner)
		}
		c.sweep.owners[gk] = known
	}
	now := c.opts.Clock.Now()
	switch {
	case found.mark || a.state == marked: // noteMark may have come first
		*a = sweepAnswer{state: marked}
	case err == nil && found.denied:
		*a = sweepAnswer{state: denied, next: now.Add(jitter(retryUnlistable))}
	case err == nil:
		*a = sweepAnswer{state: clean}
	default:
		if up, _, _, _ := c.link.state(); up || !unreachable(err) { // otherwise it is not this kind's fault
			a.attempts++
		}
		a.reason = reasonOf(err)
		a.next = now.Add(time.Second << min(a.attempts, 4) / 2)
		if refused(err) || a.attempts >= sweepAttempts {
			a.state, a.next = unlistable, now.Add(jitter(retryUnlistable))
		}
	}
}
