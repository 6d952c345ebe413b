// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"fmt"
	"slices"
	"strings"
	stdsync "sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/plan"
)

// The words for what became of an object, as kubectl says them.
const (
	created    = "created"
	configured = "configured"
	unchanged  = "unchanged"
	replaced   = "replaced"
	pruned     = "pruned"
	left       = "not pruned"
	refused    = "left to its other application"
	succeeded  = "hooks succeeded"
)

// outcome is what became of one object. The zero value: it was not begun.
type outcome struct {
	status  v1alpha1.ResultCode
	message string
	verb    string
	err     error
	phase   v1alpha1.OperationPhase // of a hook, or of an object whose health is awaited; "": as err says
	version string                  // resourceVersion of the answer to our write
	// timeless says that the object has no health: there is nothing to wait for.
	timeless bool
}

// report collects outcomes.
type report struct {
	run      *run
	mu       stdsync.Mutex
	outcomes []outcome
	notes    []string
}

func newReport(r *run) *report {
	return &report{run: r, outcomes: make([]outcome, len(r.steps)), notes: slices.Clone(r.plan.Notes)}
}

func (rep *report) set(i int, o outcome) {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	rep.outcomes[i] = o
}

// reset forgets all outcomes: what was checked is checked anew.
func (rep *report) reset() {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	clear(rep.outcomes)
}

func (rep *report) note(text string) {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	rep.notes = append(rep.notes, text)
}

// fail notes why an object failed, and where it comes from if that is about the object itself.
func (rep *report) fail(i int, err error) {
	step := rep.run.steps[i]
	if origin := step.Origin; origin.File != "" && strings.Contains(err.Error(), step.Key.String()) {
		err = fmt.Errorf("%w (%s)", err, origin)
	}
	rep.set(i, outcome{status: v1alpha1.ResultCodeSyncFailed, message: err.Error(), err: err})
}

// applied notes an object that was written, and the answer; nil if nothing was sent.
func (rep *report) applied(i int, verb string, notes []string, answer *unstructured.Unstructured) {
	message := resourceName(rep.run.steps[i].Key) + " " + verb + rep.dry()
	if len(notes) > 0 {
		message += " (" + strings.Join(notes, "; ") + ")"
	}
	o := outcome{status: v1alpha1.ResultCodeSynced, verb: verb, message: message}
	if answer != nil && verb != unchanged {
		o.version = answer.GetResourceVersion()
	}
	if answer != nil && rep.run.gated {
		_, judged := rep.run.Health.Of(answer)
		o.timeless = !judged
	}
	rep.set(i, o)
}

func (rep *report) pruned(i int) {
	rep.set(i, outcome{status: v1alpha1.ResultCodePruned, verb: pruned, message: pruned + rep.dry()})
}

func (rep *report) leave(i int, reason string) {
	rep.set(i, outcome{status: v1alpha1.ResultCodePruneSkipped, verb: left, message: reason})
}

// refuse notes an object that is left to its other application: it is not in sync, but that is no failure of this run.
func (rep *report) refuse(i int, reason string) {
	rep.set(i, outcome{status: v1alpha1.ResultCodeSyncFailed, verb: refused, message: reason})
}

// wait notes that an object is done but awaited.
func (rep *report) wait(i int) {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	rep.outcomes[i].phase = v1alpha1.OperationRunning
}

// done notes that an object that was awaited is as it should be.
func (rep *report) done(i int) {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	rep.outcomes[i].phase = ""
}

// degrade notes that an object was written but did not become what was waited for.
func (rep *report) degrade(i int, err error) {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	o := &rep.outcomes[i]
	o.err, o.phase = err, v1alpha1.OperationFailed
	o.message += "; " + err.Error()
}

// running notes that a hook was begun.
func (rep *report) running(i int, verb string, notes []string) {
	message := resourceName(rep.run.steps[i].Key) + " " + verb
	if len(notes) > 0 {
		message += " (" + strings.Join(notes, "; ") + ")"
	}
	rep.set(i, outcome{status: v1alpha1.ResultCodeSynced, message: message, phase: v1alpha1.OperationRunning})
}

// ended notes how a hook ended; err is nil if it succeeded.
func (rep *report) ended(i int, message string, err error) {
	o := outcome{status: v1alpha1.ResultCodeSynced, message: message, verb: succeeded, phase: v1alpha1.OperationSucceeded}
	if err != nil {
		o.err, o.verb, o.message, o.phase = err, "", err.Error(), v1alpha1.OperationFailed
	}
	rep.set(i, o)
}

func (rep *report) dry() string {
	if rep.run.DryRun {
		return " (dry run)"
	}
	return ""
}

func (rep *report) failed() bool { return rep.failedIn(0, len(rep.outcomes)) }

// failedIn reports whether one of n steps failed, from first on.
func (rep *report) failedIn(first, n int) bool {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	return slices.ContainsFunc(rep.outcomes[first:first+n], func(o outcome) bool { return o.err != nil })
}

// applyFailed reports whether an object failed that was to be applied.
func (rep *report) applyFailed() bool {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	for i, o := range rep.outcomes {
		if o.err != nil && rep.run.steps[i].Action == plan.Apply {
			return true
		}
	}
	return false
}

// written reports whether an object is as it was desired, by the API server's answer or by what is known of it.
func (rep *report) written(i int) bool {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	return rep.outcomes[i].status == v1alpha1.ResultCodeSynced
}

// deleted reports whether the API server was told to delete an object.
func (rep *report) deleted(i int) bool {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	return rep.outcomes[i].verb == pruned
}

// version returns the resourceVersion that our write of an object made.
func (rep *report) version(i int) string {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	return rep.outcomes[i].version
}

// timeless reports whether an object has no health, by the answer to our write.
func (rep *report) timeless(i int) bool {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	return rep.outcomes[i].timeless
}

// allBegun reports whether every step of a wave was begun.
func (rep *report) allBegun(at place) bool {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	return !slices.ContainsFunc(rep.outcomes[at.first:at.first+len(at.wave.Steps)], func(o outcome) bool { return o.status == "" })
}

// begunAs reports whether a step was begun, and if so whether its object was made.
func (rep *report) begunAs(i int) (begun, made bool) {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	status := rep.outcomes[i].status
	return status != "", status == v1alpha1.ResultCodeSynced
}

// verb says what became of the object that was written, and notes who keeps changing it.
func (a *attempt) verb(answer *unstructured.Unstructured) string {
	live := a.in.Live
	switch {
	case a.anew:
		return replaced
	case live == nil:
		return created
	case answer == nil:
		return configured
	case answer.GetResourceVersion() == live.GetResourceVersion(), a.equal(answer, live):
		return unchanged
	}
	if a.Attempt >= 3 {
		if other := lastOther(live, diff.Manager); other != "" {
			a.note(fmt.Sprintf("put back %d times in a row; field manager %q keeps changing it", a.Attempt, other))
		}
	}
	return configured
}

// equal reports whether a write changed nothing that is desired or ours. The version alone does not tell: a controller may
// have written its status between the plan and the write.
func (a *attempt) equal(answer, live *unstructured.Unstructured) bool {
	if answer.GetGeneration() != live.GetGeneration() {
		return false
	}
	in := a.in
	in.Live = live
	_, before, err := diff.Project(in)
	if err != nil {
		return false
	}
	in.Live = answer
	_, after, err := diff.Project(in)
	return err == nil && before == after
}
