// SPDX-License-Identifier: Apache-2.0

package application

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
)

// hub is a controller over Applications of a hub that has no cluster.
func hub(t *testing.T, apps ...*v1alpha1.Application) *Controller {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	builder := fake.NewClientBuilder().WithScheme(scheme)
	for _, app := range apps {
		builder = builder.WithObjects(app)
	}
	c := New(Deps{
		Client: builder.Build(), Namespace: "argocd", Clusters: nowhere{}, Clock: clocktesting.NewFakeClock(now), Log: slog.New(slog.DiscardHandler),
		Engine: desired.NewEngine(oneCommit{}, given(nil), nil, nil),
	})
	for _, app := range apps {
		c.noteDependencies(app)
		st := c.states.get(app.Name)
		st.looked(0, app.Status.Sync.Status)
	}
	return c
}

// nowhere is a hub that may not be a destination itself.
type nowhere struct{ noClusters }

func (nowhere) Find(v1alpha1.ApplicationDestination) (*cluster.Cluster, error) {
	return nil, ErrNoSuchCluster
}

func depending(name, on string, code v1alpha1.SyncStatusCode) *v1alpha1.Application {
	app := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "argocd"}}
	if on != "" {
		app.Annotations = map[string]string{v1alpha1.AnnotationDependsOn: on}
	}
	app.Spec.SyncPolicy = &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{}}
	app.Status.Sync.Status, app.Status.Health.Status = code, v1alpha1.HealthStatusHealthy
	app.Status.Sync.ComparedTo = comparedTo(app)
	return app
}

// passAt is a pass over an application of the hub.
func (c *Controller) passAt(t *testing.T, name string) *pass {
	t.Helper()
	app, err := c.application(t.Context(), name)
	if err != nil || app == nil {
		t.Fatal(name, err)
	}
	return &pass{
		Controller: c, st: c.states.get(name), app: app, next: copyOf(app), now: metav1.NewTime(now), code: app.Status.Sync.Status, log: c.Log,
	}
}

const (
	synced    = v1alpha1.SyncStatusCodeSynced
	outOfSync = v1alpha1.SyncStatusCodeOutOfSync
)

func TestAwaited(t *testing.T) {
	c := hub(t, depending("web", "db, cache", outOfSync), depending("db", "", synced), depending("cache", "", synced),
		depending("lost", "nobody", outOfSync), depending("bad", "- {", outOfSync), depending("calm", "nobody", synced),
		depending("a", "b", outOfSync), depending("b", "c", synced), depending("c", "a", synced), depending("beside", "b", outOfSync))
	for name, want := range map[string]string{
		"web": "", "lost": "there is no application nobody", "bad": "cannot read annotation", "calm": "",
		"a": "depend on each other: a → b → c → a", "c": "depend on each other: c → a → b → c", "beside": "",
	} {
		p := c.passAt(t, name)
		got := p.awaited(t.Context())
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		isError := p.found.has(v1alpha1.ApplicationConditionDependencyError)
		if wantError := name == "bad" || name == "a" || name == "c"; isError != wantError {
			t.Errorf("%s: a DependencyError: %v", name, isError)
		}
	}
}

// What the status of another application says counts only if nothing is known that it does not say yet.
func TestAnApplicationThatWasNotLookedAtIsNotReady(t *testing.T) {
	for reason, late := range map[string]func(*appState){
		"there is news of its sources":                    func(st *appState) { st.setLate() },
		"its last pass found something else":              func(st *appState) { st.looked(0, outOfSync) },
		"it was written since, and the cache lags behind": func(st *appState) { st.lastRV = "123456" },
	} {
		c := hub(t, depending("web", "db", outOfSync), depending("db", "", synced))
		late(c.states.get("db"))
		if got := c.passAt(t, "web").awaited(t.Context()); !strings.Contains(got, "was not compared") {
			t.Errorf("%s: got %q", reason, got)
		}
		if !slices.Contains(c.depends.interested("db"), "web") {
			t.Errorf("%s: web is not woken by news of db", reason)
		}
	}
	pinned := depending("db", "", synced)
	pinned.Spec.Source = &v1alpha1.ApplicationSource{TargetRevision: "v2"}
	if got := hub(t, depending("web", "db", outOfSync), pinned).passAt(t, "web").awaited(t.Context()); !strings.Contains(got, "was not compared") {
		t.Errorf("its spec is another by now: got %q", got)
	}
	skips := depending("db", "", synced)
	skips.Annotations = map[string]string{v1alpha1.AnnotationKeyAppSkipReconcile: "true"}
	c := hub(t, depending("web", "db", outOfSync), skips)
	c.states.get("db").setLate()
	if got := c.passAt(t, "web").awaited(t.Context()); got != "" {
		t.Errorf("nobody ever looks at one that skips reconciling: got %q", got)
	}
}

