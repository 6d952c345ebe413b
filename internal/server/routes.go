// SPDX-License-Identifier: Apache-2.0

package server

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/bowline-cd/bowline/internal/fault"
)

// newMux lists everything that is offered.
func newMux(opts Options, log *slog.Logger) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", healthz)
	mux.Handle("/readyz", &readiness{checks: opts.Ready, log: log})
	mux.Handle("/api/webhook", newWebhook(opts, log))
	root := false
	for _, route := range opts.Routes {
		mux.Handle(route.Pattern, route.Handler)
		root = root || route.Pattern == "/"
	}
	if !root {
		mux.HandleFunc("/", notFound)
	}
	return mux
}

func healthz(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

func notFound(w http.ResponseWriter, r *http.Request) {
	refuse(w, http.StatusNotFound, "there is nothing at "+r.URL.Path)
}

// readiness answers /readyz. Why a check fails goes to the log, once each time that changes, and not to the caller, who is not
// known.
type readiness struct {
	checks map[string]func() error
	log    *slog.Logger

	mu   sync.Mutex
	last map[string]string
}

func (h *readiness) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	reasons := map[string]string{}
	checks := map[string]string{}
	for name, check := range h.checks {
		checks[name] = "ok"
		if err := check(); err != nil {
			checks[name] = "not ready"
			reasons[name] = err.Error()
		}
	}
	h.note(reasons)
	if len(reasons) > 0 {
		answer(w, http.StatusServiceUnavailable, map[string]any{"status": "not ready", "checks": checks})
		return
	}
	answer(w, http.StatusOK, map[string]any{"status": "ok", "checks": checks})
}

func (h *readiness) note(reasons map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if maps.Equal(reasons, h.last) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(reasons)) {
		h.log.Warn("not ready", "check", name, "reason", reasons[name])
	}
	if len(reasons) == 0 && len(h.last) > 0 {
		h.log.Info("ready")
	}
	h.last = reasons
}

// answer writes a JSON document.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller is gone
}

// refuse writes an error: the field error is the one that Argo CD's clients read.
func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"code": status, "error": message, "message": message})
}

// refuseError answers an error by its kind.
func refuseError(w http.ResponseWriter, err error) {
	refuse(w, fault.HTTPStatus(err), err.Error())
}
