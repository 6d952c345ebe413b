// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// limiter bounds how many writes run at once on one cluster, and finds the bound itself: it grows by one for each
// round of writes that went well, and shrinks by a share when the API server says 429 or its answers become slow
// compared with its own best (additive increase, multiplicative decrease).
type limiter struct {
	clock clock.Clock

	mu      sync.Mutex
	limit   float64
	inUse   int
	best    time.Duration // the latency of an idle API server, forgotten slowly
	smooth  time.Duration // the latency now
	shrunk  time.Time     // when the limit last shrank: one crowd of bad answers counts once
	blocked time.Time     // no write starts before
	waiting []chan struct{}
}

const (
	firstLimit = 16
	leastLimit = 1
	slowLimit  = 8 // slowness alone goes no lower: a slow webhook is not an overloaded API server
	mostLimit  = 64
	slowFactor = 8 // this many times the best latency is slow
	slowLeast  = 250 * time.Millisecond
)

func newLimiter(c clock.Clock) *limiter { return &limiter{clock: c, limit: firstLimit} }

// acquire waits for a place. done tells how the write went.
func (l *limiter) acquire(ctx context.Context) (done func(took time.Duration, overloaded bool, retryAfter time.Duration), err error) {
	for {
		l.mu.Lock()
		pause := l.blocked.Sub(l.clock.Now())
		if pause <= 0 && l.inUse < int(l.limit) {
			l.inUse++
			l.mu.Unlock()
			return l.release, nil
		}
		if pause > 0 {
			l.mu.Unlock()
			if err := sleep(ctx, l.clock, jitter(2*pause)); err != nil {
				return nil, err
			}
			continue
		}
		turn := make(chan struct{})
		l.waiting = append(l.waiting, turn)
		l.mu.Unlock()
		select {
		case <-turn:
		case <-ctx.Done():
			l.pass(turn)
			return nil, ctx.Err()
		}
	}
}

// pass gives up a place in the queue, or hands on the turn that came at the same moment.
func (l *limiter) pass(turn chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, other := range l.waiting {
		if other == turn {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			return
		}
	}
	l.wake()
}

func (l *limiter) release(took time.Duration, overloaded bool, retryAfter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	full := l.inUse >= int(l.limit)
	l.inUse--
	now := l.clock.Now()
	switch {
	case overloaded:
		l.shrink(now, 0.5, leastLimit)
		if until := now.Add(retryAfter); until.After(l.blocked) {
			l.blocked = until
		}
	default:
		l.observe(took)
		if l.smooth > slowLeast && l.smooth > slowFactor*l.best {
			l.shrink(now, 0.8, slowLimit)
		} else if full {
			l.limit = min(mostLimit, l.limit+1/l.limit)
		}
	}
	l.wake()
}

func (l *limiter) observe(took time.Duration) {
	if l.best == 0 || took < l.best {
		l.best = took
	} else {
		l.best += (took - l.best) / 1000
	}
	if l.smooth == 0 {
		l.smooth = took
	}
	l.smooth += (took - l.smooth) / 8
}

func (l *limiter) shrink(now time.Time, by, least float64) {
	if now.Sub(l.shrunk) < max(l.smooth, 100*time.Millisecond) {
		return
	}
	l.shrunk = now
	l.limit = max(min(l.limit, least), l.limit*by)
}

// wake lets as many waiters try as there are places. The lock is held.
func (l *limiter) wake() {
	for free := int(l.limit) - l.inUse; free > 0 && len(l.waiting) > 0; free-- {
		close(l.waiting[0])
		l.waiting = l.waiting[1:]
	}
}
