// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

var (
	ready    = map[string]any{"replicas": int64(1), "updatedReplicas": int64(1), "availableReplicas": int64(1)}
	stuck    = map[string]any{"conditions": []any{map[string]any{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}}}
	rolling  = map[string]any{}
	shopsWeb = func() *unstructured.Unstructured {
		return parse(strings.Replace(strings.Replace(deployment, ", status: %s", "", 1), "name: web", "name: web, annotations: {argocd.argoproj.io/tracking-id: 'shop:apps/Deployment:shop/web'}", 1))
	}
)

// twoWaves are a Deployment, and a ConfigMap in a later wave.
func twoWaves() plan.Plan {
	return plan.Plan{Phases: []plan.Phase{phase(v1alpha1.SyncPhaseSync, gated(0, applyStep(shopsWeb())),
		plan.Wave{Number: 1, Steps: []plan.Step{applyStep(configMap("b"))}})}}
}

// atTick does something at one of the waits.
func atTick(n int, do func(*fake)) func(*fake) {
	return func(f *fake) {
		if n--; n == 0 {
			do(f)
		}
	}
}

func (f *fake) status(u *unstructured.Unstructured, status map[string]any) {
	live := f.objects[object.KeyOf(u)].DeepCopy()
	live.Object["status"] = status
	f.put(live)
}

func TestTheNextWaveWaitsForHealth(t *testing.T) {
	tests := []struct {
		reason  string
		status  map[string]any
		phase   v1alpha1.OperationPhase
		says    string
		entries string // hook phase of the Deployment
	}{
		{"it becomes healthy", ready, v1alpha1.OperationSucceeded, "2 created", "Succeeded"},
		{"it is degraded", stuck, v1alpha1.OperationFailed, "cannot finish wave 0 of phase Sync: Deployment.apps shop/web: it is Degraded", "Failed"},
		{"it never becomes healthy", rolling, v1alpha1.OperationFailed, "Deployment.apps shop/web is Progressing", "Failed"},
	}
	for _, tt := range tests {
		f := newFake()
		f.tick = atTick(5, func(f *fake) { f.status(shopsWeb(), tt.status) })
		res := Run(context.Background(), twoWaves(), f, f.options())
		requirePhase(t, res, tt.phase, tt.says)
		if applied := f.get(object.KeyOf(configMap("b"))) != nil; applied != (tt.phase == v1alpha1.OperationSucceeded) {
			t.Errorf("%s: the second wave was begun: %v", tt.reason, applied)
		}
		if got := string(res.Resources[0].HookPhase); got != tt.entries {
			t.Errorf("%s: the Deployment's entry says %s", tt.reason, got)
		}
	}
}

// The status of an object may be about what this sync has just mended.
func TestAStatusFromBeforeIsNotHeldAgainstAnObject(t *testing.T) {
	broken := shopsWeb()
	broken.Object["status"] = stuck
	f := newFake(ours(broken))
	want := shopsWeb()
	want.Object["spec"] = map[string]any{"replicas": int64(1), "paused": false}
	p := twoWaves()
	p.Phases[0].Waves[0].Steps[0].Desired = want
	p.Phases[0].Waves[0].Steps[0].LiveUnknown = true
	f.tick = atTick(1, func(f *fake) { f.status(shopsWeb(), ready) })
	requirePhase(t, Run(context.Background(), p, f, f.options()), v1alpha1.OperationSucceeded)

	f = newFake(ours(broken)) // and it stays broken
	requirePhase(t, Run(context.Background(), p, f, f.options()), v1alpha1.OperationFailed, "it is Degraded")
}

// What is suspended by its own manifest is as it should be; what somebody else suspended is awaited.
func TestSuspendedObjects(t *testing.T) {
	for _, asked := range []bool{true, false} {
		f := newFake()
		p := twoWaves()
		spec := map[string]any{"replicas": int64(1)}
		if asked {
			spec["paused"] = true
		}
		p.Phases[0].Waves[0].Steps[0].Desired.Object["spec"] = spec
		f.tick = atTick(1, func(f *fake) {
			live := f.objects[object.KeyOf(shopsWeb())].DeepCopy()
			live.Object["spec"] = map[string]any{"replicas": int64(1), "paused": true}
			f.put(live)
		})
		res := Run(context.Background(), p, f, f.options())
		if asked {
			requirePhase(t, res, v1alpha1.OperationSucceeded)
			continue
		}
		requirePhase(t, res, v1alpha1.OperationFailed, "Deployment.apps shop/web is Suspended")
	}
}

