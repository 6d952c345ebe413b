// SPDX-License-Identifier: Apache-2.0

package gitserver

import (
	"bytes"
	"compress/gzip"
	"crypto/subtle"
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"strings"
)

type kind int

const (
	other kind = iota
	advertise
	lsRefs
	fetch
)

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	kind := kindOf(r, body)
	s.count(kind, r, body)
	if s.answered(w, r, kind) {
		return
	}
	if !s.allowed(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	if s.servesLFS(w, r) {
		return
	}
	handler := &cgi.Handler{
		Path:       s.backend,
		Env:        []string{"GIT_PROJECT_ROOT=" + s.options.Root, "GIT_HTTP_EXPORT_ALL=1", "GIT_PROTOCOL=" + r.Header.Get("Git-Protocol"), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null"},
		InheritEnv: []string{"PATH"},
		Stderr:     nowhere{},
	}
	if !s.cuts(kind) {
		handler.ServeHTTP(w, r)
		return
	}
	whole := httptest.NewRecorder()
	handler.ServeHTTP(whole, r)
	half(w, whole)
}

// half sends the first half of an answer and cuts the connection.
func half(w http.ResponseWriter, whole *httptest.ResponseRecorder) {
	for name, values := range whole.Header() {
		w.Header()[name] = values
	}
	w.Header().Del("Content-Length")
	w.WriteHeader(whole.Code)
	_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	cut(w)
}

// readBody takes the body whole (CGI needs its length), undoes gzip, and leaves both in place.
func readBody(r *http.Request) ([]byte, error) {
	var reader io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		reader = unzipped
		r.Header.Del("Content-Encoding")
	}
	body, err := io.ReadAll(reader)
	if err != nil {
		return nil, err
	}
	r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	return body, nil
}

func kindOf(r *http.Request, body []byte) kind {
	switch {
	case strings.HasSuffix(r.URL.Path, "/info/refs"):
		return advertise
	case !strings.HasSuffix(r.URL.Path, "/git-upload-pack"):
		return other
	case bytes.Contains(body, []byte("command=ls-refs")):
		return lsRefs
	default:
		return fetch
	}
}

func (s *Server) count(kind kind, r *http.Request, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch kind {
	case advertise:
		s.counts.Advertise++
	case lsRefs:
		s.counts.LsRefs++
	case fetch:
		s.counts.Fetch++
	default:
		s.counts.Other++
	}
	s.log = append(s.log, fmt.Sprintf("%s %s wants=%d haves=%d filter=%t", r.Method, r.URL.Path,
		bytes.Count(body, []byte("want ")), bytes.Count(body, []byte("have ")), bytes.Contains(body, []byte("filter "))))
}

func (s *Server) allowed(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trouble == WrongAccount {
		return false
	}
	if s.options.Password == "" && s.options.Token == "" {
		return true
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && s.options.Token != "" {
		return same(token, s.options.Token)
	}
	username, password, ok := r.BasicAuth()
	return ok && s.options.Password != "" && same(username, s.options.Username) && same(password, s.options.Password)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// SetAccount makes basic authentication ask for another account from now on.
func (s *Server) SetAccount(username, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Username, s.options.Password = username, password
}

// SetToken makes another bearer token be accepted from now on.
func (s *Server) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Token = token
}
