// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/fault"
)

const (
	// tokenRenewal is how long before its end a token is replaced: longer than any fetch but the largest takes to begin.
	tokenRenewal = 5 * time.Minute
	// tokenTrial is how long a new token is believed in although a server refuses it: the cause is another then, and
	// asking for one token after the other would not help.
	tokenTrial = time.Minute
	// tokenPause is how long a failure counts for everybody who needs the same token.
	tokenPause = 10 * time.Second
	// tokenTimeout bounds one request for a token.
	tokenTimeout = 30 * time.Second
)

// issuer gets tokens for one identity. Each kind of identity is one.
type issuer interface {
	// identity returns all that decides which token is given: tokens are shared by equal identities.
	identity() []string
	// address returns the address that is asked first.
	address() string
	// issue asks for a new token. Errors are *UnreachableError.
	issue(ctx context.Context, desk desk) (token, error)
}

// desk is what an issuer asks with.
type desk struct {
	client *http.Client // for the host of issuer.address
	server *http.Client // for the repository's own host
	clock  clock.PassiveClock
}

// token is what an issuer gave.
type token struct {
	login   login
	expires time.Time
}

// issuer returns who gets tokens for the repository; nil if its credentials are not of that kind.
func (r Repository) issuer() issuer {
	switch {
	case !r.Password.Empty() || !r.BearerToken.Empty():
		return nil
	case r.GitHubApp != GitHubApp{}:
		return githubIssuer{r.GitHubApp, ownerOf(r.URL), r.Type == KindHelm || r.Type == KindOCI}
	case r.Google != GoogleAccount{}:
		return googleIssuer{r.Google, locate(r.URL).registry}
	case r.Azure != AzureIdentity{}:
		return r.Azure.issuer(r.URL)
	}
	return nil
}

// tokens holds the tokens of a process. It asks for a token once for all repositories of an identity, and again
// before it ends or when a server refuses it. It is safe for concurrent use.
type tokens struct {
	clock  clock.PassiveClock
	client func(Repository) (*http.Client, error) // the client for a host that gives out tokens

	mu   sync.Mutex
	held map[string]*heldToken
}

// heldToken is the token of one identity.
type heldToken struct {
	turn chan struct{} // holds one element while somebody asks

	mu     sync.Mutex // guards what follows
	token  token
	issued time.Time // zero if there is no token
	err    error     // of the last request, if it failed
	failed time.Time
}

func newTokens(clock clock.PassiveClock, client func(Repository) (*http.Client, error)) *tokens {
	return &tokens{clock: clock, client: client, held: map[string]*heldToken{}}
}

// login returns what the repository's server is to be told, with a token that is good for minutes. Errors are
// *UnreachableError, or those of ctx.
func (t *tokens) login(ctx context.Context, r Repository) (login, error) {
	i := r.issuer()
	if i == nil {
		return login{username: r.Username, password: r.Password, bearer: r.BearerToken}, nil
	}
	h := t.hold(i)
	if l, ok := h.current(t.clock.Now()); ok {
		return l, nil
	}
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return login{}, context.Cause(ctx)
	}
	if l, ok := h.current(t.clock.Now()); ok {
		return l, nil // somebody else asked meanwhile
	}
	if err := h.recentFailure(t.clock.Now()); err != nil {
		return login{}, err
	}
	return t.renew(ctx, h, i, r)
}

// refused tells that a server did not accept a login, and reports whether another one is worth a try.
func (t *tokens) refused(r Repository, used login) bool {
	i := r.issuer()
	if i == nil || !used.issued {
		return false
	}
	h := t.hold(i)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.issued.IsZero() || h.token.login != used {
		return true
	}
	if t.clock.Since(h.issued) < tokenTrial {
		return false
	}
	h.token, h.issued = token{}, time.Time{}
	return true
}

func (t *tokens) hold(i issuer) *heldToken {
	key := digestOf(processKey, i.identity()...)
	t.mu.Lock()
	defer t.mu.Unlock()
	if h, ok := t.held[key]; ok {
		return h
	}
	for other, h := range t.held { // of identities that are gone
		if h.ended(t.clock.Now()) {
			delete(t.held, other)
		}
	}
	h := &heldToken{turn: make(chan struct{}, 1)}
	t.held[key] = h
	return h
}

