// SPDX-License-Identifier: Apache-2.0

package server

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/bowline-cd/bowline/internal/fault"
)

// newMux lists everything that is offered.
func newMux(opts Options, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", healthz)
	mux.Handle("/readyz", &readiness{checks: opts.Ready, log: log})
	mux.Handle("/api/webhook", newWebhook(opts, log))
	taken := map[string]bool{}
	for _, route := range opts.Routes {
		mux.Handle(route.Pattern, route.Handler)
		taken[route.Pattern] = true
	}
	for _, pattern := range []string{"/", "/api/", "/auth/"} { // programs are not answered with a page
		if !taken[pattern] {
			mux.HandleFunc(pattern, notFound)
		}
	}
	return straight(below(opts.RootPath, mux))
}

// below offers everything below a path. Probes of health come without it, and so do clients of gRPC, which know no paths.
func below(root string, mux *http.ServeMux) http.Handler {
	if root == "" {
		return mux
	}
	inner := http.StripPrefix(root, mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, root+"/"):
			inner.ServeHTTP(w, r)
		case r.URL.Path == "/healthz", r.URL.Path == "/readyz", strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc"):
			mux.ServeHTTP(w, r)
		default:
			notFound(w, r)
		}
	})
}

// straight refuses paths that name a thing in a roundabout way, with "..", "//" or characters that end lines. The standard library
// would send callers on to the shorter path; who looks at paths in front of this server would have seen another one than is
// answered.
func straight(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		escaped := r.URL.EscapedPath()
		switch {
		case !strings.HasPrefix(escaped, "/"), strings.Contains(escaped, "//"), dotted(escaped), strings.ContainsFunc(r.URL.Path, unseen):
			refuse(w, http.StatusBadRequest, "the path is not straight: write it without //, . and .., and escape slashes in names as %2F")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// dotted reports whether a part of a path is . or .., escaped or not.
func dotted(escaped string) bool {
	for part := range strings.SplitSeq(escaped, "/") {
		if name, err := url.PathUnescape(part); err != nil || name == "." || name == ".." {
			return true
		}
	}
	return false
}

func unseen(c rune) bool { return c < ' ' || c == 0x7f }

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
