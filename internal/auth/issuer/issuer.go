// SPDX-License-Identifier: Apache-2.0

// Package issuer is the OpenID provider that Bowline itself is at <url>/api/dex, in the place of Dex: programs such as the command
// line sign people in through it, and it sends them on to the connectors of dex.config.
//
// The words of this room:
//
//   - Request: somebody wants to be signed in to a client. It travels sealed through the browser, so that it costs nothing here
//     until somebody has signed in.
//   - Login: a Request with the Identity that a connector vouched for. It is kept in the Vault until the client fetched it, once.
//   - Session: what a refresh token belongs to. The token itself carries who it is about; the Vault only knows which is its newest.
//   - Vault: a small store that restarts and other replicas share (a Secret).
package issuer

import (
	"context"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/auth/connector"
	"github.com/bowline-cd/bowline/internal/auth/seal"
)

// ClientID and CLIClientID are the clients that Argo CD registers with Dex for itself and for its command line.
const (
	ClientID    = "argo-cd"
	CLIClientID = "argo-cd-cli"
)

// Scopes beside those of OpenID Connect: groups, and the one that puts federated_claims into tokens.
const (
	ScopeGroups    = "groups"
	ScopeFederated = "federated:id"
)

// Vault is a store of small records that restarts and other replicas share.
type Vault interface {
	// Change calls edit with everything in the Vault and stores what it leaves there. If somebody else changed the Vault
	// meanwhile, edit is called again with what is there then. An error of edit is returned, and nothing is stored.
	Change(ctx context.Context, edit func(records map[string][]byte) error) error
	// Read returns everything in the Vault.
	Read(ctx context.Context) (map[string][]byte, error)
}

// Options are what an Issuer needs.
type Options struct {
	// URL is the issuer: <url>/api/dex.
	URL string
	// ClientSecret is that of the client argo-cd, which only Bowline itself is.
	ClientSecret string
	// Callbacks are the addresses that the client argo-cd may be answered at: <url>/auth/callback of each url.
	Callbacks []string
	// Clients are the staticClients of dex.config.
	Clients []connector.Client
	// Expiry is that of dex.config.
	Expiry connector.Expiry
	// Refresh asks the connector of that id for a person again.
	Refresh func(ctx context.Context, connectorID string, before connector.Identity) (connector.Identity, error)
	// LoginPath is the page that a sealed Request is handed to, as its query req.
	LoginPath string
	Vault     Vault
	Keys      *Keys
	Clock     clock.PassiveClock
	Log       *slog.Logger
}

// Default lifetimes, those of Dex except that of a Request.
const (
	idTokenLifetime  = 24 * time.Hour
	requestLifetime  = time.Hour
	loginLifetime    = 5 * time.Minute
	sessionLifetime  = 30 * 24 * time.Hour
	sessionIdle      = 15 * 24 * time.Hour
	refreshTolerance = 10 * time.Second
)

// Issuer answers the endpoints of an OpenID provider.
type Issuer struct {
	opts     Options
	keys     *Keys
	clients  map[string]*program
	provider *op.Provider
}

// New returns an Issuer. An error is one of the URL.
func New(opts Options) (*Issuer, error) {
	i := &Issuer{opts: opts, keys: opts.Keys, clients: clientsOf(opts)}
	config := &op.Config{
		CryptoKey: opts.Keys.access, CodeMethodS256: true, AuthMethodPost: true, GrantTypeRefreshToken: true,
		SupportedScopes: []string{"openid", "profile", "email", ScopeGroups, ScopeFederated, "offline_access"},
		SupportedClaims: []string{"iss", "sub", "aud", "exp", "iat", "at_hash", "email", "email_verified", "name", "preferred_username", "groups", "federated_claims"},
	}
	options := []op.Option{
		op.WithCustomEndpoints(op.NewEndpoint("auth"), op.NewEndpoint("token"), op.NewEndpoint("userinfo"), op.NewEndpoint("revoke"), op.NewEndpoint("logout"), op.NewEndpoint("keys")),
	}
	if strings.HasPrefix(opts.URL, "http://") {
		options = append(options, op.WithAllowInsecure())
	}
	provider, err := op.NewProvider(config, &storage{i}, op.StaticIssuer(opts.URL), options...)
	if err != nil {
		return nil, fmt.Errorf("be the OpenID provider %s: %w", opts.URL, err)
	}
	i.provider = provider
	return i, nil
}

