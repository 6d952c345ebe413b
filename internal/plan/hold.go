// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"time"

	bowline "github.com/bowline-cd/bowline/api/bowline/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// HoldVerdict is what a hold says of what is desired now.
type HoldVerdict int

// The verdicts.
const (
	// HoldStands: what is desired is what is held off.
	HoldStands HoldVerdict = iota
	// HoldEnds: the hold has done its work.
	HoldEnds
	// HoldDoubtful: what is desired was made otherwise than the hold says, from the same sources. Only what those gave at
	// the held revisions, made by the same means, can tell; until then the hold stands.
	HoldDoubtful
)

// HoldInput is what a hold is judged by.
type HoldInput struct {
	// Digest is that of the desired state, Sources that of the sources of the spec.
	Digest, Sources object.Digest
	// Asked is the digest of a full sync that a person asked for while there was the hold, and that has just succeeded; ""
	// if there is none.
	Asked object.Digest
	// Standing says that Digest is that of what was resolved last, because the source does not answer: no news.
	Standing bool
	Now      time.Time
}

// JudgeHold says whether a hold still keeps what is desired from being applied by itself, and why it ends if it does. It
// ends at its time, by a sync that a person asked for, and when what is rendered changes; that alone counts, so that a commit
// which changes other applications of the repository ends nothing.
func JudgeHold(h bowline.Hold, in HoldInput) (verdict HoldVerdict, why string) {
	held := object.Digest(h.Digest)
	switch {
	case !h.Until.IsZero() && !in.Now.Before(h.Until):
		return HoldEnds, "its time is over"
	case held == "":
		return HoldDoubtful, "it is not known yet what is held off"
	case held == in.Asked:
		return HoldEnds, "what was held off was synced by hand"
	case held == in.Digest, in.Standing:
		return HoldStands, ""
	case h.Sources != "" && object.Digest(h.Sources) != in.Sources:
		return HoldEnds, "the sources of the application changed, and what they render to"
	default:
		return HoldDoubtful, "something else is rendered"
	}
}
