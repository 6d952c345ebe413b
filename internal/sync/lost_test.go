// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Of what is being deleted some may yet come to its end.
func TestWhatMayYetEnd(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		reason     string
		kind       string
		deleted    time.Duration // the time of its deletion, from now
		finalizers []string
		active     int64
		want       bool
	}{
		{"a Job without Pods", "Job", 0, nil, 0, false},
		{"a Job with Pods", "Job", 0, nil, 1, true},
		{"a Job whose Pods are collected", "Job", 0, []string{metav1.FinalizerDeleteDependents}, 0, true},
		{"a Pod in its grace period", "Pod", 20 * time.Second, nil, 0, true},
		{"a Pod after it", "Pod", 0, nil, 0, false},
		{"what only we hold", "Workflow", 0, nil, 0, false},
		{"what another one holds, too", "Workflow", 0, []string{"example.com/other"}, 0, true},
	} {
		live := &unstructured.Unstructured{Object: map[string]any{"kind": tt.kind, "status": map[string]any{"active": tt.active}}}
		live.SetFinalizers(append([]string{v1alpha1.HookFinalizer}, tt.finalizers...))
		live.SetDeletionTimestamp(&metav1.Time{Time: now.Add(tt.deleted)})
		if got := stillEnds(live, now); got != tt.want {
			t.Errorf("%s: %v", tt.reason, got)
		}
	}
}
