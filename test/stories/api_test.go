// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/client-go/rest"
)

// gate stands between a process of the story and the API server, and makes it misbehave.
type gate struct {
	server *httptest.Server
	user   string // in whose name requests go that bring none

	mu      sync.Mutex
	trouble string
	only    []string // plurals of the resources that the trouble is about; none means all
	refused int
	random  *rand.Rand
	cuts    map[*http.Request]context.CancelFunc
	calm    chan struct{} // closed when a hang ends
}

// troublesOfAPI are what the API server can be made to do, until `api none`.
var troublesOfAPI = map[string]string{
	"none":       "nothing",
	"fail":       "every request gets 500",
	"overloaded": "every request gets 429 and is to come again after a second",
	"flaky":      "of eight requests one gets 500, one 429; a watch is cut after half a second",
	"expired":    "watches get 410, lists are served",
	"half-lists": "lists end in the middle, watches are refused",
	"no-lists":   "lists are answered by an empty document, watches are refused",
	"half-pages": "lists come in pages of one object, and the second page breaks off; watches are refused",
	"lost-pages": "lists come in pages of one object, and of the second page the API server says that it is forgotten; watches are refused",
	"slow-lists": "a list takes two seconds more",
	"forbid":     "every request gets 403",
	"hang":       "no request is answered",
	"refuse":     "connections are cut",
}

// api start | api cut | api TROUBLE [RESOURCE...] | api refused COUNT: see README.md.
func api(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	switch {
	case len(args) == 1 && args[0] == "start":
		g, err := s.newGate(ts)
		ts.Check(err)
		s.gate = g
		ts.Setenv("API", g.server.URL)
		ts.Defer(g.close)
		return
	case s.gate == nil:
		ts.Fatalf("no `api start` before")
	case len(args) == 1 && args[0] == "cut":
		s.gate.cut()
		return
	case len(args) == 2 && args[0] == "refused":
		ts.Check(s.gate.await(args[1]))
		return
	}
	if len(args) == 0 || troublesOfAPI[args[0]] == "" {
		ts.Fatalf("usage: api start | cut | refused COUNT | none and other troubles [RESOURCE...]")
	}
	s.gate.misbehave(args[0], args[1:]...)
}

func (s *story) newGate(ts *testscript.TestScript) (*gate, error) {
	config := s.cluster.RESTConfig()
	transport, err := rest.TransportFor(config)
	if err != nil {
		return nil, err
	}
	upstream, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	seed := uint64(time.Now().UnixNano())
	ts.Logf("the API server's troubles have seed %d", seed)
	g := &gate{user: s.user("remote"), trouble: "none", random: rand.New(rand.NewPCG(seed, seed)), cuts: map[*http.Request]context.CancelFunc{}, calm: make(chan struct{})}
	proxy := &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1,
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	g.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, proxy) }))
	return g, nil
}

func (g *gate) close() {
	g.misbehave("none")
	g.cut()
	g.server.CloseClientConnections()
	g.server.Close()
}

