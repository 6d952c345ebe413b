// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/install"
	"github.com/bowline-cd/bowline/test/devcluster"
)

func TestMain(m *testing.M) { devcluster.Main(m) }

// TestAgainstARealAPIServer holds what a fake one cannot prove: how an API server answers for kinds it does not have,
// watches by name, conflicts of merge patches, finalizers.
func TestAgainstARealAPIServer(t *testing.T) {
	cluster := devcluster.Start(t)
	ctx := t.Context()
	d, err := client.Connect(cluster.RESTConfig(), "argocd", func() time.Time { return at(0).Time })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(ctx, "web"); !fault.Is(err, fault.Stalled) {
		t.Errorf("without the kinds Get gives %v, want a stalled error", err)
	}
	if _, err := d.List(ctx, client.Filter{}); !fault.Is(err, fault.Stalled) {
		t.Errorf("without the kinds List gives %v, want a stalled error: it is not an empty list", err)
	}
	if _, err := d.Wait(ctx, "web", client.State{Deleted: true}, nil); !fault.Is(err, fault.Stalled) {
		t.Errorf("without the kinds Wait gives %v, want a stalled error: nothing was deleted", err)
	}
	if _, err := install.Run(ctx, install.Options{Config: cluster.RESTConfig(), Namespace: "argocd", What: install.Everything}); err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	hub, err := kube.New(cluster.RESTConfig(), kube.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []*v1alpha1.Application{app("argocd", "web"), app("argocd", "other")} {
		if err := hub.Create(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Get(ctx, "absent"); !fault.Is(err, fault.Mistake) {
		t.Errorf("a name that is not there gives %v, want a mistake", err)
	}
	syncAndWait(t, d, hub)
	deleteAndWait(t, d, hub)
}

func syncAndWait(t *testing.T, d *client.Direct, hub kube.Client) {
	requested, err := d.Sync(t.Context(), "web", client.SyncRequest{Prune: true})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(requested.ManagedFields, func(f metav1.ManagedFieldsEntry) bool {
		return f.Manager == v1alpha1.FieldManagerHub && f.Operation == metav1.ManagedFieldsOperationUpdate
	}) {
		t.Errorf("the request is not by manager %s: %v", v1alpha1.FieldManagerHub, requested.ManagedFields)
	}
	// The controller's part, one step for each sight of the application.
	steps := []map[string]any{
		{"operation": nil, "status": map[string]any{"operationState": map[string]any{
			"phase": "Running", "operation": requested.Operation, "startedAt": at(5)}}},
		{"status": map[string]any{"operationState": map[string]any{"phase": "Succeeded", "finishedAt": at(6)},
			"sync": map[string]any{"status": "Synced", "comparedTo": map[string]any{"destination": map[string]any{}}}}},
		{"status": map[string]any{"reconciledAt": at(6)}},
	}
	seen := 0
	got, err := d.Wait(t.Context(), "web", client.State{Operation: true, Synced: true}, func(*v1alpha1.Application) {
		if seen < len(steps) {
			patchApp(t, hub, "other", map[string]any{"metadata": map[string]any{"annotations": map[string]any{"example.com/noise": string(rune('a' + seen))}}})
			patchApp(t, hub, "web", steps[seen])
		}
		seen++
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen != 4 || !got.Status.OperationState.Phase.Successful() {
		t.Errorf("saw %d states of the application, last %+v", seen, got.Status.OperationState)
	}
}

func deleteAndWait(t *testing.T, d *client.Direct, hub kube.Client) {
	if err := d.Delete(t.Context(), "web", client.DeleteRequest{Cascade: client.CascadeForeground}); err != nil {
		t.Fatal(err)
	}
	_, err := d.Wait(t.Context(), "web", client.State{Deleted: true}, func(a *v1alpha1.Application) {
		if a.DeletionTimestamp == nil || !slices.Equal(a.Finalizers, []string{v1alpha1.ResourcesFinalizerName}) {
			t.Errorf("deleted at %v with finalizers %v", a.DeletionTimestamp, a.Finalizers)
		}
		patchApp(t, hub, "web", map[string]any{"metadata": map[string]any{"finalizers": nil}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(t.Context(), "web"); !fault.Is(err, fault.Mistake) {
		t.Errorf("after the deletion Get gives %v", err)
	}
}

func patchApp(t *testing.T, hub kube.Client, name string, patch map[string]any) {
	data, err := json.Marshal(patch)
	if err != nil {
		t.Error(err)
		return
	}
	target := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: name}}
	if err := hub.Patch(t.Context(), target, kube.RawPatch(types.MergePatchType, data)); err != nil {
		t.Errorf("patch %s: %v", name, err)
	}
}
