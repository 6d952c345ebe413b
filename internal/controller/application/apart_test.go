// SPDX-License-Identifier: Apache-2.0

package application

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// jobNamed is a Job that carries an annotation.
func jobNamed(name, annotation, value string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "batch/v1", "kind": "Job"}}
	u.SetName(name)
	u.SetNamespace(shop)
	u.SetAnnotations(map[string]string{annotation: value})
	return u
}

// Hooks are listed and never counted, be they desired or left over; and so is what takes no part in syncs.
func TestHooksAreListedAndNotCounted(t *testing.T) {
	w := newWorld(t, 1, nil)
	left := jobNamed("left", v1alpha1.AnnotationKeyHook, "PostSync")
	left.SetUID("left")
	w.objects[object.KeyOf(left)] = rawOf(left)
	state := stateOf(t, 1,
		jobNamed("migrate", v1alpha1.AnnotationKeyHook, "PreSync"),
		jobNamed("chart", v1alpha1.AnnotationKeyHelmHook, "post-install"),
		jobNamed("test", v1alpha1.AnnotationKeyHelmHook, "test"),
		jobNamed("skip", v1alpha1.AnnotationKeyHook, "Skip"),
		jobNamed("", v1alpha1.AnnotationKeyHook, "PreSync"),
	)
	w.compare(t, state)
	f := w.st.table.fold(true)
	if f.sync != v1alpha1.SyncStatusCodeSynced || f.health != v1alpha1.HealthStatusHealthy {
		t.Errorf("the application is %s and %s", f.sync, f.health)
	}
	hooks := map[string]bool{}
	for _, r := range f.resources {
		if r.Kind != "Job" {
			continue
		}
		hooks[r.Name] = r.Hook
		if r.Status != "" || r.RequiresPruning || r.Health != nil {
			t.Errorf("%s: %+v", r.Name, r)
		}
	}
	for name, hook := range map[string]bool{"migrate": true, "chart": true, "left": true, "test": false, "skip": false} {
		if got, listed := hooks[name]; !listed || got != hook {
			t.Errorf("%s: listed %v as a hook %v, want %v", name, listed, got, hook)
		}
	}
	if len(hooks) != 5 {
		t.Errorf("listed: %v", hooks)
	}

	delete(w.objects, object.KeyOf(left))
	w.compare(t, state)
	if slices.ContainsFunc(w.st.table.fold(true).resources, func(r v1alpha1.ResourceStatus) bool { return r.Name == "left" }) {
		t.Error("a hook that is gone, and not desired, is still listed")
	}
}
