// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/test/devcluster"
)

func TestMain(m *testing.M) { devcluster.Main(m) }

const manager = "argocd-controller"

var (
	configMapGVK = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
	secretGVK    = schema.GroupVersionKind{Version: "v1", Kind: "Secret"}
	apply        = cluster.WriteOptions{Manager: manager, Force: true}
)

// open connects to an API server and keeps the connection running until the test ends.
func open(t *testing.T, config *rest.Config, change func(*cluster.Config, *cluster.Options)) *cluster.Cluster {
	t.Helper()
	cfg, opts := cluster.Hub(config), cluster.Options{RelistSpread: 10 * time.Millisecond, RetryRefused: 50 * time.Millisecond}
	if change != nil {
		change(&cfg, &opts)
	}
	c, err := cluster.Open(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Run(context.Background()) }()
	t.Cleanup(func() {
		c.Close()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return c
}

// eventually waits for a condition. The bound is there to end a broken test, not to measure.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func complete(t *testing.T, c *cluster.Cluster) cluster.Inventory {
	t.Helper()
	var inv cluster.Inventory
	eventually(t, "inventory complete", func() bool { inv = c.Inventory(); return inv.Complete })
	return inv
}

func get(c *cluster.Cluster, u *unstructured.Unstructured) cluster.Live {
	return c.Get(context.Background(), object.KeyOf(u), u.GroupVersionKind().Version)
}

func wait(t *testing.T, c *cluster.Cluster, kinds ...schema.GroupVersionKind) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.Wait(ctx, kinds...); err != nil {
		t.Fatalf("waiting for %v: %v", kinds, err)
	}
}

// parse reads a manifest and puts it into the namespace.
func parse(t *testing.T, namespace, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
		t.Fatal(err)
	}
	if namespace != "" {
		u.SetNamespace(namespace)
	}
	return u
}

// mark gives the object an application's tracking mark.
func mark(u *unstructured.Unstructured, app string) *unstructured.Unstructured {
	object.Tracker{}.Mark(u, app, "default")
	return u
}

func configMap(namespace, name, value string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"data": map[string]any{"key": value}}}
	u.SetGroupVersionKind(configMapGVK)
	u.SetNamespace(namespace)
	u.SetName(name)
	return u
}

func mustApply(t *testing.T, c *cluster.Cluster, u *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	answer, err := c.Apply(t.Context(), u, apply)
	if err != nil {
		t.Fatalf("apply %s: %v", object.KeyOf(u), err)
	}
	return answer
}

// other is a client that is not Bowline.
func other(t testing.TB, config *rest.Config, resource, namespace string) dynamic.ResourceInterface {
	t.Helper()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	gvr, _ := schema.ParseResourceArg(resource)
	if gvr == nil {
		gvr = &schema.GroupVersionResource{Version: "v1", Resource: resource}
	}
	if namespace == "" {
		return client.Resource(*gvr)
	}
	return client.Resource(*gvr).Namespace(namespace)
}

func createOther(t *testing.T, config *rest.Config, resource string, u *unstructured.Unstructured, fieldManager string) *unstructured.Unstructured {
	t.Helper()
	out, err := other(t, config, resource, u.GetNamespace()).Create(t.Context(), u, metav1.CreateOptions{FieldManager: fieldManager})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// gate is a reverse proxy before the API server that can be told to fail requests and to cut streams.
type gate struct {
	config *rest.Config

	mu    sync.Mutex
	fail  func(*http.Request) (code int, body string) // code 0 lets a request pass
	hold  func(*http.Request) <-chan struct{}         // a request that is held until it closes; nil holds none
	drop  func(path string, frame []byte) bool        // of the frames of watches; nil drops none
	cuts  map[*http.Request]context.CancelFunc
	count map[string]int // requests by "GET /path" with " watch" for watches
}

func newGate(t *testing.T, config *rest.Config) *gate {
	t.Helper()
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	upstream, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{cuts: map[*http.Request]context.CancelFunc{}, count: map[string]int{}}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		Transport:     transport,
		FlushInterval: -1,
		ModifyResponse: func(r *http.Response) error {
			if r.Request.URL.Query().Get("watch") != "" {
				listing := !isWatching(r.Request) // what a streamed list begins with passes
				r.Body = &sieve{ReadCloser: r.Body, from: bufio.NewReader(r.Body), keep: func(frame []byte) bool {
					if listing {
						listing = !bytes.Contains(frame, []byte(metav1.InitialEventsAnnotationKey))
						return true
					}
					g.mu.Lock()
					defer g.mu.Unlock()
					return g.drop == nil || !g.drop(r.Request.URL.Path, frame)
				}}
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if code, body := g.enter(r); code != 0 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		g.mu.Lock()
		g.cuts[r] = cancel
		var held <-chan struct{}
		if g.hold != nil {
			held = g.hold(r)
		}
		g.mu.Unlock()
		defer func() {
			g.mu.Lock()
			delete(g.cuts, r)
			g.mu.Unlock()
			cancel()
		}()
		if held != nil {
			select {
			case <-held:
			case <-ctx.Done():
			}
		}
		proxy.ServeHTTP(w, r.WithContext(ctx))
	}))
	t.Cleanup(func() {
		g.cut()
		server.CloseClientConnections()
		server.Close()
	})
	g.config = &rest.Config{Host: server.URL}
	return g
}

// sieve lets only some lines of a body pass.
type sieve struct {
	io.ReadCloser
	from *bufio.Reader
	keep func([]byte) bool
	rest []byte
}

func (s *sieve) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		line, err := s.from.ReadBytes('\n')
		if err != nil {
			return 0, err
		}
		if s.keep(line) {
			s.rest = line
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// holding keeps requests waiting.
func (g *gate) holding(hold func(*http.Request) <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hold = hold
}

// dropping swallows frames of watches.
func (g *gate) dropping(drop func(path string, frame []byte) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.drop = drop
}

func (g *gate) enter(r *http.Request) (int, string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	name := r.Method + " " + r.URL.Path
	if isWatching(r) {
		name += " watch"
	}
	g.count[name]++
	if g.fail == nil {
		return 0, ""
	}
	return g.fail(r)
}

// isWatching tells watches from lists, streamed ones among them.
func isWatching(r *http.Request) bool {
	return r.URL.Query().Get("watch") != "" && r.URL.Query().Get("sendInitialEvents") == ""
}

func (g *gate) failing(fail func(*http.Request) (int, string)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fail = fail
}

// cut breaks every request that is under way.
func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, cancel := range g.cuts {
		cancel()
	}
}

func (g *gate) requests(name string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.count[name]
}

// all returns how often each request was made.
func (g *gate) all() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.count)
}
