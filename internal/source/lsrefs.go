// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
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
	told login        // what it was last told about who asks
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
	w := &web{repo: r.repo, options: webOptions{refuse: r.settings.refuse, vouched: true}} // patience is the turn's
	p, err := newProxies(r.repo)
	if err != nil {
		return nil, err
	}
	transport, err := w.transport(p, true)
	if err != nil {
		return nil, err
	}
	h := &httpRefs{remote: r, client: &http.Client{Transport: transport}}
	h.client.CheckRedirect = h.checkRedirect
	return h, nil
}

func (h *httpRefs) checkRedirect(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	sameHost := next.URL.Host == first.Host || next.URL.Hostname() == first.Hostname() && first.Scheme == "http" && next.URL.Scheme == "https"
	if !sameHost || first.Scheme == "https" && next.URL.Scheme != "https" || len(before) > 4 {
		return &UnreachableError{Problem: ProblemRedirect, Detail: "the server sends to another host, " + next.URL.Scheme + "://" + next.URL.Host}
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

// exchange sends a request; if the server refuses a token that may have ended before its time, once more with a new one.
func (h *httpRefs) exchange(ctx context.Context, method, address string, content []byte) (io.ReadCloser, *url.URL, error) {
	for attempt := 0; ; attempt++ {
		who, err := h.remote.login(ctx)
		if err != nil {
			return nil, nil, err
		}
		h.mu.Lock()
		h.told = who
		h.mu.Unlock()
		answer, err := h.send(ctx, who, method, address, content)
		if err != nil {
			return nil, nil, err
		}
		err = h.checkStatus(answer, who)
		if err == nil {
			return answer.Body, answer.Request.URL, nil
		}
		drain(answer.Body)
		if attempt > 0 || answer.StatusCode != http.StatusUnauthorized || !who.issued || !h.remote.settings.tokens.refused(h.remote.repo, who) {
			return nil, nil, err
		}
	}
}

func (h *httpRefs) send(ctx context.Context, who login, method, address string, content []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Git-Protocol", "version=2")
	req.Header.Set("User-Agent", "git/2.40 (bowline)")
	if content != nil {
		req.Header.Set("Content-Type", "application/x-git-upload-pack-request")
		req.Header.Set("Accept", "application/x-git-upload-pack-result")
	}
	if value := who.header(); value != "" {
		req.Header.Set("Authorization", value)
	}
	return h.client.Do(req)
}

func (h *httpRefs) checkStatus(answer *http.Response, who login) error {
	switch code := answer.StatusCode; {
	case code == http.StatusOK && strings.HasPrefix(answer.Header.Get("Content-Type"), "application/x-git-upload-pack-"):
		return nil
	case code == http.StatusOK:
		return &UnreachableError{Problem: ProblemInvalidData, Detail: "what answers there is not a Git server"}
	case code == http.StatusUnauthorized && who == login{}:
		return &UnreachableError{Problem: ProblemAuth, Detail: "the server asks for credentials and none are set"}
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusProxyAuthRequired:
		return &UnreachableError{Problem: ProblemAuth, Detail: "the server refuses the credentials: " + statusText(code)}
	case code == http.StatusNotFound, code == http.StatusGone:
		return &UnreachableError{Problem: ProblemNotFound, Detail: "there is no such repository, or it is not shown to these credentials: " + statusText(code)}
	default:
		return &UnreachableError{Problem: ProblemServer, Detail: "the server answers " + statusText(code)}
	}
}

// failed gives an error of the exchange its problem.
func (h *httpRefs) failed(ctx context.Context, err error) error {
	const op = "list the refs of"
	if cause := context.Cause(ctx); errors.Is(cause, context.Canceled) {
		return cause
	}
	problem, detail := webProblem(err)
	if errors.Is(err, errPkt) {
		problem = ProblemInvalidData
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	detail = redact(detail, h.told.secrets()) // a server may send back what it was told
	return unreachable(op, h.remote.repo, problem, detail)
}

// plain removes the request's address from an error: the caller names the repository. The port that we ask from goes too:
// with it the text would be another one each time.
func plain(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Source != nil {
		same := *op
		same.Source = nil
		return same.Error()
	}
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
