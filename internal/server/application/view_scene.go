// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"reflect"
	"runtime/debug"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/application/index"
)

// scenes are the applications that are being looked at. All who look at one share what is drawn of it.
type scenes struct {
	mu   sync.Mutex
	open map[types.NamespacedName]*scene
}

// scene draws one application's objects for as long as anybody looks.
type scene struct {
	viewers int
	end     context.CancelFunc

	mu      sync.Mutex
	now     *drawn
	changed chan struct{} // closed when now is another one
}

// drawn is what is known of the objects at a moment. It never changes; objects that stay the same are shared with the next.
type drawn struct {
	of      *index.Entry // the application as it was when it was drawn: its project decides what is in it
	nodes   map[string]*bowline.Node
	order   []string
	hosts   []v1alpha1.HostInfo
	unknown string
}

// How often the objects of an application are drawn: not sooner than drawPause after the last time and not more than a twentieth
// of the time, and again without any news after drawSoon and less and less often up to drawLate, for a comparison may come to
// its end after what caused it.
const (
	drawPause = 300 * time.Millisecond
	drawShare = 20
	drawSoon  = time.Second
	drawLate  = 15 * time.Second
)

// patienceOfScene is how long what is being read is waited for before it is called unknown.
const patienceOfScene = lookTime

// lookTime is how long people wait for what is on its way.
const lookTime = 5 * time.Second

// look begins to look at an application. leave has to be called.
func (s *Service) look(key types.NamespacedName) (at *scene, leave func()) {
	s.scenes.mu.Lock()
	defer s.scenes.mu.Unlock()
	at = s.scenes.open[key]
	if at == nil {
		ctx, end := context.WithCancel(context.Background()) // it serves whoever looks, not the first of them
		at = &scene{end: end, changed: make(chan struct{})}
		if s.scenes.open == nil {
			s.scenes.open = map[types.NamespacedName]*scene{}
		}
		s.scenes.open[key] = at
		go s.draw(ctx, key, at)
	}
	at.viewers++
	return at, sync.OnceFunc(func() {
		s.scenes.mu.Lock()
		defer s.scenes.mu.Unlock()
		if at.viewers--; at.viewers == 0 {
			at.end()
			delete(s.scenes.open, key)
		}
	})
}

// state returns what is drawn, nil if nothing is yet, and what is closed once it is another.
func (at *scene) state() (*drawn, <-chan struct{}) {
	at.mu.Lock()
	defer at.mu.Unlock()
	return at.now, at.changed
}

func (at *scene) show(next *drawn) {
	at.mu.Lock()
	defer at.mu.Unlock()
	at.now = next
	close(at.changed)
	at.changed = make(chan struct{})
}

// draw draws a scene until ctx ends.
func (s *Service) draw(ctx context.Context, key types.NamespacedName, at *scene) {
	news := newBell()
	sub, _ := s.Index.Subscribe(&key, "")
	defer sub.Close()
	following := &following{Service: s, ring: news.ring}
	defer following.end()
	var since time.Time // since when something is on its way
	for rest := drawSoon; ; {
		began := s.Clock.Now()
		pending := s.drawOnce(ctx, key, at, following, &since)
		pause := min(max(drawPause, drawShare*s.Clock.Since(began)), drawLate)
		if s.pause(ctx, pause) != nil {
			return
		}
		if pending {
			continue
		}
		timer := s.Clock.NewTimer(rest)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-news.rung:
			rest = drawSoon
		case <-sub.Wake:
			sub.Take()
			rest = drawSoon
		case <-timer.C():
			rest = min(rest*4, drawLate)
		}
		timer.Stop()
	}
}

