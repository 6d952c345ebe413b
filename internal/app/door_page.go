// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	"github.com/bowline-cd/bowline/internal/server"
	"github.com/bowline-cd/bowline/internal/server/page"
	"github.com/bowline-cd/bowline/web"
)

// openPage serves the page at every address that nothing else answers. It holds no data: what it shows it asks the API for.
func (r *roles) openPage(_ context.Context, d *door, _ RunOptions) error {
	d.routes = append(d.routes, server.Route{Pattern: "/", Handler: page.New(web.Files(), r.settings.Current().Settings.Serving.RootPath)})
	return nil
}
