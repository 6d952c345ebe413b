// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// past is what the record of this try says, by step.
func past(before v1alpha1.ResourceResults) map[appearance]*v1alpha1.ResourceResult {
	out := make(map[appearance]*v1alpha1.ResourceResult, len(before))
	for _, res := range before {
		key := object.Key{Group: res.Group, Kind: res.Kind, Namespace: res.Namespace, Name: res.Name}
		out[appearance{key, res.HookType}] = res
	}
	return out
}

// before returns what the record of this try says of a step; nil if it says nothing.
func (r *run) before(s *plan.Step) *v1alpha1.ResourceResult { return r.past[appearanceOf(s)] }

// validated checks the whole plan. If hooks of this very try run already then it is patient with a cluster that does not answer
// for a moment: they would have to be ended.
func (r *run) validated() bool {
	deadline := r.Clock.Now().Add(r.Wait)
	for !r.validate() {
		if !r.report.unasked() || !r.hookRuns() || !r.Clock.Now().Before(deadline) || !r.sleep(lookEvery) || !r.work() {
			return false
		}
		r.report.reset()
	}
	return true
}

// hookRuns reports whether a hook that this try made before may be running.
func (r *run) hookRuns() bool {
	return !r.DryRun && slices.ContainsFunc(r.steps, func(s *plan.Step) bool {
		if s.Action != plan.Run || r.endedBefore(s) {
			return false
		}
		live, err := r.liveOf(s)
		return err != nil || r.made(s, live)
	})
}

// endedBefore reports whether a step is a hook that has ended by the record of this try.
func (r *run) endedBefore(s *plan.Step) bool {
	before := r.before(s)
	return before != nil && before.HookPhase.Completed()
}

// believe takes over how a hook ended from the record, and takes the finalizer off its object should that be left.
func (r *run) believe(i int, before *v1alpha1.ResourceResult) {
	r.recall(i, before)
	if r.KeepHooks {
		return
	}
	s := r.steps[i]
	r.onHook(s, func(live *unstructured.Unstructured) bool { return r.made(s, live) }, r.free)
}

// recall takes over from the record how a step ended.
func (r *run) recall(i int, before *v1alpha1.ResourceResult) {
	o := outcome{status: before.Status, message: before.Message, phase: before.HookPhase}
	switch {
	case before.HookPhase == v1alpha1.OperationFailed || before.HookPhase == v1alpha1.OperationError:
		o.err = fault.New(fault.Wait, "", "", "", before.Message, "")
	case before.HookType != "":
		o.verb = succeeded
	}
	if o.status == "" {
		o.status = v1alpha1.ResultCodeSynced
	}
	r.report.set(i, o)
}

// failedBefore reports whether, by the record, this try failed and had come to its hooks of OnFailure. Then it goes on with
// those; what failed might succeed now, but that it did not is what the hooks were begun for.
func (r *run) failedBefore() bool {
	reached, failed := false, false
	for _, at := range r.places {
		for i := at.first; i < at.first+len(at.wave.Steps); i++ {
			before := r.before(r.steps[i])
			if before == nil {
				continue
			}
			reached = reached || at.onFailure
			failed = failed || !at.onFailure && before.HookPhase.Failed()
		}
	}
	if !reached || !failed {
		return false
	}
	for _, at := range r.places {
		for i := at.first; i < at.first+len(at.wave.Steps) && !at.onFailure; i++ {
			switch before := r.before(r.steps[i]); {
			case before == nil:
			case before.HookType != "":
				r.believe(i, before)
			default:
				r.recall(i, before)
			}
		}
	}
	return true
}
