// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"errors"
	"fmt"
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

const operation = "1764000000-0-abcdef01"

// job is a hook of a kind that runs to an end.
func job(name string) *unstructured.Unstructured {
	return parse(fmt.Sprintf(`{apiVersion: batch/v1, kind: Job, metadata: {namespace: shop, name: %s,
		annotations: {argocd.argoproj.io/tracking-id: 'shop:batch/Job:shop/%s'}}, spec: {template: {}}}`, name, name))
}

func applyStep(u *unstructured.Unstructured) plan.Step {
	return plan.Step{Action: plan.Apply, Key: object.KeyOf(u), Version: u.GroupVersionKind().Version, Desired: u}
}

func hookStep(u *unstructured.Unstructured, kind v1alpha1.HookType, policies ...v1alpha1.HookDeletePolicy) plan.Step {
	if len(policies) == 0 {
		policies = []v1alpha1.HookDeletePolicy{v1alpha1.HookDeletePolicyBeforeHookCreation}
	}
	s := applyStep(u)
	s.Action, s.Hook = plan.Run, &plan.Hook{Type: kind, Policies: policies}
	return s
}

func phase(name v1alpha1.SyncPhase, waves ...plan.Wave) plan.Phase {
	return plan.Phase{Name: name, Waves: waves}
}

// gated is a wave that waits for health.
func gated(number int, steps ...plan.Step) plan.Wave {
	return plan.Wave{Number: number, Steps: steps, AwaitHealth: true}
}

// jobs is a Job controller: it ends each Job, on the second look at it, as outcomes say; those that are not named there
// succeed, and one whose outcome is "" never ends.
func jobs(outcomes map[string]string) func(*fake) {
	seen := map[string]int{}
	return func(f *fake) {
		for key, u := range f.objects {
			outcome, ok := outcomes[key.Name]
			if !ok {
				outcome = "Complete"
			}
			if key.Kind != "Job" || outcome == "" || u.Object["status"] != nil {
				continue
			}
			if seen[string(u.GetUID())]++; seen[string(u.GetUID())] < 2 {
				continue
			}
			u = u.DeepCopy()
			u.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": outcome, "status": "True", "message": outcome + " by the test"}}}
			f.put(u)
		}
	}
}

func (f *fake) hookOptions(change ...func(*Options)) Options {
	return f.options(append([]func(*Options){func(o *Options) { o.Operation = operation }}, change...)...)
}

// hookPhases are the entries of hooks, as type name=phase.
func hookPhases(resources v1alpha1.ResourceResults) []string {
	var out []string
	for _, r := range resources {
		if r.HookType != "" {
			out = append(out, fmt.Sprintf("%s %s=%s", r.SyncPhase, r.Name, r.HookPhase))
		}
	}
	return out
}

// writes are the calls that change something, without adoptions and finalizers.
func (f *fake) writes() []string {
	return slices.DeleteFunc(f.calls(), func(line string) bool { return strings.HasPrefix(line, "dry ") || strings.HasPrefix(line, "patch ") })
}

func shopPlan() plan.Plan {
	failure := phase(v1alpha1.SyncPhaseSyncFail, plan.Wave{Steps: []plan.Step{hookStep(job("tell"), v1alpha1.HookTypeSyncFail)}})
	return plan.Plan{
		Phases: []plan.Phase{
			phase(v1alpha1.SyncPhasePreSync, gated(0, hookStep(job("migrate"), v1alpha1.HookTypePreSync))),
			phase(v1alpha1.SyncPhaseSync, gated(0, applyStep(configMap("a"))), gated(1, applyStep(configMap("b")))),
			phase(v1alpha1.SyncPhasePostSync, plan.Wave{Steps: []plan.Step{hookStep(job("smoke"), v1alpha1.HookTypePostSync)}}),
		},
		OnFailure: &failure,
	}
}

func TestHooksRunInTheirPhases(t *testing.T) {
	f := newFake()
	f.tick = jobs(nil)
	res := Run(context.Background(), shopPlan(), f, f.hookOptions())
	requirePhase(t, res, v1alpha1.OperationSucceeded, "2 created", "2 hooks succeeded")
	requireEqual(t, "writes", f.writes(), []string{
		"create Job.batch shop/migrate", "apply ConfigMap shop/a", "apply ConfigMap shop/b", "create Job.batch shop/smoke",
	})
	requireEqual(t, "hooks", hookPhases(res.Resources), []string{"PreSync migrate=Succeeded", "PostSync smoke=Succeeded"})
	made := f.get(object.KeyOf(job("migrate")))
	if made.GetAnnotations()[v1alpha1.AnnotationOperation] != operation || len(made.GetFinalizers()) != 0 {
		t.Errorf("the hook carries %v and finalizers %v", made.GetAnnotations(), made.GetFinalizers())
	}
}

