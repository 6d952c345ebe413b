// SPDX-License-Identifier: Apache-2.0

package transport_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

func TestAudit(t *testing.T) {
	var mu sync.Mutex
	var records []transport.Record
	var err error
	e := &everything{answer: func(string, any) (any, error) { return nil, err }}
	own := e.mounted()
	for _, m := range own.Methods {
		if call := m.Call; call != nil {
			m.Call = func(ctx context.Context, service, request any) (any, error) {
				transport.Decided(ctx, refusal, access.Ruling{Allowed: err == nil, Rule: "p, role:x, applications, sync, *, deny", Where: "policy.csv"})
				return call(ctx, service, request)
			}
		}
	}
	s := open(t, e, func(o *transport.Options) {
		o.Services = []transport.Mounted{own}
		o.Audit = func(_ context.Context, r transport.Record) {
			mu.Lock()
			defer mu.Unlock()
			records = append(records, r)
		}
	})
	last := func(verb, path string, failed error, headers ...string) *transport.Record {
		mu.Lock()
		records, err = nil, failed
		mu.Unlock()
		do(t, s, verb, path, "{}", append(headers, "X-Request-ID", "abc")...)
		mu.Lock()
		defer mu.Unlock()
		if len(records) > 1 {
			t.Errorf("%s %s is recorded %d times", verb, path, len(records))
		}
		if len(records) == 0 {
			return nil
		}
		return &records[0]
	}
	if r := last("GET", "/api/v1/applications/web", nil); r != nil {
		t.Errorf("a call that reads is recorded: %+v", r)
	}
	if r := last("POST", "/api/bowline/v1/preview", nil); r != nil {
		t.Errorf("a preview is recorded as a change: %+v", r)
	}
	if r := last("DELETE", "/api/bowline/v1/sessions?account=ann", nil); r == nil || r.Object != "ann" || !r.Changes {
		t.Errorf("all sessions of somebody are ended without a record of whose: %+v", r)
	}
	r := last("POST", "/api/v1/applications/web/sync", nil)
	if r == nil || r.Actor != "alice@example.org" || r.Verb != "application.ApplicationService/Sync" || r.Object != "web" || r.Decision != transport.Allowed ||
		r.RequestID != "abc" || r.Address == "" || len(r.Rights) != 1 || r.Rights[0].Rule == "" || r.Error != "" {
		t.Errorf("a sync is recorded as %+v", r)
	}
	if r := last("POST", "/api/v1/applications/web/sync", gate.Refusal(refusal)); r == nil || r.Decision != transport.Refused || r.Error == "" || r.Rights[0].Allowed {
		t.Errorf("a refused sync is recorded as %+v", r)
	}
	if r := last("POST", "/api/v1/applications/web/sync", fault.New(fault.Wait, "", "", "", "busy", "")); r == nil || r.Decision != transport.Failed {
		t.Errorf("a sync that failed is recorded as %+v", r)
	}
	if r := last("GET", "/api/v1/applications/web", gate.Hidden()); r == nil || r.Decision != transport.Refused {
		t.Errorf("a refused read is recorded as %+v", r)
	}
	if r := last("GET", "/api/v1/applications/web", nil, "Authorization", ""); r == nil || r.Decision != transport.Refused || r.Actor != "anonymous" {
		t.Errorf("a call of nobody is recorded as %+v", r)
	}
}

func TestRates(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Now())
	s := open(t, &everything{}, func(o *transport.Options) { o.Clock, o.Limits.PerCaller, o.Limits.PerAddress = clock, 1, 2 })
	status := func(headers ...string) int { return do(t, s, "GET", "/api/v1/applications", "", headers...).status }
	for range 3 {
		if got := status(); got != http.StatusOK {
			t.Fatalf("within the rate: %d", got)
		}
	}
	if got := status(); got != http.StatusTooManyRequests {
		t.Errorf("the fourth call of a caller at once: %d", got)
	}
	for range 2 {
		if got := status("Authorization", ""); got != http.StatusUnauthorized {
			t.Errorf("calls of others from there: %d", got)
		}
	}
	if got := status("Authorization", ""); got != http.StatusTooManyRequests {
		t.Errorf("the seventh call from an address at once: %d", got)
	}
	clock.Step(time.Second)
	if got := status(); got != http.StatusOK {
		t.Errorf("a second later: %d", got)
	}
}

func TestWhatIsBesideTheServicesHasAnIDAndALimit(t *testing.T) {
	h := transport.New(t.Context(), transport.Options{Clock: clocktesting.NewFakeClock(time.Now()), Limits: transport.Limits{PerAddress: 1}})
	id := ""
	page := h.Around(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { id = transport.RequestID(r.Context()) }))
	for i := range 4 {
		w := httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/auth/login", nil))
		if want := []int{200, 200, 200, 429}[i]; w.Code != want || id == "" || w.Header().Get("X-Request-ID") == "" {
			t.Errorf("call %d: %d %v, the id is %q", i, w.Code, w.Header(), id)
		}
	}
}
