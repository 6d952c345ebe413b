// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// asking is a request, before and after somebody signed in. It implements op.AuthRequest.
type asking struct {
	id    string
	login login
	done  bool
}

// GetID implements op.AuthRequest.
func (a *asking) GetID() string { return a.id }

// GetACR implements op.AuthRequest.
func (a *asking) GetACR() string { return "" }

// GetAMR implements op.AuthRequest.
func (a *asking) GetAMR() []string { return nil }

// GetAudience implements op.AuthRequest.
func (a *asking) GetAudience() []string { return []string{a.login.Request.Client} }

// GetAuthTime implements op.AuthRequest.
func (a *asking) GetAuthTime() time.Time { return a.login.At }

// GetClientID implements op.AuthRequest.
func (a *asking) GetClientID() string { return a.login.Request.Client }

// GetCodeChallenge implements op.AuthRequest.
func (a *asking) GetCodeChallenge() *oidc.CodeChallenge {
	if a.login.Request.Challenge == "" {
		return nil
	}
	return &oidc.CodeChallenge{Challenge: a.login.Request.Challenge, Method: oidc.CodeChallengeMethod(a.login.Request.Method)}
}

// GetNonce implements op.AuthRequest.
func (a *asking) GetNonce() string { return a.login.Request.Nonce }

// GetRedirectURI implements op.AuthRequest.
func (a *asking) GetRedirectURI() string { return a.login.Request.Redirect }

// GetResponseType implements op.AuthRequest.
func (a *asking) GetResponseType() oidc.ResponseType { return oidc.ResponseTypeCode }

// GetResponseMode implements op.AuthRequest.
func (a *asking) GetResponseMode() oidc.ResponseMode {
	return oidc.ResponseMode(a.login.Request.Mode)
}

// GetScopes implements op.AuthRequest.
func (a *asking) GetScopes() []string { return a.login.Request.Scopes }

// GetState implements op.AuthRequest.
func (a *asking) GetState() string { return a.login.Request.State }

// GetSubject implements op.AuthRequest.
func (a *asking) GetSubject() string { return subject(a.login) }

// Done implements op.AuthRequest.
func (a *asking) Done() bool { return a.done }

// renewing is the use of a refresh token. It implements op.RefreshTokenRequest.
type renewing struct {
	refresh refresh
	scopes  []string
}

// GetAMR implements op.RefreshTokenRequest.
func (r *renewing) GetAMR() []string { return nil }

// GetAudience implements op.RefreshTokenRequest.
func (r *renewing) GetAudience() []string { return []string{r.refresh.Login.Request.Client} }

// GetAuthTime implements op.RefreshTokenRequest.
func (r *renewing) GetAuthTime() time.Time { return r.refresh.Login.At }

// GetClientID implements op.RefreshTokenRequest.
func (r *renewing) GetClientID() string { return r.refresh.Login.Request.Client }

// GetScopes implements op.RefreshTokenRequest.
func (r *renewing) GetScopes() []string { return r.scopes }

// GetSubject implements op.RefreshTokenRequest.
func (r *renewing) GetSubject() string { return subject(r.refresh.Login) }

// SetCurrentScopes implements op.RefreshTokenRequest.
func (r *renewing) SetCurrentScopes(scopes []string) { r.scopes = scopes }
