// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	rpcaccount "github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	rpcsession "github.com/bowline-cd/bowline/api/argoproj/rpc/session"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/account"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/session"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

// openAccounts adds local accounts, tokens, roles, and the services of accounts and sessions.
func (r *roles) openAccounts(ctx context.Context, d *door, opts RunOptions) error {
	logins, sessions := r.boards(opts)
	known := func() map[string]*auth.Account { return r.settings.Current().Identity.Accounts }
	key := func() fault.Secret { return r.settings.Current().Key }
	projects := &projectBook{namespace: opts.Namespace}
	d.tokens = &auth.Tokens{
		Key: key, Accounts: known, Project: projects.get, Clock: realClock,
		Revoked: &auth.Revocations{Board: sessions, Clock: realClock},
	}
	rights := &gate.Rights{
		Policy: func() *access.Policy { return r.settings.Current().Identity.Policy }, Project: projects.get, Tokens: d.tokens, Clock: realClock,
	}
	d.gate, d.learn = &gate.Gate{Roles: rights}, projects.put
	projects.changed, d.tokens.Revoked.Tell = rights.Tell, rights.Tell
	if err := r.follow(ctx, opts, projects, d.tokens.Revoked); err != nil {
		return err
	}
	store := &auth.Store{Reader: r.fresh, Writer: r.hub, Namespace: opts.Namespace, Reload: r.settings.Load}
	r.begin(ctx, opts, store)
	r.settings.OnIdentity(rights.Tell)
	throttle := newThrottle(logins, key)
	throttle.Known = func(name string) bool { return known()[name] != nil }
	passwords := &auth.Passwords{Accounts: known, Throttle: throttle}
	accounts := &account.Service{
		Gate: d.gate, Home: opts.Namespace, Accounts: known, Passwords: passwords, Tokens: d.tokens, Store: store,
		Settings: momentary(r.settings), Clock: realClock,
	}
	d.authenticate = r.authenticate(d)
	d.services = append(d.services,
		transport.Mounted{Methods: rpcaccount.AccountServiceMethods, Service: accounts},
		transport.Mounted{Methods: bowline.AccessMethods, Service: accounts},
		transport.Mounted{Methods: rpcsession.SessionServiceMethods, Service: &session.Service{
			Passwords: passwords, Tokens: d.tokens, Settings: momentary(r.settings), Count: r.countLogins(), Log: r.log,
		}})
	return nil
}

// authenticate returns the way in: the token of a request, ours or an identity provider's, or nothing where the settings let such
// callers in.
func (r *roles) authenticate(d *door) func(*http.Request) (context.Context, error) {
	return func(request *http.Request) (context.Context, error) {
		ctx, anonymous := request.Context(), r.settings.Current().Settings.Users.Anonymous
		token := transport.Token(request)
		if token == "" {
			if anonymous {
				return auth.With(ctx, auth.Caller{Kind: auth.Anonymous}), nil
			}
			return nil, auth.Rejected(errors.New("no token was shown"))
		}
		who, err := d.verify(ctx, token)
		if errors.Is(err, auth.ErrExpired) && anonymous {
			// Whoever has an old cookie is nobody worse than whoever has none. What never was valid is refused in any case.
			return auth.With(ctx, auth.Caller{Kind: auth.Anonymous}), nil
		}
		if err != nil {
			r.log.DebugContext(ctx, "a token was refused", "from", request.RemoteAddr, "cause", auth.Cause(err))
			return nil, err
		}
		// Whoever was signed out meanwhile is not signed in again by it.
		if next, err := d.renew(ctx, who, token); err == nil && next != "" && d.tokens.Valid(who) == nil {
			ctx = auth.WithRenewed(ctx, next)
		}
		return auth.With(ctx, who), nil
	}
}

// renew returns a token to take the place of one that ends soon; "" if there is no need or no way.
func (d *door) renew(ctx context.Context, who auth.Caller, token string) (string, error) {
	switch {
	case who.Kind != auth.SSO:
		return d.tokens.Renew(who)
	case d.renewSSO == nil:
		return "", nil
	}
	return d.renewSSO(ctx, token)
}

// verify says who shows a token.
func (d *door) verify(ctx context.Context, token string) (auth.Caller, error) {
	if auth.Ours(token) {
		return d.tokens.Verify(token)
	}
	if d.verifySSO == nil {
		return auth.Caller{}, auth.Rejected(errors.New("somebody else issued it, and there is no single sign-on"))
	}
	who, err := d.verifySSO(ctx, token)
	if err != nil {
		return auth.Caller{}, err
	}
	if who.Kind != auth.SSO || who.Subject == "" {
		return auth.Caller{}, auth.Rejected(errors.New("the identity provider names nobody"))
	}
	return who, d.tokens.Valid(who)
}

// begin makes what an installation needs to be signed in to. Without it the rest works all the same.
func (r *roles) begin(ctx context.Context, opts RunOptions, store *auth.Store) {
	if opts.Observe {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, beginTimeout)
	defer cancel()
	made, err := store.Begin(ctx, realClock.Now())
	switch {
	case err != nil:
		r.log.Error("local accounts have no password or key to begin with", "error", err)
	case made:
		r.log.Info("made the first password of admin", "see", "bowline admin initial-password")
	}
}

const beginTimeout = 20 * time.Second

// newThrottle bounds attempts to sign in, as Argo CD's variables say.
func newThrottle(board auth.Board, key func() fault.Secret) *auth.Throttle {
	window := time.Duration(fromEnvironment("ARGOCD_SESSION_FAILURE_WINDOW_SECONDS", int(auth.DefaultWindow/time.Second))) * time.Second
	if window == 0 { // as in Argo CD: for good
		window = forGood
	}
	return &auth.Throttle{
		Board: board, Key: key, Clock: realClock, Window: window,
		Max:  max(1, fromEnvironment("ARGOCD_SESSION_FAILURE_MAX_FAIL_COUNT", auth.DefaultMaxFailures)),
		Busy: make(chan struct{}, max(1, fromEnvironment("ARGOCD_MAX_CONCURRENT_LOGIN_REQUESTS_COUNT", auth.DefaultBusy))),
	}
}

const forGood = 100 * 365 * 24 * time.Hour

func fromEnvironment(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n >= 0 {
		return n
	}
	return otherwise
}

// countLogins counts attempts to sign in under the name that Argo CD gave that.
func (r *roles) countLogins() func(bool) {
	logins := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "argocd_login_request_total", Help: "Attempts to sign in with a password."}, []string{"status"})
	r.metrics.registry.MustRegister(logins)
	return func(ok bool) {
		status := "failure"
		if ok {
			status = "success"
		}
		logins.WithLabelValues(status).Inc()
	}
}
