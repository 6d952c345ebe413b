// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/server"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

// openTransport adds REST, gRPC and gRPC-Web for all services that were mounted.
func (r *roles) openTransport(ctx context.Context, d *door, opts RunOptions) error {
	if d.gate != nil {
		d.gate.Granted, d.gate.Refused = transport.Decided, transport.Decided
	}
	serving := r.settings.Current().Settings.Serving
	handler := transport.New(ctx, transport.Options{
		Services: d.services, Authenticate: d.authenticate, Renewed: auth.Renewed, ContentTypes: serving.ContentTypes, Gzip: serving.Gzip,
		RootPath: serving.RootPath, Inside: d.around, Audit: d.notes.note, Version: version, Clock: realClock, Log: r.log,
	})
	for i, route := range d.routes {
		d.routes[i].Handler = handler.Around(route.Handler)
	}
	for _, pattern := range handler.Patterns() {
		d.routes = append(d.routes, server.Route{Pattern: pattern, Handler: handler})
	}
	return nil
}

// maxTold is how many refusals are remembered as told, and toldFor how long: whoever tries again and again becomes one Event and
// not many.
const (
	maxTold = 1000
	toldFor = time.Minute
)

// auditor writes what became of calls.
type auditor struct {
	log  *slog.Logger
	bus  *event.Bus
	home string

	mu   sync.Mutex
	told map[string]time.Time
}

// note writes a line for each call that changes something or was refused. What was done to an application is an Event by those who
// did it; that somebody tried is one here.
func (a *auditor) note(ctx context.Context, record transport.Record) {
	level := slog.LevelInfo
	if record.Decision != transport.Allowed {
		level = slog.LevelWarn
	}
	attrs := []any{
		slog.String("request", record.RequestID), slog.String("actor", record.Actor), slog.String("kind", string(record.Kind)),
		slog.String("from", record.Address), slog.String("verb", record.Verb), slog.String("object", record.Object),
		slog.String("decision", string(record.Decision)),
	}
	if record.Error != "" {
		attrs = append(attrs, slog.String("error", record.Error))
	}
	if n := len(record.Rights); n > 0 {
		// The last one decided: rights are asked for until one is missing.
		last := record.Rights[n-1]
		attrs = append(attrs, slog.String("right", last.Right.String()), slog.String("rule", last.Rule), slog.String("where", last.Where))
		if record.Changes && record.Decision == transport.Refused && last.Resource == access.Applications {
			a.tell(record.Actor, last)
		}
	}
	a.log.Log(ctx, level, "call", slog.Group("audit", attrs...))
}

// tell publishes that somebody tried to change an application, once in a while.
func (a *auditor) tell(actor string, refused transport.Ruled) {
	name, ok := a.application(refused.Object)
	now := realClock.Now()
	if !ok || !a.first(actor+"|"+refused.Right.String(), now) {
		return
	}
	a.bus.Publish(event.Record{
		At: now, Reason: event.CallRefused, Failed: true, App: name, User: actor, Message: "may not " + refused.Action + " it: " + refused.Reason,
	})
}

func (a *auditor) first(key string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if last, ok := a.told[key]; ok && now.Sub(last) < toldFor {
		return false
	}
	if a.told == nil || len(a.told) >= maxTold {
		a.told = map[string]time.Time{}
	}
	a.told[key] = now
	return true
}

// application reads how policies name an application: project/name, with the namespace between them where it is not home.
func (a *auditor) application(object string) (types.NamespacedName, bool) {
	switch parts := strings.Split(object, "/"); len(parts) {
	case 2:
		return types.NamespacedName{Namespace: a.home, Name: parts[1]}, parts[1] != ""
	case 3:
		return types.NamespacedName{Namespace: parts[1], Name: parts[2]}, parts[1] != "" && parts[2] != ""
	}
	return types.NamespacedName{}, false
}
