// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"

	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/server/application/attention"
	"github.com/bowline-cd/bowline/internal/server/application/index"
)

// listings are what open views show: one for all that ask for the same and may see the same, so that a hundred people who look
// at one list cost about what one costs. The last who leaves takes it along.
type listings struct {
	mu  sync.Mutex
	all map[listingKey]*listing
}

// listingKey is what was asked for, and which applications may be seen.
type listingKey struct{ query, seen string }

// listing is what was found for all that ask for it.
type listing struct {
	key     listingKey
	viewers int // guarded by listings

	mu   sync.Mutex
	now  *finding
	pace pace
}

// finding is a listing as it was at one moment. It is not changed.
type finding struct {
	index.Arrangement
	changes uint64 // of the index, that are in it
	facets  map[string][]bowline.FacetCount
	tally   map[string]int64
	made    time.Time
	cost    time.Duration // what making it takes
}

func (l *listings) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

func (l *listings) enter(key listingKey) *listing {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[listingKey]*listing{}
	}
	one := l.all[key]
	if one == nil {
		one = &listing{key: key}
		l.all[key] = one
	}
	one.viewers++
	return one
}

func (l *listings) leave(one *listing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one.viewers--; one.viewers == 0 {
		delete(l.all, one.key)
	}
}

// at returns the listing with the changes of the index so far, and not older than half a tick. Who comes while it is being made
// waits, and takes what was made.
func (l *listing) at(changes uint64, now clock.PassiveClock, find func() (index.Arrangement, error)) (*finding, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now != nil && l.now.changes >= changes && now.Since(l.now.made) < listTick/2 {
		return l.now, nil
	}
	made := now.Now()
	arranged, err := find()
	if err != nil {
		return nil, err
	}
	l.now = &finding{arranged, changes, facetsOf(arranged.Facets), tallyOf(arranged.Attention), made, l.pace.note(now.Since(made))}
	return l.now, nil
}

// pace knows what something takes. Of the last times it was done it believes the fastest: the others were interrupted.
type pace struct {
	last [8]time.Duration
	n    int
}

// note takes notice of what it took now, and returns what it takes.
func (p *pace) note(took time.Duration) time.Duration {
	p.last[p.n%len(p.last)] = took
	p.n++
	return slices.Min(p.last[:min(p.n, len(p.last))])
}

func tallyOf(t index.Tally) map[string]int64 {
	out := make(map[string]int64, len(t))
	for rank, n := range t {
		out[attention.Words[rank]] = n
	}
	return out
}

// seen is what a caller may see.
type seen struct {
	sight *sight // nil: it does not depend on roles
	key   string
	has   func(*index.Entry) bool
}

// visible returns what the caller of ctx may see of the applications there are.
func (s *Service) visible(ctx context.Context, changes uint64) seen {
	var of *sight
	if who, ok := auth.From(ctx); ok && who.Kind != auth.Core {
		of = s.sights.of(who, s.Gate.Roles.Changed)
		if bits, known := of.visible(changes); known {
			return seenBy(of, bits)
		}
	}
	var bits index.Bits
	sees := s.sees(ctx)
	all, _ := s.Index.All()
	for _, e := range all {
		if !bits.Has(e.Right) && sees(e) {
			bits.Set(e.Right, true)
		}
	}
	if of != nil {
		of.keep(changes, bits)
	}
	return seenBy(of, bits)
}

func seenBy(of *sight, bits index.Bits) seen {
	key := make([]byte, 0, 8*len(bits))
	for _, word := range bits {
		key = binary.LittleEndian.AppendUint64(key, word)
	}
	return seen{of, string(key), func(e *index.Entry) bool { return bits.Has(e.Right) }}
}
