// SPDX-License-Identifier: Apache-2.0

package application

import (
	"fmt"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
)

// shift is an application whose events are served for a while by a clock of its own.
type shift struct {
	st     *appState
	now    time.Time
	wakeAt time.Time
	step   time.Duration
	looks  map[object.Key][]time.Time
}

func newShift() *shift {
	s := &shift{st: newAppState("shop"), now: now, step: time.Millisecond, looks: map[object.Key][]time.Time{}}
	s.st.takeDirty(now)
	s.st.budget.set(settings.EventBudget{PerSecond: 10, Burst: 100}, now)
	return s
}

// run lets time pass; each object changes as often as told.
func (s *shift) run(d time.Duration, every map[object.Key]time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); s.now = s.now.Add(s.step) {
		for key, period := range every {
			if s.now.Sub(now)%period == 0 {
				s.event(key)
			}
		}
		if !s.wakeAt.IsZero() && !s.now.Before(s.wakeAt) {
			s.look()
		}
	}
}

func (s *shift) event(key object.Key) {
	if pause, wake, _ := s.st.noteEvent(key, s.now); wake {
		s.wake(pause)
	}
}

func (s *shift) wake(pause time.Duration) {
	if at := s.now.Add(pause); s.wakeAt.IsZero() || at.Before(s.wakeAt) {
		s.wakeAt = at
	}
}

func (s *shift) look() {
	s.wakeAt = time.Time{}
	due, wait := s.st.takeDue(s.now)
	for key := range due {
		s.looks[key] = append(s.looks[key], s.now)
		s.st.compared(key, s.now)
	}
	if wait > 0 {
		s.wake(wait)
	}
}

func TestANoisyObjectIsHeldBackAndNoOtherIs(t *testing.T) {
	s := newShift()
	noisy, quiet := configMap("noisy"), configMap("quiet")
	s.run(time.Minute, map[object.Key]time.Duration{noisy: 10 * time.Millisecond, quiet: 7 * time.Second})
	if n := len(s.looks[noisy]); n < 20+100 || n > 20+130 {
		t.Errorf("in a minute a noisy object is looked at %d times, want its burst of 20 and 2 a second", n)
	}
	for i, at := range s.looks[quiet] {
		if want := now.Add(time.Duration(i) * 7 * time.Second); !at.Equal(want) {
			t.Errorf("change %d of a quiet object is seen after %s", i, at.Sub(want))
		}
	}
	if len(s.looks[quiet]) != 9 {
		t.Errorf("%d of 9 changes of a quiet object were seen", len(s.looks[quiet]))
	}
}

func TestTheLastChangeIsNeverLost(t *testing.T) {
	s := newShift()
	noisy := configMap("noisy")
	s.run(10*time.Second, map[object.Key]time.Duration{noisy: 3 * time.Millisecond})
	last := s.now
	s.event(noisy)
	s.run(5*time.Second, nil)
	looks := s.looks[noisy]
	if seen := looks[len(looks)-1]; seen.Before(last) || seen.Sub(last) > time.Second {
		t.Errorf("the last change is seen after %s", seen.Sub(last))
	}
	s.run(2*time.Minute, nil)
	s.event(noisy)
	s.look()
	if looks := s.looks[noisy]; !looks[len(looks)-1].Equal(s.now) {
		t.Error("after a calm time the first change is not seen at once")
	}
}

// Many restless objects cost their own application: a change of another one is seen at once.
func TestManyNoisyObjectsHoldUpNoOther(t *testing.T) {
	s := newShift()
	s.step = 10 * time.Millisecond
	every := map[object.Key]time.Duration{}
	for i := range 1000 {
		every[configMap(fmt.Sprint(i))] = 250 * time.Millisecond
	}
	quiet := configMap("quiet")
	every[quiet] = 4 * time.Second
	s.run(10*time.Second, every)
	total := 0
	for _, looks := range s.looks {
		total += len(looks)
	}
	// A hundred looks at once and ten a second, at 100 rows each; the first look at each object costs nothing.
	if most := 10_000 + 10*1_000 + 1_000; total > most+1_000 || total < most/2 {
		t.Errorf("%d rows in 10 s, want about %d at most", total, most)
	}
	for i, at := range s.looks[quiet] {
		if want := now.Add(time.Duration(i) * 4 * time.Second); !at.Equal(want) {
			t.Errorf("change %d of a quiet object is seen after %s", i, at.Sub(want))
		}
	}
}

func TestWhoChangesAllTheTimeIsTold(t *testing.T) {
	s := newShift()
	noisy := configMap("noisy")
	every := map[object.Key]time.Duration{noisy: 20 * time.Millisecond, configMap("busy"): time.Second}
	tells := func() []object.Key {
		var keys []object.Key
		writers, next := s.st.restless(s.now)
		for key, writer := range writers {
			if writer == "" {
				s.st.wroteIt(key, "somebody")
			}
			keys = append(keys, key)
		}
		if len(keys) > 0 && next <= 0 {
			t.Error("it is told of for ever")
		}
		return keys
	}
	s.run(20*time.Second, every)
	if got := tells(); len(got) > 0 {
		t.Errorf("after 20 s it is told of %v", got)
	}
	s.run(30*time.Second, every)
	if !s.st.demands(s.now) {
		s.st.mu.Lock()
		t.Errorf("nobody looks whether to tell: %v", s.st.budget.tellAt)
		s.st.mu.Unlock()
	}
	if got := tells(); len(got) != 1 || got[0] != noisy {
		t.Errorf("after 50 s it is told of %v", got)
	}
	s.st.answer()
	s.st.takeDirty(s.now)
	s.run(10*time.Second, every)
	s.st.takeDirty(s.now)
	if s.st.demands(s.now) {
		t.Error("what was told is told again")
	}
	s.run(calmAfter+time.Second, nil)
	if got := tells(); len(got) > 0 {
		t.Errorf("after a calm minute it is told of %v", got)
	}
}

func TestWithoutABudgetNothingWaits(t *testing.T) {
	s := newShift()
	s.st.budget.set(settings.EventBudget{}, now)
	s.run(time.Second, map[object.Key]time.Duration{configMap("noisy"): time.Millisecond})
	if n := len(s.looks[configMap("noisy")]); n != 1000 {
		t.Errorf("%d of 1000 changes were seen at once", n)
	}
}

func TestWhatIsAskedForIsNotKeptWaiting(t *testing.T) {
	s := newShift()
	noisy := configMap("noisy")
	s.run(20*time.Second, map[object.Key]time.Duration{noisy: 10 * time.Millisecond})
	s.event(noisy)
	s.st.touch(noisy) // another application let go of it
	if due, _ := s.st.takeDue(s.now); len(due) != 1 || due[noisy].event {
		t.Errorf("due is %v", due)
	}
}
