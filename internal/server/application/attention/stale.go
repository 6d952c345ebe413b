// SPDX-License-Identifier: Apache-2.0

package attention

import (
	"strings"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/plan"
)

// How long is waited for what comes by itself, before it counts as not coming.
const (
	// clusterGrace is how long a cluster may not answer: a connection that is made anew is no news.
	clusterGrace = 15 * time.Second
	// answerGrace is how long a refresh may take.
	answerGrace = 3 * time.Minute
	// beginGrace is how long automated sync may take to begin, after the comparison that asks for it.
	beginGrace = 2 * time.Minute
)

// Lasting returns an outage that began long enough ago to count, nil if it did not.
func Lasting(o *Outage, now time.Time) *Outage {
	if o == nil || now.Sub(o.Since) < clusterGrace {
		return nil
	}
	return o
}

// cutOff holds if nothing is known of the cluster at the moment.
func (j judgement) cutOff() (Verdict, bool) {
	if j.Cluster != nil {
		return byOutage(j.Cluster), true
	}
	for i := range j.app.Status.Conditions {
		if c := &j.app.Status.Conditions[i]; c.Type.IsError() && aboutCluster(c) {
			return byCondition(stale, c), true
		}
	}
	return Verdict{}, false
}

func byOutage(o *Outage) Verdict {
	return Verdict{stale, o.Since, func(*v1alpha1.Application) string { return o.Reason }}
}

// unattended holds if nobody looks at the application.
func (j judgement) unattended() (Verdict, bool) {
	if j.Unattended != nil {
		return byOutage(j.Unattended), true
	}
	skips := j.app.Annotations[v1alpha1.AnnotationKeyAppSkipReconcile] == "true"
	return Verdict{stale, timeOf(j.app.Status.ReconciledAt), skippedText}, skips
}

// unknown holds if the last look did not tell how the application is.
func (j judgement) unknown() (Verdict, bool) {
	status := &j.app.Status
	since := timeOf(status.Health.LastTransitionTime)
	if since.IsZero() {
		since = j.app.CreationTimestamp.Time
	}
	switch {
	case status.Sync.Status == "" || status.Sync.Status == v1alpha1.SyncStatusCodeUnknown:
		if at := timeOf(status.ReconciledAt); !at.IsZero() {
			since = at
		}
		return Verdict{stale, since, unknownSyncText}, true
	case status.Health.Status == "" || status.Health.Status == v1alpha1.HealthStatusUnknown:
		return Verdict{stale, since, unknownHealthText}, true
	}
	return Verdict{}, false
}

// unanswered holds if somebody asked for a look long ago, and nobody took it.
func (j judgement) unanswered() (Verdict, bool) {
	if _, asked := j.app.Annotations[v1alpha1.AnnotationKeyRefresh]; !asked {
		return Verdict{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, j.app.Annotations[v1alpha1.AnnotationKeyRefreshTimestamp])
	return Verdict{stale, at, unansweredText}, err == nil && j.Now.Sub(at) > answerGrace
}

// differs holds if the cluster is not what the source says, and nothing is on its way to change that.
func (j judgement) differs() (Verdict, bool) {
	since := j.Same
	if since.IsZero() {
		since = timeOf(j.app.Status.ReconciledAt)
	}
	return Verdict{drifting, since, driftText}, j.app.Status.Sync.Status == v1alpha1.SyncStatusCodeOutOfSync && !j.onItsWay()
}

// onItsWay reports whether a sync runs, or is about to begin by itself.
func (j judgement) onItsWay() bool { return j.operating() || j.begins() }

func (j judgement) operating() bool {
	state := j.app.Status.OperationState
	return j.app.Operation != nil || state != nil && !state.Phase.Completed() && state.Phase != ""
}

// begins reports whether automated sync is about to begin: nothing keeps it back, and it was compared just now.
func (j judgement) begins() bool {
	policy := j.app.Spec.SyncPolicy
	if j.app.Status.Sync.Status != v1alpha1.SyncStatusCodeOutOfSync || j.has(keepsBack...) != nil || !plan.Automated(policy) {
		return false
	}
	if _, held := HoldOf(j.app, j.Now); held {
		return false
	}
	return j.Now.Sub(timeOf(j.app.Status.ReconciledAt)) < beginGrace && (heals(policy) || j.newRevision())
}

// keepsBack are the warnings that keep automated sync back; errors were asked for before.
var keepsBack = []v1alpha1.ApplicationConditionType{
	v1alpha1.ApplicationConditionSyncWindowWarning, v1alpha1.ApplicationConditionDependencyWarning,
	v1alpha1.ApplicationConditionHoldWarning,
}

func heals(policy *v1alpha1.SyncPolicy) bool {
	return policy.Automated.SelfHeal != nil && *policy.Automated.SelfHeal
}

// newRevision reports whether what is desired now is another revision than the last operation was about.
func (j judgement) newRevision() bool {
	state := j.app.Status.OperationState
	return state == nil || state.SyncResult == nil || state.SyncResult.Revision != j.app.Status.Sync.Revision
}

func (j judgement) operates() (Verdict, bool) {
	v := Verdict{Rank: working, reason: operationText}
	if state := j.app.Status.OperationState; state != nil && j.app.Operation == nil {
		v.Since = state.StartedAt.Time
	}
	return v, j.operating()
}

func (j judgement) progresses() (Verdict, bool) {
	h := &j.app.Status.Health
	switch {
	case j.app.Status.Sync.Status == v1alpha1.SyncStatusCodeOutOfSync: // or it would have been drifting
		return Verdict{working, timeOf(j.app.Status.ReconciledAt), beginsText}, true
	case h.Status == v1alpha1.HealthStatusProgressing:
		return Verdict{working, timeOf(h.LastTransitionTime), healthText}, true
	}
	return Verdict{}, false
}

// deleted judges an application that is being deleted: how its objects are is no matter any more.
func (j judgement) deleted() Verdict {
	since := j.app.DeletionTimestamp.Time
	warning := j.has(v1alpha1.ApplicationConditionDeletionWarning)
	switch failure := j.has(v1alpha1.ApplicationConditionDeletionError); {
	case failure != nil && asksToConfirm(failure):
		return Verdict{waiting, since, confirmText}
	case failure != nil && aboutCluster(failure):
		return byCondition(stale, failure)
	case failure != nil:
		return byCondition(broken, failure)
	case j.Cluster != nil:
		return byOutage(j.Cluster)
	case j.Unattended != nil:
		return byOutage(j.Unattended)
	case warning != nil:
		v := byCondition(working, warning)
		v.Since = since
		return v
	}
	return Verdict{working, since, deletingText}
}

// asksToConfirm reports whether a deletion waits for the word of a person.
func asksToConfirm(c *v1alpha1.ApplicationCondition) bool {
	return strings.Contains(c.Message, v1alpha1.AnnotationDeletionApproved)
}
