// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/sync"
	"github.com/bowline-cd/bowline/internal/tree"
)

// world is a controller over one application whose last pass just ended, with a cluster that is a map. There is no API
// server: what asks for one fails.
type world struct {
	*Controller
	st      *appState
	clock   *clocktesting.FakeClock
	rules   *Rules
	objects map[object.Key][]byte // as an API server sends them
	unknown map[object.Key]string // why it is not known whether they are there; Owned does not tell of them
	gets    int
	dryRuns int
	counted *counts
}

const shop = "shop"

// newWorld returns an application of n Deployments that are as desired.
func newWorld(t testing.TB, n int, change func(*settings.Settings)) *world {
	t.Helper()
	s := settings.Defaults()
	if change != nil {
		change(&s)
	}
	w := &world{clock: clocktesting.NewFakeClock(now), rules: &Rules{Settings: s, Version: "1"}, objects: map[object.Key][]byte{}, counted: &counts{}}
	w.Controller = New(Deps{
		Namespace: "argocd", Clusters: noClusters{}, Rules: func() *Rules { return w.rules }, Alone: func() (bool, string) { return true, "" },
		Metrics: w.counted, Clock: w.clock, Log: slog.New(slog.DiscardHandler),
	})
	var q workqueue.TypedRateLimitingInterface[reconcile.Request] = &counted{counts: w.counted}
	w.queue.Store(&q)
	state := stateOf(t, n)
	for i := range state.Objects {
		w.apply(&state.Objects[i])
	}
	w.st = w.states.get(shop)
	w.wants(shop, server, state)
	w.compare(t, state)
	return w
}

// compare does what a pass does about rows.
func (w *world) compare(t testing.TB, state *desired.State) {
	t.Helper()
	rules, err := diff.NewRules(diff.RuleSettings{})
	if err != nil {
		t.Fatal(err)
	}
	options, _ := plan.ParseOptions(nil)
	w.st.learned = newLearned(nil, shop, server)
	c := &comparer{
		Controller: w.Controller, id: shop, table: w.st.table, learned: w.st.learned, live: w, writes: w, server: server, beyond: func(object.Key) bool { return false },
		settings: w.rules, customs: w.customs.of(w.rules, w.Log), rules: rules, options: options, adopt: options.Adopt(&v1alpha1.Application{}),
	}
	w.st.takeDirty(w.clock.Now())
	c.bringUpToDate(t.Context(), state, nil, true)
	w.st.place(server, nil)
	w.st.state, w.st.acted = state, true
	w.st.comparer.Store(c)
	w.st.table.fold(true)
	w.st.table.takeNews()
	w.st.answer()
	w.st.budget.set(w.rules.Settings.EventBudget, w.clock.Now())
	for _, r := range w.st.table.rows {
		if r.verdict != Same && r.verdict != Apart {
			t.Fatalf("%s is not as desired: %s %v", r.key, r.reason, r.changes)
		}
	}
}

// apply puts an object into the cluster as a controller of the cluster would fill it in.
func (w *world) apply(o *desired.Object) {
	u := o.Decode()
	u.SetUID(types.UID(o.Key.Name))
	u.SetResourceVersion("1")
	for path, value := range map[string]int64{"replicas": 1, "readyReplicas": 1, "updatedReplicas": 1, "availableReplicas": 1} {
		_ = unstructured.SetNestedField(u.Object, value, "status", path)
	}
	w.objects[o.Key] = rawOf(u)
}

func rawOf(u *unstructured.Unstructured) []byte {
	raw, err := json.Marshal(u.Object)
	if err != nil {
		panic(err)
	}
	return raw
}

// read returns an object of the cluster.
func (w *world) read(key object.Key) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(w.objects[key]); err != nil {
		panic(err)
	}
	return u
}

// change has an object changed, and its event told of.
func (w *world) change(key object.Key, change func(u *unstructured.Unstructured)) {
	u := w.read(key)
	rv, _ := strconv.Atoi(u.GetResourceVersion())
	u.SetResourceVersion(strconv.Itoa(rv + 1))
	if change != nil {
		change(u)
	}
	w.objects[key] = rawOf(u)
	w.Changed(server, cluster.Change{Key: key, Event: cluster.Modified, Owners: []string{shop}})
}

// serve looks as a reconcile does; pass says that a whole pass would follow.
func (w *world) serve(t testing.TB) (pass bool) {
	t.Helper()
	_, done := w.look(t.Context(), w.st)
	return !done
}

