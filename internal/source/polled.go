// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// polled is one repository that is followed, with its goroutine.
type polled struct {
	poller *Poller
	repo   Repository
	wake   chan struct{} // holds one token if there is something to do
	stop   context.CancelFunc

	mu        sync.Mutex
	ask       bool // the next turn has to ask the repository, recent refs or not
	waiting   []chan error
	revisions map[Revision]*followed
	lastOK    time.Time
	err       error
	failures  int
}

// followed is one revision.
type followed struct {
	owners map[string]bool
	commit string // last known
	err    error
}

// refused reports whether the repository says no to who we are. Then it is asked at its own pace, whoever calls: anybody
// may send hints, and accounts are locked for asking too often.
func (r *polled) refused() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	var failure *UnreachableError
	return r.failures > 0 && errors.As(r.err, &failure) && failure.Problem == ProblemAuth
}

// add notes that an owner follows a revision, and reports whether nobody did before.
func (r *polled) add(owner string, revision Revision) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, ok := r.revisions[revision]
	if !ok {
		f = &followed{owners: map[string]bool{}}
		r.revisions[revision] = f
	}
	f.owners[owner] = true
	return !ok
}

func (r *polled) drop(owner string, revision Revision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f, ok := r.revisions[revision]; ok {
		if delete(f.owners, owner); len(f.owners) == 0 {
			delete(r.revisions, revision)
		}
	}
}

func (r *polled) empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.revisions) == 0
}

func (r *polled) wakeUp(ask bool) {
	r.mu.Lock()
	r.ask = r.ask || ask
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// waitForNext returns a channel that gets the result of a poll that begins after now.
func (r *polled) waitForNext() chan error {
	wait := make(chan error, 1)
	r.mu.Lock()
	r.waiting = append(r.waiting, wait)
	r.mu.Unlock()
	r.wakeUp(true)
	return wait
}

// loop polls at once, and then when it is time, a hint came or somebody waits.
func (r *polled) loop(ctx context.Context) {
	defer r.release(context.Canceled)
	clock := r.poller.store.clock
	timer := clock.NewTimer(time.Hour)
	timer.Stop()
	r.wakeUp(true)
	var last time.Time // begin of the last poll
	for {
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C():
			r.wakeUp(true)
			continue
		case <-r.wake:
		}
		ask := r.mustAsk()
		if ask {
			if !r.sleep(ctx, pollFloor-clock.Since(last)) {
				return
			}
			last = clock.Now()
		}
		r.turn(ctx, ask)
		timer.Stop()
		if wait := r.untilNext(); wait > 0 {
			timer = clock.NewTimer(wait)
		}
	}
}

// sleep waits and reports whether ctx goes on.
func (r *polled) sleep(ctx context.Context, wait time.Duration) bool {
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := r.poller.store.clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C():
		return true
	}
}

func (r *polled) untilNext() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.poller.delay(r.failures, r.err)
}

// mustAsk reports whether recent refs do not do.
func (r *polled) mustAsk() bool {
	r.mu.Lock()
	ask := r.ask || len(r.waiting) > 0
	r.mu.Unlock()
	if ask {
		return true
	}
	if r.onlyArtifacts() {
		return false // each is asked for only if there is no recent answer
	}
	m, err := r.poller.store.mirror(r.repo)
	if err != nil {
		return true
	}
	_, ok := m.recentRefs(r.poller.store.options.RefsAge)
	return !ok
}

// turn finds out what each revision is now, fetches what moved in one request, and tells.
func (r *polled) turn(ctx context.Context, ask bool) {
	r.mu.Lock()
	waiting := r.waiting
	r.ask, r.waiting = false, nil
	revisions := make([]Revision, 0, len(r.revisions))
	for revision := range r.revisions {
		revisions = append(revisions, revision)
	}
	r.mu.Unlock()
	git, other := r.split(revisions)
	refs, err := r.refs(ctx, ask, git)
	if ctx.Err() != nil {
		answer(waiting, context.Cause(ctx))
		return
	}
	found := append(r.resolve(ctx, refs, err, git), r.findArtifacts(ctx, ask, other)...)
	if ctx.Err() != nil {
		answer(waiting, context.Cause(ctx))
		return
	}
	if err == nil {
		err = firstUnreachable(found)
	}
	r.note(err)
	r.tell(found)
	answer(waiting, err)
}

