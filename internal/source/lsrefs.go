// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// httpRefs lists refs over HTTP in process (gitprotocol-http(5), gitprotocol-v2(5)): asking is what happens all
// the time, and a kept connection with one POST costs a hundredth of a process with a TLS handshake. Redirects
// are followed here and only within the host; git itself is then given the address they lead to.
type httpRefs struct {
	remote *remote
	client *http.Client

	mu   sync.Mutex   // guards what the server said about itself
	base string       // address after redirects; "" until known
	caps capabilities // of protocol version 2
}

// server returns the server's address after redirects and whether it can leave blobs out; known is false before it was asked.
func (h *httpRefs) server() (base string, filter, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.base, h.caps.filter, h.base != ""
}

func (h *httpRefs) learn(base string, caps capabilities) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.base, h.caps = base, caps
}

type capabilities struct {
	v2     bool
	filter bool
	format string // object-format
}

func newHTTPRefs(r *remote) (*httpRefs, error) {
	config := &tls.Config{InsecureSkipVerify: r.repo.Insecure, MinVersion: tls.VersionTLS12} //nolint:gosec // only if the user's Secret says so
	if r.repo.CA != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(r.repo.CA)) {
			return nil, unreachable("use", r.repo, ProblemTLS, "the certificate of the authority is not PEM")
		}
	}
	if r.repo.TLSClientCert != "" {
		pair, err := tls.X509KeyPair([]byte(r.repo.TLSClientCert), []byte(r.repo.TLSClientKey.Reveal()))
		if err != nil {
			return nil, unreachable("use", r.repo, ProblemAuth, "the TLS client certificate and its key do not fit together")
		}
		config.Certificates = []tls.Certificate{pair}
	}
	proxies := httpproxy.FromEnvironment()
	if r.repo.Proxy != "" {
		proxies = &httpproxy.Config{HTTPProxy: r.repo.Proxy, HTTPSProxy: r.repo.Proxy, NoProxy: r.repo.NoProxy}
	}
	proxy := proxies.ProxyFunc()
	transport := &http.Transport{
		Proxy:             func(req *http.Request) (*url.URL, error) { return proxy(req.URL) },
		TLSClientConfig:   config,
		DialContext:       r.dial(),
		ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 1, IdleConnTimeout: 4 * time.Minute, TLSHandshakeTimeout: 15 * time.Second,
	}
	h := &httpRefs{remote: r, client: &http.Client{Transport: transport}}
	h.client.CheckRedirect = h.checkRedirect
	return h, nil
}

// dial refuses forbidden addresses at the moment of connecting, when a name cannot change its meaning any more.
// Behind a proxy the proxy decides.
func (r *remote) dial() func(context.Context, string, string) (net.Conn, error) {
	d := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	if r.repo.Proxy == "" && len(r.environmentProxies()) == 0 {
		d.Control = func(_, address string, _ syscall.RawConn) error {
			if at, err := netip.ParseAddrPort(address); err != nil || r.settings.refuse(at.Addr()) {
				return &UnreachableError{Problem: ProblemAddress, Detail: "the host's address " + address + " is not one a repository may have"}
			}
			return nil
		}
	}
	return d.DialContext
}

func (h *httpRefs) checkRedirect(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	sameHost := next.URL.Host == first.Host || next.URL.Hostname() == first.Hostname() && first.Scheme == "http" && next.URL.Scheme == "https"
	if !sameHost || first.Scheme == "https" && next.URL.Scheme != "https" || len(before) > 4 {
		target := *next.URL
		target.User, target.RawQuery, target.Path = nil, "", strings.TrimSuffix(target.Path, "/info/refs")
		return &UnreachableError{Problem: ProblemRedirect, Detail: "the server sends to another host, " + target.String()}
	}
	return nil
}

// list asks for the branches, the tags, HEAD and the refs below more. Refs of pull requests are not asked for: the
// largest hosts have hundreds of thousands.
func (h *httpRefs) list(ctx context.Context, more []string) (parsedRefs, error) {
	if h.caps.v2 {
		// A kept connection may have died, or the server been replaced by another kind: ask from the start then.
		if refs, err := h.lsRefs(ctx, more); err == nil {
			return refs, nil
		} else if ctx.Err() != nil {
			return parsedRefs{}, h.failed(ctx, err)
		}
	}
	refs, err := h.advertisement(ctx)
	if err == nil && h.caps.v2 {
		refs, err = h.lsRefs(ctx, more)
	}
	if err != nil {
		return parsedRefs{}, h.failed(ctx, err)
	}
	return refs, nil
}

