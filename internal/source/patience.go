// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"sync/atomic"
	"time"
)

// patience is how long the reads of one tree still wait, all together, for servers that have to be asked while a render
// reads: those of submodules and of Git LFS. Whoever may push chooses how many there are and how slow they answer, and a
// render that waits holds a place that others need. What takes longer is still fetched, for the next time. Nil waits as
// long as it takes.
type patience struct {
	whole time.Duration
	left  atomic.Int64
}

func newPatience(whole time.Duration) *patience {
	p := &patience{whole: whole}
	p.left.Store(int64(whole))
	return p
}

// wait runs what waits for a server; work returns with the end of its context. When nothing is left the error is an
// *UnreachableError about r.
func (p *patience) wait(ctx context.Context, r Repository, work func(context.Context) error) error {
	if p == nil {
		return work(ctx)
	}
	over := unreachable("read", r, ProblemTimeout, "what its files need from other servers did not come within "+p.whole.String()+"; it is still being waited for")
	left := time.Duration(p.left.Load())
	if left <= 0 {
		return over
	}
	ctx, cancel := context.WithTimeoutCause(ctx, left, over)
	defer cancel()
	begin := time.Now()
	err := work(ctx)
	p.left.Add(-int64(time.Since(begin)))
	return err
}
