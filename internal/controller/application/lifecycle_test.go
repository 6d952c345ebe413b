// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"
	"fmt"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/sync"
)

// started is an operation that runs, by itself.
func started(t *testing.T) *operation {
	t.Helper()
	op := begun("aaa")
	op.ctx, op.cancel = context.WithCancelCause(t.Context())
	return op
}

// What has to be on record is waited for until it is, and not for ever.
func TestADurableRecordIsAcknowledged(t *testing.T) {
	w := newWorld(t, 1, nil)
	root, stop := context.WithCancel(t.Context())
	for _, tt := range []struct {
		reason string
		then   func(op *operation, cancel func())
		want   error
	}{
		{"it is written", func(op *operation, _ func()) { op.told.wrote(2) }, nil},
		{"the caller does not wait any more", func(_ *operation, cancel func()) { cancel() }, context.Canceled},
		{"the application is gone", func(op *operation, _ func()) { op.abandon() }, errUnwritten},
		{"this process stops", func(*operation, func()) { stop() }, errUnwritten},
	} {
		op := started(t)
		record := w.recorder(root, shop, op)
		ctx, cancel := context.WithCancel(t.Context())
		if err := record(ctx, sync.Progress{Message: "soon"}, false); err != nil {
			t.Fatal(err)
		}
		if op.told.presses() {
			t.Errorf("%s: what is not durable presses", tt.reason)
		}
		done := make(chan error)
		go func() { done <- record(ctx, sync.Progress{Message: "hook ended"}, true) }()
		for !op.told.presses() {
			time.Sleep(time.Millisecond)
		}
		op.told.wrote(1) // what was said before is not enough
		if p, n := op.told.news(); n != 2 || p.Message != "hook ended" {
			t.Errorf("%s: to be written: %d %q", tt.reason, n, p.Message)
		}
		tt.then(op, cancel)
		if err := <-done; !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.reason, err, tt.want)
		}
		cancel()
	}
}

// What an operation says of itself becomes part of the status, whatever stands there, except a wish to end it.
func TestProgressIsWrittenOverWhateverStandsThere(t *testing.T) {
	for name, state := range map[string]*v1alpha1.OperationState{
		"nothing": nil, "a forged end": {Phase: v1alpha1.OperationSucceeded}, "a wish to end it": {Phase: v1alpha1.OperationTerminating},
	} {
		p := passOf(state)
		op := started(t)
		p.st.running, p.acts = op, true
		op.told.tell(sync.Progress{Message: "waiting", Resources: v1alpha1.ResourceResults{{Name: "first", HookPhase: v1alpha1.OperationSucceeded}}}, true)
		p.report()
		got := p.next.Status.OperationState
		want := v1alpha1.OperationRunning
		if state != nil && state.Phase == v1alpha1.OperationTerminating {
			want = v1alpha1.OperationTerminating
		}
		if got == nil || got.Phase != want || got.Message != "waiting" || len(got.SyncResult.Resources) != 1 || got.SyncResult.Revision != "aaa" {
			t.Errorf("%s: got %+v", name, got)
		}
		p.reportWritten()
		if _, n := op.told.news(); n != 0 || op.told.presses() {
			t.Errorf("%s: it is still to be written", name)
		}
	}
}

// A pass that comes while an operation waits for its record is not put off.
func TestAPassIsNotPutOffWhileARecordIsAwaited(t *testing.T) {
	st := newAppState(shop)
	st.running = started(t)
	st.calm(now)
	if st.calm(now) == 0 {
		t.Error("passes follow each other at once during an operation")
	}
	st.running.told.tell(sync.Progress{}, true)
	if wait := st.calm(now); wait != 0 {
		t.Errorf("the record waits for %s", wait)
	}
}

