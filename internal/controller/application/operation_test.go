// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/sync"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// passOf is a pass over an application whose status says something about an operation.
func passOf(state *v1alpha1.OperationState) *pass {
	app := &v1alpha1.Application{}
	app.Name = "shop"
	app.Status.OperationState = state
	return &pass{
		Controller: &Controller{Deps: Deps{Clock: clocktesting.NewFakeClock(now)}}, st: newAppState("shop"),
		app: app, next: app.DeepCopy(), now: metav1.NewTime(now), rules: &Rules{Settings: settings.Defaults()},
	}
}

// begun is an automated operation as it was announced.
func begun(revision string) *operation {
	spec := v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{Revision: revision}, InitiatedBy: v1alpha1.OperationInitiator{Automated: true},
		Retry: v1alpha1.RetryStrategy{Limit: 1}}
	return &operation{spec: spec, state: &desired.State{Digest: "d"}, record: v1alpha1.OperationState{
		Operation: spec, Phase: v1alpha1.OperationRunning, StartedAt: metav1.NewTime(now), SyncResult: &v1alpha1.SyncOperationResult{Revision: revision},
	}}
}

// Whatever somebody wrote into the status, the outcome is recorded of what was begun.
func TestAnOutcomeIsRecordedOfWhatWasBegun(t *testing.T) {
	for name, state := range map[string]*v1alpha1.OperationState{
		"no record":                 nil,
		"an empty one":              {},
		"one without a result":      {Phase: v1alpha1.OperationRunning, Operation: v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{}}},
		"one of another revision":   {Phase: v1alpha1.OperationRunning, SyncResult: &v1alpha1.SyncOperationResult{Revision: "forged"}},
		"one that says it is ended": {Phase: v1alpha1.OperationFailed, RetryCount: -3},
	} {
		p := passOf(state)
		p.record(&outcome{op: begun("aaa"), result: sync.Result{Phase: v1alpha1.OperationSucceeded, Message: "done"}})
		got := p.next.Status
		if s := got.OperationState; s.Phase != v1alpha1.OperationSucceeded || s.SyncResult.Revision != "aaa" || s.FinishedAt == nil {
			t.Errorf("%s: got %+v", name, s)
		}
		if len(got.History) != 1 || got.History[0].Revision != "aaa" {
			t.Errorf("%s: history %+v", name, got.History)
		}
	}
}

func TestAnInterruptedOperationStaysAsItIs(t *testing.T) {
	running := &v1alpha1.OperationState{Phase: v1alpha1.OperationRunning, RetryCount: 2}
	p := passOf(running)
	p.record(&outcome{op: begun("aaa"), cause: context.Canceled, result: sync.Result{Phase: v1alpha1.OperationError, Stopped: true}})
	if got := p.next.Status.OperationState; got.Phase != v1alpha1.OperationRunning || got.RetryCount != 2 || got.FinishedAt != nil || p.finished {
		t.Errorf("got %+v", got)
	}
}

func TestHowAnOperationEnds(t *testing.T) {
	failed := sync.Result{Phase: v1alpha1.OperationFailed, Message: "no", Retryable: true}
	for _, tt := range []struct {
		reason  string
		result  sync.Result
		cause   error
		retried int64
		phase   v1alpha1.OperationPhase
		waits   bool
	}{
		{"terminated", failed, errTerminated, 0, v1alpha1.OperationFailed, false},
		{"superseded: it goes on", failed, errSuperseded, 0, v1alpha1.OperationRunning, true},
		{"superseded although it was done", sync.Result{Phase: v1alpha1.OperationSucceeded}, errSuperseded, 0, v1alpha1.OperationRunning, true},
		{"failed, and may be tried again", failed, nil, 0, v1alpha1.OperationRunning, true},
		{"failed for the last time", failed, nil, 1, v1alpha1.OperationFailed, false},
		{"failed for good", sync.Result{Phase: v1alpha1.OperationFailed}, nil, 0, v1alpha1.OperationFailed, false},
	} {
		p := passOf(nil)
		op := begun("aaa")
		op.record.RetryCount = tt.retried
		p.record(&outcome{op: op, result: tt.result, cause: tt.cause})
		got := p.next.Status.OperationState
		if got.Phase != tt.phase || got.FinishedAt == nil || !p.finished || len(p.next.Status.History) > 0 {
			t.Errorf("%s: got %+v with history %v", tt.reason, got, p.next.Status.History)
		}
		if waits := got.Phase == v1alpha1.OperationRunning; waits != tt.waits {
			t.Errorf("%s: waits for another try: %v", tt.reason, waits)
		}
	}
}

// What a pass took from the state and could not write is there for the next one.
func TestAnOutcomeThatCouldNotBeWrittenIsRecordedAgain(t *testing.T) {
	p := passOf(nil)
	p.st.supersessions, p.st.syncedDigest = 2, "before"
	op := begun("aaa")
	p.st.running = op
	p.st.finish(outcome{op: op, result: sync.Result{Phase: v1alpha1.OperationSucceeded}})
	p.st.takeDirty(now)
	p.record(p.st.takeFinished())
	p.undo()
	if o := p.st.takeFinished(); o == nil || o.op != op || p.st.running != op || p.st.supersessions != 2 || p.st.syncedDigest != "before" {
		t.Errorf("got %+v, running %v, %d supersessions, synced %q", o, p.st.running, p.st.supersessions, p.st.syncedDigest)
	}
	if _, all := p.st.takeDirty(now); !all {
		t.Error("the rows are not compared again")
	}
}

