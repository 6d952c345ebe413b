// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"fmt"
	"slices"
	"strings"
	stdsync "sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
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

// allBegun reports whether every step of a wave was begun.
func (rep *report) allBegun(at place) bool {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	return !slices.ContainsFunc(rep.outcomes[at.first:at.first+len(at.wave.Steps)], func(o outcome) bool { return o.status == "" })
}

func (rep *report) hasBegun(i int) bool {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	return rep.outcomes[i].status != ""
}

// invalid is the result of a run that did nothing because of what validation found.
func (rep *report) invalid() Result {
	res := rep.collect()
	res.Phase = v1alpha1.OperationFailed
	res.Message = "nothing was applied, for the objects are not all valid: " + rep.errorText()
	return res
}

// impossible is the result of a run that ended before its first object.
func (rep *report) impossible(err error) Result {
	res := rep.collect()
	res.Phase, res.Message, res.Retryable = v1alpha1.OperationError, err.Error(), retryable(err)
	return res
}

// result is the result of a run that went through its waves, or was stopped.
func (rep *report) result() Result {
	res := rep.collect()
	res.Stopped = rep.run.halted
	switch {
	case rep.failed():
		res.Phase = v1alpha1.OperationFailed
		res.Message = "not all objects could be synced: " + rep.errorText()
	case rep.run.halted:
		res.Phase, res.Retryable = v1alpha1.OperationError, true
		res.Message = fmt.Sprintf("stopped after %d of %d objects", rep.begun(), rep.run.ordinary())
		if cause := context.Cause(rep.run.ctx); cause != nil {
			res.Message += ": " + cause.Error()
		}
	default:
		res.Phase = v1alpha1.OperationSucceeded
		res.Message = "successfully synced" + rep.dry() + rep.summary()
	}
	if len(rep.notes) > 0 {
		res.Message += "; " + strings.Join(rep.notes, "; ")
	}
	return res
}

func (rep *report) begun() (n int) {
	for _, o := range rep.outcomes {
		if o.status != "" {
			n++
		}
	}
	return n
}

// summary counts the objects by what became of them.
func (rep *report) summary() string {
	counts := map[string]int{}
	for _, o := range rep.outcomes {
		counts[o.verb]++
	}
	var parts []string
	for _, verb := range []string{created, configured, replaced, unchanged, pruned, left, refused, succeeded} {
		if n := counts[verb]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, verb))
		}
	}
	if len(parts) == 0 {
		return ": nothing to do"
	}
	return ": " + strings.Join(parts, ", ")
}

// errorText tells the first errors; all of them are in the resources.
func (rep *report) errorText() string {
	var texts []string
	for _, o := range rep.outcomes {
		if o.err != nil && !slices.Contains(texts, o.message) {
			texts = append(texts, o.message)
		}
	}
	return some(texts)
}

// collect makes the record of every object that was begun.
func (rep *report) collect() Result {
	res := Result{Conditions: rep.run.plan.Conditions, Resources: rep.resources()}
	for _, o := range rep.outcomes {
		if o.err != nil && retryable(o.err) {
			res.Retryable = true
		}
		if o.verb == created || o.verb == configured || o.verb == replaced || o.verb == pruned {
			res.Changed++
		}
	}
	if rep.run.DryRun {
		res.Changed = 0
	}
	return res
}

// resources returns an entry for each object that was begun.
func (rep *report) resources() v1alpha1.ResourceResults {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	var out v1alpha1.ResourceResults
	for _, at := range rep.run.places {
		for i := at.first; i < at.first+len(at.wave.Steps); i++ {
			if o := rep.outcomes[i]; o.status != "" {
				out = append(out, rep.resource(rep.run.steps[i], o, at.phase))
			}
		}
	}
	return out
}

func (rep *report) resource(s *plan.Step, o outcome, phase v1alpha1.SyncPhase) *v1alpha1.ResourceResult {
	out := &v1alpha1.ResourceResult{
		Group: s.Key.Group, Version: s.Version, Kind: s.Key.Kind, Namespace: s.Key.Namespace, Name: s.Key.Name,
		Status: o.status, Message: o.message, SyncPhase: phase, HookPhase: o.phase,
	}
	switch {
	case o.phase != "":
	case o.err != nil:
		out.HookPhase = v1alpha1.OperationFailed
	default:
		out.HookPhase = v1alpha1.OperationSucceeded
	}
	if s.Hook != nil {
		out.HookType = s.Hook.Type
	}
	if rep.run.Images != nil && s.Desired != nil {
		out.Images = rep.run.Images(s.Desired)
	}
	return out
}

// retryable reports whether an error may pass without anybody changing a manifest or a project. A missing right is among
// those: quotas and roles are often changed by what is synced at the same time elsewhere, and tries are limited.
func retryable(err error) bool {
	switch fault.KindOf(err) {
	case fault.Retry, fault.Wait, fault.Stalled:
		return true
	}
	return false
}

// resourceName names an object as kubectl does.
func resourceName(k object.Key) string {
	name := strings.ToLower(k.Kind)
	if k.Group != "" {
		name += "." + k.Group
	}
	return name + "/" + k.Name
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
