// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"errors"
	stdsync "sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/plan"
)

// run is the state of one Run.
type run struct {
	Options
	ctx    context.Context
	target Target
	plan   *plan.Plan
	steps  []*plan.Step
	places []place // of the waves of all phases, those of OnFailure last
	report *report
	// provides are the kinds that custom resource definitions of this plan make, and the definition of each.
	provides map[schema.GroupKind]provided
	// past is what Before says.
	past map[appearance]*v1alpha1.ResourceResult
	// doubtful are the steps of which only the API server can tell whether they are right.
	doubtful map[*plan.Step]bool

	gated  bool   // the wave that is carried out waits for health
	halted bool   // it was stopped before its end
	told   string // what Record was told last, and when
	toldAt time.Time

	mu     stdsync.Mutex
	hooks  []*hook                         // those of the wave that is carried out
	resume func(ctx context.Context) error // gives back the place that was given up while it waits; nil if it works
}

// place is where a wave is in the plan.
type place struct {
	phase     v1alpha1.SyncPhase
	wave      *plan.Wave
	first     int  // index of its first step
	onFailure bool // it belongs to OnFailure
}

func newRun(ctx context.Context, p *plan.Plan, target Target, o Options) *run {
	r := &run{Options: o.withDefaults(), ctx: ctx, target: target, plan: p, steps: p.Steps(), past: past(o.Before), doubtful: map[*plan.Step]bool{}}
	for i := range p.Phases {
		r.place(&p.Phases[i], false)
	}
	if p.OnFailure != nil {
		r.place(p.OnFailure, true)
	}
	r.report = newReport(r)
	r.provides = definitions(r.steps)
	return r
}

func (r *run) place(phase *plan.Phase, onFailure bool) {
	first := 0
	if n := len(r.places); n > 0 {
		first = r.places[n-1].first + len(r.places[n-1].wave.Steps)
	}
	for i := range phase.Waves {
		w := &phase.Waves[i]
		r.places = append(r.places, place{phase: phase.Name, wave: w, first: first, onFailure: onFailure})
		first += len(w.Steps)
	}
}

// Run carries out a plan. It does not return an error: whatever went wrong is in the Result, object by object.
//
// If ctx has ended before, with a cause that wraps ErrEndHooks, nothing is done but to delete the hooks of this Operation that run.
func Run(ctx context.Context, p plan.Plan, target Target, o Options) Result {
	r := newRun(ctx, &p, target, o)
	if r.stopped() {
		r.halted = true
		r.endLeftOver()
		return r.report.result()
	}
	if err := r.named(); err != nil {
		return r.report.impossible(err)
	}
	if !r.validated() {
		r.abandon()
		return r.report.invalid()
	}
	if err := r.namespace(); err != nil {
		r.abandon()
		return r.report.impossible(err)
	}
	r.carryOut()
	r.cleanUp()
	return r.report.result()
}

// named refuses hooks in an operation without a name: after a crash nobody could tell them from those of an earlier try.
func (r *run) named() error {
	if r.Operation != "" || r.DryRun {
		return nil
	}
	for _, s := range r.steps {
		if s.Action == plan.Run {
			return fault.New(fault.Bug, "run", "hook "+s.Key.String(), "", "the operation has no name", "")
		}
	}
	return nil
}

// carryOut goes through the waves until one fails, and then through those of OnFailure.
func (r *run) carryOut() {
	failed := r.failedBefore()
	for n, at := range r.places {
		switch {
		case at.onFailure && !failed:
			return
		case !at.onFailure && failed:
			continue // it is not reached
		case n > 0 && r.stopped(), !failed && !r.unblocked():
			r.halted = true
			return
		}
		if r.wave(at) {
			continue
		}
		if r.halted || failed {
			return
		}
		failed = true
	}
}

// last reports whether nothing comes after a wave if it succeeds.
func (r *run) last(at place) bool {
	end := at.first + len(at.wave.Steps)
	return at.onFailure && end == len(r.steps) || !at.onFailure && end == r.ordinary()
}

// ordinary counts the steps that are carried out if nothing fails.
func (r *run) ordinary() (n int) {
	for _, at := range r.places {
		if !at.onFailure {
			n += len(at.wave.Steps)
		}
	}
	return n
}

// stopped reports whether no further object may be begun.
func (r *run) stopped() bool { return r.ctx.Err() != nil }

// endsHooks reports whether the run is stopped and takes its hooks along.
func (r *run) endsHooks() bool { return r.stopped() && errors.Is(context.Cause(r.ctx), ErrEndHooks) }

// halt notes that the run is stopped before its end.
func (r *run) halt() bool {
	r.halted = true
	return false
}

// whole returns the context for the work on one object, which is not interrupted by the end of the run.
func (r *run) whole() context.Context { return context.WithoutCancel(r.ctx) }
