// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// pulse ends an answer that fell silent: a list may take as long as it needs and a watch as long as it likes, but a
// connection on which nothing comes any more is not worth waiting for. One goroutine at a time may use it.
type pulse struct {
	silence time.Duration
	timer   *time.Timer
	cancel  context.CancelCauseFunc
}

// errSilent is the cause of a context that a pulse has ended.
var errSilent = errors.New("no answer")

// withPulse returns a context that ends when beat was not called for so long, or stop was.
func withPulse(ctx context.Context, silence time.Duration) (context.Context, *pulse) {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &pulse{silence: silence, cancel: cancel}
	p.timer = time.AfterFunc(silence, func() { cancel(fmt.Errorf("%w within the last %s", errSilent, silence)) })
	return ctx, p
}

func (p *pulse) beat() { p.timer.Reset(p.silence) }

// patience changes how long a silence may last from now on.
func (p *pulse) patience(silence time.Duration) {
	if p.silence != silence {
		p.silence = silence
		p.beat()
	}
}

func (p *pulse) stop() {
	p.timer.Stop()
	p.cancel(nil)
}

// explain replaces the error of a context that the pulse ended by its cause.
func (p *pulse) explain(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		return cause
	}
	return err
}

// beating beats with each read that brings something.
type beating struct {
	from io.Reader
	*pulse
}

func (b *beating) Read(to []byte) (int, error) {
	n, err := b.from.Read(to)
	if n > 0 {
		b.beat()
	}
	return n, err
}
