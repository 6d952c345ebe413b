// SPDX-License-Identifier: Apache-2.0

package application

import (
	"errors"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

func TestRowsAreNoEmptyListBeforeTheyAreKnown(t *testing.T) {
	w := newWorld(t, 2, nil)
	if _, err := w.Rows(t.Context(), "other"); !fault.Is(err, fault.Wait) {
		t.Errorf("of an application that nobody looked at: %v", err)
	}
	w.st.table.clear()
	if rows, err := w.Rows(t.Context(), shop); !fault.Is(err, fault.Wait) || rows != nil {
		t.Errorf("after everything was forgotten: %v, %v", rows, err)
	}
}

func TestRowsSayWhatIsKnown(t *testing.T) {
	w := newWorld(t, 3, nil)
	w.change(deployment(1), set("other", "metadata", "labels", "team"))
	w.serve(t)
	left := configMap("left")
	w.objects[left] = rawOf(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "left", "namespace": shop, "uid": "l"}}})
	w.st.comparer.Load().extra(t.Context(), left)
	rows, err := w.Rows(t.Context(), shop)
	if err != nil || len(rows) != 4 {
		t.Fatalf("got %v, %v", rows, err)
	}
	for i, want := range []struct {
		key     object.Key
		verdict Verdict
		status  v1alpha1.SyncStatusCode
		changes int
		prune   bool
	}{
		{left, Extra, v1alpha1.SyncStatusCodeOutOfSync, 0, true},
		{deployment(0), Same, v1alpha1.SyncStatusCodeSynced, 0, false},
		{deployment(1), Different, v1alpha1.SyncStatusCodeOutOfSync, 1, false},
		{deployment(2), Same, v1alpha1.SyncStatusCodeSynced, 0, false},
	} {
		r := rows[i]
		if r.Key != want.key || r.Verdict != want.verdict || r.Status != want.status || len(r.Changes) != want.changes || r.RequiresPruning != want.prune || r.UID == "" {
			t.Errorf("row %d: want %+v, got %+v", i, want, r)
		}
	}
	if h := rows[1].Health; h == nil || h.Status != v1alpha1.HealthStatusHealthy || len(rows[1].Images) != 2 {
		t.Errorf("health %v, images %v", h, rows[1].Images)
	}
}

func TestManagedHasTheForms(t *testing.T) {
	w := newWorld(t, 2, nil)
	same, err := w.Managed(t.Context(), shop, deployment(0))
	if err != nil || same.Input.Desired == nil || same.Input.Live == nil || same.Answer != nil || same.Unanswered != nil {
		t.Errorf("of what is as desired: %+v, %v", same, err)
	}
	w.change(deployment(1), set("other", "metadata", "labels", "team"))
	w.serve(t)
	other, err := w.Managed(t.Context(), shop, deployment(1))
	if err != nil || !errors.Is(other.Unanswered, cluster.Invalid) {
		t.Errorf("of what the API server does not take: %+v, %v", other, err)
	}
	if f, err := diff.FormsOf(other.Input, other.Answer); err != nil || f.Predicted.GetLabels()["team"] != "shop" || f.NormalizedLive.GetLabels()["team"] != "other" {
		t.Errorf("its forms: %+v, %v", f, err)
	}
	delete(w.objects, deployment(1))
	gone, err := w.Managed(t.Context(), shop, deployment(1))
	if err != nil || gone.Input.Live != nil || gone.Input.Desired == nil || gone.Answer != nil {
		t.Errorf("of what is gone: %+v, %v", gone, err)
	}
	refused := w.states.peek(shop).table.rows[deployment(0)]
	refused.verdict, refused.reason = Refused, "no such destination"
	if m, err := w.Managed(t.Context(), shop, deployment(0)); !fault.Is(err, fault.Forbidden) || m.Input.Live != nil {
		t.Errorf("of what the project does not permit: %+v, %v", m, err)
	}
	if _, err := w.Managed(t.Context(), shop, configMap("nobody's")); !fault.Is(err, fault.Mistake) {
		t.Errorf("of what is not the application's: %v", err)
	}
}

// Doors read while the reconciler works.
func TestRowsAreReadWhileTheyChange(t *testing.T) {
	w := newWorld(t, 5, nil)
	var readers sync.WaitGroup
	stop := make(chan struct{})
	readers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if rows, err := w.Rows(t.Context(), shop); err != nil || len(rows) != 5 {
					t.Errorf("%d rows, %v", len(rows), err)
					return
				}
			}
		}
	})
	for i := range 50 {
		w.change(deployment(i%5), nil)
		w.serve(t)
	}
	close(stop)
	readers.Wait()
}
