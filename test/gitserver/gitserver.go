// SPDX-License-Identifier: Apache-2.0

// Package gitserver serves real Git repositories to tests: over HTTP and HTTPS through `git http-backend`, and
// over SSH through `git upload-pack`. It listens on 127.0.0.1 only.
//
// The words of this room:
//
//   - Server: one listener with the repositories below one folder.
//   - Repo: a bare repository, changed by commits that need no work tree (see Repo.Commit).
//   - Trouble: a way in which the server misbehaves until told otherwise (see Server.Misbehave).
//   - LFS: what the server says of Git LFS, if it speaks it (see Server.SetLFS).
//   - Counts: how many requests of each kind were served, to prove how little a client asks.
//   - Proxy: an HTTP or SOCKS5 proxy that leads every host to one Server and notes what it was asked for.
package gitserver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Options say how a Server serves.
type Options struct {
	// Root is the folder of the repositories; a temporary one that Close removes if empty.
	Root string
	// Address to listen on; a free port of 127.0.0.1 if empty.
	Address string
	// Username and Password, if set, are asked for by basic authentication.
	Username, Password string
	// Token, if set, is accepted as a bearer token.
	Token string
	// TLS serves https with a certificate of an own authority (see Server.CA).
	TLS bool
	// Expired serves with a certificate that has ended, OtherName with one of git.example.org.
	Expired, OtherName bool
	// ClientCertificates asks for a client certificate of that authority (see Server.ClientCertificate).
	ClientCertificates bool
}

// Server is a running Git server.
type Server struct {
	// URL is "http://127.0.0.1:port" or its https form, without a trailing slash.
	URL string

	options   Options
	ownsRoot  bool
	backend   string // path of git-http-backend
	authority *authority
	tls       *tls.Config

	mu       sync.Mutex
	http     *http.Server
	done     chan struct{} // closed when the current http server has ended
	counts   Counts
	trouble  Trouble
	released chan struct{} // closed to let hanging requests go
	log      []string
	lfs      *LFS
}

// New starts a Server for a test and ends it with the test.
func New(t testing.TB, options Options) *Server {
	t.Helper()
	s, err := Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start starts a Server.
func Start(options Options) (*Server, error) {
	s := &Server{options: options, released: make(chan struct{})}
	if s.options.Root == "" {
		dir, err := os.MkdirTemp("", "gitserver")
		if err != nil {
			return nil, err
		}
		s.options.Root, s.ownsRoot = dir, true
	}
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return nil, fmt.Errorf("find git: %w", err)
	}
	s.backend = filepath.Join(strings.TrimSpace(string(path)), "git-http-backend")
	if _, err := os.Stat(s.backend); err != nil {
		return nil, fmt.Errorf("git http-backend is needed: %w", err)
	}
	if err := s.prepareTLS(); err != nil {
		return nil, err
	}
	if s.options.Address == "" {
		s.options.Address = "127.0.0.1:0"
	}
	return s, s.listen()
}

func (s *Server) prepareTLS() error {
	if !s.options.TLS {
		return nil
	}
	var err error
	if s.authority, err = newAuthority(); err != nil {
		return err
	}
	wrong := sound
	switch {
	case s.options.Expired:
		wrong = expired
	case s.options.OtherName:
		wrong = otherName
	}
	certificate, err := s.authority.issue("127.0.0.1", wrong)
	if err != nil {
		return err
	}
	s.tls = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	if s.options.ClientCertificates {
		pool := x509.NewCertPool()
		pool.AddCert(s.authority.certificate)
		s.tls.ClientCAs, s.tls.ClientAuth = pool, tls.RequireAndVerifyClientCert
	}
	return nil
}

// listen starts serving on options.Address, which it makes permanent: a server that comes back after Refuse
// has the same address.
func (s *Server) listen() error {
	listener, err := net.Listen("tcp", s.options.Address)
	if err != nil {
		return err
	}
	s.options.Address = listener.Addr().String()
	scheme := "http"
	if s.tls != nil {
		scheme, listener = "https", tls.NewListener(listener, s.tls)
	}
	s.URL = scheme + "://" + s.options.Address
	server := &http.Server{Handler: http.HandlerFunc(s.serve), ErrorLog: log.New(nowhere{}, "", 0)}
	done := make(chan struct{})
	s.mu.Lock()
	s.http, s.done = server, done
	s.mu.Unlock()
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(err)
		}
	}()
	return nil
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// Close ends the server and removes its temporary folder.
func (s *Server) Close() {
	s.Misbehave(None)
	s.stop()
	if s.ownsRoot {
		_ = os.RemoveAll(s.options.Root)
	}
}

func (s *Server) stop() {
	s.mu.Lock()
	server, done := s.http, s.done
	s.mu.Unlock()
	_ = server.Close()
	<-done
}

// Root returns the folder of the repositories.
func (s *Server) Root() string { return s.options.Root }

// CA returns the certificate of the server's authority in PEM; "" without TLS.
func (s *Server) CA() string {
	if s.authority == nil {
		return ""
	}
	return s.authority.pem
}

// ClientCertificate issues a client certificate and its key, both in PEM.
func (s *Server) ClientCertificate() (certificate, key string, err error) {
	return s.authority.issuePEM("client", sound)
}
