// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	stdsync "sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/health"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// healthEvery is the pause between looks at the health of objects.
const healthEvery = 2 * time.Second

// wave carries out the steps from first on, and reports whether the next wave may begin.
func (r *run) wave(w *plan.Wave, first int) bool {
	if w.AwaitHealth && !r.DryRun && false {
		err := r.awaitHealthy(first)
		if r.stopped() {
			return false
		}
		if err != nil {
			for i := range w.Steps {
				r.report.fail(first+i, err)
			}
			return false
		}
	}
	for _, group := range groups(w.Steps, first) {
		do := r.do
		if r.report.applyFailed() {
			do = r.doAfterFailure
		}
		r.each(group, do)
		r.awaitEstablished(group)
	}
	return !r.report.failed() && !r.stopped()
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
	for _, i := range indices {
		places <- struct{}{}
		if r.stopped() {
			break
		}
		wg.Go(func() {
			defer func() { <-places }()
			do(i)
		})
	}
	wg.Wait()
}

// do carries out one step.
func (r *run) do(i int) {
	s := r.steps[i]
	switch {
	case s.Action == plan.Keep:
		r.report.applied(i, unchanged, nil)
	case s.Action == plan.Skip, s.Waiting:
		r.report.leave(i, s.Reason)
	case s.Action == plan.Refuse:
		r.report.refuse(i, s.Reason)
	case s.Action == plan.Prune:
		r.prune(i)
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
		if !isDefinition(s.Key) || s.Action != plan.Apply || !r.report.succeeded(i) || !r.used(s.Key) {
			continue
		}
		// Whatever goes wrong here is told by the objects of the kind, which are refused then.
		_, _ = r.until(r.ctx, r.Wait, pollEvery, func() (bool, error) {
			status, err := r.healthOf(s)
			return status.Status == v1alpha1.HealthStatusHealthy, err
		})
	}
}

// used reports whether the plan applies objects of the kind that a definition makes.
func (r *run) used(definition object.Key) bool {
	for _, s := range r.steps {
		if made, ok := r.provides[s.Key.GroupKind()]; ok && made.definition == definition && s.Action == plan.Apply {
			return true
		}
	}
	return false
}

func (r *run) healthOf(s *plan.Step) (health.Status, error) {
	live, err := r.target.Read(r.whole(), s.Desired.GroupVersionKind(), s.Key.Namespace, s.Key.Name)
	if err != nil {
		return health.Status{}, err
	}
	status, ok := r.Health.Of(live)
	if !ok {
		status.Status = v1alpha1.HealthStatusHealthy
	}
	return status, nil
}

// awaitHealthy waits until all that was applied before this step is healthy.
func (r *run) awaitHealthy(before int) error {
	waiting := r.indices(func(s *plan.Step) bool { return s.Action == plan.Apply || s.Action == plan.Keep })
	var last string
	healthy, err := r.until(r.ctx, r.HealthWait, healthEvery, func() (bool, error) {
		for len(waiting) > 0 && waiting[0] < before {
			s := r.steps[waiting[0]]
			status, err := r.healthOf(s)
			if err != nil {
				return false, err
			}
			last = s.Key.String() + " is " + string(status.Status)
			if status.Status == v1alpha1.HealthStatusDegraded {
				return false, fault.New(fault.Wait, "prune what goes last after", s.Key.String(), "", "it is Degraded: "+status.Message, "")
			}
			if status.Status != v1alpha1.HealthStatusHealthy {
				return false, nil
			}
			waiting = waiting[1:]
		}
		return true, nil
	})
	if err == nil && !healthy {
		err = fault.New(fault.Wait, "prune", "what goes last", "", "the rest is not healthy yet: "+last, "")
	}
	return err
}

// until asks done until it says yes, the time is over or ctx ends. It returns false in the latter cases.
func (r *run) until(ctx context.Context, limit, every time.Duration, done func() (bool, error)) (bool, error) {
	deadline := r.Clock.Now().Add(limit)
	for {
		yes, err := done()
		if yes || err != nil {
			return yes, err
		}
		if !r.Clock.Now().Before(deadline) {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-r.Clock.After(every):
		}
	}
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