func (t *tokens) renew(ctx context.Context, h *heldToken, i issuer, r Repository) (login, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, tokenTimeout, &UnreachableError{Problem: ProblemTimeout, Detail: "no token from " + hostOf(i.address()) + " within " + tokenTimeout.String()})
	defer cancel()
	found, err := t.ask(ctx, i, r)
	if ctx.Err() != nil && err != nil {
		return login{}, context.Cause(ctx)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := t.clock.Now()
	if err != nil {
		if l, ok := h.usable(now); ok {
			return l, nil // the old one is not over yet
		}
		h.err, h.failed = err, now
		return login{}, err
	}
	found.login.issued = true
	h.token, h.issued, h.err = found, now, nil
	return found.login, nil
}

func (t *tokens) ask(ctx context.Context, i issuer, r Repository) (token, error) {
	client, err := t.quietClient(wayTo(r, i))
	if err != nil {
		return token{}, err
	}
	defer client.CloseIdleConnections()
	server, err := t.quietClient(wayHome(r))
	if err != nil {
		return token{}, err
	}
	defer server.CloseIdleConnections()
	found, err := i.issue(ctx, desk{client, server, t.clock})
	var known *UnreachableError
	if err != nil && !errors.As(err, &known) {
		err = &UnreachableError{Problem: ProblemNetwork, Detail: "no token from " + hostOf(i.address()) + ": " + plain(err)}
	}
	return found, err
}

// tokenClient returns the client for a host that gives out tokens. A Secret names it, so it may have a private address.
func (s *Store) tokenClient(r Repository) (*http.Client, error) {
	w, err := newWeb(r, r.URL, webOptions{refuse: s.options.RefuseAddress, vouched: true})
	if err != nil {
		return nil, err
	}
	return w.client, nil
}

// quietClient returns a client that follows no redirects: a proof of identity is for the host that it was made for.
func (t *tokens) quietClient(r Repository) (*http.Client, error) {
	client, err := t.client(r)
	if err != nil {
		return nil, err
	}
	quiet := *client
	quiet.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &quiet, nil
}

// wayTo is how the host that gives out tokens is reached: the repository's way, and its trust only if it is the same host.
func wayTo(r Repository, i issuer) Repository {
	same := hostOf(r.URL) == hostOf(i.address())
	return Repository{URL: i.address(), CA: r.TokenCA, Insecure: r.Insecure && same, Proxy: r.Proxy, NoProxy: r.NoProxy}
}

// wayHome is how the repository's own host is reached, with what it knows us by as a connection but without credentials.
func wayHome(r Repository) Repository {
	return Repository{
		URL: "https://" + locate(r.URL).authority, CA: r.CA, Insecure: r.Insecure, Proxy: r.Proxy, NoProxy: r.NoProxy,
		TLSClientCert: r.TLSClientCert, TLSClientKey: r.TLSClientKey,
	}
}

// current returns the token if it need not be renewed.
func (h *heldToken) current(now time.Time) (login, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.token.login, !h.issued.IsZero() && now.Before(h.token.expires.Add(-h.margin()))
}

// margin is tokenRenewal, or less for tokens that live so short that they would always be renewed.
func (h *heldToken) margin() time.Duration {
	return min(tokenRenewal, h.token.expires.Sub(h.issued)/4)
}

// usable returns the token if it has not ended. The caller holds mu.
func (h *heldToken) usable(now time.Time) (login, bool) {
	return h.token.login, !h.issued.IsZero() && now.Before(h.token.expires)
}

func (h *heldToken) recentFailure(now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil && now.Sub(h.failed) < tokenPause {
		return h.err
	}
	return nil
}

// ended reports whether nothing is lost by forgetting it.
func (h *heldToken) ended(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, usable := h.usable(now)
	return !usable && len(h.turn) == 0
}

// loginError gives an error of tokens.login the name of the repository.
func loginError(r Repository, err error) error {
	var judged *fault.Error
	var known *UnreachableError
	if errors.As(err, &judged) || !errors.As(err, &known) {
		return err
	}
	return unreachable("log in to", r, known.Problem, known.Detail)
}
