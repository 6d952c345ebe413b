// SPDX-License-Identifier: Apache-2.0

package application

import (
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
)

func statusOf(key object.Key) v1alpha1.ResourceStatus {
	return v1alpha1.ResourceStatus{Group: key.Group, Version: "v1", Kind: key.Kind, Namespace: key.Namespace, Name: key.Name}
}

// An object that was part of the application and whose kind cannot be listed any more is not gone: neither to the process
// that knew it, nor to the next one, which has only the status.
func TestWhatCannotBeSeenIsNotForgotten(t *testing.T) {
	left, gone, hook := configMap("left"), configMap("gone"), configMap("hook")
	w := newWorld(t, 2, nil)
	w.unknown = map[object.Key]string{left: "forbidden", hook: "forbidden"}
	app := &v1alpha1.Application{}
	ran := statusOf(hook)
	ran.Hook = true
	app.Status.Resources = []v1alpha1.ResourceStatus{statusOf(deployment(0)), statusOf(left), statusOf(gone), ran}
	c := w.st.comparer.Load()

	c.recollect(t.Context(), app)
	for again := range 2 {
		f := w.st.table.fold(true)
		if f.sync != v1alpha1.SyncStatusCodeUnknown || len(f.resources) != 3 {
			t.Fatalf("look %d: %s, of %v", again, f.sync, f.resources)
		}
		if r := w.st.table.rows[left]; r == nil || r.verdict != Unknown || r.reason != "forbidden" || r.version != "v1" {
			t.Fatalf("look %d: the row is %+v", again, r)
		}
		c.everything(t.Context(), w.st.state)
	}

	delete(w.unknown, left)
	c.everything(t.Context(), w.st.state)
	if f := w.st.table.fold(true); f.sync != v1alpha1.SyncStatusCodeSynced || len(f.resources) != 2 {
		t.Errorf("proven to be gone: %s, of %v", f.sync, f.resources)
	}
}

func TestWhatIsNotLookedAtIsNotWaitedFor(t *testing.T) {
	left := configMap("left")
	app := &v1alpha1.Application{}
	app.Status.Resources = []v1alpha1.ResourceStatus{statusOf(left)}
	for reason, change := range map[string]func(*comparer){
		"the status is about another cluster": func(*comparer) { app.Spec.Destination.Name = "other" },
		"it is not looked at":                 func(c *comparer) { c.beyond = func(key object.Key) bool { return key == left } },
	} {
		w := newWorld(t, 1, nil)
		w.unknown = map[object.Key]string{left: "forbidden"}
		app.Spec.Destination = v1alpha1.ApplicationDestination{}
		c := w.st.comparer.Load()
		change(c)
		c.recollect(t.Context(), app)
		c.everything(t.Context(), w.st.state)
		if w.st.table.rows[left] != nil {
			t.Errorf("%s, and it has a row", reason)
		}
	}
}

func TestOutside(t *testing.T) {
	limited := cluster.Config{Namespaces: []string{"a"}}
	whole := cluster.Config{Namespaces: []string{"a"}, ClusterResources: true}
	for _, tt := range []struct {
		reason    string
		cfg       cluster.Config
		namespace string
		want      bool
	}{
		{"nothing is limited", cluster.Config{}, "b", false},
		{"its own namespace", limited, "a", false},
		{"another namespace", limited, "b", true},
		{"no namespace", limited, "", true},
		{"no namespace, asked for", whole, "", false},
	} {
		if got := outside(tt.cfg, object.Key{Kind: "X", Namespace: tt.namespace, Name: "x"}); got != tt.want {
			t.Errorf("%s: %v", tt.reason, got)
		}
	}
}

func TestADeletionWaitsForWhatCannotBeSeen(t *testing.T) {
	states := map[object.Key]cluster.Live{
		configMap("gone"):     {Presence: cluster.Absent},
		configMap("there"):    {Presence: cluster.Present},
		configMap("unseen"):   {Reason: "forbidden"},
		configMap("excluded"): {Reason: "left out"},
	}
	get := func(key object.Key) cluster.Live { return states[key] }
	beyond := func(key object.Key) bool { return key.Name == "excluded" }
	seen := []v1alpha1.ResourceStatus{statusOf(configMap("gone")), statusOf(configMap("there")), statusOf(configMap("excluded"))}
	if err := unseen(seen, beyond, get); err != nil {
		t.Error(err)
	}
	err := unseen(append(seen, statusOf(configMap("unseen"))), beyond, get)
	if err == nil || !strings.Contains(err.Error(), "forbidden") || !strings.Contains(err.Error(), v1alpha1.ResourcesFinalizerName) {
		t.Errorf("got %v", err)
	}
}
