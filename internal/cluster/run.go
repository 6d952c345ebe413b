// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
)

// Run keeps the connection alive, the store current and the sweep going until ctx ends or Close is called. It returns
// nil after everything it started has ended. Call it once.
func (c *Cluster) Run(ctx context.Context) error {
	c.running.Add(1)
	defer c.running.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.watched.Go(func() {
		select {
		case <-c.closed:
			cancel()
		case <-ctx.Done():
		}
	})
	c.mu.Lock()
	c.ctx = ctx
	c.mu.Unlock()
	c.watched.Go(func() { c.link.run(ctx) })
	c.watched.Go(func() { c.discoverLoop(ctx) })
	c.watched.Go(func() { c.sweepLoop(ctx) })
	c.watched.Go(func() { c.refillLoop(ctx) })
	c.watched.Go(func() { c.probeLoop(ctx) })
	<-ctx.Done()
	c.mu.Lock()
	c.ctx = nil
	c.mu.Unlock()
	c.watched.Wait()
	return nil
}

// probe asks for the version: the smallest request that shows that the API server and our credentials work.
func (c *Cluster) probe(ctx context.Context) error {
	raw, err := c.api.get(ctx, "/version", acceptJSON)
	if apierrors.IsForbidden(err) || apierrors.IsTooManyRequests(err) {
		return nil // it answers; what it refuses shows where it matters
	}
	if err != nil {
		return err
	}
	var info version.Info
	if err := unmarshal(raw, &info); err != nil || info.GitVersion == "" {
		return fmt.Errorf("%s does not answer as a Kubernetes API server", c.cfg.Server)
	}
	c.mu.Lock()
	upgraded := c.version != "" && c.version != info.GitVersion
	c.version = info.GitVersion
	c.mu.Unlock()
	if upgraded {
		c.streaming.forget()
		c.Refresh()
	}
	return nil
}

func (c *Cluster) linkChanged(connected bool, reason string) {
	if connected {
		c.opts.Logger.Info("cluster answers", "cluster", c.cfg.Name, "server", c.cfg.Server)
		c.streaming.forget()
		if c.snapshot() != nil {
			c.Refresh()
		}
	} else {
		c.opts.Logger.Warn("cluster does not answer", "cluster", c.cfg.Name, "server", c.cfg.Server, "reason", reason)
	}
	if c.opts.Metrics.Connected != nil {
		c.opts.Metrics.Connected(connected)
	}
	c.feed.publish(Change{Event: LinkChanged, At: c.opts.Clock.Now()})
	if !connected {
		c.tellWhenStale()
	}
}

// tellWhenStale publishes once more when the grace is over: from then on everything here is unknown.
func (c *Cluster) tellWhenStale() {
	c.mu.RLock()
	defer c.mu.RUnlock()
	ctx := c.ctx
	if ctx == nil {
		return
	}
	c.watched.Go(func() {
		if sleep(ctx, c.opts.Clock, c.opts.Grace+time.Millisecond) == nil && c.stale() != "" {
			c.feed.publish(Change{Event: LinkChanged, At: c.opts.Clock.Now()})
		}
	})
}

// stale says why the store is not to be believed although its watches did not fail one by one: "" if it is.
func (c *Cluster) stale() string {
	up, reason, since, _ := c.link.state()
	if up || c.opts.Clock.Since(since) <= c.opts.Grace {
		return ""
	}
	return "the cluster does not answer: " + reason
}

// Refresh asks for a new discovery soon.
func (c *Cluster) Refresh() { signal(c.refreshes) }

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// Discovery follows a CRD or APIService only after a moment, which differs by kind of change. After each sign of one it
// is asked again at growing distances: often for followUp and until every CRD is served, then seldom, until patience ends.
const (
	debounce   = 40 * time.Millisecond
	followUp   = 3 * time.Second
	patience   = time.Minute
	seldom     = 15 * time.Second
	whileFails = 30 * time.Second
	routine    = 10 * time.Minute
)

func (c *Cluster) discoverLoop(ctx context.Context) {
	var began time.Time // of the present unrest; zero: quiet
	wait := backoff{first: 100 * time.Millisecond, most: 5 * time.Second}
	started := false
	for {
		if c.link.wait(ctx) != nil {
			return
		}
		err := c.discoverNow(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil && !started {
			started = true
			c.crds.start(ctx)
		}
		pause := c.nextDiscovery(err, began, &wait)
		timer := c.opts.Clock.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C():
		case <-c.refreshes:
			began = c.opts.Clock.Now()
			wait.reset()
			_ = sleep(ctx, c.opts.Clock, debounce)
		}
		timer.Stop()
	}
}

func (c *Cluster) nextDiscovery(err error, began time.Time, wait *backoff) time.Duration {
	unrest := c.opts.Clock.Since(began)
	switch {
	case err != nil, unrest < followUp, unrest < patience && !c.crds.settled(c.snapshot()):
		return wait.next()
	case unrest < patience: // it serves all their names, but perhaps not yet their newest versions
		return jitter(seldom)
	case len(c.snapshot().failed) > 0:
		wait.reset()
		return jitter(whileFails)
	default:
		wait.reset()
		return jitter(routine)
	}
}

