// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	stdsync "sync"
)

// parallelOperations bounds how many syncs work at once; what they send to one cluster is bounded by that cluster.
const parallelOperations = 32

// place is an operation's place among those that work. One that waits for something gives it back, so that any number of
// operations may wait: for each other, too.
type place struct {
	slots chan struct{}
	mu    stdsync.Mutex
	taken bool
}

// take waits for a place. The error is the cause for which ctx ended.
func (p *place) take(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if p.taken {
		return nil
	}
	select {
	case p.slots <- struct{}{}:
		p.taken = true
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// leave gives the place back, if there is one.
func (p *place) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken {
		p.taken = false
		<-p.slots
	}
}

// rest gives the place back until resume takes one again. It is sync.Options.Rest.
func (p *place) rest() (resume func(context.Context) error) {
	p.leave()
	return p.take
}
