// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// hook is a hook that was begun in this wave.
type hook struct {
	i        int
	step     *plan.Step
	uid      types.UID
	since    time.Time
	deadline time.Time
	state    string    // as it was seen last
	asked    time.Time // when the API server was asked about it last
	lost     time.Time // since when it is being deleted and has no Pods
	ended    bool
}

// runsOnce are the kinds whose objects run to an end: one of an earlier try has run, and never runs again.
var runsOnce = map[schema.GroupKind]bool{
	{Group: "batch", Kind: "Job"}:            true,
	{Kind: "Pod"}:                            true,
	{Group: "argoproj.io", Kind: "Workflow"}: true,
}

// patience is how many looks at an object that goes are made before the run gives up its place.
const patience = 10

// hookAttempts is how often the object of a hook is judged anew because another appeared in its place.
const hookAttempts = 4

// begin makes the object of a hook, or finds the one that this very try made before it was cut off.
func (r *run) begin(i int) {
	s := r.steps[i]
	before := r.before(s)
	if before != nil && before.HookPhase.Completed() {
		r.believe(i, before)
		return
	}
	if err := r.checkKind(s); err != nil {
		r.report.fail(i, err)
		return
	}
	if r.DryRun {
		r.tryHook(i)
		return
	}
	live, verb, notes, err := r.makeHook(s, before)
	if err != nil {
		r.report.fail(i, err)
		return
	}
	h := &hook{i: i, step: s, uid: live.GetUID(), since: r.Clock.Now()}
	if made := live.GetCreationTimestamp(); r.replaces(s) && !made.IsZero() {
		h.since = made.Time // before this process began, maybe
	}
	h.deadline = h.since.Add(r.HookWait)
	r.report.running(i, verb, notes)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hooks = append(r.hooks, h)
}

// tryHook sends a hook as a dry run.
func (r *run) tryHook(i int) {
	a, err := r.prepareHook(r.steps[i], nil)
	if err == nil {
		_, err = a.carryOut()
	}
	if err != nil {
		r.report.fail(i, err)
		return
	}
	r.report.applied(i, created, a.notes, nil)
}

// makeHook makes the object of a hook and returns it. What is there already is judged first.
func (r *run) makeHook(s *plan.Step, before *v1alpha1.ResourceResult) (live *unstructured.Unstructured, verb string, notes []string, err error) {
	live, err = r.liveOf(s)
	if err == nil && live == nil && before != nil {
		live, err = r.readObject(s.Desired.GroupVersionKind(), s.Key) // it was there: what is watched may not tell of it yet
	}
	for try := 1; err == nil; try++ {
		switch {
		case live == nil:
		case r.Tracker.Owner(s.Key, r.Tracker.MarksOf(live)) != r.App:
			return nil, "", nil, fault.New(fault.Stalled, "run", "hook "+s.Key.String(), "",
				"an object of this name is there and does not belong to application "+r.App, "delete it, or give the hook another name")
		case r.made(s, live):
			return live, "begun before", nil, nil
		case before == nil && r.replaces(s):
			if err := r.replace(s, live); err != nil {
				return nil, "", nil, err
			}
			live = nil
		}
		if before != nil {
			return nil, "", nil, disappeared(s)
		}
		a, err := r.prepareHook(s, live)
		if err != nil {
			return nil, "", nil, err
		}
		answer, err := a.carryOut()
		if err == nil {
			return answer, a.verb(answer), a.notes, nil
		}
		if try == hookAttempts || !a.unsettled(err) {
			return nil, "", nil, a.explain(err)
		}
		// Another object has the name, or it was made although no answer came.
		cause := err
		err = r.insist(func() (err error) { live, err = a.read(); return err })
		if err != nil || live == nil {
			return nil, "", nil, cause
		}
	}
	return nil, "", nil, err
}

func disappeared(s *plan.Step) error {
	return fault.New(fault.Wait, "see the end of", "hook "+s.Key.String(), "", "it disappeared before its outcome was seen",
		"whether it did its work is not known; see who deletes it: its finalizer "+v1alpha1.HookFinalizer+" was taken off")
}

