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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/application/attention"
)

// watching is an open view whose clock the test moves.
type watching struct {
	t     *testing.T
	clock *clocktesting.FakeClock
	got   chan *bowline.ApplicationsView
	done  chan error
	end   context.CancelFunc
}

func (r *reading) view(t *testing.T, request bowline.ApplicationsQuery) *watching {
	t.Helper()
	return r.viewOf(r.ctx, t, request)
}

func (r *reading) viewOf(ctx context.Context, t *testing.T, request bowline.ApplicationsQuery) *watching {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	w := &watching{t: t, clock: r.Clock.(*clocktesting.FakeClock), got: make(chan *bowline.ApplicationsView), done: make(chan error, 1), end: cancel}
	go func() {
		w.done <- r.WatchApplications(ctx, &request, func(m *bowline.ApplicationsView) error {
			select {
			case w.got <- m:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	t.Cleanup(func() { cancel(); <-w.done })
	return w
}

// first is the message that a view begins with.
func (w *watching) first() *bowline.ApplicationsView {
	w.t.Helper()
	select {
	case m := <-w.got:
		return m
	case err := <-w.done:
		w.done <- err
		w.t.Fatal("the view ended: ", err)
		return nil
	}
}

// later moves the clock until there is a message that is as wanted.
func (w *watching) later(what string, wanted func(*bowline.ApplicationsView) bool) *bowline.ApplicationsView {
	w.t.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for range 20_000 {
		select {
		case m := <-w.got:
			if wanted(m) {
				return m
			}
		case err := <-w.done:
			w.done <- err
			w.t.Fatalf("the view ended before %s: %v", what, err)
		case <-poll.C:
			w.clock.Step(listPause)
		}
	}
	w.t.Fatal("no message with ", what)
	return nil
}

func any1(*bowline.ApplicationsView) bool { return true }

func well(app *v1alpha1.Application) {
	app.Status.Sync.Status, app.Status.Health.Status = v1alpha1.SyncStatusCodeSynced, v1alpha1.HealthStatusHealthy
}

func ill(app *v1alpha1.Application) {
	well(app)
	app.Status.Health = v1alpha1.AppHealthStatus{Status: v1alpha1.HealthStatusDegraded, Message: "Deployment.apps shop/web: no image", LastTransitionTime: &metav1.Time{Time: noon}}
}

func rowNames(m *bowline.ApplicationsView) (names []string) {
	for _, row := range m.Rows {
		names = append(names, row.Namespace+"/"+row.Name)
	}
	return names
}

func counted(m *bowline.ApplicationsView, facet, value string) int64 {
	for _, c := range m.Facets[facet] {
		if c.Value == value {
			return c.Count
		}
	}
	return 0
}

func TestAViewBeginsWithAllOfIt(t *testing.T) {
	r := read(t, []string{"applications, get, shop/*", "applications, sync, shop/b"},
		readable("shop", "a", 1, well), readable("shop", "b", 2, ill, func(app *v1alpha1.Application) { app.Labels = map[string]string{"team": "web"} }),
		readable("shop", "c", 3, well), readable("infra", "hidden", 4, ill))
	m := r.view(t, bowline.ApplicationsQuery{Sort: "attention", Limit: 2}).first()
	if !slices.Equal(m.Order, []string{"argocd/b", "argocd/a"}) || !slices.Equal(rowNames(m), m.Order) {
		t.Errorf("rows %v in the order %v", rowNames(m), m.Order)
	}
	if m.Found != 3 || m.Total != 3 || m.All != 3 || m.Attention[bowline.Broken] != 1 || m.Attention[bowline.Fine] != 2 {
		t.Errorf("found %d of %d, shows %d, %v", m.Found, m.All, m.Total, m.Attention)
	}
	b := m.Rows[0]
	if b.Attention != bowline.Broken || b.Why != "Deployment shop/web: no image" || !b.Since.Time.Equal(noon) || !slices.Equal(b.May, []string{"sync"}) || b.Labels["team"] != "web" {
		t.Errorf("%+v", b)
	}
	if len(m.Rows[1].May) != 0 {
		t.Errorf("to a they may do %v", m.Rows[1].May)
	}
	if counted(m, "labels", "team=web") != 1 || counted(m, "projects", "infra") != 0 || counted(m, "attention", bowline.Broken) != 1 {
		t.Errorf("facets: %v", m.Facets)
	}
}

func TestAViewTellsOnlyWhatChanged(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1, well), readable("shop", "b", 2, well), readable("shop", "c", 3, well))
	w := r.view(t, bowline.ApplicationsQuery{Limit: 2})
	w.first()
	r.all.Put(readable("shop", "b", 4, ill))
	m := w.later("b", any1)
	if !slices.Equal(rowNames(m), []string{"argocd/b"}) || !slices.Equal(m.Order, []string{"argocd/a", "argocd/b"}) {
		t.Errorf("rows %v in the order %v", rowNames(m), m.Order)
	}
	if m.Facets["projects"] != nil || counted(m, "health", "Degraded") != 1 {
		t.Errorf("facets: %v", m.Facets)
	}
	r.all.Put(readable("shop", "c", 5, ill)) // not in the window
	if m = w.later("c", any1); len(m.Rows) != 0 || m.Attention[bowline.Broken] != 2 {
		t.Errorf("rows %v, %v", rowNames(m), m.Attention)
	}
	r.all.Put(readable("shop", "c", 6, ill, func(app *v1alpha1.Application) { // nobody sees any of that in a list
		app.Status.History = v1alpha1.RevisionHistories{{ID: 1}}
	}))
	r.all.Drop(readable("shop", "a", 7))
	if m = w.later("c comes into the window", any1); !slices.Equal(rowNames(m), []string{"argocd/c"}) || !slices.Equal(m.Order, []string{"argocd/b", "argocd/c"}) || m.All != 2 {
		t.Errorf("rows %v in the order %v of %d", rowNames(m), m.Order, m.All)
	}
}

func TestAViewFollowsTheRights(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1, well), readable("infra", "i", 2, ill))
	w := r.view(t, bowline.ApplicationsQuery{})
	if m := w.first(); m.All != 2 {
		t.Fatalf("%+v", m)
	}
	r.roles.set("applications, get, shop/*", "applications, delete, shop/a")
	m := w.later("the loss", func(m *bowline.ApplicationsView) bool { return m.All == 1 })
	if !slices.Equal(m.Order, []string{"argocd/a"}) || m.Found != 1 || m.Attention[bowline.Broken] != 0 || counted(m, "projects", "infra") != 0 || m.Facets["projects"] == nil {
		t.Errorf("what is out of sight is still told of: %+v", m)
	}
	if len(m.Rows) != 1 || !slices.Equal(m.Rows[0].May, []string{"delete"}) {
		t.Errorf("what they may do is not told: %+v", m.Rows)
	}
	r.roles.set()
	if m = w.later("the loss of all", any1); len(m.Order) != 0 || m.All != 0 || len(m.Facets["labels"]) != 0 {
		t.Errorf("%+v", m)
	}
}

