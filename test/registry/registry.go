// SPDX-License-Identifier: Apache-2.0

// Package registry serves charts, OCI artifacts and files to tests. It listens on 127.0.0.1 only.
//
// The words of this room:
//
//   - Server: one listener that is an HTTP chart repository below any folder, an OCI registry below /v2/ (the part of the
//     distribution specification that clients pull with), a token service at /token, and a server of files elsewhere.
//   - Trouble: a way in which the server misbehaves until told otherwise (see Server.Misbehave).
//   - Request: what a client sent, to prove how little it asks and what it tells whom.
package registry

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Options say how a Server serves.
type Options struct {
	// TLS serves https with a certificate of its own (see Server.CA).
	TLS bool
	// Username and Password, if set, are asked for by basic authentication.
	Username, Password string
	// Tokens makes the registry ask for a token of Realm instead; that asks for Username and Password if they are set.
	Tokens bool
	// Realm is the address of the token service; that of the Server itself if empty.
	Realm string
	// PageSize is the most tags of one answer; 100 if 0.
	PageSize int
	// BlobsAt, if set, is the URL of another Server that blobs are redirected to.
	BlobsAt string
	// NoDigests leaves the header Docker-Content-Digest out.
	NoDigests bool
}

// Request is what a client sent.
type Request struct {
	Method, Path, Query string
	Authorization       string
	Conditional         bool // it asked whether something changed
	Status              int
}

// Server is a running server.
type Server struct {
	// URL is "http://127.0.0.1:port" or its https form; Host the same without the scheme.
	URL, Host string

	options Options
	http    *httptest.Server

	mu        sync.Mutex
	files     map[string]file      // by path, with a slash at the begin
	blobs     map[string][]byte    // by digest
	manifests map[string]stored    // by digest
	tags      map[string][]tag     // by path of the repository, in the order in which they were pushed
	redirects map[string]string    // by path
	charts    map[string][]release // by folder
	trouble   Trouble
	requests  []Request
	released  chan struct{} // closed to let hanging requests go
}

type file struct {
	content []byte
	etag    string
}

type stored struct {
	content   []byte
	mediaType string
}

type tag struct{ name, digest string }

// New starts a Server for a test and ends it with the test.
func New(t testing.TB, options Options) *Server {
	t.Helper()
	s := Start(options)
	t.Cleanup(s.Close)
	return s
}

// Start starts a Server.
func Start(options Options) *Server {
	s := &Server{
		options: options, files: map[string]file{}, blobs: map[string][]byte{}, manifests: map[string]stored{},
		tags: map[string][]tag{}, redirects: map[string]string{}, charts: map[string][]release{}, released: make(chan struct{}),
	}
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0)
	if options.TLS {
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	s.URL = s.http.URL
	_, s.Host, _ = strings.Cut(s.URL, "://")
	return s
}

// Close ends the server.
func (s *Server) Close() {
	s.Misbehave(None)
	s.http.CloseClientConnections()
	s.http.Close()
}

// CA returns the certificate to trust, in PEM; "" without TLS.
func (s *Server) CA() string {
	if s.http.Certificate() == nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.http.Certificate().Raw}))
}

// Requests returns what was sent since the start or the last Reset.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Reset forgets the requests.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

// Count returns how many requests had a path that contains part, whatever became of them.
func (s *Server) Count(part string) int {
	n := 0
	for _, r := range s.Requests() {
		if strings.Contains(r.Path, part) {
			n++
		}
	}
	return n
}

// Put serves a file at a path.
func (s *Server) Put(path string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[slash(path)] = file{content, `"` + Digest(content)[len("sha256:"):] + `"`}
}

// Redirect sends who asks for a path elsewhere.
func (s *Server) Redirect(path, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redirects[slash(path)] = to
}

func slash(path string) string { return "/" + strings.Trim(path, "/") }
