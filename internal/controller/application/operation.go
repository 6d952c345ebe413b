// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"
	"fmt"
	"strings"
	stdsync "sync"
	"sync/atomic"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/sync"
)

// operation is a sync that runs beside the reconciler.
type operation struct {
	spec   v1alpha1.Operation
	record v1alpha1.OperationState // as it was announced; what the resource says of it by now is not believed
	state  *desired.State
	server string // it is carried out on
	work   plan.Plan
	cancel context.CancelCauseFunc
	ctx    context.Context
	name   string                   // of this try
	before v1alpha1.ResourceResults // what the record says of this very try, if it was cut off
	told   progress
	place  place

	windowClosed atomic.Bool  // it waits for a sync window
	begunAt      atomic.Int64 // when it had a place among those that work, in nanoseconds since 1970; 0 before

	mu       stdsync.Mutex
	learned  []sync.Learned // what the cluster made of objects
	holds    int            // how many hold it, so that hooks come to their end
	resumes  bool           // hooks of this try run already: it is held until it was held once
	overtake error          // why it is to be ended as soon as nobody holds it
}

// outcome is how an operation ended.
type outcome struct {
	op     *operation
	result sync.Result
	cause  error // see interrupted; nil if it came to its end
}

// automated reports whether nobody asked for the operation.
func (o *operation) automated() bool { return o.spec.InitiatedBy.Automated }

// operate decides what is done now: end what has to end, go on with what was begun, begin what is asked for, begin by
// itself.
func (p *pass) operate(ctx context.Context) {
	if !p.acts {
		return
	}
	state := p.next.Status.OperationState
	before := p.finished
	defer func() {
		if p.finished && !before {
			p.requeue(time.Millisecond) // what follows from the end is decided once that is written
		}
	}()
	p.releaseHooks(ctx)
	switch {
	case p.st.running != nil:
		p.superviseRunning()
	case state != nil && state.Phase == v1alpha1.OperationTerminating:
		p.giveUp(ctx, state, v1alpha1.OperationFailed, "operation terminated")
	case state != nil && state.Phase == v1alpha1.OperationRunning:
		p.goOn(ctx, state)
	case p.app.Operation != nil && (p.finished || p.tooSoon()):
		p.requeue(p.afterTheLast())
	case p.app.Operation != nil:
		p.beginRequested(ctx)
	default:
		p.beginAutomated(ctx)
	}
}

// record writes the outcome of the operation that just ended.
func (p *pass) record(o *outcome) {
	if o == nil {
		return
	}
	p.took = &taken{*o, p.st.supersessions, p.st.syncedDigest}
	p.st.running = nil
	p.st.touch(workedOn(o.op.work)...)
	if o.interrupted() {
		return
	}
	p.st.learn(o.op)
	p.finished = true
	state := o.op.record.DeepCopy()
	p.next.Status.OperationState = state
	state.SyncResult.Resources = o.result.Resources
	for _, c := range o.result.Conditions {
		p.found.add(c.Type, c.Message)
	}
	switch {
	case errors.Is(o.cause, errSuperseded) && !p.terminates():
		p.st.supersessions++
		p.takeOver(state)
	case errors.Is(o.cause, errTerminated), errors.Is(o.cause, errSuperseded):
		p.end(v1alpha1.OperationFailed, "operation terminated")
	case errors.Is(o.cause, errTimedOut):
		p.end(v1alpha1.OperationFailed, p.timeoutMessage())
	case errors.Is(o.cause, errHeld):
		p.end(v1alpha1.OperationFailed, "not gone on with: "+o.cause.Error())
	case o.result.Phase == v1alpha1.OperationSucceeded:
		p.succeed(o)
	default:
		p.fail(o)
	}
}

// terminates reports whether somebody wants the recorded operation to be ended: a wish that may come when its try has just ended,
// and holds for those that would follow.
func (p *pass) terminates() bool {
	state := p.app.Status.OperationState
	return state != nil && state.Phase == v1alpha1.OperationTerminating
}

// resultsOf returns what a record says became of objects.
func resultsOf(state *v1alpha1.OperationState) v1alpha1.ResourceResults {
	if state.SyncResult == nil {
		return nil
	}
	return state.SyncResult.Resources
}

