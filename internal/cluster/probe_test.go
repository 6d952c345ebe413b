// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/test/devcluster"
)

func probing(_ *cluster.Config, o *cluster.Options) {
	o.ProbeEvery, o.ProbePause = 200*time.Millisecond, 20*time.Millisecond
}

// A watch that loses changes without a word, bookmarks arriving all the while, is found out and put right.
func TestProbeRepairsWhatAWatchLost(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	kept, doomed, changed := mark(configMap(ns, "kept", "1"), ns), mark(configMap(ns, "doomed", "1"), ns), mark(configMap(ns, "changed", "1"), ns)
	createOther(t, dev.RESTConfig(), "configmaps", kept, "")
	createOther(t, dev.RESTConfig(), "configmaps", doomed, "")
	createOther(t, dev.RESTConfig(), "configmaps", changed, "")
	gate := newGate(t, dev.RESTConfig())
	c := open(t, gate.config, probing)
	wait(t, c, configMapGVK, secretGVK)
	var mu sync.Mutex
	events := map[object.Key]cluster.Event{}
	defer c.Subscribe(func(change cluster.Change) {
		mu.Lock()
		defer mu.Unlock()
		events[change.Key] = change.Event
	})()

	gate.dropping(func(path string, frame []byte) bool {
		return path == configMapsPath && bytes.Contains(frame, []byte(ns)) && !bytes.Contains(frame, []byte("BOOKMARK"))
	})
	configMaps := other(t, dev.RESTConfig(), "configmaps", ns)
	if err := configMaps.Delete(t.Context(), "doomed", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	live, err := configMaps.Get(t.Context(), "changed", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	live.Object["data"] = map[string]any{"key": "2"}
	if _, err := configMaps.Update(t.Context(), live, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	added := mark(configMap(ns, "added", "1"), ns)
	createOther(t, dev.RESTConfig(), "configmaps", added, "")

	eventually(t, "the store knows what the watch never told", func() bool {
		live := get(c, changed)
		if live.Presence != cluster.Present {
			t.Fatalf("an object that is there: %+v", live)
		}
		data := live.Object.Object["data"]
		return get(c, doomed).Presence == cluster.Absent && get(c, added).Presence == cluster.Present && fmt.Sprint(data) == "map[key:2]"
	})
	eventually(t, "subscribers are told", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return events[object.KeyOf(doomed)] == cluster.Deleted && events[object.KeyOf(changed)] == cluster.Modified && len(events) >= 3
	})
	for _, k := range c.Kinds() {
		if repaired := k.Repairs > 0; repaired != (k.Kind == configMapGVK) {
			t.Errorf("%s: %d repairs", k.Kind, k.Repairs)
		}
	}
}

// What only has not arrived yet is no loss: nothing is listed anew while many hands write.
func TestProbeLeavesBusyKindsAlone(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), probing)
	wait(t, c, configMapGVK)
	configMaps := other(t, dev.RESTConfig(), "configmaps", ns)
	stop, ended := make(chan struct{}), make(chan error, 4)
	for hand := range 4 {
		go func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					ended <- nil
					return
				default:
				}
				name := fmt.Sprintf("busy-%d-%d", hand, i)
				if _, err := configMaps.Create(t.Context(), configMap(ns, name, "1"), metav1.CreateOptions{}); err != nil {
					ended <- err
					return
				}
				if err := configMaps.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	eventually(t, "the kind was probed a few times", func() bool { return kindState(c, configMapGVK).Probes >= 3 })
	close(stop)
	for range 4 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if k := kindState(c, configMapGVK); k.Repairs > 0 || k.Lists != 1 {
		t.Errorf("%d repairs, %d lists, want none and 1", k.Repairs, k.Lists)
	}
}

// An object of a kind nobody watches that gets a mark is found before the next sweep.
func TestProbeFindsMarksInUnwatchedKinds(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), probing)
	complete(t, c)
	budget := mark(parse(t, ns, "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: late}\nspec: {minAvailable: 1, selector: {matchLabels: {a: b}}}"), ns)
	createOther(t, dev.RESTConfig(), "poddisruptionbudgets.v1.policy", budget, "")
	eventually(t, "it is known", func() bool { return len(c.Owned(ns)) == 1 })
}

func kindState(c *cluster.Cluster, gvk schema.GroupVersionKind) cluster.KindState {
	for _, k := range c.Kinds() {
		if k.Kind == gvk {
			return k
		}
	}
	return cluster.KindState{}
}