func TestARetryWaitsForNoForgedTime(t *testing.T) {
	at := func(d time.Duration) *metav1.Time { return &metav1.Time{Time: now.Add(d)} }
	for _, tt := range []struct {
		reason string
		state  v1alpha1.OperationState
		want   time.Duration
	}{
		{"the first retry", v1alpha1.OperationState{RetryCount: 1, FinishedAt: at(-time.Second)}, 4 * time.Second},
		{"the second", v1alpha1.OperationState{RetryCount: 2, FinishedAt: at(0)}, 10 * time.Second},
		{"it is over", v1alpha1.OperationState{RetryCount: 1, FinishedAt: at(-time.Hour)}, 0},
		{"an end in a thousand years", v1alpha1.OperationState{RetryCount: 1, FinishedAt: at(876000 * time.Hour)}, 0},
		{"a clock that runs ahead", v1alpha1.OperationState{RetryCount: 1, FinishedAt: at(2 * time.Second)}, 7 * time.Second},
		{"retries below zero", v1alpha1.OperationState{RetryCount: -7, FinishedAt: at(0)}, 3 * time.Minute},
	} {
		tt.state.Operation.Retry.Limit = 5
		if got := passOf(nil).retryWait(&tt.state); max(0, got) > tt.want {
			t.Errorf("%s: waits %s, want at most %s", tt.reason, got, tt.want)
		} else if tt.want <= 10*time.Second && max(0, got) != tt.want {
			t.Errorf("%s: waits %s, want %s", tt.reason, got, tt.want)
		}
	}
}

// A new commit is a new attempt, whatever became of the one before: an automated operation that ended before it knew its
// objects names the revision that it was about.
func TestAnAttemptNamesItsRevision(t *testing.T) {
	p := passOf(nil)
	p.app.Spec.Source = &v1alpha1.ApplicationSource{RepoURL: "r", Path: "web"}
	p.found.add(v1alpha1.ApplicationConditionInvalidSpecError, "not permitted")
	p.prepare(context.Background(), begun("aaa").spec, metav1.NewTime(now), 1, "")
	got := p.next.Status.OperationState
	if got.Phase != v1alpha1.OperationError || got.SyncResult == nil || got.SyncResult.Revision != "aaa" || got.SyncResult.Source.Path != "web" {
		t.Errorf("got %+v with %+v", got, got.SyncResult)
	}
}

// A list of sources has a list of revisions, were it a list of one: whoever compares them would find no news otherwise.
func TestOneSourceInAListHasItsRevisionInAList(t *testing.T) {
	source := v1alpha1.ApplicationSource{RepoURL: "r", Path: "web"}
	state := &desired.State{Commits: []desired.Commit{{ID: "bbb"}}, Types: []v1alpha1.ApplicationSourceType{v1alpha1.ApplicationSourceTypeHelm}}
	p := passOf(&v1alpha1.OperationState{Phase: v1alpha1.OperationSucceeded, SyncResult: &v1alpha1.SyncOperationResult{
		Revisions: []string{"aaa"}, Sources: v1alpha1.ApplicationSources{source},
	}, Operation: v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{Revisions: []string{"aaa"}}}})
	p.app.Spec.Sources, p.state = v1alpha1.ApplicationSources{source}, state
	p.app.Spec.SyncPolicy = &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{}}
	p.code = v1alpha1.SyncStatusCodeOutOfSync
	in := p.autoSync(false)
	if d := plan.Decide(in); !d.Sync || !slices.Equal(d.Operation(in).Sync.Revisions, []string{"bbb"}) {
		t.Errorf("a new revision is not synced: %+v", d)
	}
	if r := syncResult(p.app, v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{}}, state); r.Revision != "" || !slices.Equal(r.Revisions, []string{"bbb"}) {
		t.Errorf("the result is of %q, %q", r.Revision, r.Revisions)
	}
	setSync(&p.next.Status, p.app, p.code, state)
	if s := p.next.Status; s.Sync.Revision != "" || !slices.Equal(s.Sync.Revisions, []string{"bbb"}) || len(s.SourceTypes) != 1 {
		t.Errorf("the status is of %q, %q", s.Sync.Revision, s.Sync.Revisions)
	}
}

func TestRevisionsAreShortAndSayWhich(t *testing.T) {
	commits := []desired.Commit{{ID: "0123456789abcdef0123456789abcdef01234567"}, {ID: "1.10.12-rc.1"}, {ID: "sha256:0123456789abcdef"}}
	if got := describeCommits(commits); got != "0123456, 1.10.12-rc.1, sha256:0123456" {
		t.Error(got)
	}
}

func TestSupersedes(t *testing.T) {
	about := &desired.State{Digest: "old"}
	for _, tt := range []struct {
		reason string
		change func(*pass, *v1alpha1.Operation)
		want   bool
	}{
		{"a newer state", func(*pass, *v1alpha1.Operation) {}, true},
		{"the same state at a newer commit", func(p *pass, _ *v1alpha1.Operation) { p.state.Digest = "old" }, false},
		{"somebody asked for the operation", func(_ *pass, op *v1alpha1.Operation) { op.InitiatedBy.Automated = false }, false},
		{"what stands while Git is down", func(p *pass, _ *v1alpha1.Operation) { p.unreachable = true }, false},
		{"the newest state is not known", func(p *pass, _ *v1alpha1.Operation) { p.state = nil }, false},
		{"after three in a row", func(p *pass, _ *v1alpha1.Operation) { p.st.supersessions = 3 }, false},
	} {
		p := passOf(nil)
		p.state = &desired.State{Digest: "new"}
		op := begun("aaa").spec
		tt.change(p, &op)
		if got := p.supersedes(op, about); got != tt.want {
			t.Errorf("%s: got %v", tt.reason, got)
		}
	}
}
