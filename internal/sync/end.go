// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/plan"
)

// insistAttempts and insistEvery are how often, and how fast, a call about the object of a hook is made again.
const (
	insistAttempts = 5
	insistEvery    = time.Second
)

// releaseAttempts is how often the finalizer is taken off anew because the object changed meanwhile.
const releaseAttempts = 5

// release takes the hook finalizer off exactly this object, and returns it as it is then; nil if it is gone, or if another
// has its name.
func (r *run) release(s *plan.Step, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	uid := live.GetUID()
	for try := 1; ; try++ {
		if live == nil || live.GetUID() != uid {
			return nil, nil
		}
		if !slices.Contains(live.GetFinalizers(), v1alpha1.HookFinalizer) {
			return live, nil
		}
		answer, err := r.target.Write(r.whole(), Write{
			Method: Patch, Object: live, PatchType: types.MergePatchType, Patch: withoutFinalizer(live), Manager: v1alpha1.FieldManagerHub, DropUnknown: true,
		})
		switch reason := r.target.Reason(err); {
		case err == nil:
			return answer, nil
		case reason == NotFound:
			return nil, nil
		case reason != Conflict || try == releaseAttempts:
			return nil, err
		}
		if live, err = r.readObject(live.GroupVersionKind(), s.Key); err != nil {
			return nil, err
		}
	}
}

// insist does something about a hook's object again for a while if the API server does not answer: what is left undone
// holds the object for ever.
func (r *run) insist(do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if err == nil || try == insistAttempts || fault.KindOf(err) != fault.Retry || r.stopped() && !r.endsHooks() {
			return err
		}
		<-r.Clock.After(insistEvery)
	}
}

// withoutFinalizer is a merge patch for exactly this version of the object.
func withoutFinalizer(live *unstructured.Unstructured) []byte {
	left := slices.DeleteFunc(live.GetFinalizers(), func(name string) bool { return name == v1alpha1.HookFinalizer })
	metadata := map[string]any{"uid": live.GetUID(), "resourceVersion": live.GetResourceVersion(), "finalizers": nil}
	if len(left) > 0 {
		metadata["finalizers"] = left
	}
	patch, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		panic(fmt.Sprintf("sync: names without a JSON form: %v", err))
	}
	return patch
}

// free takes the hook finalizer off exactly this object.
func (r *run) free(s *plan.Step, live *unstructured.Unstructured) error {
	_, err := r.release(s, live)
	return err
}

// remove deletes exactly this object of a hook.
func (r *run) remove(s *plan.Step, live *unstructured.Unstructured) error {
	if err := r.Permit(s.Key, s.Key.Namespace != ""); err != nil {
		return err
	}
	live, err := r.release(s, live)
	if err != nil || live == nil || live.GetDeletionTimestamp() != nil {
		return err
	}
	return r.target.Delete(r.whole(), Deletion{
		Key: s.Key, Version: live.GroupVersionKind().Version, UID: live.GetUID(), ResourceVersion: live.GetResourceVersion(), Owner: r.App,
		Propagation: r.plan.Options.PropagationPolicy,
	})
}

// stop ends the hooks that run, if that is what the run was stopped for; else they are left to whoever goes on. It returns
// false.
func (r *run) stop() bool {
	r.halted = true
	if !r.endsHooks() {
		return false
	}
	for _, h := range r.hooks {
		act := r.free
		if !h.ended {
			h.ended = true
			r.report.ended(h.i, "", terminated(h.step))
			act = r.remove
		}
		r.onHook(h.step, func(live *unstructured.Unstructured) bool { return live.GetUID() == h.uid }, act)
	}
	return false
}

// onHook does something with the object of a hook, if it is there and the one that is meant, and notes if that fails.
func (r *run) onHook(s *plan.Step, meant func(*unstructured.Unstructured) bool, act func(*plan.Step, *unstructured.Unstructured) error) {
	err := r.insist(func() error {
		live, err := r.liveOf(s)
		if err != nil || live == nil || !meant(live) {
			return err
		}
		return act(s, live)
	})
	if err != nil {
		r.report.note(fmt.Sprintf("the object of hook %s is left as it is: %v", s.Key, err))
	}
}

func terminated(s *plan.Step) error {
	return fault.New(fault.Stalled, "", "", "", "terminated: the hook "+s.Key.String()+" ran and was deleted", "")
}

// endLeftOver deletes the hooks of this operation that run, for a run that is stopped before it begins.
func (r *run) endLeftOver() {
	if r.endsHooks() {
		r.endAll()
	}
}

// abandon ends the hooks that run from before this process took the operation up, if it cannot go on: nobody would see how they
// end. The record need not tell of them: another process may have been cut off before it said anything. One that is stopped
// itself leaves them to the next.
func (r *run) abandon() {
	if !r.DryRun && !r.KeepHooks && (!r.stopped() || r.endsHooks()) {
		r.endAll()
	}
}

func (r *run) endAll() {
	for i, s := range r.steps {
		if s.Action != plan.Run {
			continue
		}
		if before := r.before(s); before != nil && before.HookPhase.Completed() {
			r.believe(i, before)
			continue
		}
		r.onHook(s, func(live *unstructured.Unstructured) bool { return r.made(s, live) }, func(s *plan.Step, live *unstructured.Unstructured) error {
			r.report.ended(i, "", terminated(s))
			return r.remove(s, live)
		})
	}
}

// cleanUp deletes the hooks whose policies say so, now that it is known how all ended, and those that were made although no
// answer said so. Hooks that were not begun by this try are left alone.
func (r *run) cleanUp() {
	if r.DryRun || r.KeepHooks || r.halted && !r.endsHooks() {
		return
	}
	policy := v1alpha1.HookDeletePolicyHookSucceeded
	switch {
	case r.halted:
		policy = "" // none is about a sync that came to no end
	case r.report.failed():
		policy = v1alpha1.HookDeletePolicyHookFailed
	}
	for i, s := range r.steps {
		if begun, made := r.report.begunAs(i); s.Action != plan.Run || !begun || made && !s.Hook.Has(policy) {
			continue
		}
		r.onHook(s, func(live *unstructured.Unstructured) bool { return r.made(s, live) }, r.remove)
	}
}