func TestAViewEndsWithTheSession(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1))
	roles := &expiring{granted: r.roles}
	r.Gate.Roles = roles
	w := r.view(t, bowline.ApplicationsQuery{})
	w.first()
	revoked := errors.New("revoked")
	roles.mu.Lock()
	roles.why = revoked
	roles.mu.Unlock()
	roles.set("applications, get, *")
	err := <-w.done
	w.done <- err
	if !errors.Is(err, revoked) {
		t.Error(err)
	}
}

func TestAViewOfNobodyHasNothing(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1))
	if m := r.viewOf(context.Background(), t, bowline.ApplicationsQuery{}).first(); m.All != 0 || len(m.Order) != 0 || m.Rows == nil {
		t.Errorf("%+v", m)
	}
}

func TestManyChangesAreLookedAtOnce(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1))
	w := r.view(t, bowline.ApplicationsQuery{})
	w.first()
	until(t, "it rests", w.clock.HasWaiters)
	for rv := 2; rv < 200; rv++ {
		r.all.Put(readable("shop", fmt.Sprintf("b-%03d", rv), rv))
	}
	w.clock.Step(listPause - time.Millisecond)
	select {
	case m := <-w.got:
		t.Fatalf("it looked before its pause was over: %d rows", len(m.Rows))
	default:
	}
	w.clock.Step(time.Millisecond)
	if m := w.first(); m.All != 199 {
		t.Errorf("%d", m.All)
	}
}

func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for range 20_000 {
		if so() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("it never came that ", what)
}

// A look costs more the more there is to look at: the pause grows with it.
func TestThePauseGrowsWithTheCost(t *testing.T) {
	r := read(t, nil)
	v := &listView{Service: r.Service}
	now := r.Clock.Now()
	r.listings.enter(listingKey{})
	if got := v.pause(&finding{made: now, cost: time.Millisecond}, time.Millisecond); got != listPause {
		t.Errorf("%s after a millisecond", got)
	}
	if got := v.pause(&finding{made: now, cost: time.Second}, 0); got < 20*time.Second {
		t.Errorf("%s after a second is more than a twentieth of a core", got)
	}
	if got := v.pause(&finding{made: now.Add(-20 * time.Second), cost: time.Second}, 0); got != listPause {
		t.Errorf("%s for what somebody else found long ago", got)
	}
	if got := v.pause(&finding{made: now}, time.Second); got < 20*time.Second {
		t.Errorf("%s after a second for this view alone", got)
	}
	for i := range 100 {
		r.listings.enter(listingKey{query: fmt.Sprint(i)})
	}
	if got := v.pause(&finding{made: now, cost: 20 * time.Millisecond}, 0); got < 100*2*20*time.Millisecond {
		t.Errorf("%s: a hundred different lists take more than half a core", got)
	}
	var p pace
	for i, took := range []time.Duration{9, 5, 7, 8, 8, 8, 8, 8, 8, 8} {
		if got := p.note(took); i == 2 && got != 5 || i == 9 && got != 7 {
			t.Errorf("after %d times it takes %d", i+1, got)
		}
	}
}

// moods is what a test says is around applications.
type moods struct {
	mu  sync.Mutex
	cut map[string]*attention.Outage
}

