// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/bowline-cd/bowline/internal/fault"
)

// lateMargin is how much before the end of its time a sidecar gives up by itself, and some more: argocd-cmp-server ends
// its commands 100 ms early, to be able to say so.
const lateMargin = 250 * time.Millisecond

func isLate(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && time.Until(end) < lateMargin
}

// failed makes a fault of what a sidecar said, or did not say.
func (c *call) failed(s socket, limit limit, err error, late bool) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	said := &saidError{text: readable(status.Convert(err).Message())}
	fail := func(kind fault.Kind, cause error, fix string) error {
		return &fault.Error{Kind: kind, Op: "render", Thing: c.folder() + " with plugin " + s.name, Where: c.in.Field("plugin"), Err: cause, Fix: fix}
	}
	code := status.Code(err)
	switch {
	case late && limit.setting == "":
		return fail(fault.Retry, fmt.Errorf("its sidecar did not answer within %s", limit.time), "check that the sidecar runs; if it was removed, remove its socket too")
	case late || code == codes.DeadlineExceeded:
		return fail(fault.Mistake, fmt.Errorf("it was not done within %s", limit.time),
			"make it faster, or raise "+limit.setting+" in argocd-cm, and ARGOCD_EXEC_TIMEOUT of the sidecar with it")
	case code == codes.ResourceExhausted:
		return fail(fault.Mistake, fmt.Errorf("it gave more than %d MiB (%w)", c.in.Limits.OutputBytes>>20, said), "split the application, or raise bowline.render.maxOutput in argocd-cm")
	case code == codes.Unavailable:
		return fail(fault.Retry, fmt.Errorf("its sidecar does not answer: %w", said), "check that the sidecar runs; if it was removed, remove its socket too")
	case code == codes.Unimplemented:
		return fail(fault.Stalled, fmt.Errorf("its sidecar does not speak the protocol of plugins: %w", said), "run argocd-cmp-server, 2.8 or newer, in the sidecar")
	}
	// A command may fail because of the folder, or because of what it reached out for: Retry.
	return fail(fault.Retry, said, "")
}

// nonsense makes a fault of an answer that could not be read. A nil error gives nil.
func (c *call) nonsense(s socket, err error) error {
	return fault.Wrap(fault.Stalled, "understand", "plugin "+s.name, err, "run argocd-cmp-server, 2.8 or newer, in the sidecar")
}

// saidError is what a sidecar said went wrong: its own words and what its command wrote to standard error.
type saidError struct{ text string }

func (e *saidError) Error() string { return e.text }

// The parts of a long text that are kept: what was run stands at the beginning, what went wrong at the end.
const keptHead, keptTail = 1 << 10, 3 << 10

// readable bounds a text of a sidecar and takes out what would upset a terminal.
func readable(text string) string {
	if len(text) > keptHead+keptTail {
		text = text[:keptHead] + " … " + text[len(text)-keptTail:]
	}
	text = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return strings.TrimSpace(text)
}
