// SPDX-License-Identifier: Apache-2.0

package application

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/sync"
)

// windowed is a pass over an application whose project has these windows; now is the 1st of March 2026, 12:00 UTC.
func windowed(t *testing.T, windows ...*v1alpha1.SyncWindow) *pass {
	t.Helper()
	s := settings.Defaults()
	c := hubWith(t, &s, projectWith(v1alpha1.AppProjectSpec{SyncWindows: windows}))
	app := &v1alpha1.Application{Spec: v1alpha1.ApplicationSpec{Project: "team"}}
	app.Namespace, app.Name = "argocd", "shop"
	return &pass{Controller: c, st: newAppState("shop"), app: app, next: app.DeepCopy(), now: metav1.NewTime(now), rules: c.Rules(),
		log: slog.New(slog.DiscardHandler)}
}

func denied(schedule, duration string) *v1alpha1.SyncWindow {
	return &v1alpha1.SyncWindow{Kind: "deny", Schedule: schedule, Duration: duration, Applications: []string{"shop"}}
}

func byHand(info ...*v1alpha1.Info) v1alpha1.Operation {
	return v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{}, Info: info}
}

func TestARequestWaitsForItsWindow(t *testing.T) {
	p := windowed(t, denied("0 8 * * *", "10h"))
	request := byHand()
	p.app.Operation = &request
	p.beginRequested(t.Context())
	state := p.next.Status.OperationState
	if state == nil || state.Phase != v1alpha1.OperationRunning || p.next.Operation != nil || p.launch != nil || state.FinishedAt != nil {
		t.Fatalf("got %+v, launched: %t", state, p.launch != nil)
	}
	if !strings.HasPrefix(state.Message, "blocked by sync window: the deny window") || !strings.Contains(state.Message, "until 2026-03-01 18:00 UTC") ||
		!strings.Contains(state.Message, "--override-window") {
		t.Errorf("message %q", state.Message)
	}
	if p.again != 6*time.Hour {
		t.Errorf("the next pass is due in %s, want at the end of the window", p.again)
	}
}

// What the record says of an operation that waits is not lost: whoever goes on needs it.
func TestAnOperationThatWaitsKeepsItsRecord(t *testing.T) {
	p := windowed(t, denied("0 8 * * *", "10h"))
	state := &v1alpha1.OperationState{Operation: byHand(), Phase: v1alpha1.OperationRunning, StartedAt: metav1.NewTime(now.Add(-time.Hour)), RetryCount: 2,
		SyncResult: &v1alpha1.SyncOperationResult{Revision: "aaa", Resources: v1alpha1.ResourceResults{{Name: "migrate", HookPhase: v1alpha1.OperationSucceeded}}}}
	p.next.Status.OperationState = state
	p.unreachable = false
	if why := p.waitsForWindow(t.Context(), state.Operation, state.StartedAt.Time); why == "" {
		t.Fatal("the window is closed")
	}
	if state.RetryCount != 2 || len(state.SyncResult.Resources) != 1 || p.launch != nil {
		t.Errorf("got %+v", state)
	}
}

