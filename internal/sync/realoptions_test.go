// SPDX-License-Identifier: Apache-2.0

package sync_test

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/sync"
)

func TestRealImmutableField(t *testing.T) {
	b := newBench(t)
	b.sync(b.desired(web))
	before := b.live(b.desired(web)).GetUID()
	moved := strings.ReplaceAll(web, "app: web", "app: moved")
	b.require(b.run(b.plan(plan.Input{}, []*unstructured.Unstructured{b.desired(moved)})), v1alpha1.OperationFailed,
		"spec.selector", "immutable", "Replace=true,Force=true")
	force := strings.Replace(moved, "{name: web}", "{name: web, annotations: {argocd.argoproj.io/sync-options: 'Force=true'}}", 1)
	b.require(b.run(b.plan(plan.Input{}, []*unstructured.Unstructured{b.desired(force)})), v1alpha1.OperationSucceeded, "deployment.apps/web replaced")
	after := b.live(b.desired(web))
	if after.GetUID() == before || field(after, "spec", "selector", "matchLabels", "app") != "moved" {
		t.Errorf("uid %s, selector %v: it was not created anew", after.GetUID(), field(after, "spec", "selector"))
	}
	// What is wrong in itself is not worth a deletion.
	wrong := strings.Replace(strings.ReplaceAll(force, "app: moved", "app: third"), "template:\n    metadata: {labels: {app: third}}", "template:\n    metadata: {labels: {app: fourth}}", 1)
	b.require(b.run(b.plan(plan.Input{}, []*unstructured.Unstructured{b.desired(wrong)})), v1alpha1.OperationFailed, "was not deleted")
	if b.live(b.desired(web)).GetUID() != after.GetUID() {
		t.Error("it was deleted for a manifest that cannot be created")
	}
}

func TestRealReplace(t *testing.T) {
	b := newBench(t)
	options := "annotations: {argocd.argoproj.io/sync-options: 'Replace=true'}"
	b.made(b.parse("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {theirs: x}}"), "configmaps", "somebody")
	want := b.desired("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, " + options + "}, data: {ours: x}}")
	b.require(b.sync(want), v1alpha1.OperationSucceeded, "configured")
	if live := b.live(want); field(live, "data", "theirs") != nil || field(live, "data", "ours") != "x" {
		t.Errorf("data = %v", live.Object["data"])
	}
	b.require(b.sync(want), v1alpha1.OperationSucceeded, "unchanged")
}

func TestRealUnknownField(t *testing.T) {
	b := newBench(t)
	manifest := "{apiVersion: v1, kind: Service, metadata: {name: s, annotations: {argocd.argoproj.io/sync-options: '%s'}}, spec: {ports: [{port: 80}], speed: fast}}"
	strict := b.desired(fmt.Sprintf(manifest, "Validate=true"))
	b.require(b.run(b.plan(plan.Input{}, []*unstructured.Unstructured{strict})), v1alpha1.OperationFailed, "speed")
	if b.live(strict) != nil {
		t.Error("it was created although a field is not known")
	}
	b.require(b.sync(b.desired(fmt.Sprintf(manifest, "Validate=false"))), v1alpha1.OperationSucceeded, "created")
	b.require(b.sync(b.desired(fmt.Sprintf(manifest, "Validate=false"))), v1alpha1.OperationSucceeded, "unchanged")
}

func TestRealValidationByDryRun(t *testing.T) {
	b := newBench(t)
	good := b.desired("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
	bad := b.desired("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 99999}]}}")
	res := b.run(b.plan(plan.Input{}, []*unstructured.Unstructured{good, bad}), func(o *sync.Options) { o.ValidateByDryRun = true })
	b.require(res, v1alpha1.OperationFailed, "99999")
	if b.live(good) != nil {
		t.Error("something was applied although the set is not valid")
	}
}

func TestRealLearnedForms(t *testing.T) {
	b := newBench(t)
	want := b.desired(web)
	var learned *diff.Accepted
	b.require(b.run(b.plan(plan.Input{}, []*unstructured.Unstructured{want}), func(o *sync.Options) {
		o.Learn = func(l sync.Learned) { learned = &l.Accepted }
	}), v1alpha1.OperationSucceeded)
	if learned == nil {
		t.Fatal("nothing was learned")
	}
	if got := diff.Compare(diff.Input{Desired: want, Live: b.live(want), Accepted: learned}); got.Verdict != diff.Same || *got.Learned != *learned {
		t.Errorf("cpu: 1000m after its own apply: %s (%s) %v", got.Verdict, got.Reason, got.Changes)
	}
}
