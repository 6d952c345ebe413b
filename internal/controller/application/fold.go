// SPDX-License-Identifier: Apache-2.0

package application

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
)

// folded is the part of a status that follows from the rows.
type folded struct {
	sync      v1alpha1.SyncStatusCode
	health    v1alpha1.HealthStatusCode
	message   string
	resources []v1alpha1.ResourceStatus
	images    []string
	appOfApps bool
}

// fold folds the rows to a status. complete says that every object of ours in the cluster is known: without it nothing
// is called Synced. It costs nothing that grows with the rows unless they came, went or changed. What it returns is not to
// be changed.
func (t *table) fold(complete bool) folded {
	out := folded{sync: v1alpha1.SyncStatusCodeSynced, health: t.sums.tally.Status()}
	switch {
	case t.sums.counting > 0:
		out.sync = v1alpha1.SyncStatusCodeOutOfSync
	case !complete || t.sums.doubtful > 0:
		out.sync = v1alpha1.SyncStatusCodeUnknown
	}
	if r := t.explaining(out.health); r != nil {
		out.message = fmt.Sprintf("%s: %s", r.key, r.health.Message)
	}
	out.resources, out.images, out.appOfApps = t.list(), t.sums.imageList(), t.sums.applications > 0
	return out
}

// comparedTo records what a comparison was made against; clients compare it with the spec.
func comparedTo(app *v1alpha1.Application) v1alpha1.ComparedTo {
	c := v1alpha1.ComparedTo{Destination: app.Spec.Destination, IgnoreDifferences: app.Spec.IgnoreDifferences}
	if len(app.Spec.Sources) > 0 {
		c.Sources = app.Spec.Sources
	} else if app.Spec.Source != nil {
		c.Source = *app.Spec.Source
	}
	return c
}

// setSync writes the verdict and the revision it holds for.
func setSync(status *v1alpha1.ApplicationStatus, app *v1alpha1.Application, code v1alpha1.SyncStatusCode, state *desired.State) {
	status.Sync = v1alpha1.SyncStatus{Status: code, ComparedTo: comparedTo(app)}
	if state == nil {
		return
	}
	status.Sync.Revision, status.Sync.Revisions = state.Revision(len(app.Spec.Sources) > 0)
	status.SourceType, status.SourceTypes = "", nil
	switch {
	case len(app.Spec.Sources) > 0:
		status.SourceTypes = state.Types
	case len(state.Types) == 1:
		status.SourceType = state.Types[0]
	}
}

// setHealth writes health; its time moves only when the verdict does.
func setHealth(status *v1alpha1.ApplicationStatus, code v1alpha1.HealthStatusCode, message string, now metav1.Time) {
	at := status.Health.LastTransitionTime
	if status.Health.Status != code || at == nil {
		at = &now
	}
	status.Health = v1alpha1.AppHealthStatus{Status: code, Message: message, LastTransitionTime: at}
}

// namespaceMetadataChanged reports whether the labels and annotations that the destination namespace is to have are not
// those of the last sync: it is no object of the application, so that no row tells.
func namespaceMetadataChanged(policy *v1alpha1.SyncPolicy, last *v1alpha1.OperationState) bool {
	if policy == nil || !slices.Contains(policy.SyncOptions, "CreateNamespace=true") || last == nil || last.SyncResult == nil {
		return false
	}
	return object.DigestOf(policy.ManagedNamespaceMetadata) != object.DigestOf(last.SyncResult.ManagedNamespaceMetadata)
}
