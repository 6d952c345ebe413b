// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"net/url"
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

var _ op.Client = (*program)(nil)

// GetID implements op.Client.
func (c *program) GetID() string { return c.id }

// RedirectURIs implements op.Client.
func (c *program) RedirectURIs() []string { return c.redirects }

// PostLogoutRedirectURIs implements op.Client: there is no logout at the issuer, sessions end by themselves.
func (c *program) PostLogoutRedirectURIs() []string { return nil }

// ApplicationType implements op.Client: a public client runs where its user is and listens on a port of its choice (RFC 8252).
func (c *program) ApplicationType() op.ApplicationType {
	if c.public {
		return op.ApplicationTypeNative
	}
	return op.ApplicationTypeWeb
}

// AuthMethod implements op.Client: a public client has no secret and has to use PKCE.
func (c *program) AuthMethod() oidc.AuthMethod {
	if c.public {
		return oidc.AuthMethodNone
	}
	return oidc.AuthMethodBasic
}

// ResponseTypes implements op.Client: the code flow only.
func (c *program) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}

// GrantTypes implements op.Client.
func (c *program) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}
}

// LoginURL implements op.Client.
func (c *program) LoginURL(id string) string { return c.login + "?req=" + url.QueryEscape(id) }

// AccessTokenType implements op.Client.
func (c *program) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }

// IDTokenLifetime implements op.Client.
func (c *program) IDTokenLifetime() time.Duration { return c.lifetime }

// DevMode implements op.Client.
func (c *program) DevMode() bool { return false }

// RestrictAdditionalIdTokenScopes implements op.Client: all that was granted is in the token.
func (c *program) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return slices.Clone[[]string]
}

// RestrictAdditionalAccessTokenScopes implements op.Client.
func (c *program) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return slices.Clone[[]string]
}

// IsScopeAllowed implements op.Client.
func (c *program) IsScopeAllowed(scope string) bool {
	return scope == ScopeGroups || scope == ScopeFederated
}

// IDTokenUserinfoClaimsAssertion implements op.Client: clients read who it is from the ID token, as Dex's do.
func (c *program) IDTokenUserinfoClaimsAssertion() bool { return true }

// ClockSkew implements op.Client.
func (c *program) ClockSkew() time.Duration { return 0 }
