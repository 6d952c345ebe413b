// SPDX-License-Identifier: Apache-2.0

package application

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/health"
	"github.com/bowline-cd/bowline/internal/object"
)

// Verdict is what is known of one object. The zero value is Unknown, so that nothing is green by omission.
type Verdict int

// The verdicts.
const (
	Unknown   Verdict = iota // no comparison came to an end; the row's reason says why
	Same                     // live is what was asked for
	Different                // live differs
	Missing                  // desired, and proven not to be there
	Extra                    // there and ours, and no longer desired
	Refused                  // desired, but the project does not permit it
	Apart                    // a hook, or what takes no part in syncs: nothing is said of it
)

// row is what the table knows of one object. A row that is in a table does not change any more: another one takes its
// place, so that whoever reads it needs no lock.
type row struct {
	key     object.Key
	version string          // API version it is desired in, or watched in if it is extra
	desired *desired.Object // nil for extra

	verdict Verdict
	reason  string // why unknown or refused, for people
	changes []diff.Change

	live  identity
	made  int64         // when it was compared, in seconds since 1970
	noise object.Digest // of the live object without what concerns nobody; "" if it is not known
	// accepted is what the API server made of the desired form.
	accepted *diff.Accepted
	// confirmed is the last confirmed comparison, valid for its key only.
	confirmed *confirmation
	// shared is another living application that desires the object too and has its mark on it; "" for none.
	shared string

	health    health.Status
	hasHealth bool
	images    []string

	hook             bool // of what is Apart
	ignoreExtraneous bool // compare-options of an extra object
	ignoreHealth     bool
	stays            bool // an extra object that asks not to be pruned
	keep             bool // the deletion guard, or Prune=confirm, waits for a person
}

// identity is what a delete or an update has to name, and whose the object says it is.
type identity struct {
	present         bool
	uid             types.UID
	resourceVersion string
	owner           string
	deleting        bool
}

// confirmation is an answer of the API server about one pair of desired form and projection.
type confirmation struct {
	key    diff.ConfirmationKey
	as     diff.CompareOptions
	result diff.Result
}

// code translates a verdict to the status of a resource.
func (r *row) code() v1alpha1.SyncStatusCode {
	switch r.verdict {
	case Same:
		return v1alpha1.SyncStatusCodeSynced
	case Different, Missing, Extra:
		return v1alpha1.SyncStatusCodeOutOfSync
	case Apart:
		return ""
	default:
		return v1alpha1.SyncStatusCodeUnknown
	}
}

// counts reports whether the row makes the application OutOfSync.
func (r *row) counts() bool {
	return r.verdict == Different || r.verdict == Missing || r.verdict == Extra && !r.ignoreExtraneous
}

func (r *row) isApplication() bool {
	return r.key.Group == v1alpha1.Group && r.key.Kind == v1alpha1.ApplicationKind
}

// child is what the row contributes to the application's health.
func (r *row) child() health.Child {
	c := health.Child{Live: r.live.present, Application: r.isApplication(), Excluded: r.ignoreHealth || r.verdict == Refused || r.verdict == Apart}
	if r.hasHealth {
		c.Status = r.health.Status
	}
	if r.verdict == Unknown && !r.live.present {
		c.Live, c.Status = true, v1alpha1.HealthStatusUnknown // nobody knows that it is missing
	}
	return c
}

// explains reports whether the row can say why the application has the health it has. How far a rollout has come changes
// with every pod, and would be a write each time; the objects themselves tell it.
func (r *row) explains() bool {
	switch {
	case !r.hasHealth || !r.live.present || r.health.Message == "" || r.ignoreHealth || r.verdict == Refused:
		return false
	case r.isApplication() && (r.health.Status == v1alpha1.HealthStatusMissing || r.health.Status == v1alpha1.HealthStatusUnknown):
		return false // it does not count
	default:
		return r.health.Status != v1alpha1.HealthStatusHealthy && r.health.Status != v1alpha1.HealthStatusProgressing
	}
}

// status is the row's entry in status.resources.
func (r *row) status(persistHealth bool) v1alpha1.ResourceStatus {
	s := v1alpha1.ResourceStatus{
		Group: r.key.Group, Version: r.version, Kind: r.key.Kind, Namespace: r.key.Namespace, Name: r.key.Name,
		Status: r.code(), Hook: r.hook, RequiresPruning: r.verdict == Extra, RequiresDeletionConfirmation: r.keep,
	}
	if r.desired != nil {
		s.SyncWave = int64(r.desired.Wave)
	}
	if persistHealth && r.hasHealth {
		s.Health = &v1alpha1.HealthStatus{Status: r.health.Status, Message: r.health.Message}
	}
	if persistHealth && !r.live.present && r.verdict == Missing {
		s.Health = &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusMissing}
	}
	return s
}

// told reports whether the row says something that belongs into a condition: see reportRows.
func (r *row) told() bool {
	return r.shared != "" || r.reason != "" && (r.verdict == Unknown || r.verdict == Missing)
}

// means reports whether two rows of one object say the same to people and to the rules about syncs, apart from the
// message about its health.
func (r *row) means(o *row) bool {
	return r.version == o.version && r.verdict == o.verdict && r.reason == o.reason && r.shared == o.shared &&
		r.live.present == o.live.present && r.live.deleting == o.live.deleting &&
		r.hook == o.hook && r.hasHealth == o.hasHealth && r.health.Status == o.health.Status &&
		r.ignoreExtraneous == o.ignoreExtraneous && r.ignoreHealth == o.ignoreHealth && r.stays == o.stays && r.keep == o.keep &&
		slices.Equal(r.images, o.images)
}
