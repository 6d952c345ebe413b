// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

var widgets = schema.GroupKind{Group: "example.com", Kind: "Widget"}

// establish is what an API server does about definitions, some time after they were made.
func establish(f *fake) {
	for key, u := range f.objects {
		if key.Kind != "CustomResourceDefinition" {
			continue
		}
		u.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Established", "status": "True"}}}
		f.kinds[widgets] = true
	}
}

func TestObjectsOfAKindThatTheSyncItselfDefines(t *testing.T) {
	f := newFake()
	f.tick = establish
	res := f.sync(t, plan.Input{}, f.options(), parse(widget), parse(definition))
	requirePhase(t, res, v1alpha1.OperationSucceeded, "2 created")
	requireEqual(t, "calls", f.calls(), []string{"apply CustomResourceDefinition.apiextensions.k8s.io widgets.example.com", "apply Widget.example.com shop/w"})
}

func TestAKindThatIsEstablishedButServedLater(t *testing.T) {
	f := newFake()
	ticks := 0
	f.tick = func(f *fake) {
		ticks++
		establish(f)
		if ticks < 4 {
			delete(f.kinds, widgets)
		}
	}
	requirePhase(t, f.sync(t, plan.Input{}, f.options(), parse(widget), parse(definition)), v1alpha1.OperationSucceeded)
}

func TestADefinitionThatIsNeverEstablished(t *testing.T) {
	f := newFake()
	res := f.sync(t, plan.Input{}, f.options(), parse(widget), parse(definition))
	requirePhase(t, res, v1alpha1.OperationFailed, "no such kind Widget")
	if !res.Retryable || !strings.HasPrefix(messages(res)["widgets.example.com"], "Synced") {
		t.Errorf("retryable %v, %q", res.Retryable, messages(res))
	}
}

const deployment = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {replicas: 1}, status: %s}"

func setStatus(f *fake, status map[string]any) {
	f.objects[object.Key{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"}].Object["status"] = status
}

func TestWhatIsPrunedLastWaitsForHealth(t *testing.T) {
	ready := map[string]any{"replicas": int64(1), "updatedReplicas": int64(1), "availableReplicas": int64(1)}
	degraded := map[string]any{"conditions": []any{map[string]any{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}}}
	web := parse(strings.Replace(deployment, "%s", "{}", 1))
	old := object.KeyOf(configMap("old"))
	tests := []struct {
		reason string
		after  map[string]any
		gone   bool
		phase  v1alpha1.OperationPhase
		says   string
	}{
		{"it becomes healthy", ready, true, v1alpha1.OperationSucceeded, "1 pruned"},
		{"it degrades", degraded, false, v1alpha1.OperationFailed, "it is Degraded"},
		{"it never becomes healthy", map[string]any{}, false, v1alpha1.OperationFailed, "Deployment.apps shop/web is Progressing"},
	}
	for _, tt := range tests {
		f := newFake(ours(configMap("old")))
		ticks := 0
		f.tick = func(f *fake) {
			if ticks++; ticks == 5 {
				setStatus(f, tt.after)
			}
		}
		res := f.sync(t, plan.Input{Prune: true, Options: v1alpha1.SyncOptions{"PruneLast=true"}}, f.options(), web, configMap("a"))
		if gone := f.get(old) == nil; gone != tt.gone || res.Phase != tt.phase || !strings.Contains(res.Message, tt.says) {
			t.Errorf("%s: gone %v, %s %q", tt.reason, gone, res.Phase, res.Message)
		}
	}
}

func TestAStopEndsAWait(t *testing.T) {
	f := newFake(ours(configMap("old")))
	ctx, cancel := context.WithCancelCause(context.Background())
	f.tick = func(*fake) { cancel(errors.New("terminated")) }
	p := f.planFor(t, plan.Input{Prune: true, Options: v1alpha1.SyncOptions{"PruneLast=true"}}, parse(strings.Replace(deployment, "%s", "{}", 1)))
	res := Run(ctx, p, f, f.options())
	requirePhase(t, res, v1alpha1.OperationError, "stopped after 1 of 2 objects: terminated")
	if f.get(object.KeyOf(configMap("old"))) == nil {
		t.Error("the stop did not keep what was to be pruned last")
	}
}