// A Job that its manifest suspends waits for whoever queues Jobs: as a hook it has done nothing before it ran.
func TestASuspendedJobHasNotRun(t *testing.T) {
	for _, admitted := range []bool{true, false} {
		f := newFake()
		hook := job("migrate")
		hook.Object["spec"] = map[string]any{"suspend": true}
		ticks := 0
		f.tick = func(f *fake) {
			switch ticks++; {
			case f.objects[object.KeyOf(hook)] == nil:
			case ticks == 1:
				f.status(hook, map[string]any{"conditions": []any{map[string]any{"type": "Suspended", "status": "True"}}})
			case ticks == 3 && admitted:
				f.status(hook, map[string]any{"conditions": []any{map[string]any{"type": "Complete", "status": "True"}}})
			}
		}
		res := Run(context.Background(), oneHook(hookStep(hook, v1alpha1.HookTypePreSync)), f, f.hookOptions(func(o *Options) { o.HookWait = 10 * time.Minute }))
		if !admitted {
			requirePhase(t, res, v1alpha1.OperationFailed, "it has not ended after 10m0s (Suspended")
			continue
		}
		requirePhase(t, res, v1alpha1.OperationSucceeded)
		if ticks < 3 {
			t.Error("it was not awaited")
		}
	}
}

func TestTheNextWaveWaitsUntilWhatIsPrunedIsGone(t *testing.T) {
	for _, goes := range []bool{true, false} {
		old := ours(configMap("old"))
		old.SetFinalizers([]string{"example.com/slow"})
		f := newFake(old)
		live := f.get(object.KeyOf(old))
		f.tick = atTick(5, func(f *fake) {
			if goes {
				delete(f.objects, object.KeyOf(old))
			}
		})
		p := plan.Plan{Phases: []plan.Phase{phase(v1alpha1.SyncPhaseSync,
			gated(0, plan.Step{Action: plan.Prune, Key: object.KeyOf(old), Version: "v1", Live: &plan.Live{UID: live.GetUID(), ResourceVersion: live.GetResourceVersion(), Object: live}}),
			plan.Wave{Number: 1, Steps: []plan.Step{applyStep(configMap("b"))}})}}
		res := Run(context.Background(), p, f, f.options())
		if goes {
			requirePhase(t, res, v1alpha1.OperationSucceeded, "1 created, 1 pruned")
			continue
		}
		requirePhase(t, res, v1alpha1.OperationFailed, "ConfigMap shop/old is not gone (finalizers: example.com/slow) after 1h0m0s")
	}
}

func TestASingleWaveWaitsForNothing(t *testing.T) {
	f := newFake()
	p := plan.Plan{Phases: []plan.Phase{phase(v1alpha1.SyncPhaseSync, plan.Wave{Steps: []plan.Step{applyStep(shopsWeb())}})}}
	f.tick = func(*fake) { t.Error("it waited") }
	requirePhase(t, Run(context.Background(), p, f, f.options()), v1alpha1.OperationSucceeded)
}

// All hooks of a wave are seen to their end, and so is what was begun beside one that failed.
func TestOneFailedHookDoesNotCutOffTheOthers(t *testing.T) {
	f := newFake()
	f.tick = jobs(map[string]string{"a": "Failed"})
	p := plan.Plan{Phases: []plan.Phase{phase(v1alpha1.SyncPhaseSync, gated(0, applyStep(shopsWeb()),
		hookStep(job("a"), v1alpha1.HookTypeSync), hookStep(job("b"), v1alpha1.HookTypeSync)), gated(1, applyStep(configMap("b"))))}}
	res := Run(context.Background(), p, f, f.hookOptions())
	requirePhase(t, res, v1alpha1.OperationFailed, "hook Job.batch shop/a: Failed by the test")
	requireEqual(t, "hooks", hookPhases(res.Resources), []string{"Sync a=Failed", "Sync b=Succeeded"})
	requireOnce(t, "after it", f, map[string]int{"a": 1, "b": 1})
}

