// SPDX-License-Identifier: Apache-2.0

package application

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Downloads has logs answered as a text file where a request says download=true, as Argo CD's page does; next answers
// everything else, and those requests too, as a stream of JSON.
func Downloads(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Query().Get("download") != "true" ||
			!strings.Contains(r.URL.Path, "/api/v1/applications/") || !strings.HasSuffix(r.URL.Path, "/logs") {
			next.ServeHTTP(w, r)
			return
		}
		query := r.URL.Query()
		plain := r.Clone(r.Context())
		plain.Header.Del("Accept")
		plain.Header.Del("Accept-Encoding")
		query.Del("download")
		plain.URL.RawQuery = query.Encode()
		text := &textWriter{ResponseWriter: w, name: fileName(r.URL.Query())}
		next.ServeHTTP(text, plain)
	})
}

// fileName names the file by what it is of, if that is harmless in a header.
func fileName(q url.Values) string {
	parts := []string{q.Get("namespace"), q.Get("podName"), q.Get("container")}
	for _, part := range parts {
		if part == "" || len(validation.IsDNS1123Subdomain(part)) > 0 {
			return "log.log"
		}
	}
	return strings.Join(parts, "-") + ".log"
}

// textWriter turns a stream of JSON, a line for each element, into the lines of the log. An answer that is no stream passes.
type textWriter struct {
	http.ResponseWriter
	name   string
	begun  bool
	stream bool
	rest   []byte
}

// Unwrap lets http.ResponseController find what is behind.
func (w *textWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush implements http.Flusher.
func (w *textWriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// WriteHeader implements http.ResponseWriter.
func (w *textWriter) WriteHeader(status int) {
	if !w.begun {
		w.begun, w.stream = true, status == http.StatusOK
		if w.stream {
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Content-Disposition", `attachment;filename="`+w.name+`"`)
			w.Header().Del("Content-Length")
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *textWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	if !w.stream {
		return w.ResponseWriter.Write(p)
	}
	w.rest = append(w.rest, p...)
	for {
		line, rest, whole := bytes.Cut(w.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		w.rest = rest
		if _, err := w.ResponseWriter.Write(textOf(line)); err != nil {
			return 0, err
		}
	}
}

// textOf is the line of the log that an element of the stream brings; the last element brings none.
func textOf(element []byte) []byte {
	var read struct {
		Result *struct {
			Content string `json:"content"`
			Last    bool   `json:"last"`
		} `json:"result"`
		Error *struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	switch err := json.Unmarshal(element, &read); {
	case err != nil:
		return nil
	case read.Error != nil:
		return []byte("the log broke off: " + read.Error.Message + "\n")
	case read.Result == nil || read.Result.Last && read.Result.Content == "":
		return nil
	}
	return []byte(read.Result.Content + "\n")
}