func (m *moods) Unattended() *attention.Outage { return nil }

func (m *moods) CutOff() map[string]*attention.Outage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cut
}

// TestWhatIsStaleIsToldWithoutAnEvent: nothing changes in a cluster that does not answer.
func TestWhatIsStaleIsToldWithoutAnEvent(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1, well, func(app *v1alpha1.Application) { app.Spec.Destination.Server = "https://edge" }))
	around := &moods{}
	r.Surroundings = around
	w := r.view(t, bowline.ApplicationsQuery{})
	if m := w.first(); m.Rows[0].Attention != bowline.Fine {
		t.Fatalf("%+v", m.Rows)
	}
	around.mu.Lock()
	around.cut = map[string]*attention.Outage{"https://edge": {Since: noon, Reason: "Cluster edge does not answer"}}
	around.mu.Unlock()
	m := w.later("staleness", func(m *bowline.ApplicationsView) bool { return m.Attention[bowline.Stale] == 1 })
	if len(m.Rows) != 1 || m.Rows[0].Why != "Cluster edge does not answer" || m.Rows[0].Sync != "Synced" {
		t.Errorf("%+v", m.Rows)
	}
}

func TestGroupsFoldAndWindowsMove(t *testing.T) {
	r := read(t, []string{"applications, get, *"})
	for i := range 30 {
		r.all.Put(readable([]string{"web", "data", "ops"}[i%3], fmt.Sprintf("app-%02d", i), i+1, []func(*v1alpha1.Application){well, ill}[i%2]))
	}
	m := r.view(t, bowline.ApplicationsQuery{Group: "projects", Folded: []string{"data"}, Offset: 8, Limit: 4}).first()
	if len(m.Groups) != 3 || m.Groups[0].Value != "data" || !m.Groups[0].Folded || m.Groups[1].Value != "ops" || m.Groups[2].Count != 10 || m.Groups[2].Attention[bowline.Broken] != 5 {
		t.Fatalf("%+v", m.Groups)
	}
	if want := []string{"argocd/app-26", "argocd/app-29", "argocd/app-00", "argocd/app-03"}; !slices.Equal(m.Order, want) || m.Offset != 8 || m.Total != 20 || m.Found != 30 {
		t.Errorf("%v at %d of %d, found %d", m.Order, m.Offset, m.Total, m.Found)
	}
	if m = r.view(t, bowline.ApplicationsQuery{Projects: []string{"web"}, Offset: 500, Limit: 4}).first(); m.Offset != 6 || len(m.Order) != 4 || m.All != 30 {
		t.Errorf("behind the end: %v at %d", m.Order, m.Offset)
	}
}

func TestViewsOfTheSameShareWhatIsFound(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1))
	bob := auth.With(t.Context(), auth.Caller{Kind: auth.Login, Subject: "bob"})
	views := []*watching{
		r.view(t, bowline.ApplicationsQuery{Limit: 5}), r.viewOf(bob, t, bowline.ApplicationsQuery{Limit: 9, Offset: 1}),
		r.view(t, bowline.ApplicationsQuery{Search: "a"}),
	}
	for _, w := range views {
		w.first()
	}
	if n := r.listings.size(); n != 2 {
		t.Errorf("%d listings for two questions", n)
	}
	for _, w := range views {
		w.end()
		w.done <- <-w.done
	}
	if n := r.listings.size(); n != 0 {
		t.Errorf("%d listings are kept, though nobody looks", n)
	}
}

func TestAViewThatCannotBeSaysWhy(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1))
	for what, request := range map[string]bowline.ApplicationsQuery{
		"sort": {Sort: "colour"}, "group": {Group: "colour"}, "selector": {Selector: "=="}, "continue": {Continue: "x"}, "names": {Names: []string{"web"}},
	} {
		err := r.WatchApplications(r.ctx, &request, func(*bowline.ApplicationsView) error { t.Error(what, ": sent something"); return nil })
		if !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	r.Reads.Filled = func() bool { return false }
	if err := r.WatchApplications(r.ctx, &bowline.ApplicationsQuery{}, nil); !fault.Is(err, fault.Wait) {
		t.Error(err)
	}
}

func TestAPageIsChosenByWhatIsAskedOfPeople(t *testing.T) {
	owned := func(app *v1alpha1.Application) {
		ours := true
		app.OwnerReferences = []metav1.OwnerReference{{Kind: "ApplicationSet", Name: "teams", Controller: &ours}}
	}
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1, well), readable("shop", "b", 2, ill), readable("shop", "c", 3, ill, owned))
	page, err := r.ListApplications(r.ctx, &bowline.ApplicationsQuery{Attention: []string{bowline.Broken}, Owners: []string{"ApplicationSet/teams"}, Sort: "attention"})
	if err != nil || page.Total != 1 || page.Items[0].Name != "c" {
		t.Fatalf("%+v, %v", page, err)
	}
	if got := page.Facets["attention"]; len(got) != 1 || got[0] != (bowline.FacetCount{Value: bowline.Broken, Count: 1}) {
		t.Errorf("%v", got)
	}
}
