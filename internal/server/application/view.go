// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/server/application/index"
	"github.com/bowline-cd/bowline/internal/server/gate"
)

// WatchApplication sends an application with its objects, and then what changes of them, until it is deleted or the caller may
// not see it any more. What changes faster than it is taken is sent once, as it is by then.
func (s *Service) WatchApplication(ctx context.Context, request *bowline.ApplicationName, send func(*bowline.ApplicationView) error) error {
	load := func(ctx context.Context) (*v1alpha1.Application, error) {
		return s.load(ctx, access.Get, "", request.AppNamespace, request.Name)
	}
	app, err := load(ctx)
	if err != nil {
		return err
	}
	ctx, stop := s.Gate.Still(ctx, func(ctx context.Context) error { _, err := load(ctx); return err })
	defer stop()
	v := &viewer{Service: s, key: types.NamespacedName{Namespace: app.Namespace, Name: app.Name}, uid: app.UID, load: load, send: send}
	sub, _ := s.Index.Subscribe(&v.key, "")
	defer sub.Close()
	at, leave := s.look(v.key)
	defer leave()
	return v.follow(ctx, sub, at)
}

const (
	// viewPause is how long after one message the next is sent.
	viewPause = 100 * time.Millisecond
	// viewAgain is how often what an application asks for is looked at without news: it may become stale by the clock.
	viewAgain = 15 * time.Second
	// viewFirst is how long the first message waits for the objects; then they follow.
	viewFirst = 500 * time.Millisecond
)

// viewer is one who looks at an application, with what they were sent.
type viewer struct {
	*Service
	key  types.NamespacedName
	uid  types.UID
	load func(context.Context) (*v1alpha1.Application, error)
	send func(*bowline.ApplicationView) error

	entry *index.Entry
	app   *v1alpha1.Application
	row   *bowline.Row
	drawn *drawn
}

// follow sends what is new for as long as the stream goes on.
func (v *viewer) follow(ctx context.Context, sub *index.Subscription, at *scene) error {
	begun := v.Clock.Now()
	timer := v.Clock.NewTimer(viewFirst)
	defer timer.Stop()
	for {
		now, changed := at.state()
		if now != nil || v.Clock.Since(begun) >= viewFirst {
			if err := v.tell(ctx, now); err != nil {
				return orEnded(ctx, err)
			}
			if v.pause(ctx, viewPause) != nil {
				return ended(ctx)
			}
			timer.Reset(viewAgain)
		}
		select {
		case <-ctx.Done():
			return ended(ctx)
		case <-changed:
		case <-sub.Wake:
			for _, e := range sub.Take() {
				if e.Deleted || e.App.UID != v.uid { // another of its name is not what was asked for
					return v.sendLast(ctx)
				}
			}
		case <-timer.C():
		}
	}
}

// tell sends what is new since the last message, if anything is.
func (v *viewer) tell(ctx context.Context, now *drawn) error {
	e := v.Index.Get(v.key.Namespace, v.key.Name)
	if e == nil || e.App.UID != v.uid { // not in the index yet, or not any more
		_, err := v.load(ctx)
		return err
	}
	if !v.allows(ctx, e) || now != nil && !v.allows(ctx, now.of) {
		return gate.Hidden()
	}
	v.entry = e
	m := &bowline.ApplicationView{}
	news := v.tellApplication(ctx, e, m)
	if now != nil && now != v.drawn {
		now.since(v.drawn, m)
		v.drawn, news = now, true
	}
	if !news {
		return nil
	}
	return v.send(m)
}

func (v *viewer) allows(ctx context.Context, e *index.Entry) bool {
	return v.Gate.Allows(ctx, access.Right{Resource: access.Applications, Action: access.Get, Object: e.Object})
}

// tellApplication adds the application and its row to a message, as far as they changed.
func (v *viewer) tellApplication(ctx context.Context, e *index.Entry, m *bowline.ApplicationView) (news bool) {
	if app := v.form(ctx, e.App); v.app == nil || !reflect.DeepEqual(app, v.app) {
		v.app, m.Application, news = app, app, true
	}
	if row := v.Service.row(ctx, e); v.row == nil || !reflect.DeepEqual(row, *v.row) {
		v.row, m.Row, news = &row, &row, true
	}
	return news
}

// sendLast says that the application is gone, if the caller could see it until then.
func (v *viewer) sendLast(ctx context.Context) error {
	if v.entry == nil || !v.allows(ctx, v.entry) {
		return gate.Hidden()
	}
	return v.send(&bowline.ApplicationView{Deleted: true})
}

// since adds to a message what is new in a drawing: all of it without a last one.
func (d *drawn) since(last *drawn, m *bowline.ApplicationView) {
	if last == nil || len(d.hosts) == 0 && len(last.hosts) > 0 { // that there are none is not sent by itself
		last, m.Whole, m.Nodes = &drawn{}, true, []bowline.Node{}
	}
	for _, id := range d.order {
		if node := d.nodes[id]; last.nodes[id] != node {
			m.Nodes = append(m.Nodes, *node)
		}
	}
	for _, id := range last.order {
		if d.nodes[id] == nil {
			m.Gone = append(m.Gone, id)
		}
	}
	if !reflect.DeepEqual(d.hosts, last.hosts) {
		m.Hosts = append([]v1alpha1.HostInfo{}, d.hosts...)
	}
	m.Unknown, m.Known = d.unknown, d.unknown == "" && last.unknown != ""
}
