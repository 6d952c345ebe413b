// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
)

func at(second int) *metav1.Time {
	return &metav1.Time{Time: time.Date(2026, 1, 2, 3, 4, second, 0, time.UTC)}
}

func TestOperationInProgress(t *testing.T) {
	state := func(phase v1alpha1.OperationPhase, finished *metav1.Time) *v1alpha1.OperationState {
		return &v1alpha1.OperationState{Phase: phase, FinishedAt: finished, Operation: v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{}}}
	}
	dryRun := state(v1alpha1.OperationSucceeded, at(5))
	dryRun.Operation.Sync.DryRun = true
	tests := []struct {
		reason     string
		requested  bool
		state      *v1alpha1.OperationState
		reconciled *metav1.Time
		want       bool
	}{
		{reason: "there never was one"},
		{reason: "it is requested", requested: true, want: true},
		{reason: "it is requested after one that ended", requested: true, state: state(v1alpha1.OperationSucceeded, at(5)), reconciled: at(6), want: true},
		{reason: "it runs", state: state(v1alpha1.OperationRunning, nil), reconciled: at(9), want: true},
		{reason: "it is being terminated", state: state(v1alpha1.OperationTerminating, nil), reconciled: at(9), want: true},
		{reason: "it waits for its next try", state: state(v1alpha1.OperationRunning, at(5)), reconciled: at(9), want: true},
		{reason: "it ended and nothing was compared since", state: state(v1alpha1.OperationSucceeded, at(5)), reconciled: at(4), want: true},
		{reason: "it ended and nothing was ever compared", state: state(v1alpha1.OperationFailed, at(5)), want: true},
		{reason: "compared in the same second", state: state(v1alpha1.OperationSucceeded, at(5)), reconciled: at(5)},
		{reason: "it failed and was compared since", state: state(v1alpha1.OperationFailed, at(5)), reconciled: at(6)},
		{reason: "a dry run changes nothing to compare", state: dryRun, reconciled: at(4)},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			app := &v1alpha1.Application{Status: v1alpha1.ApplicationStatus{OperationState: tt.state, ReconciledAt: tt.reconciled}}
			if tt.requested {
				app.Operation = &v1alpha1.Operation{}
			}
			if got := client.OperationInProgress(app); got != tt.want {
				t.Errorf("in progress: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestStateReached(t *testing.T) {
	tests := []struct {
		reason string
		state  client.State
		sync   v1alpha1.SyncStatusCode
		health v1alpha1.HealthStatusCode
		want   bool
	}{
		{"nothing is asked for", client.State{}, v1alpha1.SyncStatusCodeUnknown, v1alpha1.HealthStatusUnknown, true},
		{"synced", client.State{Synced: true}, v1alpha1.SyncStatusCodeSynced, v1alpha1.HealthStatusDegraded, true},
		{"unknown is not synced", client.State{Synced: true}, v1alpha1.SyncStatusCodeUnknown, v1alpha1.HealthStatusHealthy, false},
		{"never compared is not synced", client.State{Synced: true}, "", "", false},
		{"healthy but not synced", client.State{Synced: true, Healthy: true}, v1alpha1.SyncStatusCodeOutOfSync, v1alpha1.HealthStatusHealthy, false},
		{"missing is not healthy", client.State{Healthy: true}, v1alpha1.SyncStatusCodeSynced, v1alpha1.HealthStatusMissing, false},
		{"suspended when asked", client.State{Suspended: true}, v1alpha1.SyncStatusCodeSynced, v1alpha1.HealthStatusSuspended, true},
		{"suspended only is not healthy", client.State{Suspended: true}, v1alpha1.SyncStatusCodeSynced, v1alpha1.HealthStatusHealthy, false},
		{"one of several healths", client.State{Healthy: true, Degraded: true}, v1alpha1.SyncStatusCodeSynced, v1alpha1.HealthStatusDegraded, true},
		{"none of several healths", client.State{Healthy: true, Suspended: true}, v1alpha1.SyncStatusCodeSynced, v1alpha1.HealthStatusProgressing, false},
		{"what is there is not deleted", client.State{Deleted: true}, v1alpha1.SyncStatusCodeSynced, v1alpha1.HealthStatusHealthy, false},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			app := &v1alpha1.Application{}
			app.Status.Sync.Status, app.Status.Health.Status = tt.sync, tt.health
			if got := tt.state.Reached(app); got != tt.want {
				t.Errorf("reached: %v, want %v", got, tt.want)
			}
		})
	}
}