func TestTheDelayBetweenWaves(t *testing.T) {
	f := newFake()
	began := f.clock.Now()
	p := plan.Plan{Phases: []plan.Phase{
		phase(v1alpha1.SyncPhaseSync, gated(0, applyStep(configMap("a"))), gated(1, applyStep(configMap("b")))),
		phase(v1alpha1.SyncPhasePostSync, gated(0, applyStep(configMap("c")))),
	}}
	requirePhase(t, Run(context.Background(), p, f, f.options(func(o *Options) { o.WaveDelay = 2 * time.Second })), v1alpha1.OperationSucceeded)
	if took := f.clock.Since(began); took != 4*time.Second {
		t.Errorf("three waves took %s", took)
	}
}

func TestABlockedRunWaits(t *testing.T) {
	f := newFake()
	var said []string
	blocked := "blocked by sync window deny 0 0 * * * 1h"
	reason := ""
	f.refuse = func(*fake, Write) error { reason = blocked; return nil } // the window closes when the first wave is done
	f.tick = atTick(6, func(*fake) { reason, f.refuse = "", nil })
	options := f.options(func(o *Options) {
		o.Blocked = func() string { return reason }
		o.Record = func(_ context.Context, p Progress, _ bool) error { said = append(said, p.Message); return nil }
	})
	p := plan.Plan{Phases: []plan.Phase{phase(v1alpha1.SyncPhaseSync, gated(0, applyStep(configMap("a"))), gated(1, applyStep(configMap("b"))))}}
	requirePhase(t, Run(context.Background(), p, f, options), v1alpha1.OperationSucceeded, "2 created")
	requireEqual(t, "said", said, []string{blocked})
}

func TestABlockedRunCanBeStopped(t *testing.T) {
	f := newFake()
	ctx, tick := stopAt(2, errors.New("terminated"))
	f.tick = tick
	res := Run(ctx, twoWaves(), f, f.options(func(o *Options) { o.Blocked = func() string { return "blocked" } }))
	requirePhase(t, res, v1alpha1.OperationError, "stopped after 0 of 2 objects: terminated")
	requireEqual(t, "calls", f.calls(), nil)
}

// While it waits a run holds no place; it takes one again before it writes.
func TestARunThatWaitsHoldsNoPlace(t *testing.T) {
	f := newFake()
	holds := true
	end := jobs(nil)
	f.tick = func(f *fake) {
		if holds {
			t.Error("it waits with a place")
		}
		end(f)
	}
	f.refuse = func(_ *fake, w Write) error {
		if !holds {
			t.Errorf("it writes %s without a place", w.Object.GetName())
		}
		return nil
	}
	options := f.hookOptions(func(o *Options) {
		o.Rest = func() func(context.Context) error {
			holds = false
			return func(context.Context) error { holds = true; return nil }
		}
	})
	requirePhase(t, Run(context.Background(), shopPlan(), f, options), v1alpha1.OperationSucceeded)
	if !holds {
		t.Error("it ended without a place")
	}
}

func TestARunThatWaitsForAnEarlierHookToGoHoldsNoPlace(t *testing.T) {
	old := earlier(job("migrate"))
	old.SetFinalizers([]string{"example.com/slow"})
	f := newFake(old)
	rests := 0
	end := jobs(nil)
	f.tick = func(f *fake) {
		if live := f.objects[object.KeyOf(old)]; rests > 0 && live != nil && slices.Contains(live.GetFinalizers(), "example.com/slow") {
			delete(f.objects, object.KeyOf(old))
		}
		end(f)
	}
	options := f.hookOptions(func(o *Options) {
		o.Rest = func() func(context.Context) error { rests++; return func(context.Context) error { return nil } }
	})
	requirePhase(t, Run(context.Background(), oneHook(hookStep(job("migrate"), v1alpha1.HookTypePreSync)), f, options), v1alpha1.OperationSucceeded)
}

