// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"time"
)

// renewal is how long before its end a session is given a new token, if its owner is still there.
const renewal = 5 * time.Minute

// Renew returns a new token for a person whose session is about to end: for as long again; "" if there is no need. A token is
// bound to end all the same once the password changes or the account closes.
func (t *Tokens) Renew(who Caller) (string, error) {
	account := t.Accounts()[who.Subject]
	if who.Kind != Login || account == nil || who.Expires.IsZero() || who.Expires.Sub(t.Clock.Now()) >= renewal {
		return "", nil
	}
	return t.Login(account, who.Expires.Sub(who.Issued))
}

type renewedKey struct{}

// WithRenewed returns a context that carries the token that takes the place of the one a request came with.
func WithRenewed(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, renewedKey{}, token)
}

// Renewed returns that token; "" if there is none.
func Renewed(ctx context.Context) string {
	token, _ := ctx.Value(renewedKey{}).(string)
	return token
}
