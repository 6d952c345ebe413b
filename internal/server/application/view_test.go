// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/server/application/index"
)

// stage is what a test says there is in a cluster.
type stage struct {
	Picture // trees are drawn here only
	mu      sync.Mutex
	glimpse Glimpse
	err     error
	panics  bool
	drawn   int
	ring    func()
}

func (s *stage) Glance(context.Context, *v1alpha1.Application) (Glimpse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drawn++
	if s.panics {
		panic("a bug")
	}
	return s.glimpse, s.err
}

func (s *stage) Follow(_ *v1alpha1.Application, changed func()) (func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring = changed
	return func() {}, nil
}

// play changes what there is.
func (s *stage) play(change func()) {
	s.mu.Lock()
	change()
	ring := s.ring
	s.mu.Unlock()
	if ring != nil {
		ring()
	}
}

func podNode(name, revision string) v1alpha1.ResourceNode {
	return v1alpha1.ResourceNode{
		ResourceRef:     v1alpha1.ResourceRef{Version: "v1", Kind: "Pod", Namespace: "shop", Name: name, UID: "uid-" + name},
		ParentRefs:      []v1alpha1.ResourceRef{{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"}, {Kind: "Gone", Name: "elsewhere"}},
		ResourceVersion: revision,
	}
}

func webNode() v1alpha1.ResourceNode {
	return v1alpha1.ResourceNode{
		ResourceRef: v1alpha1.ResourceRef{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "uid-web"},
		Health:      &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusHealthy},
	}
}

func ofWeb(change func(*Standing)) Standing {
	s := Standing{Key: object.Key{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"}, Version: "v1", Sync: v1alpha1.SyncStatusCodeSynced, UID: "uid-web"}
	if change != nil {
		change(&s)
	}
	return s
}

// seeing is a service whose application web has a Deployment with one pod.
func seeing(t *testing.T, rights ...string) (*reading, *stage) {
	t.Helper()
	r := read(t, rights, readable("shop", "web", 1))
	at := &stage{glimpse: Glimpse{
		Tree:      v1alpha1.ApplicationTree{Nodes: []v1alpha1.ResourceNode{webNode(), podNode("a", "1")}},
		Standings: []Standing{ofWeb(nil)}, Compared: true,
	}}
	r.Clock = clock.RealClock{}
	r.Looks, r.Picture = at, at
	return r, at
}

// watched is a WatchApplication that goes on.
type watched struct {
	t    *testing.T
	got  chan *bowline.ApplicationView
	done chan error
	end  context.CancelFunc
}

func (r *reading) watch(t *testing.T, name string) *watched {
	t.Helper()
	ctx, cancel := context.WithCancel(r.ctx)
	w := &watched{t: t, got: make(chan *bowline.ApplicationView), done: make(chan error, 1), end: cancel}
	go func() {
		err := r.WatchApplication(ctx, &bowline.ApplicationName{Name: name}, func(v *bowline.ApplicationView) error {
			select {
			case w.got <- v:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		w.done <- err
		close(w.done)
	}()
	t.Cleanup(func() { cancel(); <-w.done })
	return w
}

// next takes messages until one is as wanted.
func (w *watched) next(what string, wanted func(*bowline.ApplicationView) bool) *bowline.ApplicationView {
	w.t.Helper()
	for {
		select {
		case v := <-w.got:
			if wanted(v) {
				return v
			}
		case err := <-w.done:
			w.t.Fatalf("%s: the stream ended: %v", what, err)
		case <-time.After(20 * time.Second):
			w.t.Fatalf("%s: nothing came", what)
		}
	}
}

func nodeIDs(nodes []bowline.Node) []string {
	var out []string
	for _, n := range nodes {
		out = append(out, n.ID)
	}
	return out
}

const web, podA, podB = "apps/Deployment/shop/web", "/Pod/shop/a", "/Pod/shop/b"

func TestAViewSendsWhatChanges(t *testing.T) {
	r, at := seeing(t, "applications, get, shop/*")
	w := r.watch(t, "web")
	first := w.next("the first message", func(*bowline.ApplicationView) bool { return true })
	if !first.Whole || first.Application == nil || first.Row == nil || !slices.Equal(nodeIDs(first.Nodes), []string{web, podA}) {
		t.Fatalf("the first message is %+v", first)
	}
	if n := first.Nodes[1]; !slices.Equal(n.Parents, []string{web}) || n.Managed {
		t.Errorf("the pod is %+v", n)
	}
	if n := first.Nodes[0]; !n.Managed || n.Sync != "Synced" || n.Health.Status != v1alpha1.HealthStatusHealthy {
		t.Errorf("the deployment is %+v", n)
	}
	at.play(func() {
		at.glimpse.Tree.Nodes = []v1alpha1.ResourceNode{webNode(), podNode("b", "1")}
		at.glimpse.Standings = []Standing{ofWeb(func(s *Standing) { s.Sync, s.Differs = v1alpha1.SyncStatusCodeOutOfSync, 2 })}
	})
	next := w.next("the change", func(v *bowline.ApplicationView) bool { return len(v.Nodes) > 0 })
	if next.Whole || !slices.Equal(nodeIDs(next.Nodes), []string{web, podB}) || !slices.Equal(next.Gone, []string{podA}) || next.Application != nil {
		t.Errorf("the change is %+v", next)
	}
	if n := next.Nodes[0]; n.Sync != "OutOfSync" || n.Differs != 2 {
		t.Errorf("the deployment is %+v", n)
	}
	r.all.Put(readable("shop", "web", 2, func(app *v1alpha1.Application) { app.Labels = map[string]string{"tier": "front"} }))
	app := w.next("the application", func(v *bowline.ApplicationView) bool { return v.Application != nil })
	if app.Application.Labels["tier"] != "front" || len(app.Nodes) > 0 {
		t.Errorf("the application came as %+v", app)
	}
}

// What is not known is never an empty tree: what was known stays, and is said to be old.
func TestAViewKeepsWhatIsNotKnown(t *testing.T) {
	r, at := seeing(t, "applications, get, *")
	w := r.watch(t, "web")
	w.next("the first message", func(v *bowline.ApplicationView) bool { return v.Whole })
	at.play(func() { at.err = errors.New("the cluster does not answer") })
	lost := w.next("the loss", func(v *bowline.ApplicationView) bool { return v.Unknown != "" })
	if lost.Unknown != "the cluster does not answer" || len(lost.Gone) > 0 || len(lost.Nodes) > 0 {
		t.Errorf("the loss is told as %+v", lost)
	}
	late := r.watch(t, "web").next("who comes later", func(v *bowline.ApplicationView) bool { return v.Whole })
	if late.Unknown == "" || !slices.Equal(nodeIDs(late.Nodes), []string{web, podA}) {
		t.Errorf("who comes later is told %+v", late)
	}
	at.play(func() { at.err = nil; at.glimpse.Tree.Nodes = []v1alpha1.ResourceNode{webNode()} })
	back := w.next("the return", func(v *bowline.ApplicationView) bool { return v.Known })
	if !slices.Equal(back.Gone, []string{podA}) {
		t.Errorf("the return is told as %+v", back)
	}
}

// Of a cluster that never answered the application's own objects are named, and nothing is said of how they are.
func TestAViewOfAClusterThatNeverAnswered(t *testing.T) {
	r, at := seeing(t, "applications, get, *")
	named := webNode()
	named.UID, named.Health = "", &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusMissing}
	at.glimpse = Glimpse{Cut: true, Unknown: "the cluster does not answer", Tree: v1alpha1.ApplicationTree{Nodes: []v1alpha1.ResourceNode{named}}}
	r.all.Put(readable("shop", "web", 2, func(app *v1alpha1.Application) {
		app.Status.Resources = []v1alpha1.ResourceStatus{{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web",
			Status: v1alpha1.SyncStatusCodeSynced, Health: &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusHealthy}}}
	}))
	v := r.watch(t, "web").next("the first message", func(v *bowline.ApplicationView) bool { return v.Whole })
	if v.Unknown == "" || len(v.Nodes) != 1 || v.Nodes[0].ID != web || v.Nodes[0].Sync != "Unknown" || v.Nodes[0].Health != nil {
		t.Errorf("it is told as %+v", v)
	}
}

// A bug while one application is looked at is told to those who look, and ends nothing else.
func TestAViewOutlivesABug(t *testing.T) {
	r, at := seeing(t, "applications, get, *")
	w := r.watch(t, "web")
	w.next("the first message", func(v *bowline.ApplicationView) bool { return v.Whole })
	at.play(func() { at.panics = true })
	w.next("the bug", func(v *bowline.ApplicationView) bool { return strings.Contains(v.Unknown, "a bug of Bowline") })
	at.play(func() { at.panics = false })
	w.next("the end of it", func(v *bowline.ApplicationView) bool { return v.Known })
}

// What the status says of objects that nobody could compare is not said of them.
func TestAViewOfWhatIsNotCompared(t *testing.T) {
	r, at := seeing(t, "applications, get, *")
	at.glimpse.Compared, at.glimpse.Standings = false, nil
	status := func(sync v1alpha1.SyncStatusCode) func(*v1alpha1.Application) {
		return func(app *v1alpha1.Application) {
			app.Status.Sync.Status = sync
			app.Status.Resources = []v1alpha1.ResourceStatus{{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", Status: v1alpha1.SyncStatusCodeSynced}}
		}
	}
	r.all.Put(readable("shop", "web", 2, status(v1alpha1.SyncStatusCodeUnknown)))
	w := r.watch(t, "web")
	if v := w.next("the first message", func(v *bowline.ApplicationView) bool { return v.Whole }); v.Nodes[0].Sync != "Unknown" || v.Unknown != "" {
		t.Errorf("where the application is Unknown it is told as %+v", v)
	}
	r.all.Put(readable("shop", "web", 3, status(v1alpha1.SyncStatusCodeSynced)))
	if v := w.next("the comparison", func(v *bowline.ApplicationView) bool { return len(v.Nodes) > 0 }); v.Nodes[0].Sync != "Synced" {
		t.Errorf("by another process's comparison it is told as %+v", v)
	}
}

func TestAViewEndsWithTheRight(t *testing.T) {
	r, _ := seeing(t, "applications, get, *")
	w := r.watch(t, "web")
	w.next("the first message", func(v *bowline.ApplicationView) bool { return v.Whole })
	r.roles.set("applications, get, other/*")
	if err := <-w.done; !fault.Is(err, fault.Forbidden) {
		t.Errorf("it ended with %v", err)
	}
	err := r.WatchApplication(r.ctx, &bowline.ApplicationName{Name: "web"}, nil)
	missing := r.WatchApplication(r.ctx, &bowline.ApplicationName{Name: "nothing"}, nil)
	if err == nil || missing == nil || err.Error() != missing.Error() {
		t.Errorf("forbidden is %v, missing is %v", err, missing)
	}
}

func TestAViewEndsWithTheApplication(t *testing.T) {
	r, _ := seeing(t, "applications, get, *")
	w := r.watch(t, "web")
	w.next("the first message", func(v *bowline.ApplicationView) bool { return v.Whole })
	r.all.Drop(readable("shop", "web", 2))
	w.next("the end", func(v *bowline.ApplicationView) bool { return v.Deleted })
	if err := <-w.done; err != nil {
		t.Error(err)
	}
}

// All who look at one application share what is drawn, and nothing is drawn once nobody looks.
func TestViewsShareWhatIsDrawn(t *testing.T) {
	r, at := seeing(t, "applications, get, *")
	const many = 20
	viewers := make([]*watched, many)
	for i := range viewers {
		viewers[i] = r.watch(t, "web")
		viewers[i].next("the first message", func(v *bowline.ApplicationView) bool { return v.Whole })
	}
	if at.mu.Lock(); at.drawn >= many {
		t.Errorf("it was drawn %d times for %d viewers", at.drawn, many)
	}
	at.mu.Unlock()
	for _, w := range viewers {
		w.end()
		<-w.done
	}
	r.scenes.mu.Lock()
	defer r.scenes.mu.Unlock()
	if len(r.scenes.open) > 0 {
		t.Error("it is still drawn though nobody looks")
	}
}

func TestJoin(t *testing.T) {
	app := readable("shop", "web", 1)
	key := func(kind, name string) object.Key { return object.Key{Kind: kind, Namespace: "shop", Name: name} }
	missing := &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusMissing}
	seen := &Glimpse{Compared: true, Tree: v1alpha1.ApplicationTree{
		Nodes:         []v1alpha1.ResourceNode{webNode()},
		OrphanedNodes: []v1alpha1.ResourceNode{{ResourceRef: v1alpha1.ResourceRef{Kind: "ConfigMap", Namespace: "shop", Name: "loose", UID: "u"}}},
	}, Standings: []Standing{
		ofWeb(func(s *Standing) { s.Prune, s.Confirm, s.Wave, s.SharedWith = true, true, 3, "other" }),
		{Key: key("ConfigMap", "new"), Sync: v1alpha1.SyncStatusCodeOutOfSync, Health: missing, Reason: "does not exist"},
		{Key: key("Secret", "refused"), Sync: v1alpha1.SyncStatusCodeUnknown, Reason: "not permitted", Hidden: true, UID: "secret-uid", Health: missing, Differs: 3},
		{Key: key("Job", "hook"), Hook: true},
	}}
	nodes := map[string]*bowline.Node{}
	for _, n := range join(app, seen) {
		nodes[n.ID] = n
	}
	if n := nodes[web]; !n.Prune || !n.Confirm || n.Wave != 3 || n.SharedWith != "other" {
		t.Errorf("the deployment is %+v", n)
	}
	if n := nodes["/ConfigMap/shop/new"]; n == nil || n.Health.Status != v1alpha1.HealthStatusMissing || n.UID != "" || !n.Managed {
		t.Errorf("what is missing is %+v", n)
	}
	if n := nodes["/ConfigMap/shop/loose"]; n == nil || !n.Orphan || n.Managed {
		t.Errorf("the orphan is %+v", n)
	}
	if n := nodes["/Secret/shop/refused"]; n == nil || n.UID != "" || n.Health != nil || n.Differs != 0 || n.Reason != "not permitted" {
		t.Errorf("what the project does not permit is %+v", n)
	}
	if len(nodes) != 4 {
		t.Errorf("there are %d nodes, one of them a hook that did not run", len(nodes))
	}
}

// BenchmarkDraw measures what one change costs in an application of 5,000 objects.
func BenchmarkDraw(b *testing.B) {
	app := readable("shop", "web", 1)
	e := &index.Entry{App: app, Object: "shop/web"}
	glimpse := func(i int) *Glimpse {
		g := &Glimpse{Compared: true, Standings: []Standing{ofWeb(nil)}}
		g.Tree.Nodes = append(g.Tree.Nodes, webNode())
		for n := range 5000 {
			g.Tree.Nodes = append(g.Tree.Nodes, podNode(fmt.Sprintf("pod-%d", n), "1"))
		}
		g.Tree.Nodes[17].ResourceVersion = fmt.Sprint(i)
		return g
	}
	last := drawnOf(e, glimpse(-1), nil, nil, false)
	sent := 0
	for i := range b.N {
		b.StopTimer()
		g := glimpse(i)
		b.StartTimer()
		next := drawnOf(e, g, nil, last, false)
		m := &bowline.ApplicationView{}
		next.since(last, m)
		sent, last = len(m.Nodes), next
	}
	if sent != 1 {
		b.Errorf("one change sent %d nodes", sent)
	}
}
