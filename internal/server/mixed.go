// SPDX-License-Identifier: Apache-2.0

package server

import (
	"bufio"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// mixed hands the connections of one listener to two: those that begin with a handshake of TLS, and the others, which are told to
// use it. People type addresses without https, and probes of Kubernetes come without it.
type mixed struct {
	net.Listener
	encrypted, plain *half
	once             sync.Once
}

// handshake is the first byte of a connection that speaks TLS: the content type of a handshake record (RFC 8446, section 5.1).
const handshake = 0x16

// firstByteTimeout bounds how long a connection may say nothing at all.
const firstByteTimeout = 10 * time.Second

func newMixed(l net.Listener) *mixed {
	m := &mixed{Listener: l}
	done := make(chan struct{})
	m.encrypted, m.plain = &half{m: m, conns: make(chan net.Conn), done: done}, &half{m: m, conns: make(chan net.Conn), done: done}
	go m.accept(done)
	return m
}

func (m *mixed) accept(done chan struct{}) {
	defer close(done)
	for {
		conn, err := m.Accept()
		if err != nil {
			return
		}
		go m.sort(conn, done)
	}
}

// sort looks at the first byte of a connection. It runs beside accepting, so that a connection that says nothing holds up no
// other.
func (m *mixed) sort(conn net.Conn, done <-chan struct{}) {
	reader := bufio.NewReader(conn)
	_ = conn.SetReadDeadline(time.Now().Add(firstByteTimeout))
	first, err := reader.Peek(1)
	if err != nil {
		_ = conn.Close()
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	to := m.plain
	if first[0] == handshake {
		to = m.encrypted
	}
	select {
	case to.conns <- &peeked{conn, reader}:
	case <-done:
		_ = conn.Close()
	}
}

// half is a listener of the connections of one sort.
type half struct {
	m     *mixed
	conns chan net.Conn
	done  <-chan struct{}
}

// Accept implements net.Listener.
func (h *half) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener: it ends both halves.
func (h *half) Close() (err error) {
	h.m.once.Do(func() { err = h.m.Listener.Close() })
	return err
}

// Addr implements net.Listener.
func (h *half) Addr() net.Addr { return h.m.Addr() }

// peeked is a connection whose first byte was looked at.
type peeked struct {
	net.Conn
	reader *bufio.Reader
}

// Read implements net.Conn.
func (p *peeked) Read(b []byte) (int, error) { return p.reader.Read(b) }

// redirect sends whoever comes without TLS to the same address with it, probes aside: they ask nothing that is worth hiding, and
// Kubernetes follows no redirect to another scheme.
func redirect(probes http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
			probes.ServeHTTP(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			refuse(w, http.StatusBadRequest, "this address speaks HTTPS: use https://"+r.Host)
			return
		}
		to := url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path, RawQuery: r.URL.RawQuery}
		http.Redirect(w, r, to.String(), http.StatusTemporaryRedirect)
	})
}