// A newer revision waits for hooks, and takes over as soon as they have ended; a person does not wait.
func TestHooksAreAwaited(t *testing.T) {
	op := started(t)
	end, ok := op.hold()
	if !ok {
		t.Fatal("it may not be held")
	}
	op.endWhenFree(errSuperseded)
	if op.ctx.Err() != nil {
		t.Error("it was ended while a hook ran")
	}
	op.endWhenFree(nil) // the newer revision was taken back
	op.endWhenFree(errSuperseded)
	end()
	end()
	if !errors.Is(context.Cause(op.ctx), errSuperseded) {
		t.Errorf("it was not ended after the hook: %v", context.Cause(op.ctx))
	}
	if _, ok := op.hold(); ok {
		t.Error("hooks are begun although it ends")
	}

	op = started(t)
	_, _ = op.hold()
	op.cancel(errTerminated)
	if !errors.Is(context.Cause(op.ctx), sync.ErrEndHooks) {
		t.Error("terminating does not end hooks")
	}

	op = started(t)
	op.resumes = true // its hooks run since before this process
	op.endWhenFree(errSuperseded)
	if op.ctx.Err() != nil {
		t.Error("it was ended before anybody looked after its hooks")
	}
	end, _ = op.hold()
	end()
	if op.ctx.Err() == nil {
		t.Error("it was not ended after the hook")
	}
}

// Only the causes that are meant to end running hooks.
func TestWhichCausesEndHooks(t *testing.T) {
	for cause, want := range map[error]bool{
		errSuperseded: false, errSupersededNow: true, errTerminated: true, errTimedOut: true, errGone: true, fmt.Errorf("%w: why", errHeld): false,
	} {
		if got := errors.Is(cause, sync.ErrEndHooks); got != want {
			t.Errorf("%v: %v", cause, got)
		}
		o := outcome{cause: cause}
		if got := o.interrupted(); got != errors.Is(cause, errGone) {
			t.Errorf("%v: interrupted %v", cause, got)
		}
	}
}

// Whoever waits gives its place back, so that any number may wait.
func TestThereArePlacesForThoseWhoWork(t *testing.T) {
	slots := make(chan struct{}, 2)
	places := make([]place, 20)
	for i := range places {
		places[i].slots = slots
		if err := places[i].take(t.Context()); err != nil {
			t.Fatal(err)
		}
		resume := places[i].rest()
		defer func() {
			if err := resume(t.Context()); err != nil {
				t.Error(err)
			}
			places[i].leave()
			places[i].leave()
		}()
	}
	if len(slots) != 0 {
		t.Errorf("%d places are taken by those who wait", len(slots))
	}
	a, b, c := place{slots: slots}, place{slots: slots}, place{slots: slots}
	_, _ = a.take(t.Context()), b.take(t.Context())
	ctx, cancel := context.WithCancelCause(t.Context())
	var wg stdsync.WaitGroup
	wg.Go(func() {
		if err := c.take(ctx); !errors.Is(err, errTerminated) {
			t.Errorf("a third place: %v", err)
		}
	})
	cancel(errTerminated)
	wg.Wait()
	_ = a.take(t.Context()) // it has one
	a.leave()
	b.leave()
	if len(slots) != 0 {
		t.Errorf("%d places were not given back", len(slots))
	}
}

func TestEachTryHasANameOfItsOwn(t *testing.T) {
	at := metav1.NewTime(now)
	seen := map[string]string{}
	name := func(reason string, startedAt metav1.Time, superseded string, retries int64, digest string) {
		spec := v1alpha1.Operation{}
		spec.Info = withInfo(spec, infoSuperseded, superseded)
		got := tryName(startedAt, tryNumber(spec, retries), object.Digest(digest))
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s are both called %s", reason, other, got)
		}
		seen[got] = reason
	}
	name("the first", at, "", 0, "0123456789")
	name("a retry", at, "", 1, "0123456789")
	name("a newer revision", at, "1", 0, "abcdefghij")
	name("back at the older one", at, "2", 0, "0123456789")
	name("another operation", metav1.NewTime(now.Add(time.Second)), "", 0, "0123456789")
	if n := tryNumber(v1alpha1.Operation{Info: []*v1alpha1.Info{nil, {Name: infoSuperseded, Value: "-7"}}}, -3); n != 0 {
		t.Errorf("a forged count makes %d", n)
	}
}