// advertisement asks what the server can do; a server without version 2 answers with all its refs.
func (h *httpRefs) advertisement(ctx context.Context) (parsedRefs, error) {
	const tail = "/info/refs"
	body, at, err := h.exchange(ctx, http.MethodGet, h.remote.endpoint.remote+tail+"?service=git-upload-pack", nil)
	if err != nil {
		return parsedRefs{}, err
	}
	defer drain(body)
	refs, caps, err := parseAdvertisement(bufio.NewReader(io.LimitReader(body, maxOutput)))
	if err != nil {
		return parsedRefs{}, err
	}
	at.RawQuery, at.User = "", nil
	base, ok := strings.CutSuffix(at.String(), tail)
	if !ok {
		return parsedRefs{}, &UnreachableError{Problem: ProblemRedirect, Detail: "the server sends to " + at.String()}
	}
	h.learn(base, caps)
	return refs, nil
}

func (h *httpRefs) lsRefs(ctx context.Context, more []string) (parsedRefs, error) {
	var b strings.Builder
	b.WriteString(pktLine("command=ls-refs\n") + pktLine("agent=git/bowline\n"))
	if h.caps.format != "" {
		b.WriteString(pktLine("object-format=" + h.caps.format + "\n"))
	}
	b.WriteString(delimiterPkt + pktLine("peel\n") + pktLine("symrefs\n"))
	for _, prefix := range slices.Concat([]string{"HEAD", "refs/heads/", "refs/tags/"}, more) {
		b.WriteString(pktLine("ref-prefix " + prefix + "\n"))
	}
	b.WriteString(flushPkt)
	body, _, err := h.exchange(ctx, http.MethodPost, h.base+"/git-upload-pack", []byte(b.String()))
	if err != nil {
		return parsedRefs{}, err
	}
	defer drain(body)
	return parseLsRefs(bufio.NewReader(io.LimitReader(body, maxOutput)))
}

// drain reads what is left, so that the connection can be used again.
func drain(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 64<<10)
	_ = body.Close()
}

func (h *httpRefs) exchange(ctx context.Context, method, address string, content []byte) (io.ReadCloser, *url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(content))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Git-Protocol", "version=2")
	req.Header.Set("User-Agent", "git/2.40 (bowline)")
	if content != nil {
		req.Header.Set("Content-Type", "application/x-git-upload-pack-request")
		req.Header.Set("Accept", "application/x-git-upload-pack-result")
	}
	if value := h.remote.authorization(); value != "" {
		req.Header.Set("Authorization", value)
	}
	answer, err := h.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	if err := h.checkStatus(answer); err != nil {
		drain(answer.Body)
		return nil, nil, err
	}
	return answer.Body, answer.Request.URL, nil
}

func (h *httpRefs) checkStatus(answer *http.Response) error {
	switch code := answer.StatusCode; {
	case code == http.StatusOK && strings.HasPrefix(answer.Header.Get("Content-Type"), "application/x-git-upload-pack-"):
		return nil
	case code == http.StatusOK:
		return &UnreachableError{Problem: ProblemInvalidData, Detail: "what answers there is not a Git server"}
	case code == http.StatusUnauthorized && h.remote.authorization() == "":
		return &UnreachableError{Problem: ProblemAuth, Detail: "the server asks for credentials and none are set"}
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusProxyAuthRequired:
		return &UnreachableError{Problem: ProblemAuth, Detail: "the server refuses the credentials: " + answer.Status}
	case code == http.StatusNotFound, code == http.StatusGone:
		return &UnreachableError{Problem: ProblemNotFound, Detail: "there is no such repository, or it is not shown to these credentials: " + answer.Status}
	default:
		return &UnreachableError{Problem: ProblemServer, Detail: "the server answers " + answer.Status}
	}
}

