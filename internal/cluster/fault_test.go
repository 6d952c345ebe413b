// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"fmt"
	"net/http"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/test/devcluster"
)

func status(code int, reason string) string {
	return fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","message":"injected","reason":%q,"code":%d}`, reason, code)
}

func isWatch(r *http.Request, path string) bool {
	return r.URL.Path == path && isWatching(r)
}

const configMapsPath = "/api/v1/configmaps"

// However a watch ends, the store comes back to the truth, and never says meanwhile that an object is absent.
func TestWatchThatBreaksRecoversWithoutFalseAbsence(t *testing.T) {
	dev := devcluster.Shared(t)
	for _, tc := range []struct {
		name   string
		refuse func(r *http.Request, n int) (int, string) // what the nth try to come back meets
		lists  bool                                       // whether a new list is needed
	}{
		{name: "cut", refuse: func(*http.Request, int) (int, string) { return 0, "" }},
		{name: "cut, then 500 twice", refuse: func(r *http.Request, n int) (int, string) {
			if isWatch(r, configMapsPath) && n < 2 {
				return 500, status(500, "InternalError")
			}
			return 0, ""
		}},
		{name: "cut, then 429 twice", refuse: func(r *http.Request, n int) (int, string) {
			if isWatch(r, configMapsPath) && n < 2 {
				return 429, status(429, "TooManyRequests")
			}
			return 0, ""
		}},
		{name: "cut, then 429 with Retry-After", refuse: func(r *http.Request, n int) (int, string) {
			if isWatch(r, configMapsPath) && n < 1 {
				return 429, strings.Replace(status(429, "TooManyRequests"), "{", `{"details":{"retryAfterSeconds":1},`, 1)
			}
			return 0, ""
		}},
		{name: "the resourceVersion has expired", lists: true, refuse: func(r *http.Request, n int) (int, string) {
			if isWatch(r, configMapsPath) && n < 1 {
				return 410, status(410, "Expired")
			}
			return 0, ""
		}},
		{name: "expired, told inside the watch", lists: true, refuse: func(r *http.Request, n int) (int, string) {
			if isWatch(r, configMapsPath) && n < 1 {
				return 200, `{"type":"ERROR","object":` + status(410, "Expired") + `}`
			}
			return 0, ""
		}},
		{name: "expired, and the list fails at first", lists: true, refuse: func(r *http.Request, n int) (int, string) {
			if isWatch(r, configMapsPath) && n < 1 {
				return 410, status(410, "Expired")
			}
			if r.URL.Path == configMapsPath && n < 3 {
				return 500, status(500, "InternalError")
			}
			return 0, ""
		}},
		{name: "expired, and something in between answers the list with an empty document", lists: true, refuse: func(r *http.Request, n int) (int, string) {
			if isWatch(r, configMapsPath) && n < 1 {
				return 410, status(410, "Expired")
			}
			if r.URL.Path == configMapsPath && n < 3 {
				return 200, "{}"
			}
			return 0, ""
		}},
		{name: "expired, and the list is cut in the middle", lists: true, refuse: func(r *http.Request, n int) (int, string) {
			if isWatch(r, configMapsPath) && n < 1 {
				return 410, status(410, "Expired")
			}
			if r.URL.Path == configMapsPath && n < 3 {
				return 200, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[`
			}
			return 0, ""
		}},
	} {
		recovers := func(t *testing.T, paged bool) {
			t.Parallel()
			ns := dev.Namespace(t)
			kept, doomed := mark(configMap(ns, "kept", "1"), ns), mark(configMap(ns, "doomed", "1"), ns)
			createOther(t, dev.RESTConfig(), "configmaps", kept, "")
			createOther(t, dev.RESTConfig(), "configmaps", doomed, "")
			gate := newGate(t, dev.RESTConfig())
			c := open(t, gate.config, func(_ *cluster.Config, o *cluster.Options) { o.PagedLists = paged })
			wait(t, c, configMapGVK)
			deletedFalsely := make(chan struct{}, 1)
			defer c.Subscribe(func(change cluster.Change) {
				if change.Event == cluster.Deleted && change.Key == object.KeyOf(kept) {
					deletedFalsely <- struct{}{}
				}
			})()
			lists := gate.requests("GET " + configMapsPath)
			tries := 0
			gate.failing(func(r *http.Request) (int, string) {
				if r.URL.Path != configMapsPath {
					return 0, ""
				}
				tries++
				return tc.refuse(r, tries-1)
			})
			gate.cut()
			configMaps := other(t, dev.RESTConfig(), "configmaps", ns)
			if err := configMaps.Delete(t.Context(), "doomed", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			added := mark(configMap(ns, "added", "1"), ns)
			createOther(t, dev.RESTConfig(), "configmaps", added, "")
			eventually(t, "the store knows what happened meanwhile", func() bool {
				if live := get(c, kept); live.Presence == cluster.Absent {
					t.Fatal("an object that is there is called absent")
				}
				return get(c, doomed).Presence == cluster.Absent && get(c, added).Presence == cluster.Present
			})
			select {
			case <-deletedFalsely:
				t.Error("a deletion was told of an object that is there")
			default:
			}
			if relisted := gate.requests("GET "+configMapsPath) > lists; relisted != tc.lists {
				t.Errorf("relisted = %v, want %v: a list is dear", relisted, tc.lists)
			}
		}
		t.Run(tc.name+", lists in pages", func(t *testing.T) { recovers(t, true) })
		t.Run(tc.name+", lists as streams", func(t *testing.T) { recovers(t, false) })
	}
}

// What cannot be watched for longer than the grace is unknown, with the reason, and known again afterwards.
func TestKindThatStaysBrokenBecomesUnknown(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	gate := newGate(t, dev.RESTConfig())
	c := open(t, gate.config, func(_ *cluster.Config, o *cluster.Options) { o.Grace = time.Millisecond })
	u := configMap(ns, "a", "1")
	wait(t, c, configMapGVK, secretGVK)
	gate.failing(func(r *http.Request) (int, string) {
		if r.URL.Path == configMapsPath {
			return 500, status(500, "InternalError")
		}
		return 0, ""
	})
	gate.cut()
	eventually(t, "ConfigMaps are unknown", func() bool {
		live := get(c, u)
		return live.Presence == cluster.Unknown && strings.Contains(live.Reason, "injected")
	})
	secret := configMap(ns, "a", "1")
	secret.SetKind("Secret")
	eventually(t, "Secrets are known all the same", func() bool { return get(c, secret).Presence == cluster.Absent })
	gate.failing(nil)
	eventually(t, "ConfigMaps are known again", func() bool { return get(c, u).Presence == cluster.Absent })
}

// someSeconds is a clock by which everything took some seconds.
type someSeconds struct{ clock.RealClock }

func (someSeconds) Since(time.Time) time.Duration { return 5 * time.Second }

// An API server that cannot read a kind any more opens watches of it, sends nothing and closes them: the kind is not known.
func TestWatchesThatTellNothingAreNoKnowledge(t *testing.T) {
	dev := devcluster.Shared(t)
	gate := newGate(t, dev.RESTConfig())
	c := open(t, gate.config, func(_ *cluster.Config, o *cluster.Options) { o.Grace, o.Clock = time.Millisecond, someSeconds{} })
	u := configMap(dev.Namespace(t), "a", "1")
	wait(t, c, configMapGVK)
	gate.failing(func(r *http.Request) (int, string) {
		switch {
		case r.URL.Path != configMapsPath:
			return 0, ""
		case isWatching(r):
			return 200, ""
		}
		return 500, status(500, "InternalError")
	})
	gate.cut()
	eventually(t, "ConfigMaps are unknown", func() bool {
		live := get(c, u)
		return live.Presence == cluster.Unknown && strings.Contains(live.Reason, "injected")
	})
}

// A kind that never can be listed is named, and the rest of the inventory does not wait for it.
func TestBrokenKindDoesNotHoldUpTheInventory(t *testing.T) {
	dev := devcluster.Shared(t)
	gate := newGate(t, dev.RESTConfig())
	gate.failing(func(r *http.Request) (int, string) {
		if r.URL.Path == "/apis/batch/v1/jobs" {
			return 500, status(500, "InternalError")
		}
		return 0, ""
	})
	c := open(t, gate.config, nil)
	inv := complete(t, c)
	named := ""
	for gk, reason := range inv.Unlistable {
		named += gk.String() + ": " + reason
	}
	if named != "Job.batch: injected" {
		t.Errorf("Unlistable = %q, want Job.batch with the reason and nothing else", named)
	}
}

// A watch that nobody needs any more, and that never could list its kind, leaves no word that there is nothing.
func TestBrokenKindStaysNamedWhenItsWatchEnds(t *testing.T) {
	dev := devcluster.Shared(t)
	gate := newGate(t, dev.RESTConfig())
	gate.failing(func(r *http.Request) (int, string) {
		if r.URL.Path == "/apis/batch/v1/jobs" {
			return 500, status(500, "InternalError")
		}
		return 0, ""
	})
	c := open(t, gate.config, func(_ *cluster.Config, o *cluster.Options) { o.Grace = 10 * time.Millisecond })
	job := schema.GroupKind{Group: "batch", Kind: "Job"}
	watched := func() bool {
		return slices.ContainsFunc(c.Kinds(), func(k cluster.KindState) bool { return k.Kind.GroupKind() == job })
	}
	complete(t, c)
	c.SeekOrphans("shop", "default")
	if inv, err := c.Sweep(t.Context()); err != nil || !watched() || inv.Unlistable[job] == "" {
		t.Fatalf("with the watch: %v, %v", inv.Unlistable, err)
	}
	c.SeekOrphans("shop")
	if watched() {
		t.Fatal("the kind is watched for nobody")
	}
	eventually(t, "the kind is named by the sweep", func() bool { return c.Inventory().Unlistable[job] != "" })
}

// A page cut off in the middle of the sweep is no answer.
func TestSweepIsNotCompleteWhileListsFail(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	cron := mark(parse(t, ns, cronJob), ns)
	createOther(t, dev.RESTConfig(), "cronjobs.v1.batch", cron, "")
	gate := newGate(t, dev.RESTConfig())
	tries := 0
	gate.failing(func(r *http.Request) (int, string) {
		if r.URL.Path == "/apis/batch/v1/cronjobs" {
			if tries++; tries < 2 {
				return 200, `{"kind":"PartialObjectMetadataList","metadata":{"resourceVersion":"1"},"items":[`
			}
		}
		return 0, ""
	})
	c := open(t, gate.config, nil)
	complete(t, c)
	if owned := c.Owned(ns); len(owned) != 1 {
		t.Errorf("Owned = %v after a complete inventory, want the CronJob", owned)
	}
}

// A dead cluster answers at once that nothing is known, and ends at once.
func TestDeadCluster(t *testing.T) {
	c := open(t, &rest.Config{Host: "http://127.0.0.1:1"}, func(_ *cluster.Config, o *cluster.Options) { o.Grace = time.Millisecond })
	eventually(t, "it is known not to answer", func() bool { return c.Connection().Reason != "" && strings.Contains(c.Connection().Reason, "refused") })
	if _, err := c.Apply(t.Context(), configMap("default", "a", "1"), apply); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("Apply = %v", err)
	}
	if live := get(c, configMap("default", "a", "1")); live.Presence != cluster.Unknown {
		t.Errorf("Get = %+v", live)
	}
}

// After the API server was away the store is current again, without a list where the watch can go on.
func TestOutageOfTheAPIServer(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	gate := newGate(t, dev.RESTConfig())
	c := open(t, gate.config, func(_ *cluster.Config, o *cluster.Options) { o.Grace = time.Millisecond })
	u := mark(configMap(ns, "a", "1"), ns)
	createOther(t, dev.RESTConfig(), "configmaps", u, "")
	complete(t, c)
	gate.failing(func(*http.Request) (int, string) { panic(http.ErrAbortHandler) })
	gate.cut()
	eventually(t, "everything is unknown", func() bool {
		return !c.Connection().Connected && get(c, u).Presence == cluster.Unknown && !c.Inventory().Complete
	})
	gate.failing(nil)
	eventually(t, "everything is known", func() bool { return get(c, u).Presence == cluster.Present && c.Inventory().Complete })
}

func TestCloseEndsEverything(t *testing.T) {
	dev := devcluster.Shared(t)
	gate := newGate(t, dev.RESTConfig())
	before := goroutines()
	for range 3 {
		c, err := cluster.Open(cluster.Hub(gate.config), cluster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Run(t.Context()) }()
		c.Subscribe(func(cluster.Change) {})
		complete(t, c)
		c.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	eventually(t, "no goroutine of the room is left", func() bool { return goroutines() <= before })
}

// goroutines counts those that run code of the room.
func goroutines() int {
	var out strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&out, 2); err != nil {
		panic(err)
	}
	runtime.GC()
	n := 0
	for stack := range strings.SplitSeq(out.String(), "\n\n") {
		if strings.Contains(stack, "internal/cluster.(*") {
			n++
		}
	}
	return n
}
