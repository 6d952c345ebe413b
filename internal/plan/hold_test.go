// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"

	bowline "github.com/bowline-cd/bowline/api/bowline/v1alpha1"
	"github.com/bowline-cd/bowline/internal/plan"
)

func TestJudgeHold(t *testing.T) {
	since := time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC)
	hold := bowline.Hold{Digest: "bad", Sources: "s", Revisions: []string{"b"}, Since: since}
	const stands, ends, doubtful = plan.HoldStands, plan.HoldEnds, plan.HoldDoubtful
	for name, tt := range map[string]struct {
		change func(*bowline.Hold, *plan.HoldInput)
		want   plan.HoldVerdict
	}{
		"what is held off is desired":           {nil, stands},
		"something else, from the same sources": {func(_ *bowline.Hold, in *plan.HoldInput) { in.Digest = "fix" }, doubtful},
		"something else, from other sources":    {func(_ *bowline.Hold, in *plan.HoldInput) { in.Digest, in.Sources = "fix", "t" }, ends},
		"the same, from other sources":          {func(_ *bowline.Hold, in *plan.HoldInput) { in.Sources = "t" }, stands},
		"something else, and the source is down": {func(_ *bowline.Hold, in *plan.HoldInput) {
			in.Digest, in.Sources, in.Standing = "old", "t", true
		}, stands},
		"written by hand": {func(h *bowline.Hold, _ *plan.HoldInput) { *h = bowline.Hold{Reason: "broken"} }, doubtful},
		"before its time": {func(h *bowline.Hold, in *plan.HoldInput) { h.Until = in.Now.Add(1) }, stands},
		"at its time":     {func(h *bowline.Hold, in *plan.HoldInput) { h.Until = in.Now }, ends},
		"at its time, and nothing is known": {func(h *bowline.Hold, in *plan.HoldInput) {
			h.Until, in.Digest, in.Standing = in.Now, "", true
		}, ends},
		"synced by hand":             {func(_ *bowline.Hold, in *plan.HoldInput) { in.Asked = "bad" }, ends},
		"another one synced by hand": {func(_ *bowline.Hold, in *plan.HoldInput) { in.Asked = "good" }, stands},
	} {
		h, in := hold, plan.HoldInput{Digest: "bad", Sources: "s", Now: since.Add(time.Hour)}
		if tt.change != nil {
			tt.change(&h, &in)
		}
		got, why := plan.JudgeHold(h, in)
		if got != tt.want || (got == stands) != (why == "") {
			t.Errorf("%s: got %d (%s), want %d", name, got, why, tt.want)
		}
	}
}
