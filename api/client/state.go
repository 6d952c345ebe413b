// SPDX-License-Identifier: Apache-2.0

package client

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

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
	// Hydrated asks that the dry source was rendered as it is now.
	Hydrated bool
	// Revision asks that the last comparison was with this revision, or one that begins so.
	Revision string
	// Request asks that the operation with this InfoRequest has ended, as Operation does of any. It has ended, too, when none is
	// under way and another one is the last: what became of it has to be read from the application.
	Request string
	// From is the resource version that the application had when it was asked; older forms of it, which a cache may still show,
	// are passed over.
	From string
	// Chosen, if it is not nil, chooses the resources of the application that Synced and the healths are about.
	Chosen func(v1alpha1.ResourceStatus) bool
}

// Empty reports whether nothing is asked for.
func (s State) Empty() bool { return reflect.ValueOf(s).IsZero() }

// Reached reports whether the application is in the state.
func (s State) Reached(app *v1alpha1.Application) bool {
	if s.Deleted {
		return false // it is still there
	}
	if s.older(app) || (s.Operation || s.Request != "") && OperationInProgress(app) || s.Hydrated && !hydrated(app) || !s.compared(app) {
		return false
	}
	if s.Chosen == nil {
		return s.holds(app.Status.Sync.Status, app.Status.Health.Status)
	}
	for _, r := range app.Status.Resources {
		health := v1alpha1.HealthStatusCode("")
		if r.Health != nil {
			health = r.Health.Status
		}
		if s.Chosen(r) && !s.holds(r.Status, health) {
			return false
		}
	}
	return true
}

// holds reports whether a sync status and a health are those that are asked for.
func (s State) holds(sync v1alpha1.SyncStatusCode, health v1alpha1.HealthStatusCode) bool {
	wanted := s.health()
	return (!s.Synced || sync == v1alpha1.SyncStatusCodeSynced) && (len(wanted) == 0 || slices.Contains(wanted, health))
}

// older reports whether an application is of an older version than From. Versions of one object compare as numbers
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions); others are not held against each other.
func (s State) older(app *v1alpha1.Application) bool {
	from, errFrom := strconv.ParseUint(s.From, 10, 64)
	version, err := strconv.ParseUint(app.ResourceVersion, 10, 64)
	return errFrom == nil && err == nil && version < from
}

// RequestOf returns the InfoRequest of an operation; "" if it has none.
func RequestOf(operation v1alpha1.Operation) string {
	for _, info := range operation.Info {
		if info != nil && info.Name == v1alpha1.InfoRequest {
			return info.Value
		}
	}
	return ""
}

// compared reports whether the last comparison was with the revision.
func (s State) compared(app *v1alpha1.Application) bool {
	of := func(revision string) bool { return strings.HasPrefix(revision, s.Revision) }
	return s.Revision == "" || of(app.Status.Sync.Revision) || slices.ContainsFunc(app.Status.Sync.Revisions, of)
}

// hydrated reports whether the last rendering of the dry source ended well, and nothing newer is to be rendered.
func hydrated(app *v1alpha1.Application) bool {
	now, last := app.Status.SourceHydrator.CurrentOperation, app.Status.SourceHydrator.LastSuccessfulOperation
	return now != nil && last != nil && now.Phase == v1alpha1.HydrateOperationPhaseHydrated &&
		now.DrySHA == last.DrySHA && reflect.DeepEqual(now.SourceHydrator, last.SourceHydrator)
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