func TestWhoIsWoken(t *testing.T) {
	d := newDependencies()
	d.note("web", "api")
	d.note("api", "db")
	if got := d.interested("api"); got != nil {
		t.Errorf("nobody waits: got %v", got)
	}
	d.await("web", true)
	d.await("db", true) // it is being deleted, and waits until api is gone
	if got := d.interested("api"); !slices.Equal(slices.Sorted(slices.Values(got)), []string{"db", "web"}) {
		t.Errorf("news of api: got %v", got)
	}
	if got := d.interested("db"); got != nil {
		t.Errorf("news of db: got %v", got)
	}
	_, changed := d.note("db", "web")
	if got := slices.Sorted(slices.Values(changed)); !slices.Equal(got, []string{"api", "db", "web"}) {
		t.Errorf("the circle is closed: got %v", got)
	}
	if _, changed = d.note("db", "web"); changed != nil {
		t.Errorf("the same again: got %v", changed)
	}
	if got := d.drop("api"); !slices.Contains(got, "web") || !slices.Contains(got, "db") {
		t.Errorf("api is gone: got %v", got)
	}
	if got := d.dependents("db"); len(got) > 0 {
		t.Errorf("who is gone depends on nothing: got %v", got)
	}
}

// Passes over applications that wait for each other's readiness do not wake each other without news.
func TestWhoWaitsDoesNotWakeWhoItWaitsFor(t *testing.T) {
	c := hub(t, depending("web", "api", outOfSync), depending("api", "db", outOfSync), depending("db", "", outOfSync))
	for _, name := range []string{"web", "api"} {
		if c.passAt(t, name).awaited(t.Context()) == "" {
			t.Fatalf("%s does not wait", name)
		}
	}
	if got := c.depends.waitingFor("api"); !slices.Equal(got, []string{"web"}) {
		t.Errorf("news of api wakes %v", got)
	}
	if got := c.depends.waitingFor("web"); got != nil {
		t.Errorf("news of web wakes %v", got)
	}
	st := c.states.get("api")
	if st.looked(0, outOfSync) {
		t.Error("a pass that found what was known is news")
	}
	if !st.looked(0, synced) || !st.looked(1, synced) {
		t.Error("a pass that found something else, or saw news of the sources, is none")
	}
}

func deleting(app *v1alpha1.Application, at time.Time) *v1alpha1.Application {
	app.DeletionTimestamp = &metav1.Time{Time: at}
	app.Finalizers = []string{v1alpha1.ResourcesFinalizerName}
	return app
}

func TestDependentsAreDeletedFirst(t *testing.T) {
	long := now.Add(-time.Minute)
	c := hub(t, deleting(depending("db", "", synced), long), deleting(depending("web", "db", synced), long), depending("other", "db", synced))
	if got, err := c.passAt(t, "db").awaitsDependents(t.Context()); err != nil || !strings.Contains(got, "until application web") {
		t.Errorf("both are deleted: got %q and error %v", got, err)
	}
	if got, _ := c.passAt(t, "web").awaitsDependents(t.Context()); got != "" {
		t.Errorf("nobody depends on web: got %q", got)
	}

	c = hub(t, deleting(depending("db", "", synced), long), depending("web", "db", synced))
	if got, _ := c.passAt(t, "db").awaitsDependents(t.Context()); got != "" {
		t.Errorf("web stays: got %q", got)
	}

	c = hub(t, deleting(depending("db", "", synced), now.Add(-time.Second)), depending("web", "db", synced))
	p := c.passAt(t, "db")
	if got, _ := p.awaitsDependents(t.Context()); !strings.Contains(got, "a moment") || p.again <= 0 {
		t.Errorf("web may be deleted next: got %q, and another pass in %s", got, p.again)
	}

	c = hub(t, deleting(depending("a", "b", synced), long), deleting(depending("b", "a", synced), long))
	if got, _ := c.passAt(t, "a").awaitsDependents(t.Context()); got != "" {
		t.Errorf("two that depend on each other would wait for ever: got %q", got)
	}
}

func TestOrderOfACascade(t *testing.T) {
	c := hub(t, depending("db", "", synced), depending("web", "db", synced), depending("a", "b", synced), depending("b", "a", synced), depending("alone", "", synced))
	var list []doomed
	for _, name := range []string{"a", "alone", "b", "db", "web"} {
		list = append(list, doomed{key: c.keyOf(name), wave: 1})
	}
	list = append(list, doomed{key: object.Key{Kind: "ConfigMap", Namespace: "argocd", Name: "db"}, wave: 1}, doomed{key: object.Key{Kind: "ConfigMap", Name: "low"}})
	var names []string
	for _, d := range c.dependentsFirst(highest(list)) {
		names = append(names, d.key.Kind+" "+d.key.Name)
	}
	if got, want := strings.Join(names, ", "), "Application a, Application alone, Application b, Application web"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	maps := highest(list[5:])
	if len(maps) != 1 || len(c.dependentsFirst(maps)) != 1 {
		t.Errorf("one wave at a time: got %v", maps)
	}
}
