// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Server is where a server is and how it is to be trusted.
type Server struct {
	// Address is HOST, HOST:PORT or a URL. Without a scheme it is https, unless PlainText.
	Address   string
	PlainText bool
	// Insecure takes any certificate.
	Insecure bool
	// CA are certificates to trust besides the system's, as PEM; Cert and Key are shown to the server.
	CA, Cert, Key []byte
	// RootPath is a path that the API is below.
	RootPath string
	// Headers are sent along, each as "Name: value".
	Headers   []string
	UserAgent string
	// Retries is how often to try again while no connection comes about.
	Retries int
	// Dial connects to the server in another way than by its address; nil does by that.
	Dial DialFunc
}

// base is the beginning of all URLs.
func (s *Server) base() string {
	base := strings.TrimSuffix(s.Address, "/")
	if !strings.Contains(base, "://") {
		scheme := "https://"
		if s.PlainText {
			scheme = "http://"
		}
		base = scheme + base
	}
	if root := strings.Trim(s.RootPath, "/"); root != "" {
		base += "/" + root
	}
	return base
}

// URL returns where a path of the server is.
func (s *Server) URL(path string) string { return s.base() + path }

func (s *Server) transport() (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.Insecure} //nolint:gosec // only when somebody asks for it
	if len(s.CA) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(s.CA) {
			return nil, fault.New(fault.Mistake, "trust", "server "+s.Address, "", "the certificate to trust is no PEM", "name a PEM file with --server-crt")
		}
		config.RootCAs = pool
	}
	if len(s.Cert) > 0 || len(s.Key) > 0 {
		pair, err := tls.X509KeyPair(s.Cert, s.Key)
		if err != nil {
			return nil, fault.Wrap(fault.Mistake, "use", "the client certificate", err, "name PEM files with --client-crt and --client-crt-key")
		}
		config.Certificates = []tls.Certificate{pair}
	}
	dialer := net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSClientConfig: config,
		ForceAttemptHTTP2: true, TLSHandshakeTimeout: 15 * time.Second, IdleConnTimeout: 90 * time.Second,
	}
	if s.Dial != nil {
		transport.DialContext, transport.Proxy = s.Dial, nil
	}
	return transport, nil
}

// dress adds the headers that go with every request.
func (s *Server) dress(header http.Header) {
	if s.UserAgent != "" {
		header.Set("User-Agent", s.UserAgent)
	}
	for _, line := range s.Headers {
		if name, value, ok := strings.Cut(line, ":"); ok {
			header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
}

// advice says what to do when the server was not reached.
func (s *Server) advice(err error) string {
	certificate := &tls.CertificateVerificationError{}
	record := tls.RecordHeaderError{}
	switch {
	case errors.As(err, &certificate):
		return "trust its certificate with --server-crt FILE, or take any with --insecure"
	case errors.As(err, &record):
		return "if it speaks plain HTTP say so with --plaintext"
	case s.PlainText && strings.Contains(err.Error(), "malformed HTTP"):
		return "if it speaks TLS leave out --plaintext"
	}
	return "check its address and that it runs"
}

// DialFunc connects to an address.
type DialFunc = func(ctx context.Context, network, address string) (net.Conn, error)
