// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server"
	"github.com/bowline-cd/bowline/internal/source"
)

// running is a server that the test ends.
type running struct {
	*server.Server
	hints *hints
	log   *lockedBuffer
	stop  func() error
}

type hints struct {
	mu   sync.Mutex
	urls []string
}

func (h *hints) add(url string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.urls = append(h.urls, url)
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func start(t *testing.T, change func(*server.Options)) running {
	t.Helper()
	r := running{hints: &hints{}, log: &lockedBuffer{}}
	opts := server.Options{
		Address: "127.0.0.1:0", MetricsAddress: "127.0.0.1:0", Registry: prometheus.NewRegistry(),
		Log: slog.New(slog.NewTextHandler(r.log, nil)),
		Webhook: func(http.Header, url.Values, []byte) ([]string, error) {
			return []string{"https://example.com/shop.git"}, nil
		},
		Hint: r.hints.add,
	}
	if change != nil {
		change(&opts)
	}
	var err error
	if r.Server, err = server.New(opts); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return r
}

// call returns the status and the JSON document of an answer.
func call(t *testing.T, method, url string, body io.Reader) (*http.Response, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	document := map[string]any{}
	if err := json.NewDecoder(response.Body).Decode(&document); err != nil {
		t.Fatalf("%s %s: the answer is not JSON: %v", method, url, err)
	}
	if response.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s %s: the headers of every answer are missing", method, url)
	}
	return response, document
}

func TestHealthAndReadiness(t *testing.T) {
	var mu sync.Mutex
	problem := errors.New("cluster https://east.internal does not answer")
	r := start(t, func(o *server.Options) {
		o.Ready = map[string]func() error{
			"settings": func() error { return nil },
			"clusters": func() error { mu.Lock(); defer mu.Unlock(); return problem },
		}
	})
	base := "http://" + r.Address()
	if response, _ := call(t, "GET", base+"/healthz", nil); response.StatusCode != http.StatusOK {
		t.Errorf("healthz: %s; a check that fails is no reason to restart", response.Status)
	}
	for range 2 {
		response, document := call(t, "GET", base+"/readyz", nil)
		checks, _ := document["checks"].(map[string]any)
		if response.StatusCode != http.StatusServiceUnavailable || checks["clusters"] != "not ready" || checks["settings"] != "ok" {
			t.Errorf("readyz: %s %v", response.Status, document)
		}
		if text, _ := json.Marshal(document); strings.Contains(string(text), "east.internal") {
			t.Errorf("the reason is told to whoever asks: %s", text)
		}
	}
	if n := strings.Count(r.log.String(), "east.internal"); n != 1 {
		t.Errorf("the reason is in the log %d times, want once:\n%s", n, r.log)
	}
	mu.Lock()
	problem = nil
	mu.Unlock()
	if response, _ := call(t, "GET", base+"/readyz", nil); response.StatusCode != http.StatusOK {
		t.Errorf("readyz: %s after the check is fine", response.Status)
	}
}

func TestWebhookAnswers(t *testing.T) {
	tests := []struct {
		reason string
		method string
		parse  func(http.Header, url.Values, []byte) ([]string, error)
		body   string
		status int
		want   string
		hints  int
	}{
		{reason: "a push", parse: func(h http.Header, _ url.Values, body []byte) ([]string, error) {
			return []string{"https://example.com/a", "ssh://git@example.com/a"}, nil
		}, body: "{}", status: 200, want: "thank you", hints: 2},
		{reason: "another event", parse: func(http.Header, url.Values, []byte) ([]string, error) { return nil, source.ErrNotAPush }, status: 200, want: "not about a push"},
		{reason: "a forged one", parse: func(http.Header, url.Values, []byte) ([]string, error) {
			return []string{"https://example.com/a"}, fault.New(fault.Forbidden, "accept", "GitHub webhook", "", "its signature is wrong", "")
		}, status: 403, want: "its signature is wrong"},
		{reason: "a broken one", parse: func(http.Header, url.Values, []byte) ([]string, error) {
			return nil, fault.New(fault.Mistake, "read", "webhook", "", "the body is not JSON", "")
		}, status: 400, want: "not JSON"},
		{reason: "a bug", parse: func(http.Header, url.Values, []byte) ([]string, error) { panic("index out of range") }, status: 500, want: "bug"},
		{reason: "too large", body: strings.Repeat("x", 1<<20+1), status: 413, want: "webhook.maxPayloadSizeMB"},
		{reason: "by GET", method: "GET", status: 405, want: "POST"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			r := start(t, func(o *server.Options) {
				if tt.parse != nil {
					o.Webhook = tt.parse
				}
				o.MaxWebhookBytes = func() int64 { return 1 << 20 }
			})
			method := tt.method
			if method == "" {
				method = "POST"
			}
			response, document := call(t, method, "http://"+r.Address()+"/api/webhook", strings.NewReader(tt.body))
			message, _ := document["message"].(string)
			if response.StatusCode != tt.status || !strings.Contains(message, tt.want) {
				t.Errorf("got %s %v, want %d with %q", response.Status, document, tt.status, tt.want)
			}
			if len(r.hints.urls) != tt.hints {
				t.Errorf("hints: %v, want %d", r.hints.urls, tt.hints)
			}
			// One bad call never ends the server.
			if response, _ := call(t, "GET", "http://"+r.Address()+"/healthz", nil); response.StatusCode != 200 {
				t.Errorf("healthz: %s", response.Status)
			}
		})
	}
}

