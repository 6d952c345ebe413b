// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
)

// userAgent is how we name ourselves to servers.
const userAgent = "bowline"

// maxRedirects is how many redirects one request follows.
const maxRedirects = 5

// web asks over HTTP for one repository. All that leaves the process over HTTP for charts, registries, files and what hangs
// on a Git host beside Git itself goes through it, so these rules hold for all of it:
//
//   - Credentials and the client certificate go to the origin (scheme, host and port) of the repository's own address only, and
//     never again to a request that was redirected away from it.
//   - Redirects stay on http and https, never lead from https to http, and are at most maxRedirects.
//   - The address that is connected to is checked when it is connected to, so a name cannot change its meaning in between.
//   - System and environment decide about nothing but the proxy, and the authorities if the repository names none.
type web struct {
	repo   Repository
	own    origin
	client *http.Client
	// credential says who asks, for requests to own; set it before the first request.
	credential func(context.Context) (login, error)

	options webOptions
	inside  atomic.Bool // the own host has a private address
}

// webOptions say what may be connected to, and how long an answer may take to begin.
type webOptions struct {
	// refuse are addresses that nothing is ever connected to.
	refuse func(netip.Addr) bool
	// private says of a host whether it may have a loopback or private address although no Secret vouches for it; nil says no.
	private func(host string) bool
	// vouched says that a Secret names the repository: its own host may have a private address.
	vouched bool
	// outside says that without a Secret the own host may not have a private address either: for addresses that
	// stand in a repository's files.
	outside bool
	// patience is how long the head of an answer may take, and the time in which what follows has to bring slowest bytes for
	// each second; 30 s by default.
	patience time.Duration
}

// newWeb returns how a repository is asked over HTTP. Its address has to be http or https; the credentials are those of the
// repository or, if it has none, of its address. Errors are a fault.Mistake or an *UnreachableError.
func newWeb(r Repository, address string, options webOptions) (*web, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || !validHost(u.Hostname()) {
		return nil, fault.New(fault.Mistake, "use", "repository "+r.String(), "", "this is not the address of a web server", "write it as https://host/path")
	}
	if winds(u.EscapedPath()) || winds(u.Path) {
		return nil, fault.New(fault.Mistake, "use", "repository "+r.String(), "", "its path holds . or .. as a name", "write the path that is meant")
	}
	if options.patience == 0 {
		options.patience = 30 * time.Second
	}
	w := &web{repo: r, own: originOf(u), options: options}
	who := login{username: r.Username, password: r.Password, bearer: r.BearerToken}
	if who.header() == "" && u.User != nil {
		password, _ := u.User.Password()
		who = login{username: u.User.Username(), password: fault.NewSecret(password)}
	}
	w.credential = func(context.Context) (login, error) { return who, nil }
	proxies, err := newProxies(r)
	if err != nil {
		return nil, err
	}
	own, err := w.transport(proxies, true)
	if err != nil {
		return nil, err
	}
	other, err := w.transport(proxies, false)
	if err != nil {
		return nil, err
	}
	w.client = &http.Client{Transport: &carrier{web: w, own: own, other: other}, CheckRedirect: checkWebRedirect}
	return w, nil
}