func TestHooksHoldTheRun(t *testing.T) {
	f := newFake()
	f.tick = jobs(nil)
	var seen []string
	hold := func() (func(), bool) {
		seen = append(seen, "begin")
		return func() { seen = append(seen, "end "+hookState(f)) }, true
	}
	requirePhase(t, Run(context.Background(), shopPlan(), f, f.hookOptions(func(o *Options) { o.Hold = hold })), v1alpha1.OperationSucceeded)
	requireEqual(t, "holds", seen, []string{"begin", "end migrate", "begin", "end migrate smoke"})
}

// A hook that has ended by the record holds nothing: whoever goes on with the operation for the sake of another hook, which
// runs, is held by that one only.
func TestAHookThatHasEndedHoldsNothing(t *testing.T) {
	f := newFake()
	f.tick = jobs(nil)
	before := v1alpha1.ResourceResults{{Group: "batch", Kind: "Job", Namespace: "shop", Name: "migrate", HookType: v1alpha1.HookTypePreSync, HookPhase: v1alpha1.OperationSucceeded}}
	held := 0
	hold := func() (func(), bool) { held++; return func() {}, true }
	requirePhase(t, Run(context.Background(), shopPlan(), f, f.hookOptions(func(o *Options) { o.Before, o.Hold = before, hold })), v1alpha1.OperationSucceeded)
	if held != 1 {
		t.Errorf("held %d times", held)
	}
}

// hookState names the Jobs that no finalizer holds.
func hookState(f *fake) string {
	var out []string
	for key, u := range f.objects {
		if key.Kind == "Job" && len(u.GetFinalizers()) == 0 {
			out = append(out, key.Name)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestARunThatMayNotHoldIsStopped(t *testing.T) {
	f := newFake()
	res := Run(context.Background(), shopPlan(), f, f.hookOptions(func(o *Options) { o.Hold = func() (func(), bool) { return func() {}, false } }))
	if requireEqual(t, "calls", f.calls(), nil); !res.Stopped {
		t.Errorf("%s %s", res.Phase, res.Message)
	}
}

// unwatched is a target that knows nothing without asking.
type unwatched struct {
	*fake
	reads int
	down  int // so many reads fail
}

func (u *unwatched) Live(context.Context, schema.GroupVersionKind, string, string) (*unstructured.Unstructured, bool) {
	return nil, false
}

func (u *unwatched) Read(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error) {
	u.reads++
	if u.reads > 2 && u.down > 0 {
		u.down--
		return nil, fault.New(fault.Retry, "read", name, "", "no answer", "")
	}
	return u.fake.Read(ctx, gvk, namespace, name)
}

// What is not watched is asked for, but seldom; and that the API server does not answer is not taken for an end.
func TestWhatIsNotWatchedIsAskedFor(t *testing.T) {
	f := newFake()
	began := f.clock.Now()
	f.tick = func(f *fake) {
		if f.clock.Since(began) > 5*time.Minute {
			jobs(map[string]string{})(f)
			f.status(job("migrate"), map[string]any{"conditions": []any{map[string]any{"type": "Complete", "status": "True"}}})
		}
	}
	u := &unwatched{fake: f, down: 3}
	requirePhase(t, Run(context.Background(), oneHook(hookStep(job("migrate"), v1alpha1.HookTypePreSync)), u, f.hookOptions()), v1alpha1.OperationSucceeded)
	if u.reads < 20 || u.reads > 50 {
		t.Errorf("the API server was asked %d times in five minutes", u.reads)
	}
}

// A change wakes a run that waits; it need not ask.
func TestAChangeEndsAWait(t *testing.T) {
	f := newFake()
	changed := make(chan struct{}, 1)
	waits := 0
	f.tick = func(f *fake) {
		waits++
		f.status(shopsWeb(), ready)
		changed <- struct{}{}
	}
	requirePhase(t, Run(context.Background(), twoWaves(), f, f.options(func(o *Options) { o.Changed = changed })), v1alpha1.OperationSucceeded)
	if waits != 1 {
		t.Errorf("it waited %d times", waits)
	}
}
