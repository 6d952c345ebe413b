// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
)

const notYet = "it has not been asked yet"

// backoff counts failures in a row and says how long to wait after each: doubling from first to most, with jitter so
// that many waiters do not come back at once.
type backoff struct {
	first, most time.Duration
	failures    int
}

func (b *backoff) next() time.Duration {
	d := b.most
	if b.failures < 16 {
		d = min(b.first<<b.failures, b.most)
	}
	b.failures++
	return jitter(d)
}

func (b *backoff) reset() { b.failures = 0 }

// jitter returns between half of d and d.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, c clock.Clock, d time.Duration) error {
	timer := c.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C():
		return nil
	}
}

// link knows whether the API server answers. While it does not, only its probe asks, and everyone else waits: fifty
// kinds of a dead cluster cost one request at a time.
type link struct {
	clock  clock.Clock
	probe  func(context.Context) error
	change func(connected bool, reason string)

	mu      sync.Mutex
	up      chan struct{} // closed while the API server answers
	isUp    bool
	reason  string
	since   time.Time // of the present state
	contact time.Time // last answer
	suspect chan struct{}
}

func newLink(c clock.Clock, probe func(context.Context) error, change func(bool, string)) *link {
	return &link{clock: c, probe: probe, change: change, up: make(chan struct{}), reason: notYet, since: c.Now(), suspect: make(chan struct{}, 1)}
}

// run probes until ctx ends: at once, whenever somebody suspects, and every minute.
func (l *link) run(ctx context.Context) {
	wait := backoff{first: 500 * time.Millisecond, most: time.Minute} // 30 s at least, in the end
	for {
		probeCtx, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := l.probe(probeCtx)
		cancel()
		if ctx.Err() != nil {
			return
		}
		l.set(err)
		if err != nil {
			if sleep(ctx, l.clock, wait.next()) != nil {
				return
			}
			continue
		}
		wait.reset()
		timer := l.clock.NewTimer(jitter(time.Minute))
		select {
		case <-ctx.Done():
		case <-l.suspect:
		case <-timer.C():
		}
		timer.Stop()
	}
}

func (l *link) set(err error) {
	l.mu.Lock()
	now, was, reason := l.clock.Now(), l.isUp, ""
	first := l.reason == notYet
	if err == nil {
		l.contact = now
	} else {
		reason = err.Error()
	}
	l.isUp, l.reason = err == nil, reason
	if was != l.isUp {
		l.since = now
		if l.isUp {
			close(l.up)
		} else {
			l.up = make(chan struct{})
		}
	}
	l.mu.Unlock()
	if was != (err == nil) || first {
		l.change(err == nil, reason)
	}
}

// wait blocks until the API server answers or ctx ends.
func (l *link) wait(ctx context.Context) error {
	l.mu.Lock()
	up := l.up
	l.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-up:
		return nil
	}
}

// ready says whether a request is worth sending: it waits for the first probe, and fails at once while the API server is
// known not to answer. Without a probe (the cluster does not run) every request finds out for itself.
func (l *link) ready(ctx context.Context, probing bool) error {
	l.mu.Lock()
	up, isUp, reason := l.up, l.isUp, l.reason
	l.mu.Unlock()
	switch {
	case isUp || !probing:
		return nil
	case reason != notYet:
		return errors.New(reason)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-up:
		return nil
	}
}

// report tells the link how a request ended; an error without an HTTP answer makes it probe now.
func (l *link) report(err error) {
	if !unreachable(err) {
		return
	}
	select {
	case l.suspect <- struct{}{}:
	default:
	}
}

// state returns whether the API server answers, if not why, and since when.
func (l *link) state() (up bool, reason string, since, contact time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.isUp, l.reason, l.since, l.contact
}

// unreachable reports whether err says that no HTTP answer came.
func unreachable(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, io.EOF) || errors.Is(err, errBarren) {
		return false
	}
	var status apierrors.APIStatus
	return !errors.As(err, &status)
}