func answer(waiting []chan error, err error) {
	for _, wait := range waiting {
		wait <- err
	}
}

func (r *polled) release(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	answer(r.waiting, err)
	r.waiting = nil
}

// refs returns the repository's refs; none are asked for if only commits by their ids are followed.
func (r *polled) refs(ctx context.Context, ask bool, revisions []Revision) (Refs, error) {
	if !slices.ContainsFunc(revisions, func(v Revision) bool { return !IsCommitID(v.Name) }) {
		return Refs{Repository: r.repo}, nil
	}
	m, err := r.poller.store.mirror(r.repo)
	if err != nil {
		return Refs{}, err
	}
	for _, revision := range revisions {
		m.expect(revision)
	}
	if !ask {
		if refs, ok := m.recentRefs(r.poller.store.options.RefsAge); ok {
			return refs, nil
		}
	}
	refs, err := r.poller.store.Refs(ctx, r.repo)
	if err == nil {
		pace := r.poller.pace.Load()
		m.vouch(vouchForTwice*pace.interval + pace.jitter)
	}
	return refs, err
}

// finding is what a revision turned out to be.
type finding struct {
	revision Revision
	commit   string
	err      error
}

func (r *polled) resolve(ctx context.Context, refs Refs, failure error, revisions []Revision) []finding {
	found := make([]finding, 0, len(revisions))
	var moved []string
	for _, revision := range revisions {
		f := finding{revision: revision, err: failure}
		if failure == nil {
			f.commit, f.err = r.poller.store.ResolveIn(ctx, refs, revision)
		}
		if f.err == nil && !slices.Contains(moved, f.commit) {
			moved = append(moved, f.commit)
		}
		found = append(found, f)
	}
	failures := r.poller.store.fetchEach(ctx, r.repo, moved)
	for i := range found {
		if found[i].err == nil {
			found[i].err = r.fetchFailure(found[i], failures[found[i].commit])
		}
	}
	return found
}

// fetchFailure judges why the commit of a revision could not be fetched. If the server has not what its own branch
// just pointed to, the branch moved in between: that passes.
func (r *polled) fetchFailure(f finding, err error) error {
	var unknown *UnknownRevisionError
	if errors.As(err, &unknown) && !shortID.MatchString(f.revision.Name) && !IsCommitID(f.revision.Name) {
		return unreachable("fetch from", r.repo, ProblemBrokenOff, "commit "+f.commit+", to which "+f.revision.String()+" pointed a moment ago, is not there: "+unknown.Detail)
	}
	return err
}

func firstUnreachable(found []finding) error {
	for _, f := range found {
		if Unreachable(f.err) {
			return f.err
		}
	}
	return nil
}

func (r *polled) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err = err; err != nil {
		r.failures++
		return
	}
	r.failures, r.lastOK = 0, r.poller.store.clock.Now()
}

// tell reports what is new about each revision.
func (r *polled) tell(found []finding) {
	for _, f := range found {
		if move, ok := r.settle(f); ok {
			r.poller.onMove(move)
		}
	}
}

func (r *polled) settle(f finding) (Move, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.revisions[f.revision]
	if !ok || errors.Is(f.err, context.Canceled) {
		return Move{}, false
	}
	move := Move{Repository: r.repo, Revision: f.revision, From: known.commit, To: known.commit, Err: f.err}
	if f.err != nil {
		news := known.err == nil || known.err.Error() != f.err.Error()
		known.err = f.err
		return move, news
	}
	news := known.err != nil || known.commit != f.commit
	move.To, known.commit, known.err = f.commit, f.commit, nil
	return move, news
}
