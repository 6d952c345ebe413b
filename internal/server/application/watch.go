// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/server/application/index"
)

// Watch sends the applications that the request chooses and the caller may see, and then what becomes of them. With a resource
// version it begins behind that: with what is newer, and with what was deleted since. One application by name is always sent
// first. Of an application that changes faster than it is taken only the newest state is sent, and what is no longer chosen, or
// no longer to be seen, is sent as deleted, with nothing but its name.
//
// The stream ends when the caller is not let in any more; the error says so.
func (s *Service) Watch(ctx context.Context, request *application.ApplicationQuery, send func(*v1alpha1.ApplicationWatchEvent) error) error {
	if err := s.filled(); err != nil {
		return err
	}
	w := &watcher{Service: s, request: request, send: send}
	if err := w.ask(ctx); err != nil {
		return err
	}
	ctx, stop := s.Gate.Still(ctx, func(context.Context) error { return nil })
	defer stop()
	sub, err := w.subscribe(ctx)
	if err != nil {
		return err
	}
	defer sub.Close()
	return w.follow(ctx, sub)
}

// watcher is one stream of applications.
type watcher struct {
	*Service
	request *application.ApplicationQuery
	send    func(*v1alpha1.ApplicationWatchEvent) error
	query   *index.Query
	changed <-chan struct{} // closed when rights may have changed; nil if they never do
	shown   index.Bits      // the slots of what the other side has
}

// ask asks anew what the caller may see.
func (w *watcher) ask(ctx context.Context) (err error) {
	if w.Gate.Roles != nil {
		w.changed = w.Gate.Roles.Changed()
	}
	w.query, err = w.Service.query(ctx, w.request)
	return err
}

// subscribe sends what the stream begins with, and returns what follows. All that there is at the beginning is forgotten when it
// returns: a stream may last for days.
func (w *watcher) subscribe(ctx context.Context) (*index.Subscription, error) {
	var only *types.NamespacedName
	if w.request.Name != "" {
		only = &types.NamespacedName{Namespace: w.namespaceOf(w.request.AppNamespace), Name: w.request.Name}
	}
	sub, start := w.Index.Subscribe(only, w.request.ResourceVersion)
	if err := w.begin(ctx, start); err != nil {
		sub.Close()
		return nil, err
	}
	return sub, nil
}

// begin sends what the stream begins with.
func (w *watcher) begin(ctx context.Context, start index.Start) error {
	since := w.request.ResourceVersion
	if w.request.Name != "" || start.Lost {
		since = ""
	}
	for _, e := range start.Gone {
		if since != "" && w.query.Match(e) {
			if err := w.send(w.event(ctx, watch.Deleted, e)); err != nil {
				return err
			}
		}
	}
	for _, e := range start.Entries {
		if !w.query.Match(e) {
			continue
		}
		if since != "" {
			w.shown.Set(e.Slot, true)
			if !e.Newer(since) {
				continue
			}
		}
		if err := w.consider(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// follow sends what changes, until the stream ends.
func (w *watcher) follow(ctx context.Context, sub *index.Subscription) error {
	for {
		select {
		case <-ctx.Done():
			return ended(ctx)
		case <-sub.Wake:
			for _, e := range sub.Take() {
				if err := w.consider(ctx, e); err != nil {
					return err
				}
			}
		case <-w.changed:
			if err := w.askAgain(ctx); err != nil {
				return err
			}
		}
	}
}

// ended returns why a stream ended, if that was not the wish of the other side.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// askAgain sends what came into sight and what went out of it when rights changed.
func (w *watcher) askAgain(ctx context.Context) error {
	if err := w.ask(ctx); err != nil {
		return err
	}
	all, _ := w.Index.All()
	for _, e := range all {
		if w.query.Match(e) != w.shown.Has(e.Slot) {
			if err := w.consider(ctx, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// consider sends what an entry is to the other side.
func (w *watcher) consider(ctx context.Context, e *index.Entry) error {
	seen, had := w.query.Match(e), w.shown.Has(e.Slot)
	there := seen && !e.Deleted
	w.shown.Set(e.Slot, there)
	switch {
	case there && had:
		return w.send(w.event(ctx, watch.Modified, e))
	case there:
		return w.send(w.event(ctx, watch.Added, e))
	case had && seen:
		return w.send(w.event(ctx, watch.Deleted, e))
	case had:
		return w.send(outOfSight(e))
	}
	return nil
}

func (w *watcher) event(ctx context.Context, kind watch.EventType, e *index.Entry) *v1alpha1.ApplicationWatchEvent {
	return e.Event(string(kind), w.Clock.Now(), func(app *v1alpha1.Application) *v1alpha1.Application { return w.form(ctx, app) })
}

// outOfSight tells that an application is not to be seen any more. What it is by now the other side may not know.
func outOfSight(e *index.Entry) *v1alpha1.ApplicationWatchEvent {
	return &v1alpha1.ApplicationWatchEvent{Type: string(watch.Deleted), Application: v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{Namespace: e.App.Namespace, Name: e.App.Name, UID: e.App.UID},
	}}
}
