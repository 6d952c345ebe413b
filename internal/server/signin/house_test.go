// SPDX-License-Identifier: Apache-2.0

package signin_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/auth/issuer"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/signin"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

// house is a server with the routes of sign-in, and who came in.
type house struct {
	*signin.SignIn
	t       *testing.T
	url     string
	vault   issuer.Vault
	revoked []auth.Caller
	log     *logged
	now     atomic.Pointer[signin.Settings]
}

// openReplica starts one with a vault that others may share. settings is told the address.
func openReplica(t *testing.T, vault issuer.Vault, settings func(url string) signin.Settings) *house {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	h := &house{t: t, url: "http://" + server.Listener.Addr().String(), vault: vault, log: &logged{}}
	h.set(settings(h.url))
	h.SignIn = signin.New(signin.Deps{
		Settings: func(context.Context) (signin.Settings, error) { return *h.now.Load(), nil },
		Scopes:   func() []string { return []string{"groups"} },
		Verify:   func(ctx context.Context, token string) (auth.Caller, error) { return h.VerifySSO(ctx, token) },
		Revoke:   func(_ context.Context, who auth.Caller) error { h.revoked = append(h.revoked, who); return nil },
		Token:    transport.Token,
		Throttle: &auth.Throttle{
			Board: &auth.MemoryBoard{}, Clock: clock.RealClock{}, Key: func() fault.Secret { return fault.NewSecret("a key of a test, long enough to be one") },
			Max: 3, Window: time.Hour, Busy: make(chan struct{}, 20),
		},
		Vault: vault, Clock: clock.RealClock{}, Log: slog.New(slog.NewTextHandler(h.log, nil)),
	})
	mux := http.NewServeMux()
	for _, route := range h.Routes() {
		mux.Handle(route.Pattern, route.Handler)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		who, err := h.VerifySSO(r.Context(), transport.Token(r))
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprintf(w, "%s: hello %s", r.URL.Path, who.Subject)
	})
	server.Config.Handler = mux
	server.Start()
	t.Cleanup(server.Close)
	return h
}

var versions atomic.Int64

// set changes the settings.
func (h *house) set(s signin.Settings) {
	s.Version, s.Session = strconv.FormatInt(versions.Add(1), 10), 24*time.Hour
	if s.Lookup == nil {
		s.Lookup = func(string) (string, bool) { return "", false }
	}
	h.now.Store(&s)
}

// logged is what was logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
