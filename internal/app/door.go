// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	"github.com/bowline-cd/bowline/internal/server"
	"github.com/bowline-cd/bowline/internal/server/application"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

// door is what people and programs come in by: the services behind the API, and who may call them.
type door struct {
	gate     *gate.Gate
	services []transport.Mounted
	// explainer says which rule grants or refuses a right: accounts set it, Bowline's own API answers from it.
	explainer application.Explainer
	routes    []server.Route
}

// openDoor builds the services. The order matters: who is calling comes first, the transports carry all that was mounted.
func (r *roles) openDoor(ctx context.Context, opts RunOptions) (*door, error) {
	d := &door{}
	for _, open := range []func(context.Context, *door, RunOptions) error{
		r.openAccounts, r.openSignIn, r.openApplications, r.openConnections, r.openTransport,
	} {
		if err := open(ctx, d, opts); err != nil {
			return nil, err
		}
	}
	return d, nil
}
