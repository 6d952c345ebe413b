// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/health"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
)

// Options are what a Cluster needs besides its Config. Zero values are replaced by working defaults.
type Options struct {
	Tracker      object.Tracker
	Filter       settings.Filter
	Judge        *health.Judge // of what trees show; nil judges by the rules that need no settings
	RespectRBAC  settings.RespectRBAC
	Clock        clock.Clock
	Logger       *slog.Logger
	Metrics      Metrics
	Schemas      *Schemas      // shared between clusters, so that equal CRDs are held once
	UserAgent    string        // "" means client-go's
	Grace        time.Duration // how long a failing watch still counts as current (1 min)
	SweepEvery   time.Duration // how often all kinds are swept again (24 h)
	RelistSpread time.Duration // over how long lists after an expired watch are spread (1 s)
	RetryRefused time.Duration // least pause after a refused list (30 s)
	FirstSilence time.Duration // how long a streamed list may show nothing before lists come in pages (15 s)
	Silence      time.Duration // how long a watch with bookmarks may be silent before it is opened anew (3 min)
	ProbeEvery   time.Duration // how often each kind is held against a fresh list (10 min)
	ProbePause   time.Duration // how long a difference has to last before the kind is listed anew (15 s)
	PagedLists   bool          // never ask for streamed lists
}

// Metrics are called as things happen; nil ones are left out. They must not block.
type Metrics struct {
	Event        func(schema.GroupVersionKind) // a watch event
	APIResources func(n int)                   // kinds the cluster serves
	Connected    func(bool)                    // the API server began or ceased to answer
	Sweep        func(kinds, objects int, took time.Duration)
}

func (m Metrics) event(gvk schema.GroupVersionKind) {
	if m.Event != nil {
		m.Event(gvk)
	}
}

// Cluster is a connection to one API server. All methods are safe for concurrent use; reads and writes work before
// Run, but then the store is empty and says so.
type Cluster struct {
	cfg       Config
	opts      Options
	api       *api
	link      *link
	reads     semaphore
	retries   semaphore // for lists that failed before
	looks     semaphore // for the sweep
	streaming streaming
	probes    probes
	access    access
	writes    *limiter
	feed      *feed
	index     *index
	refills   *refills
	judging   atomic.Pointer[health.Judge]
	crds      *crdWatch

	closed    chan struct{}
	closeOnce sync.Once
	running   sync.WaitGroup // Run, if it was called
	refreshes chan struct{}  // discovery is asked for
	sweeps    chan struct{}  // the sweep has something to do
	discovers sync.Mutex     // one discovery at a time

	mu      sync.RWMutex
	ctx     context.Context // of Run; nil before
	version string
	catalog *catalog
	tracker object.Tracker
	filter  settings.Filter
	view    view
	asked   map[schema.GroupKind]string // kinds of Watch and Get, with the version asked for first
	kinds   map[schema.GroupKind]*kind
	watched sync.WaitGroup // reflectors

	sweep sweepState
}

// How many lists of watched kinds run at once on one cluster, how many of those that failed before, and how many of the
// sweep, which keep nothing and mostly find nothing.
const (
	parallelReads   = 8
	parallelRetries = 2
	parallelLooks   = 16
)

// Open prepares a connection; nothing is sent yet. An error means that the Config cannot work (a broken certificate).
func Open(cfg Config, opts Options) (*Cluster, error) {
	if cfg.REST == nil {
		return nil, fault.New(fault.Bug, "connect to", "cluster "+cfg.Name, "", "it has no connection settings", "")
	}
	rest := *cfg.REST
	if opts.UserAgent != "" {
		rest.UserAgent = opts.UserAgent
	}
	client, err := newAPI(&rest)
	if err != nil {
		return nil, fault.Wrap(fault.Stalled, "connect to", "cluster "+cfg.Name, err, "correct the cluster's config")
	}
	c := &Cluster{
		cfg: cfg, opts: opts.withDefaults(), api: client, reads: make(semaphore, parallelReads), retries: make(semaphore, parallelRetries), looks: make(semaphore, parallelLooks), feed: newFeed(), index: newIndex(),
		closed: make(chan struct{}), refreshes: make(chan struct{}, 1), sweeps: make(chan struct{}, 1),
		tracker: opts.Tracker, filter: opts.Filter, asked: map[schema.GroupKind]string{}, kinds: map[schema.GroupKind]*kind{},
	}
	c.writes = newLimiter(c.opts.Clock)
	c.refills = newRefills()
	c.index.refills, c.index.calm = c.refills.add, c.refills.calmed
	c.judging.Store(opts.Judge)
	c.link = newLink(c.opts.Clock, c.probe, c.linkChanged)
	c.crds = newCRDWatch(c)
	c.sweep.reset()
	c.access.set(opts.RespectRBAC)
	return c, nil
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Schemas == nil {
		o.Schemas = NewSchemas()
	}
	orDefault(&o.Grace, time.Minute)
	orDefault(&o.SweepEvery, 24*time.Hour)
	orDefault(&o.RelistSpread, time.Second)
	orDefault(&o.RetryRefused, 30*time.Second)
	orDefault(&o.FirstSilence, 15*time.Second)
	orDefault(&o.Silence, 3*time.Minute)
	orDefault(&o.ProbeEvery, 10*time.Minute)
	orDefault(&o.ProbePause, 15*time.Second)
	return o
}

func orDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// Config returns what the connection was opened with.
func (c *Cluster) Config() Config { return c.cfg }

// Close ends everything the Cluster started and waits for it. Run returns.
func (c *Cluster) Close() {
	c.closeOnce.Do(func() { close(c.closed) })
	c.running.Wait()
	c.feed.close()
	c.api.close()
	c.opts.Schemas.forget(c)
}

// Subscribe calls fn for each Change from now on, until cancel is called or the Cluster closes. fn runs in a goroutine
// of its own; while it runs, further changes wait and those of one key become one.
func (c *Cluster) Subscribe(fn func(Change)) (cancel func()) { return c.feed.subscribe(fn) }

// semaphore bounds how many do something at once.
type semaphore chan struct{}

func (s semaphore) acquire(ctx context.Context) (release func(), err error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case s <- struct{}{}:
		return func() { <-s }, nil
	}
}
