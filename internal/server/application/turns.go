// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"
	"sync"

	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
)

// callerTurns is how many calls of one caller render at once: what they render with is what applications are compared with.
const callerTurns = 2

// turns have the calls of each caller that render wait for each other, so that no caller takes what all share.
type turns struct {
	mu       sync.Mutex
	byCaller map[string]*queue
}

// queue is the calls of one caller: those that render have a place in it.
type queue struct {
	places chan struct{}
	calls  int // that render or wait; guarded by turns
}

// take waits for a place of the caller of ctx. done has to be called once it is not needed any more.
func (t *turns) take(ctx context.Context) (done func(), err error) {
	who, _ := auth.From(ctx)
	key := fmt.Sprintf("%q", []string{string(who.Kind), who.Issuer, who.Subject})
	mine := t.enter(key)
	select {
	case mine.places <- struct{}{}:
		return func() { <-mine.places; t.leave(key, mine) }, nil
	case <-ctx.Done():
		t.leave(key, mine)
		return nil, fault.Wrap(fault.Retry, "wait for", "other calls of the same caller", ctx.Err(), "make fewer at once")
	}
}

func (t *turns) enter(key string) *queue {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byCaller == nil {
		t.byCaller = map[string]*queue{}
	}
	if t.byCaller[key] == nil {
		t.byCaller[key] = &queue{places: make(chan struct{}, callerTurns)}
	}
	t.byCaller[key].calls++
	return t.byCaller[key]
}

func (t *turns) leave(key string, mine *queue) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.calls--; mine.calls == 0 {
		delete(t.byCaller, key)
	}
}