func TestAFailedHookEndsThePhasesAndRunsSyncFail(t *testing.T) {
	f := newFake()
	f.tick = jobs(map[string]string{"migrate": "Failed"})
	res := Run(context.Background(), shopPlan(), f, f.hookOptions())
	requirePhase(t, res, v1alpha1.OperationFailed, "cannot run hook Job.batch shop/migrate: Failed by the test")
	requireEqual(t, "writes", f.writes(), []string{"create Job.batch shop/migrate", "create Job.batch shop/tell"})
	requireEqual(t, "hooks", hookPhases(res.Resources), []string{"PreSync migrate=Failed", "SyncFail tell=Succeeded"})
	if !res.Retryable {
		t.Error("a hook that failed is not tried again")
	}
}

// oneHook is a plan of one hook before anything else.
func oneHook(s plan.Step) plan.Plan {
	return plan.Plan{Phases: []plan.Phase{
		phase(v1alpha1.SyncPhasePreSync, gated(0, s)),
		phase(v1alpha1.SyncPhaseSync, plan.Wave{Steps: []plan.Step{applyStep(configMap("a"))}}),
	}}
}

func TestWhichHooksAreDeletedInTheEnd(t *testing.T) {
	const onSuccess, onFailure, before = v1alpha1.HookDeletePolicyHookSucceeded, v1alpha1.HookDeletePolicyHookFailed, v1alpha1.HookDeletePolicyBeforeHookCreation
	tests := []struct {
		reason   string
		policies []v1alpha1.HookDeletePolicy
		hook     string // how it ends
		later    string // how the hook after the sync ends
		left     bool
	}{
		{"success, and the policy is for success", []v1alpha1.HookDeletePolicy{onSuccess}, "Complete", "Complete", false},
		{"failure, and the policy is for success", []v1alpha1.HookDeletePolicy{onSuccess}, "Failed", "Complete", true},
		{"success, and the policy is for failure", []v1alpha1.HookDeletePolicy{onFailure}, "Complete", "Complete", true},
		{"failure, and the policy is for failure", []v1alpha1.HookDeletePolicy{onFailure}, "Failed", "Complete", false},
		{"the hook succeeds but the sync does not, and the policy is for success", []v1alpha1.HookDeletePolicy{onSuccess}, "Complete", "Failed", true},
		{"the hook succeeds but the sync does not, and the policy is for failure", []v1alpha1.HookDeletePolicy{onFailure}, "Complete", "Failed", false},
		{"both", []v1alpha1.HookDeletePolicy{onSuccess, onFailure}, "Complete", "Complete", false},
		{"the default keeps it until the next time", []v1alpha1.HookDeletePolicy{before}, "Failed", "Complete", true},
	}
	for _, tt := range tests {
		f := newFake()
		f.tick = jobs(map[string]string{"migrate": tt.hook, "smoke": tt.later})
		p := oneHook(hookStep(job("migrate"), v1alpha1.HookTypePreSync, tt.policies...))
		p.Phases = append(p.Phases, phase(v1alpha1.SyncPhasePostSync, gated(0, hookStep(job("smoke"), v1alpha1.HookTypePostSync))))
		Run(context.Background(), p, f, f.hookOptions())
		if left := f.get(object.KeyOf(job("migrate"))) != nil; left != tt.left {
			t.Errorf("%s: the hook is left: %v", tt.reason, left)
		}
	}
}

// earlier returns the object of a hook as an earlier try left it.
func earlier(u *unstructured.Unstructured) *unstructured.Unstructured {
	u.SetAnnotations(merged(u.GetAnnotations(), v1alpha1.AnnotationOperation, "1763000000-0-00000000"))
	return u
}

