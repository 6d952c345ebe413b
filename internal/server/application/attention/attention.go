// SPDX-License-Identifier: Apache-2.0

// Package attention says what an application asks of people, in one word, and why, in one sentence. It is a pure function of
// the application and of what is around it: docs/reference/attention.md has its rules.
//
// The words of this package:
//
//   - Word: broken, waiting, stale, drifting, working or fine. Every application is in exactly one, the worst that fits.
//   - Around: what the application's resource does not say: what time it is, and who does not answer.
//   - Verdict: a word, since when, and the reason.
package attention

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowlinerpc "github.com/bowline-cd/bowline/api/bowline/rpc"
	bowline "github.com/bowline-cd/bowline/api/bowline/v1alpha1"
	"github.com/bowline-cd/bowline/internal/plan"
)

// Words are the words, worst first. Rank of a Verdict is the place in them.
var Words = []string{bowlinerpc.Broken, bowlinerpc.Waiting, bowlinerpc.Stale, bowlinerpc.Drifting, bowlinerpc.Working, bowlinerpc.Fine}

// The places of the words.
const (
	broken = iota
	waiting
	stale
	drifting
	working
	fine
)

// Outage says who does not answer, since when and why.
type Outage struct {
	Since  time.Time
	Reason string // a sentence
}

// Around is what is around an application. Unattended is why nobody looks at any application, Cluster why its cluster is not
// known; nil if all is well. Same is since when the sync status has been what it is; zero: since the last comparison.
type Around struct {
	Now, Same           time.Time
	Unattended, Cluster *Outage
}

// Verdict is what an application asks of people.
type Verdict struct {
	Rank  int
	Since time.Time // zero: not known

	reason func(*v1alpha1.Application) string
}

// Word is the verdict in a word.
func (v Verdict) Word() string { return Words[v.Rank] }

// Same reports whether two verdicts about an application that did not change say the same. Those that depend on what is around it
// may say something else.
func (v Verdict) Same(w Verdict) bool {
	return v.Rank == w.Rank && v.Rank != stale && v.Since.Equal(w.Since)
}

// Why is the reason in a sentence: one line of at most 200 characters; "" for what is fine. app is the one that the verdict is
// about.
func (v Verdict) Why(app *v1alpha1.Application) string {
	if v.reason == nil {
		return ""
	}
	return sentence(v.reason(app))
}

// Of judges an application.
func Of(app *v1alpha1.Application, around Around) Verdict {
	j := judgement{app: app, Around: around}
	if app.DeletionTimestamp != nil {
		return j.deleted()
	}
	for _, rule := range rules {
		if v, so := rule(j); so {
			return v
		}
	}
	return Verdict{Rank: fine, Since: timeOf(app.Status.Health.LastTransitionTime)}
}

// Settled reports whether the verdict on an application is the same at any time, as long as its cluster answers and somebody acts.
func Settled(app *v1alpha1.Application) bool {
	if app.DeletionTimestamp != nil || app.Status.Sync.Status == v1alpha1.SyncStatusCodeOutOfSync {
		return false
	}
	for _, key := range []string{v1alpha1.AnnotationHold, v1alpha1.AnnotationDeletionPlan, v1alpha1.AnnotationKeyRefresh} {
		if _, there := app.Annotations[key]; there {
			return false
		}
	}
	return true
}

// rules are asked one after the other: the first that holds decides. What comes first in a word is nearer to the root.
var rules = []func(judgement) (Verdict, bool){
	conditionRule(broken, v1alpha1.ApplicationConditionInvalidSpecError, v1alpha1.ApplicationConditionComparisonError,
		v1alpha1.ApplicationConditionUnknownError, v1alpha1.ApplicationConditionDependencyError),
	judgement.failed, judgement.otherErrors, judgement.unhealthy,
	judgement.unapproved, judgement.held, judgement.suspended,
	judgement.cutOff, judgement.unattended, judgement.unknown, judgement.unanswered,
	judgement.differs,
	judgement.operates, judgement.progresses,
}

// judgement is one application being judged.
type judgement struct {
	app *v1alpha1.Application
	Around
}