// workedOn returns the objects that a sync may have changed. They are compared again when it has ended, whether or not events
// have told of them yet.
func workedOn(work plan.Plan) (keys []object.Key) {
	for _, s := range work.Steps() {
		if s.Action != plan.Keep {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// learn takes over what the cluster made of objects, if the rows are still about that cluster.
func (s *appState) learn(op *operation) {
	if !s.on(op.server) || s.learned == nil {
		return
	}
	for _, l := range op.learned {
		s.table.edit(l.Key, func(r *row) { r.accepted, r.confirmed = &l.Accepted, nil })
		s.learned.note(l.Key, l.Accepted)
	}
}

// taken is what a pass took from the state in order to record it.
type taken struct {
	outcome       outcome
	supersessions int
	syncedDigest  object.Digest
}

// undo puts back what the pass took from the state and could not write down: the next one does it again.
func (p *pass) undo() {
	p.st.touch()
	if t := p.took; t != nil {
		p.st.running, p.st.supersessions, p.st.syncedDigest = t.outcome.op, t.supersessions, t.syncedDigest
		p.st.finish(t.outcome)
	}
}

func revisionOf(state *v1alpha1.OperationState) string {
	if state.SyncResult == nil {
		return ""
	}
	if len(state.SyncResult.Revisions) > 0 {
		return state.SyncResult.Revisions[0]
	}
	return state.SyncResult.Revision
}

func (p *pass) succeed(o *outcome) {
	p.st.supersessions = 0
	p.end(v1alpha1.OperationSucceeded, o.result.Message)
	if o.op.work.Partial || isDryRun(o.op.spec) {
		return
	}
	p.st.syncedDigest = o.op.state.Digest
	if !isLocal(o.op.spec) {
		p.addHistory(o.op)
	}
}

func isDryRun(op v1alpha1.Operation) bool { return op.Sync != nil && op.Sync.DryRun }

// fail schedules the next try, or ends the operation.
func (p *pass) fail(o *outcome) {
	p.st.supersessions = 0
	state := p.next.Status.OperationState
	retry, err := plan.ParseRetry(o.op.spec.Retry)
	if err != nil {
		p.end(v1alpha1.OperationFailed, o.result.Message+"; "+err.Error())
		return
	}
	wait, again := retry.Next(state.RetryCount)
	if !again || !o.result.Retryable || p.terminates() {
		message := o.result.Message
		if state.RetryCount > 0 {
			message += fmt.Sprintf(" (retried %d times)", state.RetryCount)
		}
		p.end(o.result.Phase, message)
		return
	}
	state.RetryCount++
	state.FinishedAt = &p.now
	state.Message = fmt.Sprintf("%s; retry %d follows in %s", o.result.Message, state.RetryCount, wait)
	p.requeue(wait)
}

// end closes the record of the operation.
func (p *pass) end(phase v1alpha1.OperationPhase, message string) {
	state := p.next.Status.OperationState
	state.Phase, state.Message, state.FinishedAt = phase, message, &p.now
	withoutManifests(state)
	p.finished = true
}

// goOn takes up a recorded operation that does not run: one that waits for its next try, one that a newer revision has
// taken over, or one whose process ended. Nothing of the record is believed but what was asked for, and which hooks have
// ended; all rules are checked again.
func (p *pass) goOn(ctx context.Context, state *v1alpha1.OperationState) {
	switch left, bounded := p.timeLeft(state.StartedAt); {
	case state.Operation.Sync == nil:
		p.end(v1alpha1.OperationError, "the recorded operation is not a sync; ask for one with the operation field")
		return
	case bounded && left <= 0:
		p.giveUp(ctx, state, v1alpha1.OperationFailed, p.timeoutMessage())
		return
	case p.cutOff():
		p.requeue(connectGrace)
		return
	case bounded:
		p.requeue(left)
	}
	running, known := p.hooksRun(ctx, state)
	if !known {
		p.requeue(lookSoon)
		return
	}
	if !running {
		if p.held != "" && state.Operation.InitiatedBy.Automated {
			p.giveUp(ctx, state, v1alpha1.OperationFailed, "not gone on with: "+p.held)
			return
		}
		if why := p.waitsForWindow(ctx, state.Operation, state.StartedAt.Time); why != "" {
			state.Message = why
			return
		}
		if strings.HasPrefix(state.Message, blockedPrefix) {
			state.Message = ""
		}
	}
	newer := p.takesOver || !running && p.outdated(&state.Operation)
	switch {
	case takenOver(state) && p.awaits != "" && state.Operation.InitiatedBy.Automated:
		return // whoever is waited for wakes it
	case newer && !p.takesOver:
		if !p.endLastHooks(ctx, state) {
			return
		}
		p.takeOver(state)
	case state.FinishedAt == nil:
		p.resumes = resultsOf(state)
	case !newer && !p.kindCame():
		if wait := p.retryWait(state); wait > 0 {
			p.requeue(wait)
			return
		}
	}
	p.prepare(ctx, p.nextSpec(state, newer, running), state.StartedAt, state.RetryCount, state.Message)
	if p.launch != nil {
		p.launch.resumes = running
	}
}

// takenOver reports whether a newer revision is about to go on with a recorded operation: its last try has ended, and not failed.
func takenOver(state *v1alpha1.OperationState) bool {
	return state.FinishedAt != nil && state.RetryCount == 0
}

// nextSpec returns what the next try of a recorded operation is asked for: what the one before was, the newest revision if
// that takes over or the retry says so, or the very revision of a try whose hooks run.
func (p *pass) nextSpec(state *v1alpha1.OperationState, newer, running bool) v1alpha1.Operation {
	spec := *state.Operation.DeepCopy()
	automated := spec.InitiatedBy.Automated
	switch refresh := spec.Retry.Refresh && (!automated || !p.overruns()) && state.FinishedAt != nil && spec.Sync.Source == nil && len(spec.Sync.Sources) == 0; {
	case running && len(pinnedRevisions(spec)) == 0 && state.SyncResult != nil:
		spec.Sync.Revision, spec.Sync.Revisions = state.SyncResult.Revision, state.SyncResult.Revisions
	case newer, refresh && automated:
		spec.Sync.Revision, spec.Sync.Revisions = "", nil
		if p.state != nil {
			spec.Sync.Revision, spec.Sync.Revisions = p.state.Revision(len(p.app.Spec.Sources) > 0)
		}
		spec.Sync.Resources = nil
		spec.Sync.SelfHealAttemptsCount = 0
	case refresh:
		spec.Sync.Revision, spec.Sync.Revisions = "", nil
	}
	if automated && len(spec.Sync.Resources) > 0 && p.compared {
		spec.Sync.Resources = plan.Widen(spec.Sync.Resources, p.autoSync(false))
	}
	return spec
}

// cutOff reports whether nothing can be tried at all: the repository does not answer and nothing stands, or the cluster does
// not answer. A recorded operation waits then. A try would use up its retries, and its failure would be final for the revision.
func (p *pass) cutOff() bool {
	return p.unreachable && p.state == nil || p.cluster != nil && !p.cluster.Connection().Connected
}

// kindCame reports whether a kind that the last try lacked is served by now: waiting any longer helps nobody. What a try
// of another process lacked is not known.
func (p *pass) kindCame() bool { return p.st.triedDigest != "" && p.st.triedEpoch != p.st.epoch }

// retryWait returns how long the pause before the next try still lasts.
func (p *pass) retryWait(state *v1alpha1.OperationState) time.Duration {
	retry, err := plan.ParseRetry(state.Operation.Retry)
	if err != nil || state.RetryCount == 0 {
		return 0
	}
	wait, _ := retry.Next(state.RetryCount - 1)
	since := p.Clock.Since(state.FinishedAt.Time)
	if since < -time.Minute {
		return 0 // a time in the future is nobody's end
	}
	return wait - since
}

// beginRequested starts what the operation field asks for.
func (p *pass) beginRequested(ctx context.Context) {
	spec := *p.app.Operation.DeepCopy()
	p.next.Operation = nil
	if spec.Sync == nil {
		p.next.Status.OperationState = &v1alpha1.OperationState{Operation: spec, StartedAt: p.now}
		p.end(v1alpha1.OperationError, "the operation is empty: set operation.sync")
		return
	}
	if why := p.waitsForWindow(ctx, spec, p.now.Time); why != "" {
		p.next.Status.OperationState = &v1alpha1.OperationState{Operation: spec, Phase: v1alpha1.OperationRunning, Message: why, StartedAt: p.now}
		return
	}
	p.prepare(ctx, spec, p.now, 0, "")
}
