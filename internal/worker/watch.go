// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/render"
)

// memoryEvery is how often the memory of a process at work is looked at. What it takes in between is bounded by the
// kernel (see hardMemory).
const memoryEvery = 25 * time.Millisecond

// watch ends a process that takes more time or memory than its job may. It counts time only while the process works, not
// while it waits for an answer.
type watch struct {
	clock  clock.WithTickerAndDelayedExecution
	bounds bounds
	memory func() (int64, bool)
	kill   func(reason error)

	mu      sync.Mutex
	left    time.Duration
	since   time.Time
	running bool
	ended   bool
	timer   clock.Timer
	sampler clock.Timer
}

// bounds are what a process may take for one job, and what is said of one that takes more.
type bounds struct {
	time      time.Duration
	memory    int64
	late, big error
}

func boundsOf(in render.Input) bounds {
	return bounds{
		time: in.Limits.Time, late: in.Exceeded(fmt.Sprintf("it takes longer than %s", in.Limits.Time), render.SettingTime),
		memory: in.Limits.Memory, big: overMemory(in),
	}
}

func newWatch(c clock.WithTickerAndDelayedExecution, b bounds, memory func() (int64, bool), kill func(error)) *watch {
	w := &watch{clock: c, bounds: b, memory: memory, kill: kill, left: b.time}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sampler = after(c, memoryEvery, w.sample)
	return w
}

// after calls f when d has passed. Clocks differ in whether they may be asked from within.
func after(c clock.WithTickerAndDelayedExecution, d time.Duration, f func()) clock.Timer {
	return c.AfterFunc(d, func() { go f() })
}

// resume starts to count, pause stops.
func (w *watch) resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running || w.ended {
		return
	}
	w.running, w.since = true, w.clock.Now()
	w.timer = after(w.clock, w.left, w.late)
}

func (w *watch) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop()
}

func (w *watch) stop() {
	if !w.running {
		return
	}
	w.timer.Stop()
	w.running = false
	w.left = max(w.left-w.clock.Since(w.since), 0)
}

// end ends the watch with the job.
func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop()
	w.ended = true
	w.sampler.Stop()
}

func (w *watch) late() {
	w.mu.Lock()
	defer w.mu.Unlock()
	// A timer that ran out while it was being stopped says nothing: what is left is counted again when it starts.
	if w.running && !w.ended && w.clock.Since(w.since) >= w.left {
		w.kill(w.bounds.late)
	}
}

func (w *watch) sample() {
	used, ok := w.memory()
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.ended || !ok: // the process renders something else by now, or is gone
	case used > w.bounds.memory:
		w.kill(w.bounds.big)
	default:
		w.sampler = after(w.clock, memoryEvery, w.sample)
	}
}

func overMemory(in render.Input) error {
	return in.Exceeded(fmt.Sprintf("it takes more than %s of memory", render.Size(in.Limits.Memory)), render.SettingMemory)
}
