// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"log/slog"

	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/server"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

// openTransport adds REST, gRPC and gRPC-Web for all services that were mounted.
func (r *roles) openTransport(ctx context.Context, d *door, _ RunOptions) error {
	if d.gate != nil {
		d.gate.Granted, d.gate.Refused = transport.Decided, transport.Decided
	}
	serving := r.settings.Current().Settings.Serving
	handler := transport.New(ctx, transport.Options{
		Services: d.services, Authenticate: d.authenticate, Renewed: auth.Renewed, ContentTypes: serving.ContentTypes, Gzip: serving.Gzip,
		RootPath: serving.RootPath, Inside: d.around, Audit: r.audit, Clock: realClock, Log: r.log,
	})
	for _, pattern := range handler.Patterns() {
		d.routes = append(d.routes, server.Route{Pattern: pattern, Handler: handler})
	}
	return nil
}

// audit writes a line for each call that changes something or was refused.
func (r *roles) audit(ctx context.Context, record transport.Record) {
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
	}
	r.log.Log(ctx, level, "call", slog.Group("audit", attrs...))
}
