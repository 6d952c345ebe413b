// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/bowline-cd/bowline/internal/fault"
)

// worthGzip is from which size on an answer is compressed.
const worthGzip = 4 << 10

var zippers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a valid one
	return z
}}

// answer writes the answer of a unary call.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, request, answer any) {
	body, err := selected(answer, fieldsOf(r, request))
	if err != nil {
		refuse(w, fault.Wrap(fault.Bug, "write", "the answer", err, ""))
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Add("Vary", "Accept-Encoding")
	if !h.opts.Gzip || len(body) < worthGzip || !takesGzip(r) {
		header.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body) // the caller is gone
		return
	}
	header.Set("Content-Encoding", "gzip")
	z := zippers.Get().(*gzip.Writer)
	defer zippers.Put(z)
	z.Reset(w)
	_, _ = z.Write(body)
	_ = z.Close()
}

// takesGzip reports whether the caller reads gzip (RFC 9110, section 12.5.3).
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.ReplaceAll(weight, " ", "") != "q=0"
		}
	}
	return false
}

// fieldsOf are the fields that a caller wants of an answer: in the request where it has a place for them, and in the query.
func fieldsOf(r *http.Request, request any) string {
	if text, ok := textAt(request, "fields"); ok && text != "" {
		return text
	}
	return r.URL.Query().Get("fields")
}

// selected returns the JSON of a value with the fields that are wanted.
func selected(value any, fields string) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil || fields == "" {
		return text, err
	}
	return newSelection(fields).apply(text), nil
}
