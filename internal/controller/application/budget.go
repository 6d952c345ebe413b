// SPDX-License-Identifier: Apache-2.0

package application

import (
	"time"

	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
)

// The event budget of an application bounds what changes of its objects cost, first for each object and then for all
// that are restless: see docs/decisions/0021-rows-and-budgets.md.
const (
	// objectShare is which part of the application's budget one object may use.
	objectShare = 5
	// rowsPerLook is how many rows of restless objects one look costs no more than one.
	rowsPerLook = 100
	// passCost is what a whole pass costs that a change of an object leads to, in looks.
	passCost = 5
)

// rate is how fast a bucket fills: a token every so often, up to burst of them. A zero rate bounds nothing.
type rate struct {
	every time.Duration
	burst int
}

// rates returns the rates of the looks at an application, and at one of its objects.
func rates(b settings.EventBudget) (looks, objects rate) {
	if b.PerSecond <= 0 {
		return rate{}, rate{}
	}
	every := time.Duration(float64(time.Second) / b.PerSecond)
	return rate{every, max(1, b.Burst)}, rate{objectShare * every, max(1, b.Burst/objectShare)}
}

// bucket is a token bucket, kept as the time when it is full again.
type bucket struct{ full time.Time }

// ready returns when there is a token.
func (b bucket) ready(r rate) time.Time { return b.full.Add(-time.Duration(r.burst-1) * r.every) }

// take takes n tokens, more than there are if need be.
func (b *bucket) take(r rate, n int, now time.Time) {
	if now.After(b.full) {
		b.full = now
	}
	b.full = b.full.Add(time.Duration(n) * r.every)
}

// An object is told of as restless when its budget kept it waiting, again and again, for restlessAfter; it is calm when
// that did not happen for calmAfter.
const (
	restlessAfter = 30 * time.Second
	calmAfter     = time.Minute
)

// pace is how often the row of one object is looked at.
type pace struct {
	bucket
	since, last time.Time // it was kept waiting: first and last
	compared    time.Time // when a change of it was compared, as it was no noise
	writer      string    // who wrote it when it was told of; "" before that
}

// restless reports whether it was kept waiting lately.
func (p *pace) restless(now time.Time) bool { return !p.last.IsZero() && now.Sub(p.last) < calmAfter }

// works reports whether its changes were compared lately: those that are noise are nothing to tell of.
func (p *pace) works(now time.Time) bool {
	return !p.compared.IsZero() && now.Sub(p.compared) < calmAfter
}

// budget is what an application's events may cost. The zero value has no bounds. The state's lock is held when it is used.
type budget struct {
	looks, objects rate
	spent          bucket
	paces          map[object.Key]*pace // of the objects that changed lately
	tellAt         time.Time            // when a restless object has to be told of; zero: none
}

// set takes the settings of the moment, and forgets the objects that have become calm.
func (b *budget) set(s settings.EventBudget, now time.Time) {
	b.looks, b.objects = rates(s)
	for key, p := range b.paces {
		if !p.full.After(now) && !p.restless(now) {
			delete(b.paces, key)
		}
	}
}

// admit returns the mark of an object that changed.
func (b *budget) admit(key object.Key, now time.Time) mark {
	p := b.paces[key]
	if p == nil || b.objects.every == 0 {
		return mark{event: true, calm: true}
	}
	return mark{due: p.ready(b.objects), event: true, calm: !p.full.After(now)}
}

// hold notes whether an object's change was kept waiting.
func (b *budget) hold(key object.Key, now time.Time, held bool) {
	p := b.paces[key]
	if !held || p == nil {
		return
	}
	if !p.restless(now) {
		p.since, p.writer = now, ""
	}
	p.last = now
	if at := p.since.Add(restlessAfter); p.writer == "" && p.works(now) && (b.tellAt.IsZero() || at.Before(b.tellAt)) {
		b.tellAt = at
	}
}

// spend takes the token of one look at an object.
func (b *budget) spend(key object.Key, m mark, now time.Time) {
	if !m.event || b.objects.every == 0 {
		return
	}
	p := b.paces[key]
	if p == nil {
		if b.paces == nil {
			b.paces = map[object.Key]*pace{}
		}
		p = &pace{}
		b.paces[key] = p
	}
	p.take(b.objects, 1, now)
}

// pause returns how long restless objects have to wait for their application's budget.
func (b *budget) pause(now time.Time) time.Duration {
	return max(0, b.spent.ready(b.looks).Sub(now))
}

// spendLook takes what a look at so many rows of restless objects costs.
func (b *budget) spendLook(rows int, now time.Time) {
	b.spent.take(b.looks, (rows+rowsPerLook-1)/rowsPerLook, now)
}

// compared notes that a change of an object was no noise.
func (s *appState) compared(key object.Key, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.budget.paces[key]; p != nil {
		p.compared = now
	}
}

// spendPass takes what a pass costs that a change of an object led to.
func (s *appState) spendPass(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budget.spent.take(s.budget.looks, passCost, now)
}

// restless returns the objects to tell of with whoever wrote them, "" if that was not asked yet, and how long it takes
// until there are more or fewer; zero if that needs an event.
func (s *appState) restless(now time.Time) (writers map[object.Key]string, next time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budget.tellAt = time.Time{}
	writers = map[object.Key]string{}
	for key, p := range s.budget.paces {
		if !p.restless(now) || !p.works(now) {
			continue
		}
		at := p.last.Add(calmAfter)
		if tell := p.since.Add(restlessAfter); p.writer == "" && tell.After(now) {
			at = tell
		} else {
			writers[key] = p.writer
		}
		if d := at.Sub(now); next == 0 || d < next {
			next = d
		}
	}
	return writers, next
}

// wroteIt notes who wrote a restless object when it was told of: if several do, the condition does not alternate.
func (s *appState) wroteIt(key object.Key, writer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.budget.paces[key]; p != nil {
		p.writer = writer
	}
}
