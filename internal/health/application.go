// SPDX-License-Identifier: Apache-2.0

package health

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// applicationView holds what the health of a child Application is read from.
type applicationView struct {
	Spec      v1alpha1.ApplicationSpec `json:"spec"`
	Operation *struct{}                `json:"operation"`
	Status    struct {
		Sync           v1alpha1.SyncStatus `json:"sync"`
		Health         healthView          `json:"health"`
		OperationState *operationView      `json:"operationState"`
	} `json:"status"`
}

type healthView struct {
	Status  v1alpha1.HealthStatusCode `json:"status"`
	Message string                    `json:"message"`
}

type operationView struct {
	Phase      v1alpha1.OperationPhase `json:"phase"`
	Message    string                  `json:"message"`
	SyncResult struct {
		Revision  string   `json:"revision"`
		Revisions []string `json:"revisions"`
	} `json:"syncResult"`
}

// application judges an Application by its status. What that says of the health counts once it is about the present spec and
// nothing is under way or about to be: a wave that waits for a child must not pass for the health that the child had before.
func application(a *applicationView) Status {
	s := &a.Status
	switch {
	case s.Health.Status == "":
		return progressing("Waiting for its first comparison")
	case !a.compared():
		return progressing("Waiting to be compared with its present spec")
	case a.Operation != nil || s.OperationState != nil && !s.OperationState.Phase.Completed():
		return progressing("Being synced")
	case s.Sync.Status == v1alpha1.SyncStatusCodeUnknown:
		return Status{v1alpha1.HealthStatusUnknown, "Its comparison did not come to an end"}
	case s.Sync.Status == v1alpha1.SyncStatusCodeOutOfSync && a.automated():
		return a.outOfSync()
	}
	return a.own()
}

// compared reports whether the status is about the present spec.
func (a *applicationView) compared() bool {
	var source v1alpha1.ApplicationSource
	if a.Spec.Source != nil {
		source = *a.Spec.Source
	}
	to := &a.Status.Sync.ComparedTo
	return equality.Semantic.DeepEqual(to.Destination, a.Spec.Destination) && equality.Semantic.DeepEqual(to.Sources, a.Spec.Sources) &&
		(len(a.Spec.Sources) > 0 || equality.Semantic.DeepEqual(to.Source, source))
}

func (a *applicationView) automated() bool {
	policy := a.Spec.SyncPolicy
	return policy != nil && policy.Automated != nil && (policy.Automated.Enabled == nil || *policy.Automated.Enabled)
}

// outOfSync judges an automated application that differs: it is about to be synced, unless that was tried.
func (a *applicationView) outOfSync() Status {
	last := a.Status.OperationState
	switch {
	case last == nil, last.SyncResult.Revision != a.Status.Sync.Revision, !slices.Equal(last.SyncResult.Revisions, a.Status.Sync.Revisions):
		return progressing("Waiting to be synced")
	case !last.Phase.Successful():
		return degraded("Its sync failed: " + last.Message)
	}
	return a.own()
}

func (a *applicationView) own() Status {
	if own := a.Status.Health; slices.Contains(order, own.Status) {
		return Status(own)
	}
	return Status{v1alpha1.HealthStatusUnknown, "Its health is no verdict that is known"}
}
