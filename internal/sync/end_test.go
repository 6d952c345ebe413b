// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

func TestAHookThatDisappears(t *testing.T) {
	for _, finalizer := range []bool{true, false} {
		f := newFake()
		f.tick = func(f *fake) {
			key := object.KeyOf(job("migrate"))
			u := f.objects[key]
			switch {
			case u == nil:
			case finalizer: // it ends, and is deleted at once; its finalizer holds it
				u.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Complete", "status": "True"}}}
				now := metav1.Now()
				u.SetDeletionTimestamp(&now)
				f.put(u)
			default: // somebody took the finalizer off
				delete(f.objects, key)
			}
		}
		res := Run(context.Background(), oneHook(hookStep(job("migrate"), v1alpha1.HookTypePreSync)), f, f.hookOptions())
		if finalizer {
			requirePhase(t, res, v1alpha1.OperationSucceeded)
			if f.get(object.KeyOf(job("migrate"))) != nil {
				t.Error("the hook is still held")
			}
			continue
		}
		requirePhase(t, res, v1alpha1.OperationFailed, "it disappeared before its outcome was seen")
	}
}

// A Job that is deleted while its finalizer holds it never ends, once its Pods are gone.
func TestAJobThatIsDeletedBeforeItEnds(t *testing.T) {
	f := newFake()
	began := f.clock.Now()
	f.tick = atTick(3, func(f *fake) {
		live := f.objects[object.KeyOf(job("migrate"))].DeepCopy()
		now := metav1.Now()
		live.SetDeletionTimestamp(&now)
		f.put(live)
	})
	requirePhase(t, Run(context.Background(), oneHook(hookStep(job("migrate"), v1alpha1.HookTypePreSync)), f, f.hookOptions()),
		v1alpha1.OperationFailed, "it was deleted before it ended")
	if took := f.clock.Since(began); took > time.Minute || f.get(object.KeyOf(job("migrate"))) != nil {
		t.Errorf("it took %s, left: %v", took, f.get(object.KeyOf(job("migrate"))))
	}
}

// A hook that the record calls running, and that is gone when the next process looks, is not made again.
func TestAHookThatDisappearsBetweenTwoProcesses(t *testing.T) {
	f := newFake()
	f.tick = jobs(nil)
	before := v1alpha1.ResourceResults{{Group: "batch", Kind: "Job", Namespace: "shop", Name: "migrate", HookType: v1alpha1.HookTypePreSync, HookPhase: v1alpha1.OperationRunning}}
	res := Run(context.Background(), oneHook(hookStep(job("migrate"), v1alpha1.HookTypePreSync)), f, f.hookOptions(func(o *Options) { o.Before = before }))
	requirePhase(t, res, v1alpha1.OperationFailed, "it disappeared before its outcome was seen")
	requireEqual(t, "writes", f.writes(), nil)
}

// What is watched may lag behind: one that the record calls running is gone only if the API server says so.
func TestAHookOnRecordIsNotGoneBecauseItIsNotSeenYet(t *testing.T) {
	f := newFake()
	ctx, tick := stopAt(3, errors.New("killed"))
	f.tick = tick
	before := Run(ctx, oneHook(hookStep(job("migrate"), v1alpha1.HookTypePreSync)), f, f.hookOptions()).Resources
	f.tick = jobs(nil)
	late := &lagging{fake: f, looks: 1}
	res := Run(context.Background(), oneHook(hookStep(job("migrate"), v1alpha1.HookTypePreSync)), late, f.hookOptions(func(o *Options) { o.Before = before }))
	requirePhase(t, res, v1alpha1.OperationSucceeded)
	requireOnce(t, "after it", f, map[string]int{"migrate": 1})
}

// lagging is a target whose watch knows of nothing in the first looks.
type lagging struct {
	*fake
	looks int
}

func (l *lagging) Live(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, bool) {
	if l.looks--; l.looks >= 0 {
		return nil, true
	}
	return l.fake.Live(ctx, gvk, namespace, name)
}

// A process that was cut off before it put anything on record left a hook running. If the next cannot go on, the hook is ended:
// the next try makes its own, which would run beside it.
func TestAHookWithoutARecordIsEndedIfNobodyGoesOn(t *testing.T) {
	f := newFake()
	ctx, tick := stopAt(3, errors.New("killed"))
	f.tick = tick
	Run(ctx, shopPlan(), f, f.hookOptions())
	delete(f.kinds, configMap("a").GroupVersionKind().GroupKind())
	res := Run(context.Background(), shopPlan(), f, f.hookOptions())
	requirePhase(t, res, v1alpha1.OperationFailed, "nothing was applied")
	requireEqual(t, "writes", f.writes(), []string{"create Job.batch shop/migrate", "delete Job.batch shop/migrate"})
}

// A cluster that does not answer for a moment when a process takes up a try is no reason to end the hook that runs.
func TestAHookOutlivesAClusterThatDoesNotAnswerForAMoment(t *testing.T) {
	f := newFake()
	ctx, tick := stopAt(3, errors.New("killed"))
	f.tick = tick
	Run(ctx, shopPlan(), f, f.hookOptions())
	f.tick = jobs(nil)
	began := f.clock.Now()
	mute := &mute{fake: f, until: func() bool { return f.clock.Since(began) > 10*time.Second }}
	requirePhase(t, Run(context.Background(), shopPlan(), mute, f.hookOptions()), v1alpha1.OperationSucceeded)
	requireOnce(t, "after it", f, map[string]int{"migrate": 1, "smoke": 1})
}