func timeOf(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

// conditionRule holds if there is a condition of one of the types, the first of them first. What is only about a cluster that
// does not answer is not counted: it says that nothing is known, and not that something is wrong.
func conditionRule(rank int, types ...v1alpha1.ApplicationConditionType) func(judgement) (Verdict, bool) {
	return func(j judgement) (Verdict, bool) {
		for _, t := range types {
			for i := range j.app.Status.Conditions {
				if c := &j.app.Status.Conditions[i]; c.Type == t && !aboutCluster(c) {
					return byCondition(rank, c), true
				}
			}
		}
		return Verdict{}, false
	}
}

func byCondition(rank int, c *v1alpha1.ApplicationCondition) Verdict {
	return Verdict{rank, timeOf(c.LastTransitionTime), func(*v1alpha1.Application) string { return firstLine(c.Message) }}
}

// cannotReach is how the controller begins what it says of a cluster that does not answer.
const cannotReach = "cannot reach cluster "

func aboutCluster(c *v1alpha1.ApplicationCondition) bool {
	return strings.HasPrefix(c.Message, cannotReach) && !slices.ContainsFunc(strings.Split(c.Message, "\n"), func(line string) bool {
		return !strings.HasPrefix(line, cannotReach)
	})
}

func (j judgement) has(types ...v1alpha1.ApplicationConditionType) *v1alpha1.ApplicationCondition {
	for i := range j.app.Status.Conditions {
		if c := &j.app.Status.Conditions[i]; slices.Contains(types, c.Type) {
			return c
		}
	}
	return nil
}

// failed holds if the last operation failed, or the one that runs is on a further try. One about another revision does not
// count any more once what is there is as its source says.
func (j judgement) failed() (Verdict, bool) {
	state := j.app.Status.OperationState
	if state == nil || j.app.Operation != nil || dryRun(state) {
		return Verdict{}, false
	}
	switch state.Phase {
	case v1alpha1.OperationRunning:
		if state.RetryCount == 0 {
			return Verdict{}, false
		}
		return Verdict{broken, state.StartedAt.Time, retryText}, true
	case v1alpha1.OperationFailed, v1alpha1.OperationError:
		if j.overcome(state) {
			return Verdict{}, false
		}
		return Verdict{broken, timeOf(state.FinishedAt), failureText}, true
	}
	return Verdict{}, false
}

func dryRun(state *v1alpha1.OperationState) bool {
	return state.Operation.Sync != nil && state.Operation.Sync.DryRun
}

// overcome reports whether a failure is about a revision that is not the one any more which is there.
func (j judgement) overcome(state *v1alpha1.OperationState) bool {
	now := &j.app.Status.Sync
	if now.Status != v1alpha1.SyncStatusCodeSynced || state.SyncResult == nil {
		return false
	}
	return now.Revision != state.SyncResult.Revision || !slices.Equal(now.Revisions, state.SyncResult.Revisions)
}

// otherErrors holds for the conditions that tell no more than the failed operation does, and for those that nobody knows here.
func (j judgement) otherErrors() (Verdict, bool) {
	for i := range j.app.Status.Conditions {
		if c := &j.app.Status.Conditions[i]; c.Type.IsError() && !aboutCluster(c) {
			return byCondition(broken, c), true
		}
	}
	return Verdict{}, false
}

// unhealthy holds if objects are Degraded or Missing. What is Missing may be on its way, what is Degraded is so until it is not.
func (j judgement) unhealthy() (Verdict, bool) {
	h := &j.app.Status.Health
	if j.Cluster != nil {
		return Verdict{}, false
	}
	switch h.Status {
	case v1alpha1.HealthStatusDegraded:
		return Verdict{broken, timeOf(h.LastTransitionTime), healthText}, true
	case v1alpha1.HealthStatusMissing:
		return Verdict{broken, timeOf(h.LastTransitionTime), healthText}, !j.onItsWay()
	}
	return Verdict{}, false
}

// unapproved holds if deletions wait for a person.
func (j judgement) unapproved() (Verdict, bool) {
	note, waits := plan.ParseNote(j.app.Annotations[v1alpha1.AnnotationDeletionPlan])
	if waits && !plan.Approved(note, note.Digest, j.app.Annotations[v1alpha1.AnnotationDeletionApproved], j.Now) {
		return Verdict{waiting, note.At, deletionsText}, true
	}
	if waits || j.app.Status.Sync.Status != v1alpha1.SyncStatusCodeOutOfSync || !slices.ContainsFunc(j.app.Status.Resources, toConfirm) {
		return Verdict{}, false
	}
	return Verdict{waiting, timeOf(j.app.Status.ReconciledAt), deletionsText}, true
}

func toConfirm(r v1alpha1.ResourceStatus) bool {
	return r.RequiresPruning && r.RequiresDeletionConfirmation
}

// held holds if a hold does. One that cannot be read is one.
func (j judgement) held() (Verdict, bool) {
	hold, ok := HoldOf(j.app, j.Now)
	return Verdict{waiting, hold.Since, holdText}, ok
}

// HoldOf returns the hold of an application that is in force; one that cannot be read is empty.
func HoldOf(app *v1alpha1.Application, now time.Time) (hold bowline.Hold, held bool) {
	value, held := app.Annotations[v1alpha1.AnnotationHold]
	if !held {
		return hold, false
	}
	hold, err := bowline.ParseHold(value)
	if err != nil {
		return bowline.Hold{}, true
	}
	return hold, hold.Until.IsZero() || now.Before(hold.Until)
}

func (j judgement) suspended() (Verdict, bool) {
	h := &j.app.Status.Health
	return Verdict{waiting, timeOf(h.LastTransitionTime), healthText}, j.Cluster == nil && h.Status == v1alpha1.HealthStatusSuspended
}
