// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// passToken is what the token service gives to those who may pull.
const passToken = "pass-"

// recorder notes the status.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (s *Server) serve(w http.ResponseWriter, req *http.Request) {
	out := &recorder{w, http.StatusOK}
	s.mu.Lock()
	at := len(s.requests)
	s.requests = append(s.requests, Request{
		Method: req.Method, Path: req.URL.Path, Query: req.URL.RawQuery, Authorization: req.Header.Get("Authorization"),
		Conditional: req.Header.Get("If-None-Match") != "" || req.Header.Get("If-Modified-Since") != "",
	})
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if at < len(s.requests) {
			s.requests[at].Status = out.status
		}
	}()
	if s.misbehaves(out, req) {
		return
	}
	switch {
	case req.URL.Path == "/token":
		s.serveToken(out, req)
	case !s.mayRead(req):
		s.challenge(out)
	case strings.HasPrefix(req.URL.Path, "/v2/"):
		s.serveRegistry(out, req)
	default:
		s.serveFile(out, req)
	}
}

func (s *Server) mayRead(req *http.Request) bool {
	if s.options.Tokens && strings.HasPrefix(req.URL.Path, "/v2/") {
		return strings.HasPrefix(req.Header.Get("Authorization"), "Bearer "+passToken)
	}
	return s.knows(req)
}

func (s *Server) knows(req *http.Request) bool {
	if s.options.Username == "" {
		return true
	}
	name, password, ok := req.BasicAuth()
	return ok && name == s.options.Username && password == s.options.Password
}

func (s *Server) challenge(w http.ResponseWriter) {
	way := `Basic realm="test"`
	if s.options.Tokens {
		realm := s.options.Realm
		if realm == "" {
			realm = s.URL + "/token"
		}
		way = fmt.Sprintf(`Bearer realm="%s",service="test"`, realm)
	}
	w.Header().Set("WWW-Authenticate", way)
	http.Error(w, "who are you?", http.StatusUnauthorized)
}

func (s *Server) serveToken(w http.ResponseWriter, req *http.Request) {
	if !s.knows(req) {
		http.Error(w, "no such account", http.StatusUnauthorized)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"token": passToken + req.URL.Query().Get("scope"), "expires_in": 300})
}

func (s *Server) serveFile(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	to, elsewhere := s.redirects[req.URL.Path]
	f, ok := s.files[req.URL.Path]
	s.mu.Unlock()
	switch {
	case elsewhere:
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	case !ok:
		http.NotFound(w, req)
	case req.Header.Get("If-None-Match") == f.etag:
		w.Header().Set("ETag", f.etag)
		w.WriteHeader(http.StatusNotModified)
	default:
		w.Header().Set("ETag", f.etag)
		w.Header().Set("Content-Length", strconv.Itoa(len(f.content)))
		_, _ = w.Write(f.content)
	}
}

// serveRegistry serves /v2/, /v2/<path>/{manifests,blobs}/<reference> and /v2/<path>/tags/list.
func (s *Server) serveRegistry(w http.ResponseWriter, req *http.Request) {
	rest := strings.TrimPrefix(req.URL.Path, "/v2/")
	if rest == "" {
		return
	}
	if path, ok := strings.CutSuffix(rest, "/tags/list"); ok {
		s.serveTags(w, req, path)
		return
	}
	for _, kind := range []string{"/manifests/", "/blobs/"} {
		if at := strings.LastIndex(rest, kind); at >= 0 {
			path, reference := rest[:at], rest[at+len(kind):]
			if kind == "/blobs/" {
				s.serveBlob(w, req, reference)
			} else {
				s.serveManifest(w, req, path, reference)
			}
			return
		}
	}
	http.NotFound(w, req)
}

func (s *Server) serveTags(w http.ResponseWriter, req *http.Request, path string) {
	s.mu.Lock()
	var names []string
	all, ok := s.tags[path]
	for _, t := range all {
		names = append(names, t.name)
	}
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, req)
		return
	}
	slices.Sort(names)
	last := req.URL.Query().Get("last")
	names = slices.DeleteFunc(names, func(name string) bool { return name <= last })
	size := s.options.PageSize
	if size == 0 {
		size = 100
	}
	if len(names) > size {
		names = names[:size]
		w.Header().Set("Link", fmt.Sprintf(`</v2/%s/tags/list?last=%s&n=%d>; rel="next"`, path, url.QueryEscape(names[size-1]), size))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"name": path, "tags": names})
}

func (s *Server) serveManifest(w http.ResponseWriter, req *http.Request, path, reference string) {
	s.mu.Lock()
	digest := reference
	for _, t := range s.tags[path] {
		if t.name == reference {
			digest = t.digest
		}
	}
	m, ok := s.manifests[digest]
	_, known := s.tags[path]
	s.mu.Unlock()
	if !ok || !known {
		http.NotFound(w, req)
		return
	}
	if !s.options.NoDigests {
		w.Header().Set("Docker-Content-Digest", digest)
	}
	w.Header().Set("Content-Type", m.mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(m.content)))
	if req.Method != http.MethodHead {
		_, _ = w.Write(m.content)
	}
}

func (s *Server) serveBlob(w http.ResponseWriter, req *http.Request, digest string) {
	s.mu.Lock()
	content, ok := s.blobs[digest]
	s.mu.Unlock()
	switch {
	case !ok:
		http.NotFound(w, req)
	case s.options.BlobsAt != "":
		w.Header().Set("Location", s.options.BlobsAt+"/"+strings.TrimPrefix(digest, "sha256:"))
		w.WriteHeader(http.StatusTemporaryRedirect)
	default:
		_, _ = w.Write(content)
	}
}
