// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	rpccluster "github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	rpcversion "github.com/bowline-cd/bowline/api/argoproj/rpc/version"
	serversettings "github.com/bowline-cd/bowline/internal/server/settings"
	"github.com/bowline-cd/bowline/internal/server/transport"
	serverversion "github.com/bowline-cd/bowline/internal/server/version"
)

// openConnections adds the services of projects, repositories, clusters, certificates and settings.
func (r *roles) openConnections(_ context.Context, d *door, opts RunOptions) error {
	d.services = append(d.services,
		transport.Mounted{Methods: rpcversion.VersionServiceMethods, Service: serverversion.New(version)},
		transport.Mounted{Methods: rpccluster.SettingsServiceMethods, Service: serversettings.New(serversettings.Deps{
			Hub: r.hub, Home: opts.Namespace, Settings: momentary(r.settings), Plugins: r.plugins.Names,
		})},
	)
	return nil
}
