// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// slowRate is how many applications a second get a newer revision of unchanged content written into their status. 5,000
// applications of one repository have it after about a minute, at a cost the API server does not notice.
const slowRate = 80

// slowLane holds applications whose only news is a newer revision.
type slowLane struct {
	mu      sync.Mutex
	order   []string
	waiting map[string]bool
	wake    chan struct{}
	still   time.Time // until when the lane stands still
}

func newSlowLane() *slowLane {
	return &slowLane{waiting: map[string]bool{}, wake: make(chan struct{}, 1)}
}

func (l *slowLane) add(ids ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		if !l.waiting[id] {
			l.waiting[id] = true
			l.order = append(l.order, id)
		}
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// What has something new goes first: the lane stands still for a moment, and then for a while does not again, so that
// commits in a row do not stop it.
const (
	slowPause = time.Second
	slowGoes  = 4 * time.Second
)

// giveWay lets what a commit touched go first.
func (l *slowLane) giveWay(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.still) > slowGoes {
		l.still = now.Add(slowPause)
	}
}

// pause returns how long the lane still stands.
func (l *slowLane) pause(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(l.still.Sub(now), 0)
}

func (l *slowLane) take() (id string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.order) == 0 {
		return "", false
	}
	id, l.order = l.order[0], l.order[1:]
	delete(l.waiting, id)
	return id, true
}

// run hands out what waits, at the lane's rate, until ctx ends.
func (l *slowLane) run(ctx context.Context, now func() time.Time, flush func(id string)) {
	for {
		if wait := l.pause(now()); wait > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			continue
		}
		id, ok := l.take()
		if !ok {
			select {
			case <-ctx.Done():
				return
			case <-l.wake:
			}
			continue
		}
		flush(id)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second / slowRate):
		}
	}
}

// backoffs counts failures by name and says how long to wait for the next try: 1 s, doubled, up to 3 min, with jitter
// so that what failed together is not tried together for ever.
type backoffs struct {
	mu       sync.Mutex
	failures map[string]int
}

const (
	backoffBase = time.Second
	backoffCap  = 3 * time.Minute
)

func newBackoffs() *backoffs { return &backoffs{failures: map[string]int{}} }

func (b *backoffs) next(id string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.failures[id]
	b.failures[id] = n + 1
	wait := backoffCap
	if n < 8 {
		wait = min(backoffBase<<n, backoffCap)
	}
	return wait/2 + rand.N(wait/2)
}

func (b *backoffs) forget(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.failures, id)
}