func TestWhatIsThereAlready(t *testing.T) {
	foreign := job("migrate")
	foreign.SetAnnotations(map[string]string{v1alpha1.AnnotationKeyAppInstance: "pay:batch/Job:shop/migrate"})
	nobodys := job("migrate")
	nobodys.SetAnnotations(nil)
	forged := job("migrate")
	forged.SetAnnotations(map[string]string{v1alpha1.AnnotationOperation: operation})
	finished := earlier(job("migrate"))
	finished.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Complete", "status": "True"}}}
	onSuccess := []v1alpha1.HookDeletePolicy{v1alpha1.HookDeletePolicyHookSucceeded}
	tests := []struct {
		reason   string
		live     *unstructured.Unstructured
		policies []v1alpha1.HookDeletePolicy
		writes   []string
		says     string // of the failure; "" if it succeeds
	}{
		{"a Job of an earlier try makes place", finished, nil, []string{"delete Job.batch shop/migrate", "create Job.batch shop/migrate"}, ""},
		{"whatever its policy, for it never runs again", finished, onSuccess, []string{"delete Job.batch shop/migrate", "create Job.batch shop/migrate"}, ""},
		{"an object that does not run to an end makes place by its policy", earlier(configMap("migrate")), nil,
			[]string{"delete ConfigMap shop/migrate", "create ConfigMap shop/migrate"}, ""},
		{"and is changed without one", ours(earlier(configMap("migrate"))), onSuccess, []string{"apply ConfigMap shop/migrate", "delete ConfigMap shop/migrate"}, ""},
		{"another application's object is left alone", foreign, nil, nil, "does not belong to application shop"},
		{"so is nobody's", nobodys, nil, nil, "does not belong to application shop"},
		{"and one that only pretends to be of this try", forged, nil, nil, "does not belong to application shop"},
	}
	for _, tt := range tests {
		f := newFake(tt.live)
		f.tick = jobs(nil)
		hook := job("migrate")
		if tt.live.GetKind() == "ConfigMap" {
			hook = configMap("migrate")
		}
		res := Run(context.Background(), oneHook(hookStep(hook, v1alpha1.HookTypePreSync, tt.policies...)), f, f.hookOptions())
		writes := slices.DeleteFunc(f.writes(), func(line string) bool {
			return line == "apply ConfigMap shop/a" || strings.HasPrefix(line, "adopt ")
		})
		if last := len(writes) - 1; hook.GetKind() == "Job" && len(tt.policies) > 0 && last >= 0 {
			writes = writes[:last] // the deletion by the policy
		}
		requireEqual(t, tt.reason, writes, tt.writes)
		if tt.says == "" {
			requirePhase(t, res, v1alpha1.OperationSucceeded)
		} else {
			requirePhase(t, res, v1alpha1.OperationFailed, tt.says)
		}
	}
}

func TestAnObjectThatIsAHookOfTwoTypes(t *testing.T) {
	f := newFake()
	f.tick = jobs(nil)
	p := oneHook(hookStep(job("migrate"), v1alpha1.HookTypePreSync))
	p.Phases = append(p.Phases, phase(v1alpha1.SyncPhasePostSync, gated(0, hookStep(job("migrate"), v1alpha1.HookTypePostSync))))
	requirePhase(t, Run(context.Background(), p, f, f.hookOptions()), v1alpha1.OperationSucceeded, "2 hooks succeeded")
	requireEqual(t, "writes", f.writes(), []string{
		"create Job.batch shop/migrate", "apply ConfigMap shop/a", "delete Job.batch shop/migrate", "create Job.batch shop/migrate",
	})
}

func TestAHookWhoseCreationWasNotAnswered(t *testing.T) {
	f := newFake()
	f.tick = jobs(nil)
	f.refuse = func(f *fake, w Write) error {
		if w.Method != Create || w.DryRun {
			return nil
		}
		f.refuse = nil
		f.put(w.Object) // it was made, but the answer is lost
		return fault.New(fault.Retry, "create", "Job", "", "no answer in time", "")
	}
	requirePhase(t, Run(context.Background(), oneHook(hookStep(job("migrate"), v1alpha1.HookTypePreSync)), f, f.hookOptions()), v1alpha1.OperationSucceeded)
	requireOnce(t, "after it", f, map[string]int{"migrate": 1})
}

// One that was made after all, long after we gave up asking, is not left to run.
func TestAHookThatWasMadeUnseen(t *testing.T) {
	f := newFake()
	f.refuse = func(f *fake, w Write) error {
		if w.Method != Create {
			return nil
		}
		f.put(w.Object)
		return fault.New(fault.Retry, "create", "Job", "", "no answer in time", "")
	}
	began := f.clock.Now()
	blind := &blind{fake: f, until: func() bool { return f.clock.Since(began) > 4*time.Second }}
	requirePhase(t, Run(context.Background(), oneHook(hookStep(job("migrate"), v1alpha1.HookTypePreSync)), blind, f.hookOptions()), v1alpha1.OperationFailed, "no answer in time")
	if f.get(object.KeyOf(job("migrate"))) != nil {
		t.Error("the hook is left to run")
	}
}

// blind is a target that sees nothing for a while.
type blind struct {
	*fake
	until func() bool
}

func (b *blind) Live(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, bool) {
	if !b.until() {
		return nil, false
	}
	return b.fake.Live(ctx, gvk, namespace, name)
}

func (b *blind) Read(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error) {
	if !b.until() {
		return nil, fault.New(fault.Retry, "read", name, "", "no answer in time", "")
	}
	return b.fake.Read(ctx, gvk, namespace, name)
}

