// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"time"

	"github.com/bowline-cd/bowline/internal/auth"
)

// callerOf reads who a token is about. The subject is federated_claims.user_id where there is one, as in Argo CD 3: what Dex calls
// sub is an encoding of it.
func callerOf(claims map[string]any, scopes []string) auth.Caller {
	c := auth.Caller{
		Kind: auth.SSO, Subject: text(claims, "sub"), Username: text(claims, "email"), Issuer: text(claims, "iss"),
		TokenID: tokenID(claims), Groups: groupsOf(claims, scopes),
	}
	if federated, ok := claims["federated_claims"].(map[string]any); ok {
		if id := text(federated, "user_id"); id != "" {
			c.Subject = id
		}
	}
	if c.Username == "" {
		c.Username = c.Subject
	}
	c.Issued, c.Expires = moment(claims, "iat"), expiry(claims)
	return c
}

// tokenID is what a token is revoked by: jti, or Microsoft's uti, or at_hash, which Dex's tokens have.
func tokenID(claims map[string]any) string {
	for _, name := range []string{"jti", "uti", "at_hash"} {
		if id := text(claims, name); id != "" {
			return id
		}
	}
	return ""
}

// groupsOf collects the values of the claims that scopes name: each a text or a list of texts.
func groupsOf(claims map[string]any, scopes []string) []string {
	var out []string
	for _, scope := range scopes {
		switch v := claims[scope].(type) {
		case string:
			out = append(out, v)
		case []string:
			out = append(out, v...)
		case []any:
			for _, g := range v {
				if s, ok := g.(string); ok {
					out = append(out, s)
				}
			}
		}
	}
	return out
}

func text(claims map[string]any, name string) string {
	s, _ := claims[name].(string)
	return s
}

func expiry(claims map[string]any) time.Time { return moment(claims, "exp") }

// moment reads a NumericDate (RFC 7519, section 2).
func moment(claims map[string]any, name string) time.Time {
	seconds, ok := claims[name].(float64)
	if !ok {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}
