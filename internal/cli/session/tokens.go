// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"sync"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/session"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/signin"
)

// tokens gives calls the token of a session. One of single sign-on that has expired is refreshed, and the new one kept in the
// file of contexts.
type tokens struct {
	session *Session
	target  *target

	mu sync.Mutex
}

// early is how long before its end a token is refreshed: a call takes a while.
const early = 10 * time.Second

func (t *tokens) get(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.target.refresh == "" || t.target.token == "" {
		return t.target.token, nil
	}
	ends, ok := signin.Expiry(t.target.token)
	if !ok || t.session.Now().Add(early).Before(ends) {
		return t.target.token, nil
	}
	caller, err := client.NewCaller(t.target.server, nil)
	if err != nil {
		return "", err
	}
	fresh, err := signin.Refresh(ctx, client.NewServices(caller).Settings, t.target.server, caller.HTTP(), t.target.refresh)
	if err != nil {
		return "", err
	}
	t.target.token, t.target.refresh = fresh.ID, fresh.Refresh
	t.target.file.SetTokens(t.target.context, fresh.ID, fresh.Refresh)
	return fresh.ID, t.target.file.Write()
}

// Token returns the token of the chosen server, refreshed where that is possible, and whether it can be refreshed; "" if there
// is none.
func (s *Session) Token(ctx context.Context) (token string, refreshable bool, err error) {
	if s.environment != nil {
		return "", false, s.environment
	}
	t, err := s.target()
	if err != nil || t.server == nil {
		return "", false, err
	}
	token, err = (&tokens{session: s, target: t}).get(ctx)
	return token, t.refresh != "", err
}

// Renew logs a local account in anew, after its password changed, and keeps the token in the context that is worked with. It
// returns the name of that; "" if none is.
func (s *Session) Renew(ctx context.Context, account, password string) (string, error) {
	if remote, err := s.Remote(); err != nil || !remote || s.Serve != nil {
		return "", err
	}
	t, err := s.target()
	if err != nil || t.context == "" || s.Server.Token != "" {
		return "", err
	}
	caller, err := client.NewCaller(t.server, nil)
	if err != nil {
		return "", err
	}
	made, err := client.NewServices(caller).Sessions.Create(ctx, &session.SessionCreateRequest{Username: account, Password: password})
	if err != nil {
		return "", err
	}
	t.file.SetTokens(t.context, made.Token, "")
	return t.context, t.file.Write()
}
