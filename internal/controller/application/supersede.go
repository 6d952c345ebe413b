// SPDX-License-Identifier: Apache-2.0

package application

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	stdsync "sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/sync"
)

// Causes for which a running operation is ended, always between two objects. Those that wrap sync.ErrEndHooks end running
// hooks, too; the others wait until no hook runs.
var (
	errSuperseded    = errors.New("superseded by a newer revision")
	errSupersededNow = fmt.Errorf("%w: %w", errSuperseded, sync.ErrEndHooks)
	errHeld          = errors.New("held")
	errTerminated    = fmt.Errorf("operation terminated: %w", sync.ErrEndHooks)
	errTimedOut      = fmt.Errorf("operation timed out: %w", sync.ErrEndHooks)
	errGone          = fmt.Errorf("the application is gone: %w", sync.ErrEndHooks)
)

// maxSupersessions is how often in a row a newer revision may take over one operation; then it runs to its end, so
// that a busy repository cannot starve it.
const maxSupersessions = 3

// interrupted reports whether nobody decided that the operation was to end: the process stops, or leads no more. Its
// record stays as it is, and whoever comes next goes on with it.
func (o *outcome) interrupted() bool {
	return o.cause != nil && !slices.ContainsFunc([]error{errSuperseded, errHeld, errTerminated, errTimedOut},
		func(decided error) bool { return errors.Is(o.cause, decided) })
}

// superviseRunning ends the running operation if a person terminated it, if its time is over, or if what it is about is
// not wanted any more.
func (p *pass) superviseRunning() {
	op := p.st.running
	state := p.next.Status.OperationState
	left, bounded := p.timeLeft(op.record.StartedAt)
	switch {
	case state != nil && state.Phase == v1alpha1.OperationTerminating:
		op.cancel(errTerminated)
	case bounded && left <= 0:
		op.cancel(errTimedOut)
	case p.held != "" && op.automated() && p.state != nil && op.state.Digest == p.state.Digest:
		op.endWhenFree(fmt.Errorf("%w %s", errHeld, strings.TrimPrefix(p.held, "held ")))
	case !p.supersedes(op.spec, op.state), p.overruns() && !op.windowClosed.Load():
		op.endWhenFree(nil)
	case p.rules.Settings.Supersede == settings.SupersedeEndHooks:
		op.cancel(errSupersededNow)
	default:
		op.endWhenFree(errSuperseded)
	}
	if bounded && left > 0 {
		p.requeue(left)
	}
}

// supersedes reports whether what is desired now takes the place of what a running operation is about.
func (p *pass) supersedes(spec v1alpha1.Operation, about *desired.State) bool {
	return about != nil && p.state != nil && p.state.Digest != about.Digest && p.mayTakeOver(spec) && p.st.supersessions < maxSupersessions
}

// overruns reports whether windows permit no sync by itself now: an operation that goes on all the same does so with what it was
// begun for, as a newer revision was not there in time.
func (p *pass) overruns() bool { return p.denied != "" }

// mayTakeOver reports whether a newer revision may go on with an operation at all: nobody asked for that, and the newer one
// may be synced by itself now.
func (p *pass) mayTakeOver(spec v1alpha1.Operation) bool {
	return spec.InitiatedBy.Automated && p.state != nil && !p.unreachable && p.held == "" && p.awaits == "" && !skipped(p.app) &&
		p.rules.Settings.Supersede != settings.SupersedeNever
}

// outdated reports whether what an automated operation was begun for is not what is desired now. After a restart it is
// not known what the last try applied, but for the name of one with hooks: then a newer revision counts.
func (p *pass) outdated(op *v1alpha1.Operation) bool {
	switch {
	case !p.mayTakeOver(*op), p.overruns():
		return false
	case p.st.triedDigest != "":
		return p.st.triedDigest != p.state.Digest
	case infoOf(*op, infoOperation) != "":
		return !strings.HasSuffix(infoOf(*op, infoOperation), "-"+digestInName(p.state.Digest))
	default:
		return !p.names(pinnedRevisions(*op))
	}
}

// takeOver goes on with the same operation at the newer revision: it stays Running, its results begin anew.
func (p *pass) takeOver(state *v1alpha1.OperationState) {
	count, _ := strconv.Atoi(infoOf(state.Operation, infoSuperseded))
	state.Operation.Info = withInfo(state.Operation, infoSuperseded, strconv.Itoa(max(count, 0)+1))
	state.Message = fmt.Sprintf("superseded %s by a newer revision", shortCommit(revisionOf(state)))
	if state.SyncResult != nil {
		state.SyncResult.Resources = nil
	}
	state.FinishedAt = &p.now
	state.RetryCount = 0
	p.takesOver = true
}

// timeLeft returns how long an operation that began then may still take, if that is bounded.
func (p *pass) timeLeft(startedAt metav1.Time) (left time.Duration, bounded bool) {
	limit := p.rules.Settings.SyncTimeout
	return limit - p.Clock.Since(startedAt.Time), limit > 0
}

func (p *pass) timeoutMessage() string {
	return fmt.Sprintf("operation timed out after %s (controller.sync.timeout.seconds)", p.rules.Settings.SyncTimeout)
}

// hold keeps the operation from being ended while hooks run; ok is false if it is about to end. It is sync.Options.Hold.
func (o *operation) hold() (end func(), ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ctx.Err() != nil {
		return func() {}, false
	}
	o.holds++
	return stdsync.OnceFunc(o.release), true
}

// abandon ends the operation of an Application that goes: nobody is left to write its record.
func (o *operation) abandon() {
	o.told.lose()
	o.cancel(errGone)
}

func (o *operation) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.holds--
	o.resumes = false
	o.endIfFree()
}

// endWhenFree ends the operation once no hook of it runs; nil takes that back.
func (o *operation) endWhenFree(cause error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.overtake = cause
	o.endIfFree()
}

func (o *operation) endIfFree() {
	if o.overtake != nil && o.holds == 0 && !o.resumes {
		o.cancel(o.overtake)
	}
}
