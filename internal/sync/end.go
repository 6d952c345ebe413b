// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/plan"
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
		live, err := r.liveOf(h.step)
		mine := err == nil && live != nil && live.GetUID() == h.uid
		switch {
		case h.ended && mine:
			_, err = r.release(h.step, live)
		case !h.ended:
			h.ended = true
			r.report.ended(h.i, "", terminated(h.step))
			if mine {
				err = r.remove(h.step, live)
			}
		}
		r.noteLeft(h.step, err)
	}
	return false
}

func terminated(s *plan.Step) error {
	return fault.New(fault.Stalled, "", "", "", "terminated: the hook "+s.Key.String()+" ran and was deleted", "")
}

func (r *run) noteLeft(s *plan.Step, err error) {
	if err != nil {
		r.report.note(fmt.Sprintf("hook %s could not be deleted: %v", s.Key, err))
	}
}

// endLeftOver deletes the hooks of this operation that run, for a run that is stopped before it begins.
func (r *run) endLeftOver() {
	if r.endsHooks() {
		r.endAll()
	}
}

// abandon ends the hooks that run from before this process took the operation up, if it cannot go on: nobody would see how they
// end.
func (r *run) abandon() {
	if len(r.Before) > 0 && !r.DryRun {
		r.endAll()
	}
}

func (r *run) endAll() {
	for i, s := range r.steps {
		if s.Action != plan.Run {
			continue
		}
		live, err := r.liveOf(s)
		before := r.before(s)
		if before != nil && before.HookPhase.Completed() {
			r.believe(i, before)
			continue
		}
		if err == nil && r.made(s, live) {
			r.report.ended(i, "", terminated(s))
			err = r.remove(s, live)
		}
		r.noteLeft(s, err)
	}
}

// cleanUp deletes the hooks whose policies say so, now that it is known how all ended. Hooks that were not begun by this try
// are left alone.
func (r *run) cleanUp() {
	if r.DryRun || r.KeepHooks || r.halted && !r.endsHooks() {
		return
	}
	policy := v1alpha1.HookDeletePolicyHookSucceeded
	if r.report.failed() {
		policy = v1alpha1.HookDeletePolicyHookFailed
	}
	for i, s := range r.steps {
		if s.Action != plan.Run || !s.Hook.Has(policy) || !r.report.hasBegun(i) {
			continue
		}
		live, err := r.liveOf(s)
		if err == nil && r.made(s, live) {
			err = r.remove(s, live)
		}
		r.noteLeft(s, err)
	}
}