// Get implements liveState.
func (w *world) Get(_ context.Context, key object.Key, _ string) cluster.Live {
	w.gets++
	if reason := w.unknown[key]; reason != "" {
		return cluster.Live{Reason: reason}
	}
	if w.objects[key] == nil {
		return cluster.Live{Presence: cluster.Absent}
	}
	u := w.read(key)
	return cluster.Live{Presence: cluster.Present, Object: u, Raw: w.objects[key], Owner: shop, UID: u.GetUID(), ResourceVersion: u.GetResourceVersion()}
}

// Write implements writes: nothing that differs is accepted.
func (w *world) Write(context.Context, sync.Write) (*unstructured.Unstructured, error) {
	w.dryRuns++
	return nil, cluster.Invalid
}

// Owned implements liveState.
func (w *world) Owned(string) []object.Key {
	return slices.SortedFunc(maps.Keys(w.objects), object.Key.Compare)
}

type noClusters struct{}

func (noClusters) Find(v1alpha1.ApplicationDestination) (*cluster.Cluster, error) { return nil, nil }
func (noClusters) ScopedTo(string) access.Scoped                                  { return access.Scoped{} }

type counts struct{ looks, held, woken int }

func (c *counts) Reconciled(string, string, float64) { c.looks++ }
func (c *counts) Held(string, string)                { c.held++ }
func (c *counts) Synced(SyncEnded)                   {}

// counted is a queue that counts.
type counted struct {
	workqueue.TypedRateLimitingInterface[ctrl.Request]
	*counts
}

func deployment(i int) object.Key {
	return object.Key{Group: "apps", Kind: "Deployment", Namespace: shop, Name: fmt.Sprintf("web-%04d", i)}
}

const deploymentText = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":%q,"labels":{"app.kubernetes.io/name":"web","team":"shop"}},
"spec":{"replicas":1,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[
{"name":"web","image":"registry.example/web:1.2.3","ports":[{"containerPort":8080,"name":"http"}],"env":[{"name":"MODE","value":"on"},{"name":"HOST","value":"db"}],
"resources":{"requests":{"cpu":"100m","memory":"64Mi"},"limits":{"memory":"128Mi"}},"readinessProbe":{"httpGet":{"path":"/ready","port":"http"}}},
{"name":"proxy","image":"registry.example/proxy:4.5","args":["--listen=:9000"]}]}}}}`

// stateOf returns what an application of n Deployments, and more, asks for.
func stateOf(t testing.TB, n int, more ...*unstructured.Unstructured) *desired.State {
	t.Helper()
	var manifests []object.Manifest
	for i := range n {
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(fmt.Appendf(nil, deploymentText, deployment(i).Name)); err != nil {
			t.Fatal(err)
		}
		manifests = append(manifests, object.Manifest{Object: u})
	}
	for _, u := range more {
		manifests = append(manifests, object.Manifest{Object: u})
	}
	sources := []v1alpha1.ApplicationSource{{RepoURL: "https://git.example/shop", Path: "."}}
	state, err := desired.NewEngine(oneCommit{}, given(manifests), nil, nil).At(t.Context(), shop, "default", sources, nil, desired.Target{
		Instance: shop, Namespace: shop, Tracker: settings.Defaults().Tracker, Version: "1",
		Scope:    func(schema.GroupVersionKind) desired.Scope { return desired.ScopeNamespaced },
		Permit:   func(object.Key, bool) error { return nil },
		Excluded: func(string, string) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// oneCommit is a repository with one commit, which is empty.
type oneCommit struct{}

func (oneCommit) Resolve(_ context.Context, c desired.Commit, _ string) (desired.Commit, error) {
	c.ID = "0123456789abcdef0123456789abcdef01234567"
	return c, nil
}

func (oneCommit) Tree(context.Context, desired.Commit, []string) (tree.Tree, error) {
	return tree.Memory(nil), nil
}
func (oneCommit) Verify(context.Context, desired.Commit, string) error { return nil }

// given is a renderer that has only one answer.
type given []object.Manifest

func (g given) Render(context.Context, render.Input) (render.Output, error) {
	return render.Output{Manifests: g, Type: v1alpha1.ApplicationSourceTypeDirectory}, nil
}

// AddAfter implements the part of a queue that is used.
func (q *counted) AddAfter(ctrl.Request, time.Duration) { q.woken++ }
