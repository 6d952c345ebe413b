// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"net/http"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/server"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

// door is what people and programs come in by: the services behind the API, and who may call them.
type door struct {
	gate     *gate.Gate
	services []transport.Mounted
	// authenticate returns the context of a request with its caller; nil lets nobody in.
	authenticate func(*http.Request) (context.Context, error)
	// verifySSO says who shows a token of an identity provider; nil knows none.
	verifySSO func(ctx context.Context, token string) (auth.Caller, error)
	// renewSSO returns a newer token for one of an identity provider that ends soon. It is set where verifySSO is.
	renewSSO func(ctx context.Context, token string) (string, error)
	// tokens issues our own tokens and revokes what was shown.
	tokens *auth.Tokens
	// learn tells of a project that was just written: what it grants, and which tokens it knows, counts at once.
	learn  func(*v1alpha1.AppProject)
	routes []server.Route
	// notes writes what became of calls, and of what is done beside them.
	notes *auditor
	// around are put around the calls of REST, behind sign-in.
	around []func(http.Handler) http.Handler
}

// openDoor builds the services. The order matters: who is calling comes first, the transports carry all that was mounted.
func (r *roles) openDoor(ctx context.Context, opts RunOptions) (*door, error) {
	d := &door{notes: &auditor{log: r.log, bus: r.bus, home: opts.Namespace}}
	for _, open := range []func(context.Context, *door, RunOptions) error{
		r.openAccounts, r.openSignIn, r.openApplications, r.openConnections, r.openPage, r.openTransport,
	} {
		if err := open(ctx, d, opts); err != nil {
			return nil, err
		}
	}
	return d, nil
}
