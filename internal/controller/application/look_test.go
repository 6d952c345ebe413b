// SPDX-License-Identifier: Apache-2.0

package application

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
)

func set(value any, path ...string) func(*unstructured.Unstructured) {
	return func(u *unstructured.Unstructured) {
		if err := unstructured.SetNestedField(u.Object, value, path...); err != nil {
			panic(err)
		}
	}
}

func TestAnEventCostsARow(t *testing.T) {
	w := newWorld(t, 20, nil)
	for _, tt := range []struct {
		reason string
		change func(*unstructured.Unstructured)
		pass   bool
	}{
		{"nothing but its resourceVersion", nil, false},
		{"a field of nobody's concern", set("x", "metadata", "annotations", "other"), false},
		{"a heartbeat", set("2026-01-01T00:00:00Z", "status", "heartbeat"), false},
		{"an image that is not desired", set(int64(3), "spec", "replicas"), true},
	} {
		w.gets = 0
		w.change(deployment(7), tt.change)
		if pass := w.serve(t); pass != tt.pass || w.gets != 1 {
			t.Errorf("%s: a pass follows: %v, and %d objects were read", tt.reason, pass, w.gets)
		}
	}
	if r := w.st.table.rows[deployment(7)]; r.verdict == Same {
		t.Error("a Deployment with other replicas is as desired")
	}
	if w.serve(t) != true {
		t.Error("news is forgotten before a pass has told it")
	}
}

func TestAPassFollowsWhateverElseHappens(t *testing.T) {
	for reason, happen := range map[string]func(*world){
		"the Application changed":            func(w *world) { w.Enqueue(shop) },
		"a sync ended":                       func(w *world) { w.st.finish(outcome{}) },
		"a sync runs":                        func(w *world) { w.st.running = &operation{} },
		"settings changed":                   func(w *world) { w.rules = &Rules{Settings: w.rules.Settings, Version: "2"} },
		"a plugin came":                      func(w *world) { w.rules = &Rules{Settings: w.rules.Settings, Version: "1", Plugins: "p"} },
		"another controller came":            func(w *world) { w.st.acted = false },
		"the pass asked for it":              func(w *world) { w.st.dueAt = w.clock.Now() },
		"what waited in the slow lane":       func(w *world) { w.st.setUrgent() },
		"everything is to be compared again": func(w *world) { w.st.touch() },
		"the last pass compared nothing":     func(w *world) { w.st.comparer.Store(nil) },
	} {
		w := newWorld(t, 2, nil)
		if w.serve(t) {
			t.Fatal("a pass follows nothing")
		}
		if happen(w); !w.serve(t) {
			t.Errorf("%s, and no pass follows", reason)
		}
	}
}

// What a look leaves for later is asked for again.
func TestALookSaysWhenItIsDueAgain(t *testing.T) {
	w := newWorld(t, 2, nil)
	w.st.dueAt = w.clock.Now().Add(time.Minute)
	if wait, done := w.look(t.Context(), w.st); !done || wait != time.Minute {
		t.Errorf("it is due after %s, %v", wait, done)
	}
	for range 30 {
		w.change(deployment(1), nil)
		w.serve(t)
	}
	w.change(deployment(1), nil)
	if wait, done := w.look(t.Context(), w.st); !done || wait <= 0 || wait > time.Second {
		t.Errorf("a row that is kept waiting is due after %s, %v", wait, done)
	}
	if w.counted.held == 0 {
		t.Error("nobody counts what is kept waiting")
	}
}

// Changes of fields that settings call noise are not compared, unless health is another one.
func TestNoiseIsNotCompared(t *testing.T) {
	w := newWorld(t, 3, func(s *settings.Settings) {
		s.EventBudget = settings.EventBudget{}
		s.Customizations = []settings.Customization{{Group: "*", Kind: "*",
			IgnoreUpdates: &v1alpha1.ResourceIgnoreDifferences{Group: "*", Kind: "*", JSONPointers: []string{"/status", "/metadata/labels/noise"}}}}
	})
	key := deployment(1)
	compares := func(change func(*unstructured.Unstructured)) bool {
		w.change(key, change)
		marked, _ := w.st.takeDirty(w.clock.Now())
		return len(w.st.comparer.Load().bringUpToDate(t.Context(), nil, marked, false)) > 0
	}
	if !compares(nil) {
		t.Fatal("what it was like before is not known, and it is not compared")
	}
	for reason, change := range map[string]func(*unstructured.Unstructured){
		"a label of that name": set("1", "metadata", "labels", "noise"), "a heartbeat": set("12:00", "status", "heartbeat"), "nothing": nil,
	} {
		if compares(change) {
			t.Errorf("%s is compared", reason)
		}
	}
	if r := w.st.table.rows[key]; r.live.resourceVersion != w.read(key).GetResourceVersion() {
		t.Errorf("the row is about resourceVersion %s, the object has %s", r.live.resourceVersion, w.read(key).GetResourceVersion())
	}
	w.st.table.takeNews()
	if compares(set(int64(0), "status", "updatedReplicas")) || !w.st.table.takeNews() || w.st.table.rows[key].health.Status != v1alpha1.HealthStatusProgressing {
		t.Errorf("another health is %+v", w.st.table.rows[key].health)
	}
	if !compares(set("x", "metadata", "labels", "team")) || w.st.table.rows[key].verdict == Same {
		t.Error("a label that is desired is no noise")
	}
	if !compares(func(u *unstructured.Unstructured) { u.SetUID("another") }) {
		t.Error("another object of that name is no noise")
	}
}