// served are the endpoints that are offered, below the URL. The library has more: none of those is needed.
var served = []string{"/.well-known/openid-configuration", "/auth", "/auth/callback", "/token", "/userinfo", "/revoke", "/keys"}

// ServeHTTP answers a request whose path is relative to the URL of the issuer.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !slices.Contains(served, r.URL.Path) {
		http.NotFound(w, r)
		return
	}
	if r.URL.Path == served[0] {
		i.discover(w, r)
		return
	}
	i.provider.ServeHTTP(w, r)
}

// Serves reports whether ServeHTTP has something at a path relative to the URL of the issuer.
func Serves(path string) bool { return slices.Contains(served, path) }

// Request opens a sealed Request, as the query req of the login page has it. It returns the name of the client and the address that
// the browser is sent to in the end; an error if the request is not ours or has expired.
func (i *Issuer) Request(sealed string) (client, redirect string, err error) {
	r, err := i.open(sealed)
	if err != nil {
		return "", "", err
	}
	c, ok := i.clients[r.Client]
	if !ok {
		return "", "", fmt.Errorf("the client %q is not known any more", r.Client)
	}
	return c.name, r.Redirect, nil
}

// Complete notes that a connector vouched for who made a Request, and returns the address to send their browser to. offline says
// whether the connector can be asked for them again: without, there is no refresh token.
func (i *Issuer) Complete(ctx context.Context, sealed, connectorID string, who connector.Identity, offline bool) (string, error) {
	r, err := i.open(sealed)
	if err != nil {
		return "", err
	}
	if !offline {
		r.Scopes = slices.DeleteFunc(r.Scopes, func(s string) bool { return s == "offline_access" })
	}
	id := seal.Random()
	l := login{Request: r, Connector: connectorID, Identity: who, At: i.opts.Clock.Now()}
	if err := i.keep(ctx, loginKey(id), l); err != nil {
		return "", err
	}
	return i.opts.URL + "/auth/callback?id=" + id, nil
}

func (i *Issuer) open(sealed string) (request, error) {
	var r request
	err := i.keys.box.Open(purposeRequest, sealed, i.opts.Clock.Now(), &r)
	return r, err
}

// program is one that people sign in to. It implements op.Client.
type program struct {
	id, name, secret string
	redirects        []string
	public           bool
	login            string
	lifetime         time.Duration
}

func clientsOf(opts Options) map[string]*program {
	lifetime := connector.Lasting(opts.Expiry.IDTokens, idTokenLifetime)
	out := map[string]*program{}
	for _, c := range opts.Clients {
		out[c.ID] = &program{id: c.ID, name: c.Name, secret: c.Secret, redirects: c.RedirectURIs, public: c.Public}
	}
	out[ClientID] = &program{id: ClientID, name: "Bowline", secret: opts.ClientSecret, redirects: opts.Callbacks}
	out[CLIClientID] = &program{id: CLIClientID, name: "the command line", redirects: []string{"http://localhost", "http://localhost:8085/auth/callback"}, public: true}
	for _, c := range out {
		c.login, c.lifetime = opts.LoginPath, lifetime
	}
	return out
}

// authorize checks the secret of a client in constant time.
func (c *program) authorize(secret string) bool {
	return !c.public && c.secret != "" && subtle.ConstantTimeCompare([]byte(c.secret), []byte(secret)) == 1
}
