// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// inside reaches our own issuer without the network: the process need not resolve, reach or trust its own address.
type inside struct {
	base    string
	handler http.Handler
}

// RoundTrip implements http.RoundTripper.
func (t inside) RoundTrip(r *http.Request) (*http.Response, error) {
	clone := r.Clone(r.Context())
	clone.URL = &url.URL{Path: strings.TrimPrefix(r.URL.String(), t.base), RawQuery: r.URL.RawQuery}
	clone.URL.Path, _, _ = strings.Cut(clone.URL.Path, "?")
	clone.RequestURI, clone.Host = clone.URL.RequestURI(), r.URL.Host
	if clone.Body == nil {
		clone.Body = http.NoBody
	}
	w := &recorded{header: http.Header{}, status: http.StatusOK}
	t.handler.ServeHTTP(w, clone)
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// recorded is an answer that is kept.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorded) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorded) WriteHeader(status int) { r.status = status }

// Write implements http.ResponseWriter.
func (r *recorded) Write(p []byte) (int, error) { return r.body.Write(p) }
