// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"time"

	"golang.org/x/oauth2"

	"github.com/bowline-cd/bowline/internal/auth/connector"
)

// Renew returns a newer token for one that ends within refreshTokenThreshold; "" if there is no need, or no way: the person signs
// in again then. A token that does not verify is an error.
func (r *Relying) Renew(ctx context.Context, raw string) (string, error) {
	threshold := connector.Lasting(r.config.RefreshTokenThreshold, 0)
	if threshold == 0 {
		return "", nil
	}
	claims, err := r.claims(ctx, raw)
	if err != nil {
		return "", err
	}
	now := r.clock.Now()
	from := r.memory.find(claims, false)
	if expiry(claims).Sub(now) >= threshold || from == nil {
		return "", nil
	}
	from.mu.Lock()
	defer from.mu.Unlock()
	if from.id != raw { // another request was faster
		if newer, err := r.claims(ctx, from.id); err == nil && expiry(newer).After(expiry(claims)) {
			return from.id, nil
		}
	}
	if from.token.RefreshToken == "" || now.Sub(from.started) >= r.lifetime {
		return "", nil
	}
	return r.fetch(ctx, from)
}

func (r *Relying) fetch(ctx context.Context, from *remembered) (string, error) {
	found, _, err := r.provider.discover(ctx)
	if err != nil {
		return "", err
	}
	spent := &oauth2.Token{RefreshToken: from.token.RefreshToken, Expiry: time.Unix(1, 0)}
	token, err := r.oauth(found.Endpoint(), from.redirect).TokenSource(r.provider.context(ctx), spent).Token()
	if err != nil {
		return "", refused(err)
	}
	raw, _, err := r.read(ctx, token)
	if err != nil {
		return "", err
	}
	from.token, from.id, from.groups = token, raw, nil
	return raw, nil
}