func TestAHookThatIsRefused(t *testing.T) {
	f := newFake()
	f.tick = jobs(nil)
	f.refuse = func(_ *fake, w Write) error {
		if w.Object.GetName() == "migrate" {
			return refuse("", fault.Stalled, "exceeded quota")
		}
		return nil
	}
	res := Run(context.Background(), shopPlan(), f, f.hookOptions())
	requirePhase(t, res, v1alpha1.OperationFailed, "exceeded quota")
	requireEqual(t, "hooks", hookPhases(res.Resources), []string{"PreSync migrate=Failed", "SyncFail tell=Succeeded"})
}

// The outcome of a hook is on record before its object may go.
func TestTheRecordComesFirst(t *testing.T) {
	f := newFake()
	f.tick = jobs(nil)
	var seen []string
	record := func(_ context.Context, p Progress, durable bool) error {
		if durable {
			held := f.get(object.KeyOf(job("migrate"))).GetFinalizers()
			seen = append(seen, fmt.Sprint(hookPhases(p.Resources), held))
		}
		return nil
	}
	Run(context.Background(), oneHook(hookStep(job("migrate"), v1alpha1.HookTypePreSync)), f, f.hookOptions(func(o *Options) { o.Record = record }))
	requireEqual(t, "records", seen, []string{"[PreSync migrate=Succeeded] [" + v1alpha1.HookFinalizer + "]"})
}

func TestARecordThatCannotBeWrittenStopsTheRun(t *testing.T) {
	f := newFake()
	f.tick = jobs(nil)
	record := func(_ context.Context, _ Progress, durable bool) error {
		if durable {
			return errors.New("leads no more")
		}
		return nil
	}
	res := Run(context.Background(), shopPlan(), f, f.hookOptions(func(o *Options) { o.Record = record }))
	requireEqual(t, "writes", f.writes(), []string{"create Job.batch shop/migrate"})
	if !res.Stopped || len(f.get(object.KeyOf(job("migrate"))).GetFinalizers()) != 1 {
		t.Errorf("stopped %v, %s", res.Stopped, res.Message)
	}
}

func TestWhatIsWaitedForIsSaid(t *testing.T) {
	f := newFake()
	f.tick = jobs(nil)
	var said []string
	record := func(_ context.Context, p Progress, durable bool) error {
		if !durable {
			said = append(said, p.Message)
		}
		return nil
	}
	Run(context.Background(), oneHook(hookStep(job("migrate"), v1alpha1.HookTypePreSync)), f, f.hookOptions(func(o *Options) { o.Record = record }))
	requireEqual(t, "said", said, []string{"waiting for hook Job.batch shop/migrate (Progressing, since 12:00:00, until 2026-03-02 12:00:00 UTC)"})
}

func TestADryRunOfHooks(t *testing.T) {
	f := newFake(earlier(job("migrate")))
	res := Run(context.Background(), shopPlan(), f, f.options(func(o *Options) { o.DryRun = true }))
	requirePhase(t, res, v1alpha1.OperationSucceeded, "(dry run)")
	requireEqual(t, "calls", f.calls(), []string{
		"dry create Job.batch shop/migrate", "dry apply ConfigMap shop/a", "dry apply ConfigMap shop/b", "dry create Job.batch shop/smoke",
	})
}

func TestAnOperationWithoutANameRunsNoHooks(t *testing.T) {
	f := newFake()
	requirePhase(t, Run(context.Background(), shopPlan(), f, f.options()), v1alpha1.OperationError, "the operation has no name")
	requireEqual(t, "calls", f.calls(), nil)
}

func TestKeptHooks(t *testing.T) {
	f := newFake()
	f.tick = jobs(nil)
	p := oneHook(hookStep(job("migrate"), v1alpha1.HookTypePreSync, v1alpha1.HookDeletePolicyHookSucceeded))
	requirePhase(t, Run(context.Background(), p, f, f.hookOptions(func(o *Options) { o.KeepHooks = true })), v1alpha1.OperationSucceeded)
	if live := f.get(object.KeyOf(job("migrate"))); live == nil || len(live.GetFinalizers()) != 1 {
		t.Errorf("the hook is not kept as it was: %v", live)
	}
}

func TestManyHooksAtOnce(t *testing.T) {
	f := newFake()
	f.tick = expire(nil)
	var steps []plan.Step
	want := map[string]int{}
	for i := range 100 {
		name := fmt.Sprintf("hook-%d", i)
		steps = append(steps, hookStep(job(name), v1alpha1.HookTypePreSync, v1alpha1.HookDeletePolicyHookSucceeded))
		want[name] = 1
	}
	p := plan.Plan{Phases: []plan.Phase{phase(v1alpha1.SyncPhasePreSync, gated(0, steps...))}}
	res := Run(context.Background(), p, f, f.hookOptions(func(o *Options) { o.Parallel = 0 }))
	requirePhase(t, res, v1alpha1.OperationSucceeded, "100 hooks succeeded")
	requireOnce(t, "after it", f, want)
}
