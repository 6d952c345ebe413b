// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"
	stdsync "sync"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/sync"
)

// errUnwritten says that what an operation wants to have on record cannot be written by this process.
var errUnwritten = errors.New("this process may not write the record of the operation any more")

// progress is how far a running operation says that it is. The operation says it beside the reconciler, which writes it into
// the status: what has to be on record before the operation goes on with the next pass, everything else now and then.
type progress struct {
	mu      stdsync.Mutex
	last    sync.Progress
	said    int           // how often something was said
	due     int           // on record has to be what was said by then
	written int           // on record is what was said by then
	lost    bool          // nothing will be written any more
	more    chan struct{} // closed when more is on record, or lost
	asked   bool          // a pass was asked for to write what is not due
}

// tell takes what an operation says, and returns how often it has said something, and whether a pass has to be asked for.
func (r *progress) tell(p sync.Progress, durable bool) (n int, ask bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = p
	r.said++
	if durable {
		r.due = r.said
		return r.said, true
	}
	ask = !r.asked
	r.asked = true
	return r.said, ask
}

// news returns what was said and is not on record; n is 0 if there is nothing.
func (r *progress) news() (p sync.Progress, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.said == r.written {
		return p, 0
	}
	return r.last, r.said
}

// presses reports whether the operation waits until what it said is on record.
func (r *progress) presses() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.due > r.written
}

// wrote notes that what was said by then is on record. It reports whether more was said meanwhile: a pass has to be asked for
// to write that, as whoever said it took the one before for it.
func (r *progress) wrote(n int) (more bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written = max(r.written, n)
	r.asked = r.said > r.written
	r.wakeAll()
	return r.asked
}

// lose notes that nothing will be written any more.
func (r *progress) lose() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = true
	r.wakeAll()
}

func (r *progress) wakeAll() {
	if r.more != nil {
		close(r.more)
		r.more = nil
	}
}

// after returns what is closed when it is worth asking again whether what was said is on record; nil if it is.
func (r *progress) after(n int) (more <-chan struct{}, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.written >= n:
		return nil, nil
	case r.lost:
		return nil, errUnwritten
	}
	if r.more == nil {
		r.more = make(chan struct{})
	}
	return r.more, nil
}

// recorder returns what an operation tells its progress to: see sync.Options.Record.
func (c *Controller) recorder(root context.Context, id string, op *operation) func(context.Context, sync.Progress, bool) error {
	return func(ctx context.Context, p sync.Progress, durable bool) error {
		n, ask := op.told.tell(p, durable)
		switch {
		case !durable && ask:
			c.wake(id, writesDuringOperation)
			return nil
		case !durable:
			return nil
		}
		c.wake(id, 0)
		return op.onRecord(ctx, root, n)
	}
}

// onRecord waits until what the operation said is on record, or cannot be: the caller's context or that of the process
// ended, or there is no Application any more.
func (o *operation) onRecord(ctx, root context.Context, n int) error {
	for {
		more, err := o.told.after(n)
		if more == nil {
			return err
		}
		select {
		case <-more:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-root.Done():
			return errUnwritten
		}
	}
}

// report puts what the running operation says into the next status. Whatever somebody made of the record meanwhile, it is
// about what was begun; a wish to end it stands.
func (p *pass) report() {
	op := p.st.running
	if op == nil {
		return
	}
	if !p.acts {
		op.told.lose()
		return
	}
	said, n := op.told.news()
	if n == 0 {
		return
	}
	p.reports, p.reported = op, n
	state := op.record.DeepCopy()
	if now := p.next.Status.OperationState; now != nil && now.Phase == v1alpha1.OperationTerminating {
		state.Phase = v1alpha1.OperationTerminating
	}
	state.Message = said.Message
	state.SyncResult.Resources = said.Resources
	p.next.Status.OperationState = state
}

// reportWritten tells the operation what is on record now.
func (p *pass) reportWritten() {
	if p.reports != nil && p.reports.told.wrote(p.reported) {
		p.requeue(writesDuringOperation)
	}
}
