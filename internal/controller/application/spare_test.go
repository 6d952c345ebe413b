// SPDX-License-Identifier: Apache-2.0

package application

import (
	"slices"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// Rows that an operation's own writes mark wait, but no longer than a few seconds, and for nothing else that is news.
func TestRowsWaitWhileAnOperationRuns(t *testing.T) {
	type situation struct {
		change func(*world, *pass)
		want   bool
	}
	for name, c := range map[string]situation{
		"an operation runs":                {func(*world, *pass) {}, true},
		"none runs":                        {func(w *world, _ *pass) { w.st.running = nil }, false},
		"something else is desired by now": {func(w *world, _ *pass) { w.st.made = "before" }, false},
		"somebody asked for a refresh":     {func(_ *world, p *pass) { p.refresh = v1alpha1.RefreshTypeNormal }, false},
		"nothing was compared yet":         {func(w *world, _ *pass) { w.st.table.clear() }, false},
		"they waited for long":             {func(w *world, _ *pass) { w.clock.Step(writesDuringOperation) }, false},
	} {
		w := newWorld(t, 1, nil)
		p := &pass{Controller: w.Controller, st: w.st}
		w.st.running, w.st.made, w.st.comparedAt = &operation{}, "made", w.clock.Now()
		c.change(w, p)
		if got := p.postpones("made"); got != c.want {
			t.Errorf("%s: rows wait: %t", name, got)
		}
		if c.want && p.again != writesDuringOperation {
			t.Errorf("%s: the next pass is due in %s", name, p.again)
		}
	}
}

// An operation that waited for its place is not yet one that goes on for long.
func TestAStatusWaitsForAShortOperation(t *testing.T) {
	st := newAppState("web")
	if st.quiet(now) {
		t.Error("it waits for no operation")
	}
	st.running = &operation{}
	if st.quiet(now) {
		t.Error("it waits, and the last write was long ago")
	}
	st.running.begunAt.Store(now.Add(-time.Second).UnixNano())
	if !st.quiet(now) || st.quiet(now.Add(writesDuringOperation)) {
		t.Error("an operation is given as long as any other from when it had a place")
	}
	if st.wrote(&v1alpha1.Application{}, now); !st.quiet(now.Add(writesDuringOperation - time.Second)) {
		t.Error("it was written a moment ago")
	}
}

func TestThatNobodyIsLateIsKnownForAMoment(t *testing.T) {
	st := newAppState("web")
	if st.nobodyWasLate(now) {
		t.Error("it was never asked")
	}
	st.nobodyIsLate(now)
	if !st.nobodyWasLate(now.Add(letGoEvery-1)) || st.nobodyWasLate(now.Add(letGoEvery)) {
		t.Error("it is known for as long as nobody would ask again")
	}
	var gone *appState
	gone.nobodyIsLate(now)
	if gone.nobodyWasLate(now) {
		t.Error("of an application that is gone something is known")
	}
}

func TestWhatASyncWorkedOnIsComparedAgain(t *testing.T) {
	step := func(name string, action plan.Action) plan.Step {
		return plan.Step{Key: object.Key{Kind: "ConfigMap", Name: name}, Action: action}
	}
	work := plan.Plan{Phases: []plan.Phase{{Waves: []plan.Wave{{Steps: []plan.Step{
		step("kept", plan.Keep), step("applied", plan.Apply), step("gone", plan.Prune), step("left", plan.Skip), step("theirs", plan.Refuse)}}}}}}
	var names []string
	for _, key := range workedOn(work) {
		names = append(names, key.Name)
	}
	if want := []string{"applied", "gone", "left", "theirs"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}
