// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/object"
)

// Picture draws trees of applications: their objects and what came of them, as far as their projects permit.
type Picture interface {
	// Tree returns the tree of an application. The error says why it is not known.
	Tree(ctx context.Context, app *v1alpha1.Application) (*v1alpha1.ApplicationTree, error)
	// Follow calls changed when the tree may be another one, until stop is called. It may call it too often; it does not block.
	Follow(app *v1alpha1.Application, changed func()) (stop func(), err error)
}

// tree returns the tree of an application that the caller may see.
func (s *Service) tree(ctx context.Context, app *v1alpha1.Application) (*v1alpha1.ApplicationTree, error) {
	return s.Picture.Tree(ctx, app)
}

// ResourceTree returns the objects of an application, what came of them, and the orphans that its project has looked for.
func (s *Service) ResourceTree(ctx context.Context, request *application.ResourcesQuery) (*v1alpha1.ApplicationTree, error) {
	app, err := s.load(ctx, access.Get, request.Project, request.AppNamespace, request.ApplicationName)
	if err != nil {
		return nil, err
	}
	return s.tree(ctx, app)
}

// treePause is how long after one tree the next is drawn: a rollout changes pods several times a second.
const treePause = 300 * time.Millisecond

// WatchResourceTree sends the tree of an application, and again each time it is another one, until the application is gone or
// the caller may not see it any more.
func (s *Service) WatchResourceTree(ctx context.Context, request *application.ResourcesQuery, send func(*v1alpha1.ApplicationTree) error) error {
	load := func(ctx context.Context) (*v1alpha1.Application, error) {
		return s.load(ctx, access.Get, request.Project, request.AppNamespace, request.ApplicationName)
	}
	app, err := load(ctx)
	if err != nil {
		return err
	}
	ctx, stop := s.Gate.Still(ctx, func(ctx context.Context) error { _, err := load(ctx); return err })
	defer stop()
	sub, _ := s.Index.Subscribe(&types.NamespacedName{Namespace: app.Namespace, Name: app.Name}, "")
	defer sub.Close()
	news := newBell()
	unfollow := func() {}
	defer func() { unfollow() }()
	var sent object.Digest
	for destination := (v1alpha1.ApplicationDestination{}); ; {
		if destination != app.Spec.Destination {
			destination = app.Spec.Destination
			unfollow()
			if unfollow, err = s.Picture.Follow(app, news.ring); err != nil {
				return err
			}
		}
		tree, err := s.tree(ctx, app)
		if err != nil {
			return orEnded(ctx, err)
		}
		if digest := object.DigestOf(tree); digest != sent {
			sent = digest
			if err := send(tree); err != nil {
				return err
			}
		}
		if err := s.pause(ctx, treePause); err != nil {
			return orEnded(ctx, err)
		}
		select {
		case <-ctx.Done():
			return ended(ctx)
		case <-news.rung:
		case <-sub.Wake:
			sub.Take()
		}
		if app, err = load(ctx); err != nil {
			return orEnded(ctx, err)
		}
	}
}

// orEnded returns err, unless the stream ended: then it returns why.
func orEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	return err
}

// pause waits; the error is that ctx ended.
func (s *Service) pause(ctx context.Context, d time.Duration) error {
	timer := s.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C():
		return nil
	}
}

// bell tells one listener that something happened, however often it did.
type bell struct {
	rung chan struct{}
}

func newBell() *bell { return &bell{rung: make(chan struct{}, 1)} }

func (b *bell) ring() {
	select {
	case b.rung <- struct{}{}:
	default:
	}
}
