// SPDX-License-Identifier: Apache-2.0

package application

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
)

// job is a Job that is the hooks named, by name or, if that ends in a hyphen, generateName.
func job(name, hooks, image string) object.Manifest {
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "batch/v1", "kind": "Job", "metadata": map[string]any{"annotations": map[string]any{v1alpha1.AnnotationKeyHook: hooks}},
		"spec": map[string]any{"image": image},
	}}
	if strings.HasSuffix(name, "-") {
		u.SetGenerateName(name)
	} else {
		u.SetName(name)
	}
	return object.Manifest{Object: u}
}

func stateWith(t *testing.T, permit error, manifests ...object.Manifest) *desired.State {
	t.Helper()
	sources := []v1alpha1.ApplicationSource{{RepoURL: "https://git.example/shop", Path: "."}}
	state, err := desired.NewEngine(oneCommit{}, given(manifests), nil, nil).At(t.Context(), shop, "default", sources, nil, desired.Target{
		Instance: shop, Namespace: shop, Tracker: settings.Defaults().Tracker, Version: "1",
		Scope:    func(schema.GroupVersionKind) desired.Scope { return desired.ScopeNamespaced },
		Permit:   func(object.Key, bool) error { return permit },
		Excluded: func(string, string) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func TestFinalizersFollowTheHooks(t *testing.T) {
	const (
		pre, preCleanup   = v1alpha1.PreDeleteFinalizerName, v1alpha1.PreDeleteFinalizerCleanupName
		post, postCleanup = v1alpha1.PostDeleteFinalizerName, v1alpha1.PostDeleteFinalizerCleanupName
		others            = "z.example.com/first " + v1alpha1.ResourcesFinalizerName
	)
	all := strings.Join([]string{others, pre, preCleanup, post, postCleanup}, " ")
	none := stateWith(t, nil, job("sync", "PreSync", "a"))
	tests := []struct {
		reason      string
		state       *desired.State
		unreachable bool
		before      string
		want        string
	}{
		{"no hooks of a deletion", none, false, others, others},
		{"a hook before", stateWith(t, nil, job("before", "PreDelete", "a")), false, others, others + " " + pre + " " + preCleanup},
		{"one object for both", stateWith(t, nil, job("both", "PostSync, PreDelete,PostDelete", "a")), false, others, all},
		{"they are there already", stateWith(t, nil, job("both", "PreDelete,PostDelete", "a")), false, all, all},
		{"the hooks left the source", none, false, all, others},
		{"half of them did", stateWith(t, nil, job("after", "PostDelete", "a")), false, all, others + " " + post + " " + postCleanup},
		{"what is desired is not known", nil, false, all, all},
		{"the source does not answer, and what stands has none", none, true, all, all},
		{"the source does not answer, and what stands has some", stateWith(t, nil, job("before", "PreDelete", "a")), true, others, others + " " + pre + " " + preCleanup},
		{"the project does not permit the hook", stateWith(t, errors.New("no"), job("both", "PreDelete,PostDelete", "a")), false, all, all},
	}
	for _, tt := range tests {
		p := passOf(nil)
		p.app.Finalizers = strings.Fields(tt.before)
		p.next.Finalizers = slices.Clone(p.app.Finalizers)
		p.state, p.unreachable = tt.state, tt.unreachable
		p.keepFinalizers()
		if got := strings.Join(p.next.Finalizers, " "); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.reason, got, tt.want)
		}
		if p.guard != (tt.before != tt.want) {
			t.Errorf("%s: the write is to fail if somebody else changed the list: %v", tt.reason, p.guard)
		}
	}
}

// A run is another one exactly if its hooks are: what else a commit changes must not run them twice.
func TestRunsAreNamedByTheirHooks(t *testing.T) {
	named := func(manifests ...object.Manifest) (operation, made string) {
		p := passOf(nil)
		p.app.DeletionTimestamp = &metav1.Time{Time: time.Unix(1700000000, 0)}
		p.state = stateWith(t, nil, manifests...)
		work, err := p.hookPlan(v1alpha1.HookTypePreDelete)
		if err != nil {
			t.Fatal(err)
		}
		if steps := work.Steps(); len(steps) != 1 || steps[0].Hook == nil {
			t.Fatalf("got %v, want one hook", work.String())
		}
		return operationOfDeletion(p.app, v1alpha1.HookTypePreDelete) + string(work.Digest()), work.Steps()[0].Key.Name
	}
	operation, name := named(job("backup-", "PreDelete", "a"))
	if !strings.HasPrefix(operation, "1700000000-0-predelete-") || !strings.HasPrefix(name, "backup-") || !strings.HasSuffix(name, "-predelete-1700000000") {
		t.Errorf("got operation %s and name %s", operation, name)
	}
	if again, sameName := named(job("backup-", "PreDelete", "a"), job("sync", "PreSync", "x"), job("after", "PostDelete", "x")); again != operation || sameName != name {
		t.Errorf("something else changed: got operation %s and name %s, want %s and %s", again, sameName, operation, name)
	}
	if mended, otherName := named(job("backup-", "PreDelete", "b")); mended == operation || otherName == name {
		t.Errorf("the hook changed: got operation %s and name %s as before", mended, otherName)
	}
}
