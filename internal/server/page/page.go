// SPDX-License-Identifier: Apache-2.0

// Package page serves the page that people look at.
//
// The words of this room:
//
//   - Document: index.html. It is served for every address that is a view of the page, and asked for anew each time.
//   - Asset: a file with a digest of its content in its name. It never changes, so browsers keep it.
package page

import (
	"bytes"
	"cmp"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// Handler serves a page.
type Handler struct {
	files    fs.FS
	document []byte // nil: the program was built without the page
}

// base is what the document is built with.
var base = []byte(`<base href="/" />`)

// New returns a handler for the files of a page: index.html and assets/. root is the path below which everything is offered, without
// a slash at its end; "" is all of it.
func New(files fs.FS, root string) *Handler {
	document, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return &Handler{files: files}
	}
	return &Handler{files, bytes.Replace(document, base, []byte(`<base href="`+root+`/" />`), 1)}
}

// ServeHTTP answers below /assets/ with assets, and else with the document, whatever the address: the page knows its views.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the page is read only; the API is below /api", http.StatusMethodNotAllowed)
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, "/assets/"); ok {
		h.asset(w, r, "assets/"+name) // names with steps in them are no names of files
		return
	}
	if h.document == nil {
		http.Error(w, "this program was built without the page: build it with `make build`; the API and the command line work", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(h.document) // the browser is gone
}

// encodings are the forms that an asset is kept in beside its own, best first.
var encodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

func (h *Handler) asset(w http.ResponseWriter, r *http.Request, name string) {
	body, err := fs.ReadFile(h.files, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", cmp.Or(mime.TypeByExtension(path.Ext(name)), "text/plain; charset=utf-8"))
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	header.Add("Vary", "Accept-Encoding")
	for _, e := range encodings {
		if !accepts(r, e.name) {
			continue
		}
		if small, err := fs.ReadFile(h.files, name+e.suffix); err == nil {
			header.Set("Content-Encoding", e.name)
			body = small
			break
		}
	}
	_, _ = w.Write(body) // the browser is gone
}

// accepts reports whether the caller takes an encoding (RFC 9110 section 12.5.3). One with the weight 0 is refused.
func accepts(r *http.Request, encoding string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == encoding {
			weight = strings.TrimSpace(weight)
			return weight != "q=0" && weight != "q=0.0" && weight != "q=0.00" && weight != "q=0.000"
		}
	}
	return false
}