// drawOnce draws a scene as it is now and shows it, if it is another one. pending says that more is on its way.
func (s *Service) drawOnce(ctx context.Context, key types.NamespacedName, at *scene, f *following, since *time.Time) (pending bool) {
	e := s.Index.Get(key.Namespace, key.Name)
	if e == nil {
		return false // those who look are told by the index
	}
	seen, err := s.glance(ctx, e.App, f)
	if ctx.Err() != nil {
		return false
	}
	if pending = err == nil && seen.Pending && seen.Unknown != ""; !pending {
		*since = time.Time{}
	} else if since.IsZero() {
		*since = s.Clock.Now()
	}
	last, _ := at.state()
	if pending = pending && s.Clock.Since(*since) < patienceOfScene; pending && last == nil {
		return true // nothing is shown before something is known, for a while
	}
	if next := drawnOf(e, &seen, err, last, pending); next != nil {
		at.show(next)
	}
	return pending
}

// glance looks at the objects. A panic counts as not knowing them: it would take all that this process does along.
func (s *Service) glance(ctx context.Context, app *v1alpha1.Application, f *following) (seen Glimpse, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.Log.Error("looking at an application panicked", "application", app.Namespace+"/"+app.Name, "panic", v, "stack", string(debug.Stack()))
			seen, err = Glimpse{}, fault.New(fault.Bug, "draw", thing(app), "", "a bug of Bowline ended it", "see the log of the server")
		}
	}()
	if err := f.follow(app); err != nil {
		return Glimpse{}, err
	}
	return s.Looks.Glance(ctx, app)
}

// drawnOf is what was seen, as it follows what was drawn last; nil if it is the same. What is not known is as it was.
func drawnOf(e *index.Entry, seen *Glimpse, err error, last *drawn, pending bool) *drawn {
	next := &drawn{of: e, hosts: seen.Tree.Hosts}
	switch {
	case err != nil:
		next.unknown, seen.Cut = err.Error(), true
	case seen.Unknown != "" && !pending && (seen.Cut || seen.Pending || len(seen.Tree.Nodes) == 0):
		next.unknown, seen.Cut = seen.Unknown, true
	}
	goesOn := last != nil && last.of.App.UID == e.App.UID && last.of.Object == e.Object && last.of.App.Spec.Destination == e.App.Spec.Destination
	keep := goesOn && (next.unknown != "" || pending)
	var nodes []*bowline.Node
	if !keep || next.unknown == "" { // the last that was known is better than half of it
		nodes = join(e.App, seen)
	}
	next.nodes, next.order = make(map[string]*bowline.Node, len(nodes)), make([]string, 0, len(nodes))
	same := goesOn && last.unknown == next.unknown
	for _, node := range nodes {
		if last != nil {
			if old := last.nodes[node.ID]; old != nil && reflect.DeepEqual(old, node) {
				node = old
			} else {
				same = false
			}
		}
		next.nodes[node.ID], next.order = node, append(next.order, node.ID)
	}
	if keep {
		next.take(last)
	}
	if same && len(next.nodes) == len(last.nodes) && reflect.DeepEqual(last.hosts, next.hosts) {
		return nil
	}
	return next
}

// take takes over what an earlier drawing had beside.
func (d *drawn) take(last *drawn) {
	for _, id := range last.order {
		if d.nodes[id] == nil {
			d.nodes[id], d.order = last.nodes[id], append(d.order, id)
		}
	}
	if len(d.hosts) == 0 {
		d.hosts = last.hosts
	}
}

// following keeps a bell ringing for what changes in the cluster of an application, wherever that is sent.
type following struct {
	*Service
	ring func()
	to   v1alpha1.ApplicationDestination
	stop func()
}

func (f *following) follow(app *v1alpha1.Application) error {
	if f.stop != nil && f.to == app.Spec.Destination {
		return nil
	}
	f.end()
	stop, err := f.Picture.Follow(app, f.ring)
	if err != nil {
		return err
	}
	f.to, f.stop = app.Spec.Destination, stop
	return nil
}

func (f *following) end() {
	if f.stop != nil {
		f.stop()
		f.stop = nil
	}
}
