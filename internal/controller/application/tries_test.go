// SPDX-License-Identifier: Apache-2.0

package application

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// The name of a try says what it applied, also to the next process: a commit that changes nothing of it takes nothing over,
// and its hooks are not run again.
func TestATryIsKnownByItsName(t *testing.T) {
	const digest = object.Digest("0123456789")
	for _, tt := range []struct {
		reason  string
		desired object.Digest
		named   bool
		want    bool
	}{
		{"the same state at another commit", digest, true, false},
		{"another state", "9876543210", true, true},
		{"a try without hooks has no name", digest, false, true},
	} {
		op := begun("aaa")
		if tt.named {
			op.record.Operation.Info = withInfo(op.spec, infoOperation, tryName(metav1.NewTime(now), 0, digest))
		}
		p := passOf(&op.record)
		p.state = &desired.State{Digest: tt.desired, Commits: []desired.Commit{{ID: "bbb"}}}
		if got := p.outdated(&op.record.Operation); got != tt.want {
			t.Errorf("%s: outdated is %t", tt.reason, got)
		}
	}
}

// What the record says of a try that is gone on with stays there, or a second crash would run its hooks again.
func TestWhatIsGoneOnWithStaysOnRecord(t *testing.T) {
	op := begun("aaa")
	op.work.Phases = []plan.Phase{{Waves: []plan.Wave{{Steps: []plan.Step{{Action: plan.Run}}}}}}
	op.name = tryName(op.record.StartedAt, 0, op.state.Digest)
	op.spec.Info = withInfo(op.spec, infoOperation, op.name)
	p := passOf(&op.record)
	p.resumes = v1alpha1.ResourceResults{{Kind: "Job", Name: "migrate", HookType: v1alpha1.HookTypePreSync, HookPhase: v1alpha1.OperationSucceeded}}
	p.nameTry(op, 0)
	if got := op.record.SyncResult.Resources; len(got) != 1 || got[0].Name != "migrate" {
		t.Errorf("got %v", got)
	}
	op.before = nil
	p.nameTry(op, 1)
	if got := op.record.SyncResult.Resources; len(got) != 0 {
		t.Errorf("another try: got %v", got)
	}
}