// A rule about noise may name a field that is desired. An edit of it by hand is found all the same, if not at once.
func TestNoiseHidesNoDifferenceForLong(t *testing.T) {
	w := newWorld(t, 1, func(s *settings.Settings) {
		s.Customizations = []settings.Customization{{Group: "*", Kind: "*",
			IgnoreUpdates: &v1alpha1.ResourceIgnoreDifferences{Group: "*", Kind: "*", JSONPointers: []string{"/spec/replicas"}}}}
	})
	key := deployment(0)
	w.change(key, nil) // from here on it is known what is no noise in it
	w.serve(t)
	w.clock.Step(noiseFor)
	w.change(key, set(int64(3), "spec", "replicas"))
	if pass := w.serve(t); !pass || w.st.table.rows[key].verdict == Same {
		t.Errorf("the verdict is %v, and a pass follows: %v", w.st.table.rows[key].verdict, pass)
	}
	if p := w.st.budget.paces[key]; p == nil || !p.compared.Before(w.clock.Now()) {
		t.Error("noise that was compared counts as a change that is to be told of")
	}
}

// BenchmarkEvent is what one event of an object costs in applications of three sizes: a status that goes on, which
// alters nothing that is told.
func BenchmarkEvent(b *testing.B) {
	for _, n := range []int{10, 300, 3000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newWorld(b, n, func(s *settings.Settings) { s.EventBudget = settings.EventBudget{} })
			var keys []object.Key
			var forms [2][][]byte
			for i := range 10 {
				keys = append(keys, deployment(i*n/10))
				for k := range forms {
					w.change(keys[i], set(int64(k), "status", "collisionCount"))
					forms[k] = append(forms[k], w.objects[keys[i]])
				}
			}
			b.ReportAllocs()
			event := 0
			for b.Loop() {
				event++
				i := event % len(keys)
				w.objects[keys[i]] = forms[event/len(keys)%2][i]
				w.Changed(server, cluster.Change{Key: keys[i], Event: cluster.Modified, Owners: []string{shop}})
				if w.serve(b) {
					b.Fatal("it is news")
				}
			}
		})
	}
}

// Time is not measured here, where it depends on who else runs: what is allocated tells as much.
func TestTheCostOfAnEventDoesNotGrowWithTheApplication(t *testing.T) {
	cost := func(n int) float64 {
		w := newWorld(t, n, func(s *settings.Settings) { s.EventBudget = settings.EventBudget{} })
		return testing.AllocsPerRun(20, func() {
			w.change(deployment(n/2), nil)
			if w.serve(t) {
				t.Fatal("it is news")
			}
		})
	}
	if small, large := cost(10), cost(1000); large > 1.2*small {
		t.Errorf("an event allocates %.0f times in an application of 10 objects and %.0f in one of 1000", small, large)
	}
}

// What is told of a restless object names it and its writer, and says the same as long as it lasts.
func TestARestlessObjectIsNamed(t *testing.T) {
	w := newWorld(t, 2, nil)
	key := deployment(1)
	written := func(manager string, at time.Time) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "apps/v1",
			FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(`{"f:status":{}}`), Time: &metav1.Time{Time: at}}
	}
	rush := func(d time.Duration) {
		for end := w.clock.Now().Add(d); w.clock.Now().Before(end); w.clock.Step(100 * time.Millisecond) {
			w.change(key, func(u *unstructured.Unstructured) {
				u.SetManagedFields([]metav1.ManagedFieldsEntry{written("crossplane", w.clock.Now()), written("somebody-else", now)})
				set(w.clock.Now().String(), "status", "seen")(u)
			})
			w.serve(t)
		}
	}
	told := func() string {
		p := passOf(nil)
		p.st, p.Controller = w.st, w.Controller
		p.reportRestless(t.Context(), w)
		return p.found.text(conditionRestless)
	}
	rush(20 * time.Second)
	if text := told(); text != "" {
		t.Errorf("after 20 s: %s", text)
	}
	rush(20 * time.Second)
	if !w.serve(t) {
		t.Error("no pass comes to tell it")
	}
	text := told()
	if !strings.Contains(text, key.String()) || !strings.Contains(text, "crossplane") {
		t.Errorf("it says %q", text)
	}
	rush(20 * time.Second)
	if again := told(); again != text {
		t.Errorf("now it says %q", again)
	}
	w.clock.Step(calmAfter)
	if text := told(); text != "" {
		t.Errorf("after a calm time: %s", text)
	}
}
