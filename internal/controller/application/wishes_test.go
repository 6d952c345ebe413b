// SPDX-License-Identifier: Apache-2.0

package application

import (
	"log/slog"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/sync"
)

// A wish to end an operation may come when its try has just ended by itself: no other try follows.
func TestAWishToEndAnOperationIsNotLostBetweenTwoTries(t *testing.T) {
	for _, tt := range []struct {
		reason string
		result sync.Result
		cause  error
		want   v1alpha1.OperationPhase
	}{
		{"it failed and would be tried again", sync.Result{Phase: v1alpha1.OperationFailed, Message: "no", Retryable: true}, nil, v1alpha1.OperationFailed},
		{"a newer revision would take over", sync.Result{Phase: v1alpha1.OperationError, Stopped: true, Retryable: true}, errSuperseded, v1alpha1.OperationFailed},
		{"it is done", sync.Result{Phase: v1alpha1.OperationSucceeded}, nil, v1alpha1.OperationSucceeded},
	} {
		p := passOf(&v1alpha1.OperationState{Phase: v1alpha1.OperationTerminating})
		p.record(&outcome{op: begun("aaa"), result: tt.result, cause: tt.cause})
		if got := p.next.Status.OperationState; got.Phase != tt.want || got.FinishedAt == nil || p.takesOver {
			t.Errorf("%s: got %+v", tt.reason, got)
		}
	}
}

// The object of a hook whose end is on record holds nothing up, although a crash came before it was let go.
func TestAHookThatEndedOnRecordDoesNotRun(t *testing.T) {
	object := func(name, operation string) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "batch/v1", "kind": "Job"}}
		u.SetNamespace("web")
		u.SetName(name)
		u.SetAnnotations(map[string]string{v1alpha1.AnnotationOperation: operation})
		return u
	}
	result := func(name string, hook v1alpha1.HookType, phase v1alpha1.OperationPhase) *v1alpha1.ResourceResult {
		return &v1alpha1.ResourceResult{Group: "batch", Kind: "Job", Namespace: "web", Name: name, HookType: hook, HookPhase: phase}
	}
	results := v1alpha1.ResourceResults{
		result("done", v1alpha1.HookTypePreSync, v1alpha1.OperationSucceeded),
		result("both", v1alpha1.HookTypePreSync, v1alpha1.OperationFailed),
		result("runs", v1alpha1.HookTypePreSync, v1alpha1.OperationRunning),
		result("plain", "", v1alpha1.OperationSucceeded),
		result("both", v1alpha1.HookTypePostSync, v1alpha1.OperationRunning),
	}
	for _, tt := range []struct {
		name, operation string
		want            bool
	}{
		{"done", "1-0-a", true}, {"runs", "1-0-a", false}, {"new", "1-0-a", false}, {"plain", "1-0-a", false},
		{"both", "1-0-a", true}, {"both", "1-0-a/PostSync", false}, {"done", "1-0-a/PostSync", false},
	} {
		if got := endedOnRecord(results, object(tt.name, tt.operation)); got != tt.want {
			t.Errorf("%s of %s: ended is %t", tt.name, tt.operation, got)
		}
	}
}

// A sync that panics ends by itself, and takes no other application along.
func TestASyncThatPanicsIsOver(t *testing.T) {
	done := sync.Result{Phase: v1alpha1.OperationSucceeded}
	if got := survive(slog.New(slog.DiscardHandler), func() sync.Result { return done }); got.Phase != done.Phase {
		t.Errorf("got %+v", got)
	}
	got := survive(slog.New(slog.DiscardHandler), func() sync.Result { panic("no") })
	if got.Phase != v1alpha1.OperationError || got.Retryable || got.Stopped || got.Message == "" {
		t.Errorf("got %+v", got)
	}
}

// A sync that began before its window closed may go on (syncOverrun), but a newer revision that came later is not applied under its
// name. One that waits for the window anyway is given up for it.
func TestANewerRevisionDoesNotOverrunAWindow(t *testing.T) {
	for _, tt := range []struct {
		reason          string
		denied          string
		blocked         bool
		ended, outdated bool
	}{
		{"the window is open", "", false, true, true},
		{"it goes on beyond its window", "closed", false, false, false},
		{"it waits for its window", "closed", true, true, false},
	} {
		op := started(t)
		p := passOf(&op.record)
		p.st.running, p.denied, p.state = op, tt.denied, &desired.State{Digest: "new"}
		op.windowClosed.Store(tt.blocked)
		p.superviseRunning()
		if ended := op.ctx.Err() != nil; ended != tt.ended {
			t.Errorf("%s: ended is %t", tt.reason, ended)
		}
		p.st.triedDigest = op.state.Digest
		if got := p.outdated(&op.spec); got != tt.outdated {
			t.Errorf("%s: outdated is %t", tt.reason, got)
		}
		op.spec.Retry.Refresh = true
		op.record.Operation, op.record.FinishedAt = op.spec, &p.now
		p.state.Commits = []desired.Commit{{ID: "bbb"}}
		want := "bbb"
		if tt.denied != "" {
			want = "aaa"
		}
		if next := p.nextSpec(&op.record, false, false); next.Sync.Revision != want {
			t.Errorf("%s: a retry that refreshes is at %s", tt.reason, next.Sync.Revision)
		}
	}
}