func TestABodyOfUnknownLengthIsCutAtTheLimit(t *testing.T) {
	r := start(t, func(o *server.Options) { o.MaxWebhookBytes = func() int64 { return 1 << 20 } })
	body := io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), strings.NewReader("y")) // sent in chunks
	if response, _ := call(t, "POST", "http://"+r.Address()+"/api/webhook", body); response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("got %s", response.Status)
	}
}

func TestCallersTogetherHoldABoundedAmountOfMemory(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	r := start(t, func(o *server.Options) {
		o.Webhook = func(http.Header, url.Values, []byte) ([]string, error) {
			entered <- struct{}{}
			<-leave
			return nil, nil
		}
	})
	url := "http://" + r.Address() + "/api/webhook"
	unknown := func() io.Reader { return io.MultiReader(strings.NewReader("x")) } // counts as the largest, 50 of 64 MiB
	first := make(chan int)
	go func() {
		response, err := http.Post(url, "application/json", unknown())
		if err != nil {
			first <- 0
			return
		}
		response.Body.Close()
		first <- response.StatusCode
	}()
	<-entered
	response, _ := call(t, "POST", url, unknown())
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("got %s while there is no room", response.Status)
	}
	close(leave)
	if status := <-first; status != http.StatusOK {
		t.Errorf("the first call got %d", status)
	}
}

func TestNothingElseIsOffered(t *testing.T) {
	r := start(t, nil)
	for _, path := range []string{"/", "/metrics", "/api/v1/applications", "/debug/pprof/", "/healthz/x", "/api/webhook/x"} {
		if response, document := call(t, "GET", "http://"+r.Address()+path, nil); response.StatusCode != http.StatusNotFound || document["code"] != 404.0 {
			t.Errorf("%s: %s %v", path, response.Status, document)
		}
	}
	if response, _ := call(t, "GET", "http://"+r.MetricsAddress()+"/healthz", nil); response.StatusCode != http.StatusNotFound {
		t.Errorf("the metrics listener answers /healthz with %s", response.Status)
	}
}

func TestMetricsHaveAListenerOfTheirOwn(t *testing.T) {
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "argocd_app_sync_total", Help: "Syncs."})
	registry.MustRegister(counter)
	counter.Add(3)
	r := start(t, func(o *server.Options) { o.Registry = registry })
	response, err := http.Get("http://" + r.MetricsAddress() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	if !strings.Contains(string(text), "argocd_app_sync_total 3") {
		t.Errorf("%s: %s", response.Status, text)
	}
	if none := start(t, func(o *server.Options) { o.MetricsAddress = "0" }); none.MetricsAddress() != "" {
		t.Errorf("there are metrics at %s although nobody asked", none.MetricsAddress())
	}
}

func TestAnAddressThatIsTakenIsSaidAtOnce(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = server.New(server.Options{Address: taken.Addr().String()})
	if !fault.Is(err, fault.Stalled) || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("got %v", err)
	}
	_, err = server.New(server.Options{Address: "127.0.0.1:0", MetricsAddress: taken.Addr().String()})
	if !fault.Is(err, fault.Stalled) || !strings.Contains(err.Error(), "--metrics") {
		t.Errorf("got %v", err)
	}
}

func TestACleanStopLetsRequestsEnd(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	r := start(t, func(o *server.Options) {
		o.Webhook = func(http.Header, url.Values, []byte) ([]string, error) {
			close(entered)
			<-leave
			return []string{"https://example.com/late.git"}, nil
		}
	})
	type result struct {
		status int
		err    error
	}
	answered := make(chan result, 1)
	go func() {
		response, err := http.Post("http://"+r.Address()+"/api/webhook", "application/json", strings.NewReader("{}"))
		if err != nil {
			answered <- result{err: err}
			return
		}
		response.Body.Close()
		answered <- result{status: response.StatusCode}
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- r.stop() }()
	close(leave)
	if got := <-answered; got.status != http.StatusOK || len(r.hints.urls) != 1 {
		t.Errorf("the request under way ended with %+v, hints %v", got, r.hints.urls)
	}
	if err := <-stopped; err != nil {
		t.Errorf("a clean stop is an error: %v", err)
	}
}

// Some registries can show their secret in the address only.
func TestWebhookGetsTheQuery(t *testing.T) {
	r := start(t, func(o *server.Options) {
		o.Webhook = func(_ http.Header, query url.Values, _ []byte) ([]string, error) {
			return []string{"oci://" + query.Get("type") + "/" + query.Get("secret")}, nil
		}
	})
	response, _ := call(t, "POST", "http://"+r.Address()+"/api/webhook?type=quay&secret=hush", strings.NewReader("{}"))
	r.hints.mu.Lock()
	defer r.hints.mu.Unlock()
	if got := r.hints.urls; response.StatusCode != http.StatusOK || len(got) != 1 || got[0] != "oci://quay/hush" {
		t.Errorf("%s, hints %v", response.Status, got)
	}
}
