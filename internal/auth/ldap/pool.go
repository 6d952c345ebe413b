// SPDX-License-Identifier: Apache-2.0

package ldap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/bowline-cd/bowline/internal/auth/connector"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Bounds of the conversation with a directory.
const (
	dialTimeout      = 10 * time.Second
	operationTimeout = 15 * time.Second
	pageSize         = 500
	// maxIdle connections of the Service are kept for the next search.
	maxIdle = 4
)

// pool keeps connections that are bound as the Service.
type pool struct {
	mu   sync.Mutex
	idle []*goldap.Conn
}

// take returns a connection that was open when it was last used; nil if there is none.
func (p *pool) take() *goldap.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		conn := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if !conn.IsClosing() {
			return conn
		}
	}
	return nil
}

func (p *pool) give(conn *goldap.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if conn.IsClosing() || len(p.idle) >= maxIdle {
		_ = conn.Close()
		return
	}
	p.idle = append(p.idle, conn)
}

// Close closes the connections that wait. Settings changed: there is another Connector now.
func (c *Connector) Close() error {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	var errs []error
	for _, conn := range c.pool.idle {
		errs = append(errs, conn.Close())
	}
	c.pool.idle = nil
	return errors.Join(errs...)
}

// search runs do with a connection of the Service. If one that waited turns out to be dead, do runs again with a new one.
func (c *Connector) search(ctx context.Context, do func(*goldap.Conn) error) error {
	if conn := c.pool.take(); conn != nil {
		err := c.using(ctx, conn, do)
		if err == nil || !conn.IsClosing() || ctx.Err() != nil || answered(err) {
			return err
		}
	}
	conn, err := c.dial(ctx)
	if err != nil {
		return err
	}
	if err := c.bindService(conn); err != nil {
		_ = conn.Close()
		return err
	}
	return c.using(ctx, conn, do)
}

// answered reports whether an error is what a directory said, rather than that it said nothing.
func answered(err error) bool {
	var said *goldap.Error
	return errors.Is(err, connector.ErrWrong) || errors.As(err, &said) && said.ResultCode < goldap.ErrorNetwork
}

// using ends the connection when ctx ends, so that nobody waits for a directory that hangs.
func (c *Connector) using(ctx context.Context, conn *goldap.Conn, do func(*goldap.Conn) error) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	err := do(conn)
	if !stop() {
		return errors.Join(ctx.Err(), err)
	}
	if err != nil && !answered(err) {
		_ = conn.Close()
		return err
	}
	c.pool.give(conn)
	return err
}

func (c *Connector) bindService(conn *goldap.Conn) error {
	var err error
	if c.block.BindDN == "" && c.block.BindPW == "" {
		err = conn.UnauthenticatedBind("")
	} else {
		err = conn.Bind(c.block.BindDN, c.block.BindPW)
	}
	if err != nil {
		return fault.Wrap(fault.Stalled, "bind at", "the LDAP directory "+c.address, fmt.Errorf("as bindDN: %w", err), "check bindDN and bindPW of the connector")
	}
	return nil
}

// bind proves a password, on a connection of its own: the rights of one who signs in are never used for anything else.
func (c *Connector) bind(ctx context.Context, name, password string) error {
	conn, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	err = conn.Bind(name, password)
	if goldap.IsErrorAnyOf(err, goldap.LDAPResultInvalidCredentials, goldap.LDAPResultConstraintViolation, goldap.LDAPResultNoSuchObject, goldap.LDAPResultUnwillingToPerform) {
		return connector.ErrWrong
	}
	if err != nil {
		return c.broken("sign in at", err)
	}
	return nil
}

// dial connects: with TLS from the start, with StartTLS, or in the clear if the settings say so.
func (c *Connector) dial(ctx context.Context) (*goldap.Conn, error) {
	scheme := "ldaps"
	if c.block.InsecureNoSSL || c.block.StartTLS {
		scheme = "ldap"
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	if deadline, ok := ctx.Deadline(); ok {
		dialer.Deadline = deadline
	}
	conn, err := goldap.DialURL(scheme+"://"+c.address, goldap.DialWithDialer(dialer), goldap.DialWithTLSConfig(c.tls))
	if err != nil {
		return nil, fault.Wrap(fault.Retry, "reach", "the LDAP directory "+c.address, err, "check host, startTLS and the certificates of the connector")
	}
	conn.SetTimeout(operationTimeout)
	if c.block.StartTLS && !c.block.InsecureNoSSL {
		if err := conn.StartTLS(c.tls); err != nil {
			_ = conn.Close()
			return nil, fault.Wrap(fault.Stalled, "start TLS with", "the LDAP directory "+c.address, err, "check rootCA of the connector")
		}
	}
	return conn, nil
}