// What the record says of hooks is believed of this very try only.
func TestARecordIsBelievedOfItsTryOnly(t *testing.T) {
	done := v1alpha1.ResourceResults{{Name: "first", HookType: v1alpha1.HookTypePreSync, HookPhase: v1alpha1.OperationSucceeded}}
	hooks := plan.Plan{Phases: []plan.Phase{{Waves: []plan.Wave{{Steps: []plan.Step{{Action: plan.Run}}}}}}}
	for _, tt := range []struct {
		reason   string
		recorded string
		work     plan.Plan
		believed bool
		named    bool
	}{
		{"the try that was cut off", tryName(metav1.NewTime(now), 0, "d"), hooks, true, true},
		{"the try before", tryName(metav1.NewTime(now), 7, "d"), hooks, false, true},
		{"another revision", tryName(metav1.NewTime(now), 0, "e"), hooks, false, true},
		{"no hooks any more", tryName(metav1.NewTime(now), 0, "d"), plan.Plan{}, false, false},
	} {
		p := passOf(nil)
		p.resumes = done
		op := begun("aaa")
		op.work = tt.work
		op.spec.Info = withInfo(op.spec, infoOperation, tt.recorded)
		p.nameTry(op, 0)
		if got := len(op.before) > 0; got != tt.believed {
			t.Errorf("%s: believed %v", tt.reason, got)
		}
		if got := infoOf(op.record.Operation, infoOperation); (got == op.name) != tt.named {
			t.Errorf("%s: the record names %q, the try is %q", tt.reason, got, op.name)
		}
	}
}

// Two operations with hooks do not begin in one second: nobody could tell their hooks apart.
func TestOperationsAreToldApart(t *testing.T) {
	last := &v1alpha1.OperationState{Phase: v1alpha1.OperationSucceeded, StartedAt: metav1.NewTime(now)}
	p := passOf(last)
	if p.tooSoon() {
		t.Error("an operation without hooks holds up the next one")
	}
	p.next.Status.OperationState.Operation.Info = withInfo(last.Operation, infoOperation, "x")
	if !p.tooSoon() {
		t.Error("another one begins in the same second")
	}
	p.now = metav1.NewTime(now.Add(time.Second))
	if p.tooSoon() {
		t.Error("the next second is too soon")
	}
}

// A commit that changes nothing for the application is no new attempt, also after one that failed.
func TestTheSameContentIsNoNewAttempt(t *testing.T) {
	for _, tt := range []struct {
		reason  string
		prepare func(*pass)
		want    bool
	}{
		{"it was synced", func(p *pass) { p.st.syncedDigest, p.st.triedDigest = "digest-of-now", "digest-of-now" }, true},
		{"it failed", func(p *pass) { p.st.triedDigest = "digest-of-now" }, true},
		{"something else was desired since it was tried", func(p *pass) { p.st.triedDigest, p.st.strayed = "digest-of-now", true }, false},
		{"another one was tried", func(p *pass) { p.st.triedDigest = "another" }, false},
		{"nothing is known", func(*pass) {}, false},
		{"another process tried it", func(p *pass) {
			p.next.Status.OperationState = &v1alpha1.OperationState{Operation: v1alpha1.Operation{Info: []*v1alpha1.Info{
				{Name: infoOperation, Value: tryName(metav1.NewTime(now), 0, "digest-of-now")}}}}
		}, true},
	} {
		p := passOf(nil)
		p.state = &desired.State{Digest: "digest-of-now"}
		tt.prepare(p)
		if got := p.unchanged(); got != tt.want {
			t.Errorf("%s: %v", tt.reason, got)
		}
	}
}

