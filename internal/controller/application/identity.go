// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"

	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/desired"
)

// actsAs returns the context of a direct call to a cluster on behalf of one application: as the service account that its
// project names for the destination, if settings ask for that. It is asked for each call, as project and settings are then;
// the error says that the call may not be made.
type actsAs func(context.Context) (context.Context, error)

// identityFor returns how calls to a destination are made for applications of a project that live in the namespace home.
func (c *Controller) identityFor(project string, d access.Destination, home string) actsAs {
	return func(ctx context.Context) (context.Context, error) {
		user, err := c.account(ctx, project, d, home)
		if err != nil || user == "" {
			return ctx, err
		}
		return cluster.As(ctx, user), nil
	}
}

// account returns the user of direct calls; "" is ourselves.
func (c *Controller) account(ctx context.Context, project string, d access.Destination, home string) (string, error) {
	s := c.Settings()
	if !s.Impersonation {
		return "", nil
	}
	compiled, _, err := c.projects.get(ctx, project)
	if err != nil {
		return "", err
	}
	return access.AccountOf(compiled, d, home, s.ImpersonationEnforced)
}

// identityOn returns how direct calls to the application's cluster are made.
func (p *pass) identityOn(c *cluster.Cluster) actsAs {
	return p.identityFor(desired.ProjectOf(p.app), destinationOf(p.app, c), p.app.Namespace)
}

// unidentified returns why no direct call may be made for the application, "" if they may.
func (p *pass) unidentified(ctx context.Context) string {
	if p.cluster == nil {
		return ""
	}
	if _, err := p.identityOn(p.cluster)(ctx); err != nil {
		return err.Error()
	}
	return ""
}
