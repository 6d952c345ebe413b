// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server"
)

// Whatever is sent comes back as data, if at all: of a type that no browser takes for a page, below a policy that runs no script of
// others.
func TestNothingThatIsSentBecomesAPage(t *testing.T) {
	script := `<script>alert(1)</script><img src=x onerror=alert(1)>`
	r := start(t, func(o *server.Options) {
		o.Webhook = func(_ http.Header, _ url.Values, body []byte) ([]string, error) { return nil, errors.New(string(body)) }
		o.Routes = []server.Route{{Pattern: "/panics", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(script) })}}
	})
	for _, c := range []struct{ verb, path string }{
		{"GET", "/" + url.PathEscape(script)}, {"GET", "/api/v1/x?" + url.QueryEscape(script)}, {"GET", "/.." + url.PathEscape(script)},
		{"POST", "/api/webhook"}, {"PUT", "/api/webhook"}, {"GET", "/panics"}, {"GET", "/healthz?" + url.QueryEscape(script)},
	} {
		request, err := http.NewRequestWithContext(t.Context(), c.verb, "http://"+r.Address()+c.path, strings.NewReader(script))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("User-Agent", script)
		request.Header.Set("Referer", script)
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if response.Header.Get("Content-Type") != "application/json" || !json.Valid(body) || strings.Contains(string(body), "<") {
			t.Errorf("%s %s is answered as %s: %s", c.verb, c.path, response.Header.Get("Content-Type"), body)
		}
		policy := response.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'self'", "form-action 'self'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s %s: the policy %q lacks %q", c.verb, c.path, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe") || response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: a page would run scripts of others: %v", c.verb, c.path, response.Header)
		}
	}
}

// Calls with a wrong signature, many at once, are each refused, change nothing, and leave nothing behind; others are answered meanwhile.
func TestManyForgedWebhooksHoldUpNobody(t *testing.T) {
	r := start(t, func(o *server.Options) {
		o.Webhook = func(http.Header, url.Values, []byte) ([]string, error) {
			return []string{"https://example.com/shop.git"}, fault.New(fault.Forbidden, "accept", "GitHub webhook", "", "its signature is wrong", "")
		}
	})
	var group sync.WaitGroup
	body := `{"ref":"` + strings.Repeat("x", 10<<10) + `"}`
	for range 16 {
		group.Go(func() {
			for range 100 {
				response, err := http.Post("http://"+r.Address()+"/api/webhook", "application/json", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if status := response.StatusCode; status != http.StatusForbidden && status != http.StatusServiceUnavailable {
					t.Errorf("a forged call is answered %s", response.Status)
				}
			}
		})
	}
	for range 50 {
		if response, _ := call(t, "GET", "http://"+r.Address()+"/healthz", nil); response.StatusCode != http.StatusOK {
			t.Errorf("meanwhile: %s", response.Status)
		}
	}
	group.Wait()
	if len(r.hints.urls) > 0 {
		t.Errorf("repositories were asked: %v", r.hints.urls)
	}
}

// One request that panics is answered, without what it panicked with, and every other goes on.
func TestAPanicEndsNothingElse(t *testing.T) {
	var nothing map[string]int
	r := start(t, func(o *server.Options) {
		o.Routes = []server.Route{
			{Pattern: "/nil", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { nothing["x"] = 1 })},
			{Pattern: "/text", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the password is hunter2") })},
			{Pattern: "/late", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte("{}"))
				panic("late")
			})},
		}
	})
	for _, path := range []string{"/nil", "/text"} {
		response, document := call(t, "GET", "http://"+r.Address()+path, nil)
		if text, _ := json.Marshal(document); response.StatusCode != http.StatusInternalServerError || strings.Contains(string(text), "hunter2") || strings.Contains(string(text), ".go") {
			t.Errorf("%s: %s %s", path, response.Status, text)
		}
	}
	if response, err := http.Get("http://" + r.Address() + "/late"); err == nil {
		_ = response.Body.Close()
	}
	if response, _ := call(t, "GET", "http://"+r.Address()+"/healthz", nil); response.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %s", response.Status)
	}
}
