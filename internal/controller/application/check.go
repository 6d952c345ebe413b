// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Wrong says what is wrong with the fields of an application that somebody is about to write, as Check does, without a look at
// what its sources hold.
func (c *Controller) Wrong(ctx context.Context, app *v1alpha1.Application) []Wrong {
	return c.admitted(ctx, app).wrong
}

// admitted looks at an application that is not there yet.
func (c *Controller) admitted(ctx context.Context, app *v1alpha1.Application) *pass {
	p := &pass{
		Controller: c, st: newAppState(app.Name), app: app, next: copyOf(app), rules: c.Rules(),
		now: metav1.NewTime(c.Clock.Now()), log: c.Log.With("application", app.Name),
	}
	p.admit(ctx)
	return p
}

// Check says what is wrong with an application that somebody is about to write: its destination and sources, what its project
// says of them, and with render whether its manifests can be made. It writes nothing and remembers nothing.
func (c *Controller) Check(ctx context.Context, app *v1alpha1.Application, render bool) error {
	p := c.admitted(ctx, app)
	invalid := func(cause string) error {
		return fault.New(fault.Mistake, "accept", "application "+app.Namespace+"/"+app.Name, "", cause, "")
	}
	if text := p.found.text(v1alpha1.ApplicationConditionInvalidSpecError); text != "" {
		return invalid(text)
	}
	if !render {
		return nil
	}
	_, err := c.Engine.At(ctx, "", desired.ProjectOf(app), desired.SourcesOf(app), nil, p.target)
	switch {
	case err != nil && ctx.Err() != nil:
		return fault.Wrap(fault.Retry, "check", "the sources of application "+app.Namespace+"/"+app.Name, err, "try again, or skip the check (--validate=false)")
	case err != nil:
		return invalid("its manifests cannot be made: " + err.Error())
	}
	return nil
}
