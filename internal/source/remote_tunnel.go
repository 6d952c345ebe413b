// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/proxy"
)

// tunnel leads one ssh through a SOCKS5 proxy: ssh itself knows none, and the programs that do want the password
// in their arguments. It takes one connection on a loopback port and joins it to the repository's host.
type tunnel struct {
	remote   *remote
	listener net.Listener
	cancel   context.CancelFunc
	done     sync.WaitGroup

	mu  sync.Mutex
	err error // why the host was not reached
}

// openTunnel opens a tunnel that lives until close, or the end of ctx.
func (r *remote) openTunnel(ctx context.Context) (*tunnel, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	t := &tunnel{remote: r, listener: listener, cancel: cancel}
	t.done.Go(func() { t.serve(ctx) })
	return t, nil
}

// close ends the tunnel.
func (t *tunnel) close() {
	t.cancel()
	_ = t.listener.Close()
	t.done.Wait()
}

// failure returns why the host was not reached; nil if it was, nobody tried, or there is no tunnel.
func (t *tunnel) failure() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

func (t *tunnel) serve(ctx context.Context) {
	near, err := t.listener.Accept()
	_ = t.listener.Close() // nobody else is meant
	if err != nil {
		return
	}
	defer func() { _ = near.Close() }()
	far, err := t.dial(ctx)
	if err != nil {
		t.mu.Lock()
		t.err = err
		t.mu.Unlock()
		return
	}
	defer func() { _ = far.Close() }()
	stop := context.AfterFunc(ctx, func() { _, _ = near.Close(), far.Close() })
	defer stop()
	t.done.Go(func() {
		_, _ = io.Copy(far, near)
		closeWrite(far)
	})
	_, _ = io.Copy(near, far)
	closeWrite(near)
}

// closeWrite tells the other side that no more comes.
func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = c.Close()
}

func (t *tunnel) dial(ctx context.Context) (net.Conn, error) {
	way, port := t.remote.proxy, t.remote.endpoint.port
	if port == "" {
		port = "22"
	}
	var who *proxy.Auth
	if way.User != nil {
		password, _ := way.User.Password()
		who = &proxy.Auth{User: way.User.Username(), Password: password}
	}
	dialer, err := proxy.SOCKS5("tcp", proxyAddress(way), who, &net.Dialer{Timeout: 15 * time.Second})
	if err != nil {
		return nil, err
	}
	socks, ok := dialer.(proxy.ContextDialer)
	if !ok {
		return nil, errors.New("the SOCKS dialer cannot be stopped")
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return socks.DialContext(ctx, "tcp", net.JoinHostPort(t.remote.endpoint.host, port))
}

// options make ssh connect to the tunnel, and check the key of the host behind it.
func (t *tunnel) options() []string {
	_, port, _ := net.SplitHostPort(t.listener.Addr().String())
	name := strings.ToLower(t.remote.endpoint.host)
	if p := t.remote.endpoint.port; p != "" && p != "22" {
		name = "[" + name + "]:" + p
	}
	return []string{"-o", "HostName=127.0.0.1", "-o", "Port=" + port, "-o", "HostKeyAlias=" + name}
}
