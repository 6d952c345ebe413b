// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/bowline-cd/bowline/internal/server/page"
)

func built() fstest.MapFS {
	return fstest.MapFS{
		"index.html":            {Data: []byte(`<html><head><base href="/" /></head></html>`)},
		"assets/main-1a.js":     {Data: []byte("plain")},
		"assets/main-1a.js.gz":  {Data: []byte("gzipped")},
		"assets/main-1a.js.br":  {Data: []byte("brotli")},
		"assets/icon-2b.svg":    {Data: []byte("<svg/>")},
		".vite/manifest.json":   {Data: []byte("{}")},
		"assets/other-3c.js":    {Data: []byte("only plain")},
		"secret/somewhere.json": {Data: []byte("no")},
	}
}

func ask(h http.Handler, method, target, encoding string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b := new(strings.Builder)
	if err := r.Write(b); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(b.String(), "\r\n\r\n")
	return body
}

func TestAssetsComeInTheFormThatIsTaken(t *testing.T) {
	h := page.New(built(), "")
	for encoding, want := range map[string]string{
		"": "plain", "gzip, deflate, br, zstd": "brotli", "gzip": "gzipped", "br;q=0, gzip;q=0.5": "gzipped", "identity": "plain",
	} {
		r := ask(h, http.MethodGet, "/assets/main-1a.js", encoding)
		if got := text(t, r); !strings.Contains(got, want) || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/javascript") {
			t.Errorf("with %q: %q as %s, want %q", encoding, got, r.Header.Get("Content-Type"), want)
		}
		if got := r.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("with %q it is kept as %q", encoding, got)
		}
	}
	if got := text(t, ask(h, http.MethodGet, "/assets/other-3c.js", "br")); !strings.Contains(got, "only plain") {
		t.Errorf("got %q", got)
	}
	if r := ask(h, http.MethodGet, "/assets/gone-4d.js", ""); r.StatusCode != http.StatusNotFound {
		t.Errorf("an asset of another version: %d", r.StatusCode)
	}
}

func TestAssetsAreNothingButAssets(t *testing.T) {
	h := page.New(built(), "/cd")
	for _, target := range []string{"/assets/../index.html", "/assets/%2e%2e/index.html", "/assets/..%2fsecret/somewhere.json", "/assets/../.vite/manifest.json", "/assets//etc/passwd", "/assets/"} {
		if r := ask(h, http.MethodGet, target, ""); r.StatusCode != http.StatusNotFound || strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, kept as %q", target, r.StatusCode, r.Header.Get("Cache-Control"))
		}
	}
}

func TestEveryOtherAddressIsTheDocument(t *testing.T) {
	h := page.New(built(), "/cd")
	for _, target := range []string{"/", "/applications", "/applications/argocd/web?tab=tree", "/secret/somewhere.json", "/.vite/manifest.json"} {
		r := ask(h, http.MethodGet, target, "")
		if got := text(t, r); r.StatusCode != http.StatusOK || !strings.Contains(got, `<base href="/cd/" />`) || r.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d %q", target, r.StatusCode, got)
		}
	}
	if r := ask(h, http.MethodPost, "/", ""); r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", r.StatusCode)
	}
}

func TestAProgramWithoutThePageSaysSo(t *testing.T) {
	r := ask(page.New(fstest.MapFS{}, ""), http.MethodGet, "/", "")
	if got := text(t, r); r.StatusCode != http.StatusNotFound || !strings.Contains(got, "make build") {
		t.Errorf("%d %q", r.StatusCode, got)
	}
}
