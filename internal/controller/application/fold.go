// SPDX-License-Identifier: Apache-2.0

package application

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/health"
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

// foldRows folds rows to a status. complete says that every object of ours in the cluster is known: without it nothing
// is called Synced. persistHealth writes health into each resource (controller.resource.health.persist).
func foldRows(rows []*row, complete, persistHealth bool) folded {
	out := folded{sync: v1alpha1.SyncStatusCodeSynced}
	var tally health.Tally
	worst := health.Status{Status: v1alpha1.HealthStatusHealthy}
	doubt := !complete
	counts := false
	for _, r := range rows {
		counts = counts || r.counts()
		doubt = doubt || r.verdict == Unknown || r.verdict == Refused
		tally.Add(r.child())
		if r.hasHealth && r.live.present && health.Worse(worst.Status, r.health.Status) {
			worst = r.health
			worst.Message = describeHealth(r)
		}
		out.resources = append(out.resources, r.status(persistHealth))
		out.images = append(out.images, r.images...)
		out.appOfApps = out.appOfApps || r.isApplication()
	}
	switch {
	case counts:
		out.sync = v1alpha1.SyncStatusCodeOutOfSync
	case doubt:
		out.sync = v1alpha1.SyncStatusCodeUnknown
	}
	out.health = tally.Status()
	if out.health == worst.Status && tells(worst.Status) {
		out.message = worst.Message
	}
	slices.Sort(out.images)
	out.images = slices.Compact(out.images)
	return out
}

// tells reports whether the reason of a verdict belongs into the status. How far a rollout has come changes with every
// pod, and would be a write each time; the objects themselves tell it.
func tells(status v1alpha1.HealthStatusCode) bool {
	return status != v1alpha1.HealthStatusHealthy && status != v1alpha1.HealthStatusProgressing
}

func describeHealth(r *row) string {
	if r.health.Message == "" {
		return ""
	}
	return fmt.Sprintf("%s: %s", r.key, r.health.Message)
}

func (r *row) isApplication() bool {
	return r.key.Group == v1alpha1.Group && r.key.Kind == v1alpha1.ApplicationKind
}

func (r *row) child() health.Child {
	c := health.Child{Live: r.live.present, Application: r.isApplication(), Excluded: r.ignoreHealth || r.verdict == Refused}
	if r.hasHealth {
		c.Status = r.health.Status
	}
	if r.verdict == Unknown && !r.live.present {
		c.Live, c.Status = true, v1alpha1.HealthStatusUnknown // nobody knows that it is missing
	}
	return c
}

func (r *row) status(persistHealth bool) v1alpha1.ResourceStatus {
	s := v1alpha1.ResourceStatus{
		Group: r.key.Group, Version: r.version, Kind: r.key.Kind, Namespace: r.key.Namespace, Name: r.key.Name,
		Status: r.code(), RequiresPruning: r.verdict == Extra, RequiresDeletionConfirmation: r.keep,
	}
	if persistHealth && r.hasHealth {
		s.Health = &v1alpha1.HealthStatus{Status: r.health.Status, Message: r.health.Message}
	}
	if persistHealth && !r.live.present && r.verdict == Missing {
		s.Health = &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusMissing}
	}
	return s
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

// sortedRows returns rows in the order status.resources has.
func sortedRows(rows map[object.Key]*row) []*row {
	out := make([]*row, 0, len(rows))
	for _, r := range rows {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *row) int { return a.key.Compare(b.key) })
	return out
}

// namespaceMetadataChanged reports whether the labels and annotations that the destination namespace is to have are not
// those of the last sync: it is no object of the application, so that no row tells.
func namespaceMetadataChanged(policy *v1alpha1.SyncPolicy, last *v1alpha1.OperationState) bool {
	if policy == nil || !slices.Contains(policy.SyncOptions, "CreateNamespace=true") || last == nil || last.SyncResult == nil {
		return false
	}
	return object.DigestOf(policy.ManagedNamespaceMetadata) != object.DigestOf(last.SyncResult.ManagedNamespaceMetadata)
}