// transport builds the connections to the own origin, or those to all others: these get no client certificate, and
// the repository's authority only counts beside the system's.
func (w *web) transport(p *proxies, own bool) (*http.Transport, error) {
	config := &tls.Config{InsecureSkipVerify: w.repo.Insecure, MinVersion: tls.VersionTLS12} //nolint:gosec // only if the user's Secret says so
	if w.repo.CA != "" {
		config.RootCAs = x509.NewCertPool()
		if system, err := x509.SystemCertPool(); err == nil && !own {
			config.RootCAs = system
		}
		if !config.RootCAs.AppendCertsFromPEM([]byte(w.repo.CA)) {
			return nil, unreachable("use", w.repo, ProblemTLS, "the certificate of the authority is not PEM")
		}
	}
	if own && w.repo.TLSClientCert != "" {
		pair, err := tls.X509KeyPair([]byte(w.repo.TLSClientCert), []byte(w.repo.TLSClientKey.Reveal()))
		if err != nil {
			return nil, unreachable("use", w.repo, ProblemAuth, "the TLS client certificate and its key do not fit together")
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &http.Transport{
		Proxy: p.of, DialContext: w.dial(p, own), TLSClientConfig: config, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 2, IdleConnTimeout: 4 * time.Minute, TLSHandshakeTimeout: 15 * time.Second,
		ResponseHeaderTimeout: w.options.patience, MaxResponseHeaderBytes: 256 << 10,
	}, nil
}

// get asks for an address and judges the status: 200 and, if it was asked for by condition, 304 are answers; 404 and 410
// are errNotThere; all else an *UnreachableError. The caller closes the body. See failed for the errors.
func (w *web) get(ctx context.Context, address string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &UnreachableError{Problem: ProblemInvalidData, Detail: "the server names an address that is none"}
	}
	for name, values := range header {
		req.Header[name] = values
	}
	return w.do(req)
}

// do sends a request and judges the status as get does.
func (w *web) do(req *http.Request) (*http.Response, error) {
	answer, err := w.client.Do(req)
	if err != nil {
		return nil, err
	}
	if err := checkStatus(answer, w.anonymous(req.Context())); err != nil {
		drain(answer.Body)
		return nil, err
	}
	answer.Body = keepPace(answer.Body, w.options.patience)
	return answer, nil
}

func (w *web) anonymous(ctx context.Context) bool {
	who, err := w.credential(ctx)
	return err == nil && who == login{} && w.repo.TLSClientCert == ""
}

// carrier sends each request over the connections that are right for its origin, and adds the credentials.
type carrier struct {
	web        *web
	own, other *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (c *carrier) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := c.web.checkTarget(req.URL); err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	out.Header.Set("User-Agent", userAgent)
	target := originOf(req.URL)
	if strayed(req) {
		out.Header.Del("Authorization")
		out.Header.Del("Cookie")
	} else if out.Header.Get("Authorization") == "" && (target == c.web.own || target == passedTo(req.Context())) {
		who, err := c.web.credential(req.Context())
		if err != nil {
			return nil, err
		}
		if value := who.header(); value != "" {
			out.Header.Set("Authorization", value)
		}
	}
	if target == c.web.own {
		return c.own.RoundTrip(out)
	}
	return c.other.RoundTrip(out)
}

// close ends idle connections.
func (w *web) close() { w.client.CloseIdleConnections() }

// CloseIdleConnections ends what no request uses.
func (c *carrier) CloseIdleConnections() {
	c.own.CloseIdleConnections()
	c.other.CloseIdleConnections()
}

// strayed reports whether a redirect led this request, or one before it, to another origin.
func strayed(req *http.Request) bool {
	for req.Response != nil && req.Response.Request != nil {
		before := req.Response.Request
		if originOf(before.URL) != originOf(req.URL) {
			return true
		}
		req = before
	}
	return false
}

func checkWebRedirect(next *http.Request, before []*http.Request) error {
	next.Header.Del("Referer") // may hold a token in its query
	from := before[len(before)-1].URL
	switch {
	case len(before) > maxRedirects:
		return &UnreachableError{Problem: ProblemRedirect, Detail: "the server redirects more than 5 times"}
	case next.URL.Scheme != "https" && next.URL.Scheme != "http":
		return &UnreachableError{Problem: ProblemRedirect, Detail: "the server redirects to an address that is neither http nor https"}
	case from.Scheme == "https" && next.URL.Scheme == "http":
		return &UnreachableError{Problem: ProblemRedirect, Detail: "the server redirects from https to http, at the host " + next.URL.Hostname()}
	}
	return nil
}

// origin is what decides who may see credentials (RFC 6454).
type origin struct{ scheme, host, port string }

func originOf(u *url.URL) origin {
	o := origin{strings.ToLower(u.Scheme), strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()}
	if o.port == "" {
		o.port = map[string]string{"https": "443", "http": "80"}[o.scheme]
	}
	return o
}

// passKey is the key of the origin that gets the credentials too.
type passKey struct{}

// passCredentials lets the request to an address carry the repository's credentials although it may be of another host: for
// charts whose index names another one, on request of the user. It never weakens https to http.
func (w *web) passCredentials(ctx context.Context, u *url.URL) context.Context {
	if w.own.scheme == "https" && u.Scheme != "https" {
		return ctx
	}
	return context.WithValue(ctx, passKey{}, originOf(u))
}

func passedTo(ctx context.Context) origin {
	o, _ := ctx.Value(passKey{}).(origin)
	return o
}