// mute is a target that cannot tell for a while which kinds are served.
type mute struct {
	*fake
	until func() bool
}

func (m *mute) Kind(ctx context.Context, gvk schema.GroupVersionKind) Kind {
	if !m.until() {
		return Kind{Why: "no answer in time"}
	}
	return m.fake.Kind(ctx, gvk)
}

func TestAHookPastItsDeadline(t *testing.T) {
	f := newFake()
	f.tick = jobs(map[string]string{"migrate": ""})
	began := f.clock.Now()
	res := Run(context.Background(), oneHook(hookStep(job("migrate"), v1alpha1.HookTypePreSync)), f, f.hookOptions(func(o *Options) { o.HookWait = 10 * time.Minute }))
	requirePhase(t, res, v1alpha1.OperationFailed, "it has not ended after 10m0s (Progressing)")
	requireEqual(t, "writes", f.writes(), []string{"create Job.batch shop/migrate", "delete Job.batch shop/migrate"})
	if took := f.clock.Since(began); took > 11*time.Minute {
		t.Errorf("it took %s", took)
	}
}

// stopAt returns a context that is stopped, and a tick that stops it after some waits.
func stopAt(n int, cause error) (context.Context, func(*fake)) {
	ctx, cancel := context.WithCancelCause(context.Background())
	return ctx, func(*fake) {
		if n--; n == 0 {
			cancel(cause)
		}
	}
}

func TestRunningHooksAreEnded(t *testing.T) {
	f := newFake()
	ctx, tick := stopAt(3, fmt.Errorf("operation terminated: %w", ErrEndHooks))
	f.tick = tick
	res := Run(ctx, shopPlan(), f, f.hookOptions())
	requirePhase(t, res, v1alpha1.OperationFailed, "terminated: the hook Job.batch shop/migrate ran and was deleted")
	requireEqual(t, "writes", f.writes(), []string{"create Job.batch shop/migrate", "delete Job.batch shop/migrate"})
	requireEqual(t, "hooks", hookPhases(res.Resources), []string{"PreSync migrate=Failed"})
	if !res.Stopped || f.get(object.KeyOf(job("migrate"))) != nil {
		t.Errorf("stopped: %v, the hook is left: %v", res.Stopped, f.get(object.KeyOf(job("migrate"))))
	}
}

func TestHooksAreLeftToTheNextProcess(t *testing.T) {
	f := newFake()
	ctx, tick := stopAt(3, errors.New("leads no more"))
	f.tick = tick
	res := Run(ctx, shopPlan(), f, f.hookOptions())
	live := f.get(object.KeyOf(job("migrate")))
	if !res.Stopped || live == nil || len(live.GetFinalizers()) != 1 {
		t.Fatalf("stopped: %v, left: %v", res.Stopped, live)
	}
	f.tick = jobs(nil)
	requirePhase(t, Run(context.Background(), shopPlan(), f, f.hookOptions()), v1alpha1.OperationSucceeded)
	requireOnce(t, "after it", f, map[string]int{"migrate": 1, "smoke": 1})
}

func TestTheNextProcessEndsHooks(t *testing.T) {
	f := newFake()
	ctx, tick := stopAt(3, errors.New("killed"))
	f.tick = tick
	Run(ctx, shopPlan(), f, f.hookOptions())
	ended, cancel := context.WithCancelCause(context.Background())
	cancel(ErrEndHooks)
	res := Run(ended, shopPlan(), f, f.hookOptions())
	requireEqual(t, "writes", f.writes(), []string{"create Job.batch shop/migrate", "delete Job.batch shop/migrate"})
	requireEqual(t, "hooks", hookPhases(res.Resources), []string{"PreSync migrate=Failed"})
}

// A sync that is ended between its hooks and its objects has not succeeded: a hook that did is left for who asks why.
func TestASyncThatIsEndedDeletesNoHookThatSucceeded(t *testing.T) {
	f := newFake()
	f.tick = jobs(nil)
	ctx, cancel := context.WithCancelCause(context.Background())
	work := plan.Plan{Phases: []plan.Phase{
		phase(v1alpha1.SyncPhasePreSync, gated(0, hookStep(job("migrate"), v1alpha1.HookTypePreSync, v1alpha1.HookDeletePolicyHookSucceeded))),
		phase(v1alpha1.SyncPhaseSync, gated(0, applyStep(configMap("a")))),
	}}
	blocked := func() string {
		if live := f.get(object.KeyOf(job("migrate"))); live != nil && len(live.GetFinalizers()) == 0 {
			cancel(fmt.Errorf("superseded: %w", ErrEndHooks))
		}
		return ""
	}
	res := Run(ctx, work, f, f.hookOptions(func(o *Options) { o.Blocked = blocked }))
	requireEqual(t, "writes", f.writes(), []string{"create Job.batch shop/migrate"})
	if !res.Stopped || f.get(object.KeyOf(job("migrate"))) == nil {
		t.Errorf("stopped is %t, left: %v", res.Stopped, f.get(object.KeyOf(job("migrate"))))
	}
}
