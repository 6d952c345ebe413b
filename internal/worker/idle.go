// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"errors"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
)

// take returns a process that waits, the one that worked last, or starts one.
func (p *Pool) take() (*process, error) {
	for {
		proc, err := p.pop()
		if err != nil {
			return nil, err
		}
		if proc == nil {
			return p.start()
		}
		select {
		case <-proc.done: // somebody else ended it
			p.end(proc)
		default:
			return proc, nil
		}
	}
}

func (p *Pool) pop() (*process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch n := len(p.idle); {
	case p.over:
		return nil, errClosed
	case n == 0:
		return nil, nil
	default:
		proc := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return proc, nil
	}
}

// errNotAsked keeps a program that never looks at its arguments from starting itself over and over.
var errNotAsked = errors.New("this program does not call worker.MainIfAsked when it starts")

func (p *Pool) start() (*process, error) {
	if p.options.own && !asked.Load() {
		return nil, fault.Wrap(fault.Bug, "start", "a render process", errNotAsked, "call it first of all, in TestMain if it is a test")
	}
	if !p.move() {
		return nil, errClosed
	}
	defer p.moving.Done()
	proc, err := start(p.options.Command)
	if err != nil {
		return nil, fault.Wrap(fault.Retry, "start", "a render process", err, "see whether this machine has room for another process")
	}
	if len(proc.hello.Lacks) > 0 {
		p.lacks.Do(func() {
			p.options.Log.Warn("render processes are less confined than they could be: this kernel lacks something",
				"lacks", clipTo(strings.Join(proc.hello.Lacks, "; "), maxHello))
		})
	}
	if !p.add(proc) {
		proc.retire()
		return nil, errClosed
	}
	return proc, nil
}

// move announces that a process comes or goes; false if the pool is closed.
func (p *Pool) move() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return false
	}
	p.moving.Add(1)
	return true
}

func (p *Pool) add(proc *process) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return false
	}
	p.all[proc] = struct{}{}
	return true
}

// end ends a process in the background. Close waits for it either way.
func (p *Pool) end(proc *process) {
	proc.kill(nil)
	if !p.move() {
		return
	}
	go func() {
		defer p.moving.Done()
		<-proc.done
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.all, proc)
	}()
}

// put lets a process wait for work.
func (p *Pool) put(proc *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return // Close ends it
	}
	proc.idleSince = p.options.Clock.Now()
	p.idle = append(p.idle, proc)
	p.arm()
}

// arm sets the timer to when the next process has waited long enough.
func (p *Pool) arm() {
	next := time.Duration(-1)
	for i, proc := range p.idle {
		left := max(p.life(i)-p.options.Clock.Since(proc.idleSince), 0)
		if next < 0 || left < next {
			next = left
		}
	}
	if p.reap != nil {
		p.reap.Stop()
	}
	if next >= 0 {
		p.reap = after(p.options.Clock, next, p.reapIdle)
	}
}

// life is how long a process that waits may wait: the one that worked last is kept warm.
func (p *Pool) life(i int) time.Duration {
	if i == len(p.idle)-1 {
		return p.options.Warm
	}
	return p.options.Idle
}

func (p *Pool) reapIdle() {
	for _, proc := range p.rested() {
		p.end(proc)
	}
}

// rested takes the processes out of the line that have waited long enough.
func (p *Pool) rested() []*process {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return nil
	}
	var kept, out []*process
	for i, proc := range p.idle {
		if p.options.Clock.Since(proc.idleSince) < p.life(i) {
			kept = append(kept, proc)
		} else {
			out = append(out, proc)
		}
	}
	p.idle = kept
	p.arm()
	return out
}
