// SPDX-License-Identifier: Apache-2.0

package gitserver

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// Proxy is an HTTP and SOCKS5 proxy on one port. Whatever host it is asked for, it connects to one address.
type Proxy struct {
	// Address is "127.0.0.1:port".
	Address string

	target             string
	username, password string
	listener           net.Listener
	wg                 sync.WaitGroup

	mu      sync.Mutex
	asked   []string
	open    map[net.Conn]bool
	refused int
}

// NewProxy starts a proxy that leads to the address target (host:port) for a test, and ends it with the test. With a
// username it refuses whoever does not give it and the password.
func NewProxy(t testing.TB, target, username, password string) *Proxy {
	t.Helper()
	p, err := StartProxy(target, username, password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// StartProxy is NewProxy for whoever ends it.
func StartProxy(target, username, password string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{Address: listener.Addr().String(), target: target, username: username, password: password, listener: listener, open: map[net.Conn]bool{}}
	p.wg.Go(p.accept)
	return p, nil
}

// Close ends the proxy and its connections.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	p.mu.Lock()
	for connection := range p.open {
		_ = connection.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// Asked returns what the proxy was asked for: "socks5 host:port", "CONNECT host:port" or the method and address of a request.
func (p *Proxy) Asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.asked...)
}

// Refused returns how many were sent away for their credentials.
func (p *Proxy) Refused() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

func (p *Proxy) accept() {
	for {
		connection, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() {
			p.track(connection, true)
			defer p.track(connection, false)
			p.serve(connection)
		})
	}
}

func (p *Proxy) track(connection net.Conn, open bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if open {
		p.open[connection] = true
		return
	}
	delete(p.open, connection)
	_ = connection.Close()
}

func (p *Proxy) note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, fmt.Sprintf(format, args...))
}

func (p *Proxy) refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused++
}

func (p *Proxy) serve(client net.Conn) {
	reader := bufio.NewReader(client)
	first, err := reader.Peek(1)
	if err != nil {
		return
	}
	if first[0] == 5 {
		if target, err := p.greet(client, reader); err == nil {
			p.note("socks5 %s", target)
			p.join(client, reader, func() { _, _ = client.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}) })
		}
		return
	}
	req, err := http.ReadRequest(reader)
	if err != nil {
		return
	}
	if p.username != "" && req.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(p.username+":"+p.password)) {
		p.refuse()
		_, _ = io.WriteString(client, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		return
	}
	if req.Method == http.MethodConnect {
		p.note("CONNECT %s", req.Host)
		p.join(client, reader, func() { _, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n") })
		return
	}
	p.note("%s %s", req.Method, req.URL)
	p.forward(client, req)
}

// forward answers one request for an http address and closes the connection.
func (p *Proxy) forward(client net.Conn, req *http.Request) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	req.Header.Del("Proxy-Authorization")
	req.Close = true
	if req.Write(server) == nil {
		_, _ = io.Copy(client, server)
	}
}

// join connects to the target, says so, and copies both ways.
func (p *Proxy) join(client net.Conn, reader io.Reader, ready func()) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	p.track(server, true)
	defer p.track(server, false)
	ready()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(server, reader)
		_ = server.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(client, server)
	_ = client.Close()
	<-done
}

var errSOCKS = errors.New("not what this proxy takes")

// greet speaks the beginning of SOCKS5 (RFC 1928, RFC 1929) and returns the address that is asked for.
func (p *Proxy) greet(client net.Conn, r *bufio.Reader) (string, error) {
	methods, err := field(r, 1)
	if err != nil {
		return "", err
	}
	if p.username == "" {
		_, _ = client.Write([]byte{5, 0})
	} else {
		if !strings.Contains(string(methods), "\x02") {
			p.refuse()
			_, _ = client.Write([]byte{5, 0xff})
			return "", errSOCKS
		}
		_, _ = client.Write([]byte{5, 2})
		username, err := field(r, 1)
		if err != nil {
			return "", err
		}
		password, err := field(r, 0)
		if err != nil {
			return "", err
		}
		if string(username) != p.username || string(password) != p.password {
			p.refuse()
			_, _ = client.Write([]byte{1, 1})
			return "", errSOCKS
		}
		_, _ = client.Write([]byte{1, 0})
	}
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return "", err
	}
	var host string
	switch head[3] {
	case 1, 4:
		raw := make([]byte, map[byte]int{1: 4, 4: 16}[head[3]])
		if _, err := io.ReadFull(r, raw); err != nil {
			return "", err
		}
		host = net.IP(raw).String()
	case 3:
		name, err := field(r, 0)
		if err != nil {
			return "", err
		}
		host = string(name)
	default:
		return "", errSOCKS
	}
	port := make([]byte, 2)
	if _, err := io.ReadFull(r, port); err != nil {
		return "", err
	}
	return net.JoinHostPort(host, fmt.Sprint(int(port[0])<<8|int(port[1]))), nil
}

// field skips bytes and reads what follows the byte that says its length.
func field(r *bufio.Reader, skip int) ([]byte, error) {
	if _, err := r.Discard(skip); err != nil {
		return nil, err
	}
	n, err := r.ReadByte()
	if err != nil {
		return nil, err
	}
	data := make([]byte, n)
	_, err = io.ReadFull(r, data)
	return data, err
}
