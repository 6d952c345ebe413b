// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"time"
)

const (
	// lookEvery is the pause between looks at what is waited for if nobody tells of changes.
	lookEvery = 2 * time.Second
	// askEvery is the pause between questions to the API server about an object that is not watched, and the longest between
	// looks at what is.
	askEvery = 10 * time.Second
	// tellEvery is the shortest time between two words about what is waited for.
	tellEvery = time.Second
	// blockedEvery is the longest pause between questions whether a run that is blocked may go on; a change asks at once.
	blockedEvery = 30 * time.Second
)

// until asks done, now and then, until it says yes, the time is over or ctx ends. It returns false in the latter cases.
func (r *run) until(ctx context.Context, limit time.Duration, done func() (bool, error)) (bool, error) {
	deadline := r.Clock.Now().Add(limit)
	for {
		yes, err := done()
		if yes || err != nil {
			return yes, err
		}
		if !r.Clock.Now().Before(deadline) {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-r.Clock.After(pollEvery):
		}
	}
}

// pause rests until an object changed or the time is over, and reports false if the run is stopped.
func (r *run) pause(limit time.Duration) bool {
	r.rest()
	select {
	case <-r.ctx.Done():
	case <-r.Changed:
	case <-r.Clock.After(limit):
	}
	return !r.stopped()
}

// sleep rests until the time is over, whatever changes, and reports false if the run is stopped.
func (r *run) sleep(d time.Duration) bool {
	r.rest()
	select {
	case <-r.ctx.Done():
	case <-r.Clock.After(d):
	}
	return !r.stopped()
}

// rest gives the run's place to others, until work. It may be called from several goroutines: the first that works again takes
// the place back for all.
func (r *run) rest() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Rest != nil && r.resume == nil {
		r.resume = r.Rest()
	}
}

// work takes a place again, and reports false if the run is stopped.
func (r *run) work() bool {
	r.mu.Lock()
	resume := r.resume
	r.resume = nil
	r.mu.Unlock()
	if resume != nil && resume(r.ctx) != nil {
		return false
	}
	return !r.stopped()
}

// unblocked waits until the run may go on, and reports false if it is stopped.
func (r *run) unblocked() bool {
	if r.Blocked == nil || r.DryRun {
		return true
	}
	for {
		reason := r.Blocked()
		if reason == "" {
			return r.work()
		}
		r.tell(reason)
		if !r.pause(blockedEvery) {
			return false
		}
	}
}

// tell says what is waited for: once, and not too often.
func (r *run) tell(message string) {
	now := r.Clock.Now()
	if r.Record == nil || r.told == message || r.DryRun || now.Sub(r.toldAt) < tellEvery {
		return
	}
	r.told, r.toldAt = message, now
	_ = r.Record(r.ctx, r.progress(message), false) // what is not durable may be lost
}

// settle returns once the record holds what became of everything so far. An error stops the run. It rests meanwhile.
func (r *run) settle(message string) error {
	if r.Record == nil {
		return nil
	}
	r.told, r.toldAt = message, r.Clock.Now()
	r.rest() // the record may be long in coming
	return r.Record(r.ctx, r.progress(message), true)
}

func (r *run) progress(message string) Progress {
	return Progress{Message: message, Resources: r.report.resources()}
}
