// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"net/http"

	"github.com/bowline-cd/bowline/internal/server"
	"github.com/bowline-cd/bowline/internal/server/application"
	"github.com/bowline-cd/bowline/internal/server/terminal"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

// openDoings adds what people do beyond calls: terminals, and logs as files.
func (r *roles) openDoings(d *door, service *application.Service) {
	d.around = append(d.around, application.Downloads)
	d.routes = append(d.routes, server.Route{Pattern: "/terminal", Handler: terminal.New(terminal.Options{
		Door: service, Settings: momentary(r.settings), Log: r.log,
		Authenticate: func(req *http.Request) (context.Context, error) { return d.authenticate(req) },
		Audit: func(ctx context.Context, to terminal.Container, err error) {
			d.notes.note(ctx, transport.RecordOf(ctx, "terminal", to.String(), err))
		},
	})})
}
