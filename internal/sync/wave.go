// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"fmt"
	"runtime/debug"
	"slices"
	stdsync "sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// wave carries out the steps of a wave and waits at its gate. It reports whether the next wave may begin.
func (r *run) wave(at place) bool {
	end, ok := r.hold(at.wave)
	if !ok {
		return r.halt()
	}
	defer end()
	r.hooks, r.gated = nil, at.wave.AwaitHealth && !r.DryRun
	for _, group := range groups(at.wave.Steps, at.first) {
		do := r.do
		if r.report.applyFailed() {
			do = r.doAfterFailure
		}
		r.each(group, do)
		r.awaitEstablished(group)
	}
	return r.gate(at)
}

// hold says that hooks are about to begin, if the wave has any that have not ended by the record: then nothing but ErrEndHooks
// stops the run until end is called.
func (r *run) hold(w *plan.Wave) (end func(), ok bool) {
	runs := slices.ContainsFunc(w.Steps, func(s plan.Step) bool { return s.Action == plan.Run && !r.endedBefore(&s) })
	if r.Hold == nil || r.DryRun || !runs {
		return func() {}, !r.stopped()
	}
	return r.Hold()
}

// groups cuts steps, which are in order, into runs that may be done at once: those of one place in the order of kinds.
func groups(steps []plan.Step, first int) [][]int {
	var out [][]int
	for i := range steps {
		if i > 0 && together(&steps[i-1], &steps[i]) {
			out[len(out)-1] = append(out[len(out)-1], first+i)
			continue
		}
		out = append(out, []int{first + i})
	}
	return out
}

func together(a, b *plan.Step) bool {
	return (a.Action == plan.Prune) == (b.Action == plan.Prune) && object.KindOrder(a.Key.Kind) == object.KindOrder(b.Key.Kind)
}

// each does something with steps, as many at once as is permitted. Once the run is stopped no other is begun.
func (r *run) each(indices []int, do func(int)) {
	places := make(chan struct{}, r.Parallel)
	var wg stdsync.WaitGroup
	var panicked atomic.Pointer[string]
	for _, i := range indices {
		places <- struct{}{}
		if r.stopped() {
			break
		}
		wg.Go(func() {
			defer func() { <-places }()
			defer func() {
				if v := recover(); v != nil {
					text := fmt.Sprintf("%v\n%s", v, debug.Stack())
					panicked.CompareAndSwap(nil, &text)
				}
			}()
			do(i)
		})
	}
	wg.Wait()
	if text := panicked.Load(); text != nil {
		panic(*text) // where whoever called Run can have it end this run alone
	}
}

// do carries out one step.
func (r *run) do(i int) {
	s := r.steps[i]
	switch {
	case s.Action == plan.Keep:
		r.report.applied(i, unchanged, nil, nil)
	case s.Action == plan.Skip, s.Waiting:
		r.report.leave(i, s.Reason)
	case s.Action == plan.Refuse:
		r.report.refuse(i, s.Reason)
	case s.Action == plan.Prune:
		r.prune(i)
	case s.Action == plan.Run:
		r.begin(i)
	default:
		if err := r.checkKind(s); err != nil {
			r.report.fail(i, err)
			return
		}
		r.apply(i)
	}
}

// doAfterFailure carries out one step when an object could not be applied. Nothing is pruned then: what could not be
// applied may be what takes the place of what is to go.
func (r *run) doAfterFailure(i int) {
	if s := r.steps[i]; s.Action == plan.Prune && !s.Waiting {
		r.report.leave(i, "not pruned yet: an object of this sync could not be applied")
		return
	}
	r.do(i)
}

// awaitEstablished waits until the kinds that the definitions among these steps make can be used, if a later step does.
func (r *run) awaitEstablished(group []int) {
	if r.DryRun {
		return
	}
	for _, i := range group {
		s := r.steps[i]
		if !isDefinition(s.Key) || s.Action != plan.Apply || !r.report.written(i) || !r.used(s.Key) {
			continue
		}
		// Whatever goes wrong here is told by the objects of the kind, which are refused then.
		_, _ = r.until(r.ctx, r.Wait, func() (bool, error) {
			live, err := r.liveOf(s)
			if err != nil || live == nil {
				return false, err
			}
			status, judged := r.Health.Of(live)
			return !judged || status.Status == v1alpha1.HealthStatusHealthy, nil
		})
	}
}

// used reports whether the plan applies objects of the kind that a definition makes.
func (r *run) used(definition object.Key) bool {
	for _, s := range r.steps {
		if made, ok := r.provides[s.Key.GroupKind()]; ok && made.definition == definition && (s.Action == plan.Apply || s.Action == plan.Run) {
			return true
		}
	}
	return false
}

// lastOther returns who, other than us, changed an object last, by its managedFields.
func lastOther(live *unstructured.Unstructured, ours string) string {
	name := ""
	var at time.Time
	for _, e := range live.GetManagedFields() {
		if e.Manager == ours || e.Subresource != "" || e.Time == nil || e.Time.Time.Before(at) {
			continue
		}
		name, at = e.Manager, e.Time.Time
	}
	return name
}
