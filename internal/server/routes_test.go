// SPDX-License-Identifier: Apache-2.0

package server

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// path answers with the path that it was called by.
var path = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.URL.EscapedPath())) })

func get(h http.Handler, raw string, header ...string) *httptest.ResponseRecorder {
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{}, Header: http.Header{}, Host: "example.org"}
	r.URL.Path, _ = url.PathUnescape(raw)
	r.URL.RawPath = raw
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPathsThatAreNotStraightAreRefused(t *testing.T) {
	h := newMux(Options{Routes: []Route{{"/api/", path}, {"/", path}}}, slog.New(slog.DiscardHandler))
	for _, raw := range []string{"/api//v1", "/api/v1/../../healthz", "/api/./v1", "/api/%2e%2e/healthz", "/api/.%2E/x", "/api/a%0d%0aSet-Cookie:%20x", "/api/a%00", "//evil.example/x", "api"} {
		w := get(h, raw)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"error":"the path is not straight`) {
			t.Errorf("%s: %d %s", raw, w.Code, w.Body)
		}
	}
	for _, raw := range []string{"/api/v1/clusters/https%3A%2F%2Fa.example", "/api/v1/a..b", "/api/v1/..a"} {
		if w := get(h, raw); w.Code != http.StatusOK || w.Body.String() != raw {
			t.Errorf("%s: %d %s", raw, w.Code, w.Body)
		}
	}
}

func TestEverythingIsBelowTheRootPath(t *testing.T) {
	h := newMux(Options{RootPath: "/cd", Routes: []Route{{"/api/", path}, {"/a.B/", path}}}, slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		path, kind, want string
		status           int
	}{
		{"/cd/api/v1/clusters/https%3A%2F%2Fa", "", "/api/v1/clusters/https%3A%2F%2Fa", 200},
		{"/api/v1/x", "", "nothing at", 404},
		{"/healthz", "", "ok", 200},
		{"/cd/healthz", "", "ok", 200},
		{"/a.B/C", "application/grpc", "/a.B/C", 200},
		{"/cd/a.B/C", "application/grpc-web+proto", "/a.B/C", 200},
	} {
		if w := get(h, c.path, "Content-Type", c.kind); w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s, want %d %s", c.path, w.Code, w.Body, c.status, c.want)
		}
	}
}
