// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/bowline-cd/bowline/internal/health"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/topology"
)

// What one object costs in the store, in bytes, as docs/decisions/0020-trees-and-orphans.md says. The test allows a third
// more, for allocators differ.
var costs = []struct {
	name string
	most int
	fill func(t testing.TB, n int) any // returns what holds the objects; each call puts n of them there
}{
	{"marked", 590, func(t testing.TB, n int) any { return fillConfigMaps(t, n, "shop") }},
	{"foreign", 145, func(t testing.TB, n int) any { return fillConfigMaps(t, n, "") }},
	{"descendant", 1100, func(t testing.TB, n int) any { return fillPods(t, n, "shop") }},
	{"foreign-descendant", 590, func(t testing.TB, n int) any { return fillPods(t, n, "") }},
}

func fillConfigMaps(t testing.TB, n int, app string) any {
	k := testKind(object.Tracker{})
	for i := range n {
		k.put(wire(t, fmt.Sprintf("config-%d", i), testUID(1, i), fmt.Sprint(1000000+i), app), false)
	}
	return k
}

func testUID(kind, i int) string { return fmt.Sprintf("0d9b1a9e-%04d-4000-8000-%012d", kind, i) }

// fillPods puts n Pods into the store, three below each ReplicaSet below a Deployment of the application.
func fillPods(t testing.TB, n int, app string) any {
	w := newWorld()
	for _, k := range w.kinds {
		k.describe = func(raw []byte) packed {
			return packDetail(topology.Describe(liveOf(raw, k.res.GVK, "").Object, (*health.Judge)(nil)))
		}
	}
	root := object.Key{Group: "example.com", Kind: "Widget", Name: "root"}
	w.put(t, &thing{key: root, uid: testUID(0, 0), app: app})
	w.settle()
	for i := range n {
		if i%3 == 0 {
			set := fmt.Sprintf(`{"metadata":{"name":"web-%d-5f6d8c9b7d","namespace":"a","uid":%q,"resourceVersion":"%d","ownerReferences":[{"uid":%q}]},"spec":{}}`,
				i, testUID(1, i), 1000000+i, testUID(0, 0))
			w.putRaw(t, "Service", set)
		}
		w.putRaw(t, "Pod", podManifest(i))
	}
	return w
}

func (w *world) putRaw(t testing.TB, kind, raw string) {
	it, err := decodeItem([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	w.kinds[kind].put(it, false)
}

// podManifest is a small Pod as the API server sends it.
func podManifest(i int) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-%d-5f6d8c9b7d-x%04d","namespace":"a","uid":%q,"resourceVersion":"%d","creationTimestamp":"2026-11-01T08:00:00Z",
"labels":{"app.kubernetes.io/name":"web","pod-template-hash":"5f6d8c9b7d"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web","uid":%q,"controller":true}]},
"spec":{"nodeName":"node-%d","restartPolicy":"Always","containers":[{"name":"web","image":"registry.example/web:1.27.4","resources":{"requests":{"cpu":"100m","memory":"64Mi"}},"env":[{"name":"A","value":"b"}]}]},
"status":{"phase":"Running","podIP":"10.1.2.3","conditions":[{"type":"Initialized","status":"True"},{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"web","ready":true,"restartCount":0,"image":"registry.example/web:1.27.4","state":{"running":{"startedAt":"2026-11-01T08:00:01Z"}}}]}}`,
		i-i%3, i, testUID(2, i), 2000000+i, testUID(1, i-i%3), i%50)
}

func cost(t testing.TB, n int, fill func(testing.TB, int) any) int {
	before := heap()
	held := fill(t, n)
	after := heap()
	runtime.KeepAlive(held)
	return int(after-before) / n
}

func TestStoreStaysSmall(t *testing.T) {
	for _, c := range costs {
		if got := cost(t, 6000, c.fill); got > c.most*4/3 {
			t.Errorf("a %s object costs %d bytes, at most %d are wanted", c.name, got, c.most)
		}
	}
}

// BenchmarkStore measures what an object costs in the store: run with -benchtime=1x and look at B/object.
func BenchmarkStore(b *testing.B) {
	for _, c := range costs {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(float64(cost(b, 20000, c.fill)), "B/object")
			}
		})
	}
	b.Run("decode", func(b *testing.B) {
		p := pack(manifest("a", testUID(0, 1), "1", "shop"))
		for b.Loop() {
			raw, err := p.unpack()
			if err != nil {
				b.Fatal(err)
			}
			if live := liveOf(raw, configMaps.GVK, "shop"); live.Object == nil {
				b.Fatal(live.Reason)
			}
		}
	})
}

// BenchmarkEvent measures what a watch event costs: of an object of ours, of a Pod below one, and of a Pod of others.
func BenchmarkEvent(b *testing.B) {
	for _, app := range []string{"shop", ""} {
		name := "foreign-pod"
		if app != "" {
			name = "own-pod"
		}
		b.Run(name, func(b *testing.B) {
			w := fillPods(b, 3000, app).(*world)
			it, err := decodeItem([]byte(podManifest(7)))
			if err != nil {
				b.Fatal(err)
			}
			rv := 3000000
			for b.Loop() {
				rv++
				it.meta.ResourceVersion = fmt.Sprint(rv)
				w.kinds["Pod"].put(it, false)
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
