// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
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
