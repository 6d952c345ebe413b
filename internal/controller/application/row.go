// SPDX-License-Identifier: Apache-2.0

package application

import (
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
)

// row is what the table knows of one object.
type row struct {
	key     object.Key
	version string          // API version it is desired in, or watched in if it is extra
	desired *desired.Object // nil for extra

	verdict Verdict
	reason  string // why unknown or refused, for people
	changes []diff.Change

	live     identity
	accepted *diff.Accepted
	// confirmed is the last confirmed comparison, valid for its key only.
	confirmed *confirmation
	// shared is another living application that desires the object too and has its mark on it; "" for none.
	shared string

	health    health.Status
	hasHealth bool
	images    []string

	ignoreExtraneous bool // compare-options of an extra object
	ignoreHealth     bool
	keep             bool // the deletion guard, or Prune=confirm, waits for a person
}

// identity is what a delete or an update has to name.
type identity struct {
	present         bool
	uid             types.UID
	resourceVersion string
	deleting        bool
}

// confirmation is an answer of the API server about one pair of desired form and projection.
type confirmation struct {
	key    diff.ConfirmationKey
	result diff.Result
}

// code translates a verdict to the status of a resource.
func (r *row) code() v1alpha1.SyncStatusCode {
	switch r.verdict {
	case Same:
		return v1alpha1.SyncStatusCodeSynced
	case Different, Missing, Extra:
		return v1alpha1.SyncStatusCodeOutOfSync
	default:
		return v1alpha1.SyncStatusCodeUnknown
	}
}

// counts reports whether the row makes the application OutOfSync.
func (r *row) counts() bool {
	return r.verdict == Different || r.verdict == Missing || r.verdict == Extra && !r.ignoreExtraneous
}
