// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
)

// skew is how far the clocks of a provider and ours may differ.
const skew = 5 * time.Minute

// discoverAgain is how long an error of discovery is answered from memory: a provider that is down is not asked for every call.
const discoverAgain = 5 * time.Second

// Provider is an OpenID provider. It is asked for its description when that is first needed.
type Provider struct {
	issuer string
	client *http.Client
	clock  clock.PassiveClock

	mu     sync.Mutex
	found  *gooidc.Provider
	about  discovered
	failed error
	at     time.Time
}

// discovered is what of the description is read besides what the library reads.
type discovered struct {
	Scopes        []string `json:"scopes_supported"`
	ResponseTypes []string `json:"response_types_supported"`
	EndSession    string   `json:"end_session_endpoint"`
}

// NewProvider returns the provider of that issuer.
func NewProvider(issuer string, client *http.Client, clk clock.PassiveClock) *Provider {
	return &Provider{issuer: issuer, client: client, clock: clk}
}

// context returns one that the libraries take the HTTP client from.
func (p *Provider) context(ctx context.Context) context.Context {
	return gooidc.ClientContext(ctx, p.client)
}

// discover returns the provider's description, fetched once.
func (p *Provider) discover(ctx context.Context) (*gooidc.Provider, discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, p.about, nil
	}
	if p.failed != nil && p.clock.Since(p.at) < discoverAgain {
		return nil, discovered{}, p.failed
	}
	// The library keeps the context for fetching keys later: it must not end with the request at hand.
	found, err := gooidc.NewProvider(p.context(context.WithoutCancel(ctx)), p.issuer)
	if err == nil {
		err = found.Claims(&p.about)
	}
	if err != nil {
		p.failed, p.at = fault.Wrap(fault.Retry, "reach", "the OpenID provider "+fault.RedactURL(p.issuer), err,
			"check that its address is that of the issuer, and that it can be reached from here"), p.clock.Now()
		return nil, discovered{}, p.failed
	}
	p.found, p.failed = found, nil
	return found, p.about, nil
}

// verify checks a token's signature, issuer, times and audience, and returns it. With any audience of the list it is good; a token
// without any audience only if lax.
func (p *Provider) verify(ctx context.Context, raw string, audiences []string, lax bool) (*gooidc.IDToken, error) {
	found, _, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	token, err := found.Verifier(&gooidc.Config{SkipClientIDCheck: true, Now: p.clock.Now}).Verify(p.context(ctx), raw)
	var expired *gooidc.TokenExpiredError
	switch {
	case errors.As(err, &expired):
		return nil, auth.ErrExpired
	case err != nil:
		return nil, fmt.Errorf("the token is not one of the provider: %w", err)
	case token.IssuedAt.After(p.clock.Now().Add(skew)):
		return nil, errors.New("the token was issued in the future")
	case len(token.Audience) == 0 && lax:
		return token, nil
	case !slices.ContainsFunc(token.Audience, func(a string) bool { return slices.Contains(audiences, a) }):
		return nil, errors.New("the token is for another program")
	}
	return token, nil
}
