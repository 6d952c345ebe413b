// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// instant answers every write at once, with what it would make of the object: all that is measured is ours.
type instant struct {
	*fake
	answers map[object.Key]*unstructured.Unstructured
}

func (i *instant) Write(_ context.Context, w Write) (*unstructured.Unstructured, error) {
	return i.answers[object.KeyOf(w.Object)], nil
}

// BenchmarkRun measures what a sync of ten objects costs beside the requests: with nothing there, and with all of it changed.
func BenchmarkRun(b *testing.B) {
	for _, there := range []bool{false, true} {
		b.Run(fmt.Sprintf("there=%v", there), func(b *testing.B) {
			f := newFake()
			f.kinds[serviceKind] = true
			target := &instant{fake: f, answers: map[object.Key]*unstructured.Unstructured{}}
			var steps []plan.Step
			for _, u := range tenObjects() {
				step := applyStep(u)
				answer := ours(u)
				answer.SetUID("uid")
				answer.SetResourceVersion("2")
				answer.SetGeneration(1)
				target.answers[step.Key] = answer
				if there {
					live := ours(u)
					live.SetUID("uid")
					live.SetResourceVersion("1")
					live.SetLabels(map[string]string{"before": "this"})
					step.Live = &plan.Live{UID: "uid", ResourceVersion: "1", Object: live}
				}
				steps = append(steps, step)
			}
			work := plan.Plan{Phases: []plan.Phase{phase(v1alpha1.SyncPhaseSync, plan.Wave{Steps: steps})}}
			options := Options{App: "shop", Permit: func(object.Key, bool) error { return nil }, Clock: clock.RealClock{}, Automated: true, Learn: func(Learned) {}}
			b.ReportAllocs()
			for b.Loop() {
				if res := Run(context.Background(), work, target, options); res.Phase != v1alpha1.OperationSucceeded {
					b.Fatal(res.Message)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(steps)), "µs/object")
		})
	}
}

var serviceKind = schema.GroupKind{Kind: "Service"}

func tenObjects() []*unstructured.Unstructured {
	out := []*unstructured.Unstructured{
		parse(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop, labels: {app: web}, annotations: {argocd.argoproj.io/tracking-id: 'shop:apps/Deployment:shop/web'}},
			spec: {replicas: 1, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [
			{name: c, image: "example.com/web:1", ports: [{containerPort: 80}], env: [{name: A, value: b}], resources: {requests: {cpu: 100m, memory: 64Mi}}}]}}}}`),
		parse(`{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop, annotations: {argocd.argoproj.io/tracking-id: 'shop:/Service:shop/web'}}, spec: {selector: {app: web}, ports: [{port: 80}]}}`),
	}
	for n := range 8 {
		out = append(out, configMap(fmt.Sprintf("c%d", n), "a", "one", "b", "two", "c", "three"))
	}
	return out
}
