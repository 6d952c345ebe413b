// SPDX-License-Identifier: Apache-2.0

// Package signin is where people sign in through an identity provider: the routes /auth/login, /auth/callback and /auth/logout of
// Bowline itself, and below /api/dex the OpenID provider that it is for its command line, with the pages of the connectors.
//
// The words of this room:
//
//   - Settings: what argocd-cm and argocd-secret say about all this, at one moment.
//   - Site: what was opened with the Settings: the provider to sign in at, our own issuer, its connectors.
//   - Return address: where a person wanted to go before they had to sign in. It is one of ours, or it is refused.
package signin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/auth/issuer"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server"
)

// Settings are those of single sign-on.
type Settings struct {
	// URL is where Bowline is reached (url), Additional where else (additionalUrls).
	URL        string
	Additional []string
	// OIDC and Dex are oidc.config and dex.config. With both people are signed in as oidc.config says.
	OIDC, Dex string
	// InsecureSkipVerify is oidc.tls.insecure.skip.verify.
	InsecureSkipVerify bool
	// Lookup finds what a value $key stands for.
	Lookup func(key string) (string, bool)
	// Session is users.session.duration.
	Session time.Duration
	// Version changes when any of them does.
	Version string
}

// Deps are what the room needs.
type Deps struct {
	// Settings returns those of the moment. It is asked often and answers from memory.
	Settings func(ctx context.Context) (Settings, error)
	// Scopes are the claims that groups are read from.
	Scopes func() []string
	// Verify says who shows a token, ours or a provider's; Revoke ends the session of one.
	Verify func(ctx context.Context, token string) (auth.Caller, error)
	Revoke func(ctx context.Context, who auth.Caller) error
	// Token finds the token that a request shows.
	Token func(r *http.Request) string
	// Throttle bounds how many passwords may be tried.
	Throttle *auth.Throttle
	Vault    issuer.Vault
	Clock    clock.PassiveClock
	Log      *slog.Logger
}

// SignIn answers the routes.
type SignIn struct {
	deps Deps

	mu     sync.Mutex
	keys   *issuer.Keys
	site   *site
	looked time.Time
}

// New returns a SignIn. Nothing is opened before it is needed.
func New(deps Deps) *SignIn { return &SignIn{deps: deps} }

// Routes are what it answers.
func (s *SignIn) Routes() []server.Route {
	return []server.Route{
		{Pattern: "/auth/login", Handler: page(s.login, http.MethodGet)},
		{Pattern: "/auth/callback", Handler: page(s.callback, http.MethodGet)},
		{Pattern: "/auth/logout", Handler: page(s.logout, http.MethodGet, http.MethodPost)},
		{Pattern: dexPath + "/", Handler: page(s.dex, http.MethodGet, http.MethodPost, http.MethodOptions)},
	}
}

// lookAgain is how often it is asked whether settings changed.
const lookAgain = time.Second

// now returns the site of the settings of the moment. With nothing configured it is one that has no provider.
func (s *SignIn) now(ctx context.Context) (*site, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.site != nil && s.deps.Clock.Since(s.looked) < lookAgain {
		return s.site, nil
	}
	settings, err := s.deps.Settings(ctx)
	if err != nil {
		return nil, err
	}
	s.looked = s.deps.Clock.Now()
	if s.site != nil && s.site.settings.Version == settings.Version {
		return s.site, nil
	}
	if s.keys == nil && (settings.OIDC != "" || settings.Dex != "") {
		if s.keys, err = issuer.OpenKeys(ctx, s.deps.Vault, s.deps.Clock); err != nil {
			return nil, err
		}
	}
	opened := s.open(settings)
	if s.site != nil {
		s.site.close()
	}
	s.site = opened
	return opened, nil
}

// VerifySSO says who shows a token of the provider.
func (s *SignIn) VerifySSO(ctx context.Context, token string) (auth.Caller, error) {
	site, err := s.now(ctx)
	if err != nil {
		return auth.Caller{}, err
	}
	if site.relying == nil {
		return auth.Caller{}, auth.Rejected(errors.New("somebody else issued it, and there is no single sign-on"))
	}
	return site.relying.Verify(ctx, token, s.deps.Scopes())
}

// Renew returns a newer token for one of the provider that ends soon, as oidc.config says (refreshTokenThreshold); "" if there is no
// need or no way.
func (s *SignIn) Renew(ctx context.Context, token string) (string, error) {
	site, err := s.now(ctx)
	if err != nil || site.relying == nil {
		return "", err
	}
	return site.relying.Renew(ctx, token)
}

// page answers an address for certain methods; anything that goes wrong is a page that says so.
func page(handle func(http.ResponseWriter, *http.Request) error, methods ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		if !allowed(r.Method, methods) {
			w.Header().Set("Allow", join(methods))
			showError(w, http.StatusMethodNotAllowed, "there is nothing to "+r.Method+" here")
			return
		}
		if err := handle(w, r); err != nil {
			showError(w, statusOf(err), textOf(err))
		}
	})
}

// refusal is an error that the person at the browser is told as it is.
type refusal struct {
	status int
	text   string
}

func (r refusal) Error() string { return r.text }

func statusOf(err error) int {
	var r refusal
	if errors.As(err, &r) {
		return r.status
	}
	return fault.HTTPStatus(err)
}

// textOf is what a stranger at a browser may know. What is wrong with our settings is in the log.
func textOf(err error) string {
	var r refusal
	if errors.As(err, &r) {
		return r.text
	}
	return "signing in does not work at the moment; the log of the server says why"
}
