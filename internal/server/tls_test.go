// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/server"
)

func certificate(t *testing.T, names ...string) *tls.Certificate {
	t.Helper()
	cert, key, err := server.NewCertificate(names, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return &pair
}

// trusting returns a client that trusts one certificate and keeps no connection.
func trusting(cert *tls.Certificate, protocols *http.Protocols) *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(cert.Leaf)
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, Protocols: protocols, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func TestTLSShowsTheCertificateOfTheMoment(t *testing.T) {
	var current atomic.Pointer[tls.Certificate]
	first, second := certificate(t, "127.0.0.1"), certificate(t, "127.0.0.1")
	current.Store(first)
	s := start(t, func(o *server.Options) {
		o.TLS = &server.TLS{Certificate: func() (*tls.Certificate, error) { return current.Load(), nil }}
	})
	get := func(cert *tls.Certificate) error {
		response, err := trusting(cert, nil).Get("https://" + s.Address() + "/healthz")
		if err == nil {
			_ = response.Body.Close()
		}
		return err
	}
	if err := get(first); err != nil {
		t.Error(err)
	}
	current.Store(second)
	if err := get(second); err != nil {
		t.Error("a new certificate is not shown:", err)
	}
	if err := get(first); err == nil {
		t.Error("the former certificate is still shown")
	}
}

func TestPlainHTTPIsSentToTLS(t *testing.T) {
	cert := certificate(t, "127.0.0.1")
	s := start(t, func(o *server.Options) {
		o.TLS = &server.TLS{Certificate: func() (*tls.Certificate, error) { return cert, nil }}
	})
	client := trusting(cert, nil)
	for path, want := range map[string]int{"/applications?a=b": http.StatusTemporaryRedirect, "/healthz": http.StatusOK, "/readyz": http.StatusOK} {
		response, err := client.Get("http://" + s.Address() + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, response.StatusCode, want)
		}
		if to := response.Header.Get("Location"); want == http.StatusTemporaryRedirect && to != "https://"+s.Address()+path {
			t.Errorf("%s is sent to %q", path, to)
		}
	}
	response, err := client.Post("http://"+s.Address()+"/api/webhook", "application/json", strings.NewReader(`{"secret":"sent in the open"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("a body that was sent in the open: %d, want it refused", response.StatusCode)
	}
	if len(s.hints.urls) > 0 {
		t.Error("a webhook was taken without TLS")
	}
}

// A connection that says nothing holds up nobody else.
func TestSilentConnection(t *testing.T) {
	cert := certificate(t, "127.0.0.1")
	s := start(t, func(o *server.Options) {
		o.TLS = &server.TLS{Certificate: func() (*tls.Certificate, error) { return cert, nil }}
	})
	for range 20 {
		silent, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", s.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
	}
	response, err := trusting(cert, nil).Get("https://" + s.Address() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
}

func TestHTTP2WithAndWithoutTLS(t *testing.T) {
	cert := certificate(t, "127.0.0.1")
	for scheme, change := range map[string]func(*server.Options){
		"https": func(o *server.Options) {
			o.TLS = &server.TLS{Certificate: func() (*tls.Certificate, error) { return cert, nil }}
		},
		"http": nil,
	} {
		s := start(t, change)
		protocols := &http.Protocols{}
		protocols.SetHTTP2(scheme == "https")
		protocols.SetUnencryptedHTTP2(scheme == "http")
		response, err := trusting(cert, protocols).Get(scheme + "://" + s.Address() + "/healthz")
		if err != nil {
			t.Errorf("%s: %v", scheme, err)
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.ProtoMajor != 2 {
			t.Errorf("%s spoke %s", scheme, response.Proto)
		}
	}
}

func TestHeadersForBrowsers(t *testing.T) {
	cert := certificate(t, "127.0.0.1")
	s := start(t, func(o *server.Options) {
		o.TLS = &server.TLS{Certificate: func() (*tls.Certificate, error) { return cert, nil }}
	})
	response, err := trusting(cert, nil).Get("https://" + s.Address() + "/nothing")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	for name, want := range map[string]string{
		"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "frame-ancestors 'none'",
		"Strict-Transport-Security": "max-age=", "Referrer-Policy": "same-origin",
	} {
		if got := response.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: %q does not have %q", name, got, want)
		}
	}
}
