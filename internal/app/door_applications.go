// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	rpcapplication "github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/server/application"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

// openApplications adds the services of applications: Argo CD's, and Bowline's own.
func (r *roles) openApplications(_ context.Context, d *door, opts RunOptions) error {
	service := application.New(application.Deps{
		Fresh: r.fresh, Clusters: r.clusters, Checker: r.apps, Bus: r.bus,
		Gate: d.gate, Hub: r.hub, Home: opts.Namespace, Settings: momentary(r.settings), Explainer: d.explainer,
		Served: r.served.has,
		Clock:  realClock, Log: r.log,
	})
	d.services = append(d.services,
		transport.Mounted{Methods: rpcapplication.ApplicationServiceMethods, Service: service},
		transport.Mounted{Methods: bowline.Methods, Service: service})
	return nil
}
