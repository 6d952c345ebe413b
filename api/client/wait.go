// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// pause is the time between two watches when one ended: servers end them now and then, and an overloaded one does at once.
const pause = time.Second

// Wait implements Applications.
func (d *Direct) Wait(ctx context.Context, name string, state State, progress func(*v1alpha1.Application)) (*v1alpha1.Application, error) {
	return d.watch(ctx, name, "wait for", state.Deleted, progress, state.Reached)
}

// errDone ends a round of watching: what was waited for is there.
var errDone = errors.New("done")

// watch follows one application until reached says so, or until it is gone when that is what is waited for. It
// returns the application as it was last seen, with an error too.
func (d *Direct) watch(ctx context.Context, name, verb string, deleted bool, progress func(*v1alpha1.Application), reached func(*v1alpha1.Application) bool) (*v1alpha1.Application, error) {
	thing := "application " + d.key(name).String()
	var last *v1alpha1.Application
	see := func(app *v1alpha1.Application) bool {
		if deleted && last != nil && last.UID != app.UID {
			return true // it is gone, and another one has its name
		}
		if last == nil || last.ResourceVersion != app.ResourceVersion {
			last = app
			if progress != nil {
				progress(app)
			}
		}
		return reached(app)
	}
	for {
		err := d.watchOnce(ctx, name, see)
		switch {
		case errors.Is(err, errDone):
			return last, nil
		case apierrors.IsNotFound(err) && deleted && !noKind(err):
			return last, nil
		case ctx.Err() != nil:
			return last, fault.Wrap(fault.Wait, verb, thing, context.Cause(ctx), "see where it stands with `bowline app get`")
		case err != nil && !passing(err):
			return last, explain(err, verb, thing)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// watchOnce reads the application and follows it until see says so (errDone), it is gone (a NotFound error) or the
// watch ends (nil). The watch is opened before the read, so that no change falls between the two.
func (d *Direct) watchOnce(ctx context.Context, name string, see func(*v1alpha1.Application) bool) error {
	key := d.key(name)
	changes, err := d.kube.Watch(ctx, &v1alpha1.ApplicationList{}, &kube.ListOptions{
		Namespace: key.Namespace, FieldSelector: fields.OneTermEqualSelector("metadata.name", key.Name),
	})
	if err != nil {
		return err
	}
	defer changes.Stop()
	app := &v1alpha1.Application{}
	if err := d.kube.Get(ctx, key, app); err != nil {
		return err
	}
	if see(app) {
		return errDone
	}
	uid := app.UID
	for {
		select {
		case <-ctx.Done():
			return nil
		case change, open := <-changes.ResultChan():
			if !open {
				return nil
			}
			app, ok := change.Object.(*v1alpha1.Application)
			if !ok || app.Name != key.Name {
				continue // an error event: the watch is about to end
			}
			if change.Type == watch.Deleted && app.UID == uid {
				return apierrors.NewNotFound(v1alpha1.Resource(v1alpha1.ApplicationPlural), key.Name)
			}
			if change.Type != watch.Deleted && see(app) {
				return errDone
			}
		}
	}
}