func (g *gate) serve(w http.ResponseWriter, r *http.Request, proxy http.Handler) {
	if r.Header.Get("Impersonate-User") == "" {
		r.Header.Del("Authorization")
		r.Header.Set("Impersonate-User", g.user)
		r.Header["Impersonate-Group"] = []string{"system:masters", "system:authenticated"}
	}
	verdict, calm := g.judge(r)
	if r, ok := refusals[verdict]; ok {
		refuse(w, r.code, r.reason)
		return
	}
	switch verdict {
	case onePage:
		query := r.URL.Query()
		query.Set("limit", "1")
		r.URL.RawQuery = query.Encode()
	case slow:
		select {
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		case <-time.After(2 * time.Second):
		}
	case answerEmpty:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{}"))
		return
	case answerHalf:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[`))
		panic(http.ErrAbortHandler)
	case abort:
		panic(http.ErrAbortHandler)
	case silence:
		select {
		case <-r.Context().Done():
		case <-calm:
		}
		panic(http.ErrAbortHandler)
	}
	ctx, cancel := context.WithCancel(r.Context())
	if verdict == brief {
		ctx, cancel = context.WithTimeout(r.Context(), 500*time.Millisecond)
	}
	defer cancel()
	g.track(r, cancel)
	defer g.track(r, nil)
	proxy.ServeHTTP(w, r.WithContext(ctx))
}

type refusal struct {
	code   int
	reason string
}

var refusals = map[verdict]refusal{
	answer403: {http.StatusForbidden, "Forbidden"},
	answer429: {http.StatusTooManyRequests, "TooManyRequests"},
	answer500: {http.StatusInternalServerError, "InternalError"},
	answer410: {http.StatusGone, "Expired"},
}

func refuse(w http.ResponseWriter, code int, reason string) {
	if code == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"made by the story","reason":%q,"code":%d}`, reason, code)
}

func (g *gate) track(r *http.Request, cancel context.CancelFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if cancel == nil {
		delete(g.cuts, r)
		return
	}
	g.cuts[r] = cancel
}

type verdict int

const (
	pass verdict = iota
	brief
	slow
	onePage
	answer403
	answer429
	answer500
	answer410
	answerEmpty
	answerHalf
	abort
	silence
)

// judge decides what becomes of a request.
func (g *gate) judge(r *http.Request) (verdict, chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	query := r.URL.Query()
	watch := query.Get("watch") != ""
	list := r.Method == http.MethodGet && !watch && (strings.Contains(r.Header.Get("Accept"), "List") || query.Get("limit") != "")
	v := pass
	switch trouble := g.troubleFor(r); trouble {
	case "forbid":
		v = answer403
	case "slow-lists":
		if list {
			v = slow
		}
	case "half-pages", "lost-pages":
		switch {
		case watch:
			v = answer410
		case list && query.Get("continue") == "":
			v = onePage
		case list && trouble == "half-pages":
			v = answerHalf
		case list:
			v = answer410
		}
	case "fail":
		v = answer500
	case "overloaded":
		v = answer429
	case "flaky":
		v = g.dice(watch)
	case "expired":
		if watch {
			v = answer410
		}
	case "half-lists", "no-lists":
		switch {
		case watch:
			v = answer410
		case list && g.trouble == "no-lists":
			v = answerEmpty
		case list:
			v = answerHalf
		}
	case "hang":
		v = silence
	case "refuse":
		v = abort
	}
	if v > onePage {
		g.refused++
	}
	return v, g.calm
}

// troubleFor lets leases through: losing the lead is another story; and what the trouble is not about. The lock is held.
func (g *gate) troubleFor(r *http.Request) string {
	parts := strings.Split(r.URL.Path, "/")
	if slices.Contains(parts, "leases") || len(g.only) > 0 && !slices.ContainsFunc(g.only, func(name string) bool { return slices.Contains(parts, name) }) {
		return "none"
	}
	return g.trouble
}

func (g *gate) dice(watch bool) verdict {
	switch n := g.random.IntN(8); {
	case n == 0:
		return answer500
	case n == 1:
		return answer429
	case watch:
		return brief
	}
	return pass
}

func (g *gate) misbehave(trouble string, only ...string) {
	g.mu.Lock()
	g.trouble, g.only, g.refused = trouble, only, 0
	close(g.calm)
	g.calm = make(chan struct{})
	g.mu.Unlock()
	if trouble != "none" {
		g.cut() // what is under way meets it too
	}
}

// cut breaks every request that is under way: watches are lost.
func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, cancel := range g.cuts {
		cancel()
	}
}

// await waits until as many requests were refused as are wanted.
func (g *gate) await(want string) error {
	ctx, cancel := bounded()
	defer cancel()
	for {
		n := g.count()
		if ok, err := enough(want, n); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %d requests were refused, want %s", context.Cause(ctx), n, want)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refused
}
