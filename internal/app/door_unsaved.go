// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	server "github.com/bowline-cd/bowline/internal/server/application"
)

// unsaved is the control plane as it would be with an application that is not saved.
type unsaved struct {
	client.Client
	app *v1alpha1.Application
}

// Get answers for the application itself.
func (u unsaved) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	if app, ok := into.(*v1alpha1.Application); ok && key == client.ObjectKeyFromObject(u.app) {
		u.app.DeepCopyInto(app)
		return nil
	}
	return u.Client.Get(ctx, key, into, opts...)
}

// Wrong implements application.Unsaved.
func (p *previews) Wrong(ctx context.Context, app *v1alpha1.Application) []server.Wrong {
	var out []server.Wrong
	for _, wrong := range p.apps.Wrong(ctx, app) {
		out = append(out, server.Wrong(wrong))
	}
	return out
}

// Outlook implements application.Unsaved, with a controller for this call alone.
func (p *previews) Outlook(ctx context.Context, app *v1alpha1.Application) (server.Rendered, *bowline.Plan, error) {
	c := p.controllerOf(unsaved{p.hub, app}, p.sources)
	asked, err := p.render(ctx, c, app, nil)
	if err != nil {
		return asked, nil, err
	}
	plan, err := planBy(ctx, c, app, nil)
	return asked, plan, err
}

// Asked implements application.Unsaved.
func (p *previews) Asked(ctx context.Context, app *v1alpha1.Application, revisions []string) (server.Rendered, error) {
	return p.render(ctx, p.controllerOf(unsaved{p.hub, app}, p.sources), app, revisions)
}
