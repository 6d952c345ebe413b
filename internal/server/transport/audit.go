// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"sync"

	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Decision says what came of a call.
type Decision string

// The decisions.
const (
	// Allowed: the call was let through and done.
	Allowed Decision = "allowed"
	// Refused: a right is missing, or nobody knows who called.
	Refused Decision = "refused"
	// Failed: the call was let through, and then failed.
	Failed Decision = "failed"
)

// Record is what the audit keeps of a call that changes something or was refused. It holds no content of the request.
type Record struct {
	RequestID string
	// Actor is who called, Kind how they proved it, Address where the call came from.
	Actor   string
	Kind    auth.Kind
	Address string
	// Verb is the call: service/method. Object is what it was about.
	Verb, Object string
	// Changes says that the call is one that changes something.
	Changes  bool
	Decision Decision
	// Rights are those that were asked for, with what was ruled.
	Rights []Ruled
	// Error is why the call failed or was refused; "" if it was done.
	Error string
}

// Ruled is a right that was asked for and what was ruled.
type Ruled struct {
	access.Right
	access.Ruling
}

type trailKey struct{}

// trail gathers what was decided about a call.
type trail struct {
	address string

	mu    sync.Mutex
	ruled []Ruled
}

// maxRuled bounds what is kept of a call that asks for many rights.
const maxRuled = 16

// Decided notes that the caller of ctx was granted or refused a right. It is what a gate is given as Granted and Refused.
func Decided(ctx context.Context, right access.Right, ruling access.Ruling) {
	t, ok := ctx.Value(trailKey{}).(*trail)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.ruled) < maxRuled {
		t.ruled = append(t.ruled, Ruled{right, ruling})
	}
}

// audit reports a call that came to its end.
func (h *Handler) audit(ctx context.Context, c *call, request any, err error) {
	refused := err != nil && fault.Is(err, fault.Forbidden)
	if h.opts.Audit == nil || c.reading() && !refused {
		return
	}
	record := RecordOf(ctx, c.FullName(), nameIn(request), err)
	record.Changes = !c.reading()
	h.opts.Audit(ctx, record)
}

// RecordOf returns the record of something that the caller of ctx did or tried, with the rights that were asked for it. It is
// for what is no call, too: a page beside the services, if Around was put around it.
func RecordOf(ctx context.Context, verb, object string, err error) Record {
	who, _ := auth.From(ctx)
	record := Record{RequestID: RequestID(ctx), Actor: who.Name(), Kind: who.Kind, Verb: verb, Object: object, Changes: true, Decision: Allowed}
	if t, ok := ctx.Value(trailKey{}).(*trail); ok {
		t.mu.Lock()
		record.Rights, record.Address = append([]Ruled{}, t.ruled...), t.address
		t.mu.Unlock()
	}
	switch {
	case fault.Is(err, fault.Forbidden):
		record.Decision, record.Error = Refused, err.Error()
	case err != nil:
		record.Decision, record.Error = Failed, err.Error()
	}
	return record
}

// nameIn is the name of what a request is about, where it has one.
func nameIn(request any) string {
	if request == nil {
		return ""
	}
	for _, path := range []string{"name", "applicationName", "project", "application.metadata.name", "project.metadata.name", "applicationset.metadata.name", "id.value", "url", "username", "account"} {
		if text, ok := textAt(request, path); ok && text != "" {
			return fault.RedactURL(text)
		}
	}
	return ""
}
