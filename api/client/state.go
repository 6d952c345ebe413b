// SPDX-License-Identifier: Apache-2.0

package client

import (
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// State is what Wait waits for. All that is asked for has to be true at once. The zero value asks for nothing and is
// true of every application.
type State struct {
	// Synced asks that the application is equal to its target revision.
	Synced bool
	// Operation asks that no operation is requested or under way.
	Operation bool
	// Healthy, Suspended and Degraded ask for a health; with several of them any one will do.
	Healthy, Suspended, Degraded bool
	// Deleted asks that the application is gone. The others do not count then.
	Deleted bool
}

// Reached reports whether the application is in the state.
func (s State) Reached(app *v1alpha1.Application) bool {
	if s.Deleted {
		return false // it is still there
	}
	if s.Operation && OperationInProgress(app) {
		return false
	}
	if s.Synced && app.Status.Sync.Status != v1alpha1.SyncStatusCodeSynced {
		return false
	}
	wanted := s.health()
	return len(wanted) == 0 || slices.Contains(wanted, app.Status.Health.Status)
}

func (s State) health() []v1alpha1.HealthStatusCode {
	var wanted []v1alpha1.HealthStatusCode
	if s.Healthy {
		wanted = append(wanted, v1alpha1.HealthStatusHealthy)
	}
	if s.Suspended {
		wanted = append(wanted, v1alpha1.HealthStatusSuspended)
	}
	if s.Degraded {
		wanted = append(wanted, v1alpha1.HealthStatusDegraded)
	}
	return wanted
}

// OperationInProgress reports whether an operation is requested, under way, or ended so lately that the comparison
// after it is still to come. Until that comparison, sync status and health are those from before the operation, so a
// wait that ended here would report them as its result. A failed operation that waits for its next try is Running
// with a finishedAt.
func OperationInProgress(app *v1alpha1.Application) bool {
	if app.Operation != nil {
		return true
	}
	state := app.Status.OperationState
	switch {
	case state == nil:
		return false
	case !state.Phase.Completed() || state.FinishedAt == nil:
		return true
	case state.Operation.Sync != nil && state.Operation.Sync.DryRun:
		return false
	}
	return app.Status.ReconciledAt == nil || app.Status.ReconciledAt.Before(state.FinishedAt)
}
