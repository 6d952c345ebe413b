// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"sync"
)

// turns runs the same kind of work for one thing one at a time. Calls that arrive while a turn runs are gathered
// and served together by the next one: a call never gets an answer that began before the call, and a hundred
// calls cost two turns. A turn is cancelled when nobody waits for it any more.
type turns[Q, A any] struct {
	base context.Context
	work func(ctx context.Context, calls []*call[Q, A])

	mu      sync.Mutex
	running bool
	next    *turn[Q, A] // gathers calls; nil if there are none
}

// call is one question of a turn; work sets its answer or its error.
type call[Q, A any] struct {
	question Q
	answer   A
	err      error
}

type turn[Q, A any] struct {
	calls   []*call[Q, A]
	waiting int // guarded by turns.mu
	done    chan struct{}
	ctx     context.Context
	cancel  context.CancelFunc
}

// newTurns builds turns whose work ends at the latest with base.
func newTurns[Q, A any](base context.Context, work func(context.Context, []*call[Q, A])) *turns[Q, A] {
	return &turns[Q, A]{base: base, work: work}
}

// ask puts a question and waits for its answer or the end of ctx.
func (t *turns[Q, A]) ask(ctx context.Context, question Q) (A, error) {
	c := &call[Q, A]{question: question}
	t.askAll(ctx, []*call[Q, A]{c})
	return c.answer, c.err
}

// askAll puts questions for one and the same turn and waits for its end or that of ctx.
func (t *turns[Q, A]) askAll(ctx context.Context, calls []*call[Q, A]) {
	if len(calls) == 0 {
		return
	}
	// The turn gets calls of its own: it may still write to them when we have gone.
	theirs := make([]*call[Q, A], len(calls))
	for i, c := range calls {
		theirs[i] = &call[Q, A]{question: c.question}
	}
	mine := t.join(theirs)
	select {
	case <-mine.done:
		for i, c := range theirs {
			*calls[i] = *c
		}
	case <-ctx.Done():
		t.leave(mine)
		for _, c := range calls {
			c.err = context.Cause(ctx)
		}
	}
}

func (t *turns[Q, A]) join(calls []*call[Q, A]) *turn[Q, A] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next == nil {
		ctx, cancel := context.WithCancel(t.base)
		t.next = &turn[Q, A]{done: make(chan struct{}), ctx: ctx, cancel: cancel}
	}
	t.next.calls = append(t.next.calls, calls...)
	t.next.waiting++
	if !t.running {
		t.running = true
		go t.run()
	}
	return t.next
}

func (t *turns[Q, A]) leave(mine *turn[Q, A]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.waiting--; mine.waiting == 0 {
		mine.cancel()
	}
}

// run serves turns until no call is left.
func (t *turns[Q, A]) run() {
	for {
		t.mu.Lock()
		now := t.next
		t.next = nil
		if now == nil {
			t.running = false
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()
		if now.ctx.Err() == nil {
			t.work(now.ctx, now.calls)
		} else {
			for _, c := range now.calls {
				c.err = now.ctx.Err()
			}
		}
		now.cancel()
		close(now.done)
	}
}