// discoverNow reads the kinds the API server serves and starts and stops watches accordingly.
func (c *Cluster) discoverNow(ctx context.Context) error {
	c.discovers.Lock()
	defer c.discovers.Unlock()
	prev := c.snapshot()
	next, err := c.api.discover(ctx, prev)
	if err == nil {
		err = next.check()
	}
	if err != nil {
		c.link.report(err)
		c.opts.Logger.Warn("discovery failed", "cluster", c.cfg.Name, "error", err)
		return err
	}
	next.keepDefined(prev, c.crds.exists)
	c.mu.Lock()
	c.catalog = next
	c.mu.Unlock()
	if c.opts.Metrics.APIResources != nil {
		c.opts.Metrics.APIResources(len(next.kinds))
	}
	c.reconcile()
	c.planSweep()
	if prev == nil || !slices.Equal(prev.versions, next.versions) || len(prev.failed) != len(next.failed) {
		c.feed.publish(Change{Event: KindsChanged, At: c.opts.Clock.Now()})
	}
	return nil
}

func (c *Cluster) snapshot() *catalog {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.catalog
}

// Watch makes sure that these kinds are watched from now on. A kind that is not served yet is watched once it is.
// The version asked for first is the one that is watched. It is cheap to call again.
func (c *Cluster) Watch(kinds ...schema.GroupVersionKind) {
	c.mu.RLock()
	fresh := slices.DeleteFunc(slices.Clone(kinds), func(gvk schema.GroupVersionKind) bool {
		_, ok := c.asked[gvk.GroupKind()]
		return ok
	})
	c.mu.RUnlock()
	if len(fresh) == 0 {
		return
	}
	c.mu.Lock()
	for _, gvk := range fresh {
		if _, ok := c.asked[gvk.GroupKind()]; !ok {
			c.asked[gvk.GroupKind()] = gvk.Version
		}
	}
	c.mu.Unlock()
	c.reconcile()
}

// reconcile starts and stops watches so that exactly the kinds that are needed, served, in scope and not excluded are
// watched, each in its mode. A kind that is watched in more than is needed stays so.
func (c *Cluster) reconcile() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.catalog == nil || c.ctx == nil {
		return
	}
	want := c.needed()
	for gk, k := range c.kinds {
		if now, ok := want[gk]; !ok || now.res.GVR != k.res.GVR || now.res.Namespaced != k.res.Namespaced || now.mode > k.mode {
			c.stopKind(gk, k, ok || k.mode != watchFull) // nobody who desires objects of the kind depends on another mode
		}
	}
	for gk, now := range want {
		if c.kinds[gk] == nil {
			c.startKind(gk, now.res, now.mode)
		}
	}
}

// watchedVersion keeps a kind in the version it is already watched in.
func (c *Cluster) watchedVersion(gk schema.GroupKind) string {
	if k := c.kinds[gk]; k != nil {
		return k.res.GVK.Version
	}
	return ""
}

// watchable finds how to watch a kind, in the version given if that is served. The lock is held.
func (c *Cluster) watchable(gk schema.GroupKind, version string) (Resource, bool) {
	if c.filter.Excluded(gk.Group, gk.Kind, c.cfg.Server) {
		return Resource{}, false
	}
	res, presence, _ := c.catalog.find(gk.WithVersion(version))
	if presence != Present {
		res, presence, _ = c.catalog.find(gk.WithVersion(""))
	}
	return res, presence == Present && res.can("list") && c.inScope(res)
}

// inScope reports whether a kind is looked at: in namespaced mode cluster-scoped kinds only if the Config says so.
func (c *Cluster) inScope(res Resource) bool {
	return res.Namespaced || len(c.cfg.Namespaces) == 0 || c.cfg.ClusterResources
}

// startKind begins to watch. The lock is held.
func (c *Cluster) startKind(gk schema.GroupKind, res Resource, mode mode) {
	k := newKind(res, c.cfg.Namespaces)
	k.tracker, k.index, k.feed, k.clock, k.grace = c.tracker, c.index, c.feed, c.opts.Clock, c.opts.Grace
	k.answered = func() { signal(c.sweeps) }
	k.markMet = func() { c.noteMark(gk) }
	if k.mode = mode; mode != watchMetadata {
		k.describe = c.describer(res)
	}
	c.index.begins()
	ctx, cancel := context.WithCancel(c.ctx)
	k.cancel = cancel
	c.kinds[gk] = k
	for namespace := range k.scopes {
		r := newReflector(c, res, namespace, k)
		r.onMissing = c.Refresh
		r.metadata = mode == watchMetadata
		k.watches = append(k.watches, r)
		c.watched.Go(func() { r.run(ctx) })
	}
}

// stopKind ends a watch; restarts says that the kind is only watched in another way from now on. The lock is held.
func (c *Cluster) stopKind(gk schema.GroupKind, k *kind, restarts bool) {
	if !k.answers() {
		c.sweep.doubt(gk)
		signal(c.sweeps)
	}
	k.drop()
	delete(c.kinds, gk)
	if !restarts {
		k.mu.RLock()
		k.tellKind(KindGone)
		k.mu.RUnlock()
	}
}

// SetFilter replaces the exclusions and inclusions.
func (c *Cluster) SetFilter(f settings.Filter) {
	c.mu.Lock()
	c.filter = f
	c.mu.Unlock()
	c.reconcile()
	c.planSweep()
}

// SetTracker replaces the rules by which marks are read. Everything is listed and swept again; until then it is
// unknown.
func (c *Cluster) SetTracker(t object.Tracker) {
	c.mu.Lock()
	if c.tracker == t {
		c.mu.Unlock()
		return
	}
	c.tracker = t
	for gk, k := range c.kinds {
		c.stopKind(gk, k, true)
	}
	c.sweep.reset()
	c.mu.Unlock()
	c.reconcile()
	c.planSweep()
}