func TestWhatBlocks(t *testing.T) {
	closed, overrun := denied("0 8 * * *", "10h"), denied("0 8 * * *", "10h")
	overrun.SyncOverrun = true
	automated := v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{}, InitiatedBy: v1alpha1.OperationInitiator{Automated: true}}
	override := &v1alpha1.Info{Name: v1alpha1.InfoOverrideWindow, Value: " hotfix\n4711 "}
	forged := automated
	forged.Info = []*v1alpha1.Info{override}
	dry := byHand()
	dry.Sync.DryRun = true
	early := now.Add(-5 * time.Hour) // 07:00
	for _, tt := range []struct {
		reason  string
		window  *v1alpha1.SyncWindow
		spec    v1alpha1.Operation
		started time.Time
		blocked bool
	}{
		{"a person", closed, byHand(), now, true},
		{"a person who says why", closed, byHand(override), now, false},
		{"one who does not", closed, byHand(&v1alpha1.Info{Name: v1alpha1.InfoOverrideWindow, Value: " \n"}), now, true},
		{"other words", closed, byHand(&v1alpha1.Info{Name: "why", Value: "hotfix"}, nil), now, true},
		{"nobody, with somebody's words", closed, forged, now, true},
		{"a dry run", closed, dry, now, false},
		{"what began before, without overrun", closed, automated, early, true},
		{"what began before, with overrun", overrun, automated, early, false},
		{"what began too late, with overrun", overrun, automated, now, true},
	} {
		p := windowed(t, tt.window)
		if why, _ := p.blocks(t.Context(), p.app, tt.spec, tt.started); (why != "") != tt.blocked {
			t.Errorf("%s: %q", tt.reason, why)
		}
	}
	p := windowed(t, closed)
	if notes := p.overrideNotes(t.Context(), byHand(override)); len(notes) != 1 || !strings.HasPrefix(notes[0], "sync windows overridden: hotfix 4711 (the deny window") {
		t.Errorf("notes %q", notes)
	}
	p.app.Spec.Project = "gone"
	if why, _ := p.blocks(t.Context(), p.app, byHand(), now); !strings.Contains(why, "is not known") {
		t.Errorf("without a project: %q", why)
	}
}

func TestAutomatedSyncsSayWhatKeepsThemBack(t *testing.T) {
	on := &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{}}
	for _, tt := range []struct {
		reason string
		policy *v1alpha1.SyncPolicy
		code   v1alpha1.SyncStatusCode
		says   bool
		again  time.Duration
	}{
		{"OutOfSync", on, v1alpha1.SyncStatusCodeOutOfSync, true, 6 * time.Hour},
		{"nothing is to be done", on, v1alpha1.SyncStatusCodeSynced, false, 6 * time.Hour},
		{"nothing is done by itself", nil, v1alpha1.SyncStatusCodeOutOfSync, false, 0},
	} {
		p := windowed(t, denied("0 8 * * *", "10h"))
		p.app.Spec.SyncPolicy, p.code = tt.policy, tt.code
		if p.closedWindow(t.Context()) == "" {
			t.Errorf("%s: it is open", tt.reason)
		}
		if got := p.found.has(v1alpha1.ApplicationConditionSyncWindowWarning); got != tt.says || p.again != tt.again {
			t.Errorf("%s: condition %t, next pass in %s", tt.reason, got, p.again)
		}
	}
}

// A run that waits asks again when a pass finds that it may.
func TestARunThatWaitsIsToldWhenAWindowMayHaveOpened(t *testing.T) {
	p := windowed(t, denied("0 8 * * *", "10h"))
	op := &operation{spec: byHand(), record: v1alpha1.OperationState{StartedAt: metav1.NewTime(now)}}
	p.st.running = op
	changes := p.st.listen()
	p.closedWindow(t.Context())
	select {
	case <-changes:
		t.Error("it was told although it does not wait")
	default:
	}
	if p.blocked(t.Context(), op)() == "" {
		t.Fatal("it is open")
	}
	p.closedWindow(t.Context())
	select {
	case <-changes:
	default:
		t.Error("it was not told")
	}
}

// A run that says that it is blocked while what it said before is being written is heard, too.
func TestWhatIsSaidDuringAWriteIsWrittenLater(t *testing.T) {
	p := windowed(t)
	p.acts = true
	op := &operation{spec: byHand(), record: v1alpha1.OperationState{SyncResult: &v1alpha1.SyncOperationResult{}}}
	p.st.running = op
	if _, ask := op.told.tell(sync.Progress{Message: "waiting"}, false); !ask {
		t.Fatal("no pass was asked for")
	}
	p.report()
	op.told.tell(sync.Progress{Message: "blocked"}, false)
	p.reportWritten()
	if p.again != writesDuringOperation {
		t.Errorf("the next pass is due in %s", p.again)
	}
	p.report()
	p.again = 0
	p.reportWritten()
	if got := p.next.Status.OperationState.Message; got != "blocked" || p.again != 0 {
		t.Errorf("message %q, next pass in %s", got, p.again)
	}
}
