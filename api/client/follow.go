// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// deleted is the type of the event of an application that is gone.
const deleted = "DELETED"

var errNoOverride = errors.New("the call for it cannot say why a closed sync window is passed")

// Wait implements Applications. It follows the stream of the application and reads it again when that ends, or when the server
// is away for a while.
func (r *Remote) Wait(ctx context.Context, name string, state State, progress func(*v1alpha1.Application)) (*v1alpha1.Application, error) {
	w := &wait{state: state, progress: progress}
	for {
		err := r.round(ctx, name, w)
		switch {
		case errors.Is(err, errDone):
			return w.last, nil
		case fault.CodeOf(err) == fault.NotFound && state.Deleted, w.seen() && state.Deleted && fault.Is(err, fault.Forbidden):
			return w.last, nil // what is gone looks forbidden to those who may see only some applications
		case ctx.Err() != nil:
			return w.last, fault.Wrap(fault.Wait, "wait for", "application "+name, context.Cause(ctx), "see where it stands with `bowline app get`")
		case err != nil && !fault.Is(err, fault.Retry):
			return w.last, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// round reads the application and follows it until it is in the state (errDone), is gone or the stream ends.
func (r *Remote) round(ctx context.Context, name string, w *wait) error {
	app, err := r.Get(ctx, name)
	if err != nil {
		return err
	}
	if w.see(app) {
		return errDone
	}
	query := &application.ApplicationQuery{Name: app.Name, AppNamespace: app.Namespace, ResourceVersion: app.ResourceVersion}
	return r.services.Applications.Watch(ctx, query, func(event *v1alpha1.ApplicationWatchEvent) error {
		switch changed := &event.Application; {
		case changed.Name != app.Name || changed.Namespace != app.Namespace:
			return nil
		case event.Type == deleted && w.state.Deleted:
			return errDone
		case event.Type != deleted && w.see(changed):
			return errDone
		}
		return nil
	})
}

// wait is what is waited for, and what was seen.
type wait struct {
	state    State
	progress func(*v1alpha1.Application)
	last     *v1alpha1.Application
}

func (w *wait) seen() bool { return w.last != nil }

// see takes note of an application and reports whether it is what is waited for.
func (w *wait) see(app *v1alpha1.Application) bool {
	if w.state.Deleted && w.last != nil && w.last.UID != app.UID {
		return true // it is gone, and another one has its name
	}
	if w.last == nil || w.last.ResourceVersion != app.ResourceVersion {
		w.last = app
		if w.progress != nil {
			w.progress(app)
		}
	}
	return w.state.Reached(app)
}
