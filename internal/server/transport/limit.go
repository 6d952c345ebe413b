// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Limits bound what callers can take. A field that is 0 has its default, which leaves room for a busy installation.
type Limits struct {
	// Body is how large a request may be, OpenBody that of a call without sign-in.
	Body, OpenBody int64
	// PerAddress and PerCaller are how many calls a second are let through, and three times as many at once.
	PerAddress, PerCaller float64
	// Calls is how many calls may be under way, streams aside.
	Calls int64
	// Streams is how many streams may be open, StreamsPerCaller how many of one caller.
	Streams, StreamsPerCaller int
	// Heartbeat is how often a quiet stream of events says that it is alive.
	Heartbeat time.Duration
	// Write is how long a caller may take to read what was sent.
	Write time.Duration
}

func (l Limits) withDefaults() Limits {
	l.Body, l.OpenBody = cmp.Or(l.Body, 32<<20), cmp.Or(l.OpenBody, 64<<10)
	l.PerAddress, l.PerCaller = cmp.Or(l.PerAddress, 10_000), cmp.Or(l.PerCaller, 5_000)
	l.Calls = cmp.Or(l.Calls, 1_000)
	l.Streams, l.StreamsPerCaller = cmp.Or(l.Streams, 5_000), cmp.Or(l.StreamsPerCaller, 2_000)
	l.Heartbeat, l.Write = cmp.Or(l.Heartbeat, 15*time.Second), cmp.Or(l.Write, 30*time.Second)
	return l
}

func tooMany(cause string) error {
	return &fault.Error{Kind: fault.Retry, Code: fault.TooManyRequests, Err: errors.New(cause), Fix: "call again more slowly"}
}

// limiter bounds how often calls are made, and how many at once.
type limiter struct {
	addresses, callers *buckets
	calls              *semaphore.Weighted
}

func newLimiter(l Limits, clock clock.PassiveClock) *limiter {
	return &limiter{
		addresses: &buckets{rate: l.PerAddress, clock: clock}, callers: &buckets{rate: l.PerCaller, clock: clock},
		calls: semaphore.NewWeighted(l.Calls),
	}
}

// address counts a call from an address.
func (l *limiter) address(r *http.Request) error {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if !l.addresses.take(host) {
		return tooMany("too many calls from one address")
	}
	return nil
}

// caller counts a call of whoever is calling; those who are not known are counted by address only.
func (l *limiter) caller(ctx context.Context) error {
	who, ok := auth.From(ctx)
	if ok && who.Kind != auth.Anonymous && !l.callers.take(who.Issuer+"|"+who.Subject) {
		return tooMany("too many calls of one caller")
	}
	return nil
}

// enter counts a call that is under way.
func (l *limiter) enter() (func(), error) {
	if !l.calls.TryAcquire(1) {
		return nil, tooMany("too many calls are under way")
	}
	return func() { l.calls.Release(1) }, nil
}

// maxBuckets is how many callers are remembered. When there are more, those are forgotten that have not called lately: their
// buckets are full again in any case.
const maxBuckets = 10_000

// buckets are rate limits by key.
type buckets struct {
	rate  float64
	clock clock.PassiveClock

	mu    sync.Mutex
	byKey map[string]*bucket
}

type bucket struct {
	*rate.Limiter
	last time.Time
}

// burst is how many seconds' worth of calls may be made at once.
const burst = 3

func (b *buckets) take(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	one := b.byKey[key]
	if one == nil {
		if len(b.byKey) >= maxBuckets {
			b.forget(now)
		}
		if b.byKey == nil {
			b.byKey = map[string]*bucket{}
		}
		one = &bucket{Limiter: rate.NewLimiter(rate.Limit(b.rate), max(1, int(b.rate*burst)))}
		b.byKey[key] = one
	}
	one.last = now
	return one.AllowN(now, 1)
}

func (b *buckets) forget(now time.Time) {
	for key, one := range b.byKey {
		if now.Sub(one.last) > burst*time.Second {
			delete(b.byKey, key)
		}
	}
	if len(b.byKey) >= maxBuckets {
		clear(b.byKey)
	}
}

// subscribers counts open streams.
type subscribers struct {
	all, each int

	mu     sync.Mutex
	total  int
	byName map[string]int
}

func newSubscribers(l Limits) *subscribers {
	return &subscribers{all: l.Streams, each: l.StreamsPerCaller, byName: map[string]int{}}
}

func (s *subscribers) enter(ctx context.Context) (func(), error) {
	who, _ := auth.From(ctx)
	name := who.Issuer + "|" + who.Subject
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.total >= s.all:
		return nil, tooMany("too many streams are open")
	case s.byName[name] >= s.each:
		return nil, tooMany("too many streams of one caller are open")
	}
	s.total++
	s.byName[name]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.total--
		if s.byName[name]--; s.byName[name] == 0 {
			delete(s.byName, name)
		}
	}, nil
}
