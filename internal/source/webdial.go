// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/bowline-cd/bowline/internal/egress"
	"github.com/bowline-cd/bowline/internal/fault"
)

// proxies says which proxy a request goes through: the repository's, or those of the environment.
type proxies struct {
	choose func(*url.URL) (*url.URL, error)
	known  map[string]bool // host:port of each
}

func newProxies(r Repository) (*proxies, error) {
	config := httpproxy.FromEnvironment()
	if r.Proxy != "" {
		if err := checkProxy(r); err != nil {
			return nil, err
		}
		config = &httpproxy.Config{HTTPProxy: r.Proxy, HTTPSProxy: r.Proxy, NoProxy: r.NoProxy}
	}
	p := &proxies{choose: config.ProxyFunc(), known: map[string]bool{}}
	for _, raw := range []string{config.HTTPProxy, config.HTTPSProxy} {
		if raw == "" {
			continue
		}
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" {
			u, err = url.Parse("http://" + raw) // as httpproxy reads it
		}
		if err == nil {
			p.known[proxyAddress(u)] = true
		}
	}
	return p, nil
}

// proxyPorts are the schemes a proxy may have, with their ports (net/http).
var proxyPorts = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

// checkProxy refuses what is no plain address of a proxy: a proxy's address must never become an option or a command.
func checkProxy(r Repository) error {
	const fix = "write it as http://host:port, https://host:port or socks5://host:port"
	u, err := url.Parse(r.Proxy)
	switch {
	case err != nil || control.MatchString(r.Proxy) || newline.MatchString(unescaped(r.Proxy)):
		return fault.New(fault.Mistake, "use", "the proxy of repository "+r.String(), "data.proxy", "it is not an address", fix)
	case proxyPorts[u.Scheme] == "":
		return fault.New(fault.Mistake, "use", "the proxy of repository "+r.String(), "data.proxy", "its scheme is not allowed", fix)
	case !hostName.MatchString(u.Hostname()) || u.Opaque != "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return fault.New(fault.Mistake, "use", "the proxy of repository "+r.String(), "data.proxy", "its host is not valid, or it has a path", fix)
	}
	return nil
}

func proxyAddress(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = proxyPorts[u.Scheme]
	}
	return strings.ToLower(net.JoinHostPort(u.Hostname(), port))
}

func (p *proxies) of(req *http.Request) (*url.URL, error) { return p.choose(req.URL) }

// dial connects to addresses that may be connected to, and to proxies: behind one, that decides.
func (w *web) dial(p *proxies, own bool) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		d := net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
		if !p.known[strings.ToLower(address)] {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			d.Control = func(_, numeric string, _ syscall.RawConn) error {
				at, err := netip.ParseAddrPort(numeric)
				if err != nil {
					return err
				}
				return w.checkAddress(host, at.Addr(), own)
			}
		}
		return d.DialContext(ctx, network, address)
	}
}

// checkTarget refuses addresses that stand as numbers in a URL before anybody, a proxy for instance, is asked for them.
func (w *web) checkTarget(u *url.URL) error {
	if u.Scheme != "https" && u.Scheme != "http" || !validHost(u.Hostname()) {
		return &UnreachableError{Problem: ProblemAddress, Detail: "the host is not valid"}
	}
	at, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return nil
	}
	return w.checkAddress(u.Hostname(), at, originOf(u) == w.own)
}

func (w *web) checkAddress(host string, at netip.Addr, own bool) error {
	at = at.Unmap().WithZone("")
	refused := &UnreachableError{Problem: ProblemAddress, Detail: "the address " + at.String() + " of the host " + host + " is not one a repository may have"}
	if w.options.refuse(at) {
		return refused
	}
	if !isPrivate(at) || w.options.private != nil && w.options.private(host) {
		return nil
	}
	if own && (w.options.vouched || !w.options.outside) {
		w.inside.Store(true)
		return nil
	}
	if !own && w.inside.Load() {
		return nil // those who are inside may send to others there, those outside may not
	}
	refused.Detail = "the host " + host + " has the private address " + at.String() + ", and neither a repository Secret nor bowline.source.privateHosts names it"
	return refused
}

// carrierGrade is shared address space, where some clouds keep services of their own (RFC 6598).
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// isPrivate reports whether an address is only meaningful inside of a network.
func isPrivate(a netip.Addr) bool {
	a = egress.Native(a)
	return a.IsLoopback() || a.IsPrivate() || carrierGrade.Contains(a)
}
