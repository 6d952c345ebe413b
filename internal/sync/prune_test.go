// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

func TestPruneOfAnObjectThatChangedSinceItWasJudged(t *testing.T) {
	key := object.KeyOf(configMap("old"))
	tests := []struct {
		reason string
		change func(*unstructured.Unstructured)
		gone   bool
		phase  v1alpha1.OperationPhase
		says   string
	}{
		{"its status moved", func(u *unstructured.Unstructured) { u.Object["status"] = "x" }, true, v1alpha1.OperationSucceeded, "Pruned"},
		{"another application took it over", func(u *unstructured.Unstructured) {
			u.SetAnnotations(map[string]string{v1alpha1.AnnotationKeyAppInstance: "other:/ConfigMap:shop/old"})
		}, false, v1alpha1.OperationSucceeded, "PruneSkipped: not pruned: it belongs to other"},
		{"it asks to be kept by now", func(u *unstructured.Unstructured) {
			a := u.GetAnnotations()
			a[v1alpha1.AnnotationSyncOptions] = "Prune=false"
			u.SetAnnotations(a)
		}, false, v1alpha1.OperationSucceeded, "PruneSkipped: not pruned: the object says"},
		{"it is another object of the same name", func(u *unstructured.Unstructured) { u.SetUID("another") }, false, v1alpha1.OperationFailed, "SyncFailed"},
	}
	for _, tt := range tests {
		f := newFake(ours(configMap("old")))
		p := f.planFor(t, plan.Input{Prune: true})
		u := f.get(key)
		tt.change(u)
		f.put(u)
		res := Run(context.Background(), p, f, f.options())
		if gone := f.get(key) == nil; gone != tt.gone || res.Phase != tt.phase || !strings.HasPrefix(messages(res)["old"], tt.says) {
			t.Errorf("%s: gone %v, %s %q; want gone %v, %s %q", tt.reason, gone, res.Phase, messages(res)["old"], tt.gone, tt.phase, tt.says)
		}
	}
}

func TestPruneOfAnObjectThatIsGone(t *testing.T) {
	f := newFake(ours(configMap("old")))
	p := f.planFor(t, plan.Input{Prune: true})
	delete(f.objects, object.KeyOf(configMap("old")))
	requirePhase(t, Run(context.Background(), p, f, f.options()), v1alpha1.OperationSucceeded, "1 pruned")
}

func TestWaitingAndSkippedPrunesDeleteNothing(t *testing.T) {
	f := newFake(ours(with(configMap("confirm"), "Prune=confirm")), ours(with(configMap("never"), "Prune=false")))
	p := f.planFor(t, plan.Input{Prune: true})
	res := Run(context.Background(), p, f, f.options())
	requirePhase(t, res, v1alpha1.OperationSucceeded, "2 not pruned")
	got := messages(res)
	if len(f.calls()) != 0 || !strings.HasPrefix(got["confirm"], "PruneSkipped") || !strings.HasPrefix(got["never"], "PruneSkipped") {
		t.Errorf("calls %q, messages %q", f.calls(), got)
	}
	requirePhase(t, Run(context.Background(), p.Approve(), f, f.options()), v1alpha1.OperationSucceeded, "1 not pruned")
	requireEqual(t, "calls after the approval", f.calls(), []string{"delete ConfigMap shop/confirm"})
}

func TestPropagationPolicy(t *testing.T) {
	for text, want := range map[string]metav1.DeletionPropagation{
		"PrunePropagationPolicy=background": metav1.DeletePropagationBackground, "PrunePropagationPolicy=orphan": metav1.DeletePropagationOrphan,
		"Prune=true": metav1.DeletePropagationForeground,
	} {
		f := newFake(ours(configMap("old")))
		target := &recording{fake: f}
		res := Run(context.Background(), f.planFor(t, plan.Input{Prune: true, Options: v1alpha1.SyncOptions{text}}), target, f.options())
		requirePhase(t, res, v1alpha1.OperationSucceeded)
		if len(target.deletions) != 1 || target.deletions[0].Propagation != want || target.deletions[0].Owner != "shop" {
			t.Errorf("%s: got %+v", text, target.deletions)
		}
	}
}

type recording struct {
	*fake
	deletions []Deletion
}

func (r *recording) Delete(ctx context.Context, d Deletion) error {
	r.deletions = append(r.deletions, d)
	return r.fake.Delete(ctx, d)
}
