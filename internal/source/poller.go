// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// Watch is what an owner wants to follow of one repository.
type Watch struct {
	Repository Repository
	Revisions  []Revision
}

// Move says what became of a revision that somebody follows. To is ready in the mirror when it is told. From and To are
// commits; for charts and registries the digests of a Pin, without what they name having been fetched.
// There is one for a revision's first commit (From is ""), for each further one, for the first of equal failures (Err; From
// and To are the last commit known), and for the end of a failure (From and To equal, Err nil).
type Move struct {
	Repository Repository
	Revision   Revision
	From, To   string
	Err        error
}

// PollerOptions of a Poller.
type PollerOptions struct {
	// Interval between polls of a repository, and the most that is added to it at random. An Interval of 0 means that
	// repositories are asked at first and then on hints and refreshes only. Poller.SetPace changes both.
	Interval, Jitter time.Duration
	// OnMove is told of moves, one repository's in order, by the goroutine of that repository: it must not block.
	OnMove func(Move)
}

// Poller follows the revisions of repositories: one goroutine and one request for each repository, whatever the
// number of its owners; a repository that fails backs off by itself and delays no other.
type Poller struct {
	store  *Store
	onMove func(Move)
	pace   atomic.Pointer[pace]

	mu     sync.Mutex
	base   context.Context // of Run; nil before
	owners map[string][]Watch
	polled map[string]*polled // by Repository.Key
	work   sync.WaitGroup
}

// NewPoller returns a Poller that follows nothing yet.
func NewPoller(store *Store, options PollerOptions) *Poller {
	if options.OnMove == nil {
		options.OnMove = func(Move) {}
	}
	p := &Poller{store: store, onMove: options.OnMove, owners: map[string][]Watch{}, polled: map[string]*polled{}}
	p.pace.Store(&pace{options.Interval, options.Jitter})
	return p
}

// pace is how often a repository is asked.
type pace struct{ interval, jitter time.Duration }

// SetPace changes the Interval and the Jitter that the Poller was made with, from now on.
func (p *Poller) SetPace(interval, jitter time.Duration) {
	next := &pace{interval, jitter}
	if before := p.pace.Swap(next); *before == *next {
		return
	}
	for _, r := range p.entries() {
		r.wakeUp(false)
	}
}

// Run polls until ctx ends, and returns when all its goroutines have.
func (p *Poller) Run(ctx context.Context) {
	p.mu.Lock()
	p.base = ctx
	for _, r := range p.polled {
		p.begin(r)
	}
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()   // after this nobody adds a goroutine: see begin
	p.mu.Unlock() //nolint:staticcheck // the lock is all that is wanted
	p.work.Wait()
}

// Want replaces what an owner follows. Revisions that are new to a repository are looked up at once.
func (p *Poller) Want(owner string, watches ...Watch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.owners[owner]
	if p.owners[owner] = watches; len(watches) == 0 {
		delete(p.owners, owner)
	}
	for _, w := range watches {
		r := p.follow(w.Repository)
		for _, revision := range w.Revisions {
			if r.add(owner, revision) {
				r.wakeUp(false)
			}
		}
	}
	for _, w := range before {
		p.leave(owner, w, watches)
	}
}

// Forget ends what an owner follows.
func (p *Poller) Forget(owner string) { p.Want(owner) }

// follow returns the entry of a repository; the caller holds mu.
func (p *Poller) follow(r Repository) *polled {
	key := r.Key()
	entry, ok := p.polled[key]
	if !ok {
		entry = &polled{poller: p, repo: r, wake: make(chan struct{}, 1), revisions: map[Revision]*followed{}}
		p.polled[key] = entry
		if p.base != nil {
			p.begin(entry)
		}
	}
	return entry
}

func (p *Poller) begin(r *polled) {
	if p.base.Err() != nil {
		return
	}
	var ctx context.Context
	ctx, r.stop = context.WithCancel(p.base)
	p.work.Go(func() { r.loop(ctx) })
}

// leave drops what an owner wanted before and does not want now; the caller holds mu.
func (p *Poller) leave(owner string, before Watch, now []Watch) {
	key := before.Repository.Key()
	r, ok := p.polled[key]
	if !ok {
		return
	}
	for _, revision := range before.Revisions {
		still := slices.ContainsFunc(now, func(w Watch) bool {
			return w.Repository.Key() == key && slices.Contains(w.Revisions, revision)
		})
		if !still {
			r.drop(owner, revision)
		}
	}
	if r.empty() {
		delete(p.polled, key)
		if r.stop != nil {
			r.stop()
		}
	}
}

// Hint says that a repository, in whatever form its address is given, may have moved. It is asked soon, at most
// once a second; one that refuses who we are keeps its own pace. Hint returns how many repositories that are.
func (p *Poller) Hint(url string) int {
	n := 0
	for _, r := range p.entries() {
		if object.SameRepo(url, r.repo.URL) && !r.refused() {
			r.wakeUp(true)
			n++
		}
	}
	return n
}

func (p *Poller) entries() []*polled {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Values(p.polled))
}

// Refresh asks the repositories of an owner now, waits for the answers, and returns the first failure.
func (p *Poller) Refresh(ctx context.Context, owner string) error {
	var waits []chan error
	p.mu.Lock()
	for _, w := range p.owners[owner] {
		if r, ok := p.polled[w.Repository.Key()]; ok {
			waits = append(waits, r.waitForNext())
		}
	}
	p.mu.Unlock()
	var first error
	for _, wait := range waits {
		select {
		case err := <-wait:
			if first == nil {
				first = err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return first
}

// State returns when a repository last answered and, if its last poll failed, why.
func (p *Poller) State(r Repository) (lastOK time.Time, err error) {
	p.mu.Lock()
	entry, ok := p.polled[r.Key()]
	p.mu.Unlock()
	if !ok {
		return time.Time{}, nil
	}
	entry.mu.Lock()
	defer entry.mu.Unlock()
	return entry.lastOK, entry.err
}

// Repositories returns every repository that has an owner.
func (p *Poller) Repositories() []Repository {
	var out []Repository
	for _, r := range p.entries() {
		out = append(out, r.repo)
	}
	return out
}

const (
	pollFloor     = time.Second      // between two polls of one repository, whoever asks
	firstRetry    = 5 * time.Second  // after a failure that may pass by itself
	firstStalled  = 30 * time.Second // after one that needs somebody: wrong passwords lock accounts
	slowestRetry  = 2 * time.Minute  // if there is no interval to go by
	vouchForTwice = 2                // intervals for which a poll's refs count as recent
)

// delay returns the time until the next poll after failures in a row; 0 means none is due.
func (p *Poller) delay(failures int, err error) time.Duration {
	interval, jitter := p.pace.Load().interval, time.Duration(0)
	if most := p.pace.Load().jitter; most > 0 {
		jitter = rand.N(most) //nolint:gosec // spreads load
	}
	if failures == 0 {
		if interval <= 0 {
			return 0
		}
		return interval + jitter
	}
	first := firstRetry
	if !fault.Is(err, fault.Retry) {
		first = firstStalled
	}
	slowest := max(interval, first)
	if interval <= 0 {
		slowest = slowestRetry
	}
	wait := min(first<<min(failures-1, 10), slowest)
	return wait + rand.N(wait/4+1) //nolint:gosec // spreads load
}