// failed gives an error of the exchange its problem.
func (h *httpRefs) failed(ctx context.Context, err error) error {
	const op = "list the refs of"
	if cause := context.Cause(ctx); errors.Is(cause, context.Canceled) {
		return cause
	}
	var known *UnreachableError
	var unknownAuthority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	var timeout net.Error
	problem, detail := ProblemNetwork, plain(err)
	switch {
	case errors.As(err, &known):
		problem, detail = known.Problem, known.Detail
	case errors.As(err, &unknownAuthority), errors.As(err, &hostname), errors.As(err, &invalid), errors.As(err, &verification),
		strings.Contains(detail, "tls: "): // an alert of the server has no type of its own
		problem = ProblemTLS
	case errors.As(err, &timeout) && timeout.Timeout():
		problem, detail = ProblemTimeout, "no answer in time"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		problem, detail = ProblemBrokenOff, "the answer ended in the middle"
	case errors.Is(err, errPkt):
		problem = ProblemInvalidData
	}
	return unreachable(op, h.remote.repo, problem, detail)
}

// plain removes the request's address from an error: the caller names the repository.
func plain(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	return err.Error()
}

// parseAdvertisement reads the answer to GET info/refs. With version 2 there are capabilities and no refs; else
// the first line is "<id> <name>\0<capabilities>" and the others "<id> <name>".
func parseAdvertisement(r *bufio.Reader) (parsedRefs, capabilities, error) {
	line, flush, err := readPkt(r)
	if err == nil && strings.HasPrefix(line, "# service=") {
		if _, flush, err = readPkt(r); err == nil && !flush {
			err = errPkt
		}
		if err == nil {
			line, flush, err = readPkt(r)
		}
	}
	switch {
	case err != nil:
		return parsedRefs{}, capabilities{}, err
	case flush:
		return parsedRefs{}, capabilities{}, errPkt
	case line == "version 2":
		caps, err := parseCapabilities(r)
		return parsedRefs{}, caps, err
	}
	return parseFirstVersion(line, r)
}

func parseCapabilities(r *bufio.Reader) (capabilities, error) {
	caps := capabilities{v2: true}
	for {
		line, flush, err := readPkt(r)
		if err != nil || flush {
			return caps, err
		}
		name, value, _ := strings.Cut(line, "=")
		switch name {
		case "fetch":
			caps.filter = slices.Contains(strings.Fields(value), "filter")
		case "object-format":
			caps.format = value
		}
	}
}

func parseFirstVersion(line string, r *bufio.Reader) (refs parsedRefs, caps capabilities, err error) {
	line, extra, _ := strings.Cut(line, "\x00")
	for word := range strings.FieldsSeq(extra) {
		if target, ok := strings.CutPrefix(word, "symref=HEAD:"); ok {
			refs.head = target
		}
		caps.filter = caps.filter || word == "filter"
	}
	for {
		id, name, _ := strings.Cut(line, " ")
		if name != "capabilities^{}" { // what an empty repository says
			if err := refs.add(id, name); err != nil {
				return parsedRefs{}, capabilities{}, fmt.Errorf("%w: %.80q", err, line)
			}
		}
		next, flush, err := readPkt(r)
		if err != nil {
			return parsedRefs{}, capabilities{}, err
		}
		if flush {
			return refs, caps, nil
		}
		line = next
	}
}

// parseLsRefs reads "<id|unborn> <name>[ symref-target:<ref>][ peeled:<id>]" up to the flush mark: without it the
// answer is not whole.
func parseLsRefs(r *bufio.Reader) (parsedRefs, error) {
	var refs parsedRefs
	for {
		line, flush, err := readPkt(r)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return parsedRefs{}, err
		}
		if flush {
			return refs, nil
		}
		if message, ok := strings.CutPrefix(line, "ERR "); ok {
			return parsedRefs{}, fmt.Errorf("the server says: %.200s", message)
		}
		if err := refs.addLine(line); err != nil {
			return parsedRefs{}, fmt.Errorf("%w: %.80q", err, line)
		}
	}
}

func (p *parsedRefs) addLine(line string) error {
	fields := strings.Split(line, " ")
	if len(fields) < 2 {
		return errPkt
	}
	peeled := ""
	for _, attribute := range fields[2:] {
		if target, ok := strings.CutPrefix(attribute, "symref-target:"); ok && fields[1] == "HEAD" {
			p.head = target
		}
		if id, ok := strings.CutPrefix(attribute, "peeled:"); ok {
			peeled = id
		}
	}
	if fields[0] == "unborn" {
		return nil
	}
	if err := p.add(fields[0], fields[1]); err != nil || peeled == "" {
		return err
	}
	return p.add(peeled, fields[1]+peeledMark)
}
