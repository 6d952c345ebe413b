// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// Bounds of a call to a provider.
const (
	callTimeout = 30 * time.Second
	maxAnswer   = 4 << 20
)

// HTTPClient returns a client for a provider that trusts the authorities of roots, or without any those of the system.
func HTTPClient(roots []byte, insecureSkipVerify bool) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecureSkipVerify} //nolint:gosec // a documented setting
	if len(roots) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(roots) {
			return nil, errors.New("it holds no certificate in PEM")
		}
		config.RootCAs = pool
	}
	return &http.Client{Timeout: callTimeout, Transport: bounded{&http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 20 * time.Second, IdleConnTimeout: 90 * time.Second,
		MaxIdleConnsPerHost: 4, ForceAttemptHTTP2: true,
	}}}, nil
}

// bounded cuts answers that are larger than any provider's.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err == nil {
		answer.Body = limited{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	}
	return answer, err
}

type limited struct {
	io.Reader
	io.Closer
}