func TestWhatEndsARunningOperation(t *testing.T) {
	for _, tt := range []struct {
		reason string
		change func(*pass)
		want   error
	}{
		{"nothing", func(*pass) {}, nil},
		{"a newer revision", func(p *pass) { p.state = &desired.State{Digest: "new"} }, errSuperseded},
		{"which settings forbid", func(p *pass) {
			p.state = &desired.State{Digest: "new"}
			p.rules.Settings.Supersede = settings.SupersedeNever
		}, nil},
		{"which ends hooks", func(p *pass) {
			p.state = &desired.State{Digest: "new"}
			p.rules.Settings.Supersede = settings.SupersedeEndHooks
		}, errSupersededNow},
		{"which waits for another application", func(p *pass) { p.state, p.awaits = &desired.State{Digest: "new"}, "db" }, nil},
		{"a hold of what it applies", func(p *pass) { p.held = "it is bad" }, errHeld},
		{"a hold of something newer", func(p *pass) { p.held, p.state = "it is bad", &desired.State{Digest: "new"} }, nil},
		{"a person", func(p *pass) {
			p.next.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationTerminating}
		}, errTerminated},
		{"its time", func(p *pass) {
			p.rules.Settings.SyncTimeout = time.Minute
			p.st.running.record.StartedAt = metav1.NewTime(now.Add(-time.Hour))
		}, errTimedOut},
		{"its time is not over", func(p *pass) { p.rules.Settings.SyncTimeout = time.Minute }, nil},
	} {
		p := passOf(nil)
		op := started(t)
		p.st.running, p.state = op, &desired.State{Digest: "d"}
		tt.change(p)
		p.superviseRunning()
		if got := context.Cause(op.ctx); !errors.Is(got, tt.want) || (got == nil) != (tt.want == nil) {
			t.Errorf("%s: %v, want %v", tt.reason, got, tt.want)
		}
		if tt.want == nil && p.rules.Settings.SyncTimeout > 0 && p.again != time.Minute {
			t.Errorf("%s: looked at again after %s", tt.reason, p.again)
		}
	}
}

// An operation that was taken over says so, begins its retries anew and counts how often that happened.
func TestATakeOverIsOnRecord(t *testing.T) {
	p := passOf(nil)
	op := begun("aaa")
	op.record.RetryCount = 4
	for i := 1; i <= 2; i++ {
		p.record(&outcome{op: op, cause: errSuperseded})
		state := p.next.Status.OperationState
		if infoOf(state.Operation, infoSuperseded) != fmt.Sprint(i) || state.RetryCount != 0 || !strings.Contains(state.Message, "superseded aaa") || !p.takesOver {
			t.Errorf("take-over %d: %+v", i, state)
		}
		op.record = *state.DeepCopy()
	}
	if p.st.supersessions != 2 {
		t.Errorf("%d in a row", p.st.supersessions)
	}
	p.record(&outcome{op: op, result: sync.Result{Phase: v1alpha1.OperationFailed, Retryable: true}})
	if p.st.supersessions != 0 {
		t.Error("a try that came to its end does not end the row")
	}
}

func TestTheRevisionOfTheNextTry(t *testing.T) {
	newest := &desired.State{Digest: "new", Commits: []desired.Commit{{ID: "bbb"}}}
	for _, tt := range []struct {
		reason         string
		change         func(*v1alpha1.OperationState)
		newer, running bool
		want           string
	}{
		{"a retry stays with its revision", func(*v1alpha1.OperationState) {}, false, false, "aaa"},
		{"with refresh it takes the newest", func(s *v1alpha1.OperationState) { s.Operation.Retry.Refresh = true }, false, false, "bbb"},
		{"somebody asked for it, with refresh", func(s *v1alpha1.OperationState) {
			s.Operation.Retry.Refresh, s.Operation.InitiatedBy.Automated = true, false
		}, false, false, ""},
		{"a rollback is never refreshed", func(s *v1alpha1.OperationState) {
			s.Operation.Retry.Refresh, s.Operation.Sync.Source = true, &v1alpha1.ApplicationSource{}
		}, false, false, "aaa"},
		{"a try that was cut off is no retry", func(s *v1alpha1.OperationState) { s.Operation.Retry.Refresh, s.FinishedAt = true, nil }, false, false, "aaa"},
		{"a newer one takes over", func(*v1alpha1.OperationState) {}, true, false, "bbb"},
		{"hooks run of what was not pinned", func(s *v1alpha1.OperationState) {
			s.Operation.Sync.Revision, s.FinishedAt, s.Operation.InitiatedBy.Automated = "", nil, false
		}, false, true, "aaa"},
	} {
		state := begun("aaa").record
		state.FinishedAt = &metav1.Time{Time: now}
		tt.change(&state)
		p := passOf(&state)
		p.state = newest
		if got := p.nextSpec(&state, tt.newer, tt.running).Sync.Revision; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
		}
	}
}
