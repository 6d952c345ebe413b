// SPDX-License-Identifier: Apache-2.0

package application

import (
	"time"

	"github.com/bowline-cd/bowline/internal/object"
)

// mark says that a row is to be computed again.
type mark struct {
	due   time.Time // not before; zero: at once
	event bool      // nothing but changes of the object asked for it
	calm  bool      // the first in a while of that object: it waits for no other
}

// touch marks rows for a new comparison at once; no keys means all of them.
func (s *appState) touch(keys ...object.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signal()
	if len(keys) == 0 {
		s.allDirty = true
	}
	for _, k := range keys {
		s.dirty[k] = mark{}
	}
}

// noteEvent marks the row of an object that changed. wake reports whether a look has to be asked for, after a pause: a row
// that waits already, waits for this change too. held reports whether the object's budget keeps it waiting.
func (s *appState) noteEvent(key object.Key, now time.Time) (pause time.Duration, wake, held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signal()
	if m, waits := s.dirty[key]; waits {
		held = m.due.After(now)
		s.budget.hold(key, now, held)
		return 0, false, held
	}
	m := s.budget.admit(key, now)
	s.dirty[key] = m
	if pause = m.due.Sub(now); pause <= 0 {
		return 0, true, false
	}
	s.budget.hold(key, now, true)
	return pause, true, true
}

// takeDirty returns what is marked and clears the marks.
func (s *appState) takeDirty(now time.Time) (marked map[object.Key]mark, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	marked, all = s.dirty, s.allDirty
	s.dirty, s.allDirty = map[object.Key]mark{}, false
	for key, m := range marked {
		s.budget.spend(key, m, now)
	}
	return marked, all
}

// takeDue returns the marks that are due within the budget, and clears them; wait is until the next is, zero if no mark is
// left. Objects that were calm are always due: what many restless ones cost does not hold them up.
func (s *appState) takeDue(now time.Time) (due map[object.Key]mark, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	due = map[object.Key]mark{}
	later := func(d time.Duration) {
		if d > 0 && (wait == 0 || d < wait) {
			wait = d
		}
	}
	pause := s.budget.pause(now)
	restless := 0
	for key, m := range s.dirty {
		switch {
		case m.due.After(now):
			later(m.due.Sub(now))
		case !m.event || m.calm:
			due[key] = m
		case pause > 0:
			later(pause)
		default:
			due[key] = m
			restless++
		}
	}
	for key, m := range due {
		delete(s.dirty, key)
		s.budget.spend(key, m, now)
	}
	s.budget.spendLook(restless, now)
	return due, wait
}

// demand asks for a whole pass: something else than an object of the application has news.
func (s *appState) demand() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.demanded = true
}

// answer takes notice that a whole pass begins, which sees everything that was demanded.
func (s *appState) answer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.demanded = false
}

// demands reports whether a whole pass is due.
func (s *appState) demands(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	tell := s.budget.tellAt
	return s.demanded || s.allDirty || s.finished != nil || s.urgent || !tell.IsZero() && !now.Before(tell)
}
