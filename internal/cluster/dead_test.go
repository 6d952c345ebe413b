// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/test/devcluster"
)

// dead is a server that breaks every connection, and counts for each path prefix.
type dead struct {
	url string

	mu      sync.Mutex
	probes  map[string]int
	running map[string]int
	most    int // at once on one cluster
	others  []string
}

func newDead(t *testing.T) *dead {
	d := &dead{probes: map[string]int{}, running: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		name, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		d.mu.Lock()
		d.running[name]++
		d.most = max(d.most, d.running[name])
		if d.probes[name]++; path != "version" {
			d.others = append(d.others, r.URL.Path)
		}
		d.mu.Unlock()
		defer func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.running[name]--
		}()
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

// mostProbes is how many probes a back-off from half a second on allows within a time, if every pause is the shortest.
func mostProbes(within time.Duration) int {
	n := 1
	for pause := 250 * time.Millisecond; within > pause; pause = min(2*pause, 30*time.Second) {
		within -= pause
		n++
	}
	return n
}

// A cluster that does not answer costs one request at a time, ever more rarely, whatever is wanted of it, and nothing
// that others need.
func TestFiftyDeadClustersBesideAGoodOne(t *testing.T) {
	t.Parallel()
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	d := newDead(t)
	began := time.Now()
	var clusters []*cluster.Cluster
	for i := range 50 {
		c := open(t, &rest.Config{Host: fmt.Sprintf("%s/c%d", d.url, i)}, nil)
		c.Watch(configMapGVK, secretGVK, schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"})
		clusters = append(clusters, c)
	}
	good := open(t, dev.RESTConfig(), nil)
	complete(t, good)
	u := mustApply(t, good, mark(configMap(ns, "a", "1"), ns))
	eventually(t, "the good cluster is known", func() bool { return get(good, u).Presence == cluster.Present })
	eventually(t, "each dead cluster was asked more than once", func() bool {
		for _, c := range clusters {
			if live := get(c, u); live.Presence != cluster.Unknown {
				t.Fatalf("on a dead cluster: %+v", live)
			}
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		for i := range clusters {
			if d.probes[fmt.Sprint("c", i)] < 2 {
				return false
			}
		}
		return true
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, n := range d.probes {
		if most := mostProbes(time.Since(began)); n > most {
			t.Errorf("%s was asked %d times within %s, want at most %d", name, n, time.Since(began), most)
		}
	}
	if d.most > 1 || len(d.others) > 0 {
		t.Errorf("up to %d requests at once, and %v besides probes", d.most, d.others)
	}
}

// A cluster that ceases to answer is not asked by each of its watches.
func TestClusterThatDiesIsAskedByItsProbeOnly(t *testing.T) {
	t.Parallel()
	dev := devcluster.Shared(t)
	gate := newGate(t, dev.RESTConfig())
	c := open(t, gate.config, nil)
	wait(t, c, configMapGVK, secretGVK)
	complete(t, c)
	gate.failing(func(*http.Request) (int, string) { panic(http.ErrAbortHandler) })
	gate.cut()
	eventually(t, "it is known not to answer", func() bool { return !c.Connection().Connected })
	// What was under way when it was found out may still ask once.
	before := gate.requests("GET /version")
	eventually(t, "the probe knocks", func() bool { return gate.requests("GET /version") >= before+2 })
	asked := gate.all()
	eventually(t, "the probe knocks again", func() bool { return gate.requests("GET /version") >= before+3 })
	for name, n := range gate.all() {
		if name != "GET /version" && n != asked[name] {
			t.Errorf("%s was asked %d times more", name, n-asked[name])
		}
	}
	gate.failing(nil)
	eventually(t, "it is back", func() bool { return c.Inventory().Complete && kindState(c, configMapGVK).Synced })
}