// unsettled reports whether, after this error, an object of the name may be there.
func (a *attempt) unsettled(err error) bool {
	switch a.target.Reason(err) {
	case AlreadyExists:
		return true
	case "", Conflict:
		return fault.KindOf(err) == fault.Retry
	}
	return false
}

// prepareHook makes the form of a hook's object.
func (r *run) prepareHook(s *plan.Step, live *unstructured.Unstructured) (*attempt, error) {
	marked := *s
	marked.Desired = s.Desired.DeepCopy()
	annotations := marked.Desired.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[v1alpha1.AnnotationOperation] = r.tag(s)
	marked.Desired.SetAnnotations(annotations)
	if finalizers := marked.Desired.GetFinalizers(); !slices.Contains(finalizers, v1alpha1.HookFinalizer) {
		marked.Desired.SetFinalizers(append(finalizers, v1alpha1.HookFinalizer))
	}
	marked.Live, marked.LiveUnknown = nil, false
	if live != nil {
		marked.Live = &plan.Live{UID: live.GetUID(), ResourceVersion: live.GetResourceVersion(), Object: live}
	}
	a, err := r.prepare(r.whole(), &marked)
	if err == nil {
		a.create = live == nil
	}
	return a, err
}

// tag is what this try writes on the object of a hook. An object that is a hook of several types is made anew for each.
func (r *run) tag(s *plan.Step) string {
	for _, other := range r.steps {
		if other == s {
			break
		}
		if other.Key == s.Key && other.Hook != nil {
			return r.Operation + "/" + string(s.Hook.Type)
		}
	}
	return r.Operation
}

// made reports whether this very try made an object for this hook.
func (r *run) made(s *plan.Step, live *unstructured.Unstructured) bool {
	return live != nil && live.GetAnnotations()[v1alpha1.AnnotationOperation] == r.tag(s) &&
		r.Tracker.Owner(s.Key, r.Tracker.MarksOf(live)) == r.App
}

// replaces reports whether an object of an earlier try is deleted before the hook is made, rather than changed.
func (r *run) replaces(s *plan.Step) bool {
	return runsOnce[s.Key.GroupKind()] || s.Hook.Has(v1alpha1.HookDeletePolicyBeforeHookCreation)
}

// replace deletes an object of an earlier try and waits until it is gone.
func (r *run) replace(s *plan.Step, live *unstructured.Unstructured) error {
	if err := r.remove(s, live); err != nil {
		return err
	}
	looks := 0
	gone, err := r.until(r.ctx, r.Wait, func() (bool, error) {
		if looks++; looks > patience {
			r.rest()
		}
		now, err := r.liveOf(s)
		return now == nil || now.GetUID() != live.GetUID(), err
	})
	if looks > patience && !r.work() {
		gone = false
	}
	switch {
	case err != nil:
		return err
	case gone:
		return nil
	case r.stopped():
		return fault.New(fault.Retry, "run", "hook "+s.Key.String(), "", "the sync was stopped while the object of an earlier sync was deleted", "")
	}
	return fault.New(fault.Wait, "run", "hook "+s.Key.String(), "",
		fmt.Sprintf("the object of an earlier sync was deleted and is not gone after %s; finalizers: %s", r.Wait, some(live.GetFinalizers())),
		"see what holds it; the hook is made when the sync is tried again")
}

// liveOf returns the object that has a step's name, nil if there is none.
func (r *run) liveOf(s *plan.Step) (*unstructured.Unstructured, error) {
	gvk := s.Desired.GroupVersionKind()
	if live, known := r.target.Live(r.whole(), gvk, s.Key.Namespace, s.Key.Name); known {
		return live, nil
	}
	return r.readObject(gvk, s.Key)
}

// readObject asks the API server for an object; nil if it is not there.
func (r *run) readObject(gvk schema.GroupVersionKind, key object.Key) (*unstructured.Unstructured, error) {
	live, err := r.target.Read(r.whole(), gvk, key.Namespace, key.Name)
	if err == nil {
		return live, nil
	}
	switch r.target.Reason(err) {
	case NotFound, NamespaceMissing, NoSuchKind:
		return nil, nil
	}
	return nil, err
}
