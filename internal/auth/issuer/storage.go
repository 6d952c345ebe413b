// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/bowline-cd/bowline/internal/auth/connector"
)

// storage is the Issuer as the library wants to see it.
type storage struct{ i *Issuer }

var (
	_ op.Storage                   = (*storage)(nil)
	_ op.CanSetUserinfoFromRequest = (*storage)(nil)
)

// CreateAuthRequest seals what a client asks for.
func (s *storage) CreateAuthRequest(_ context.Context, asked *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	if slices.Contains(asked.Prompt, oidc.PromptNone) {
		return nil, oidc.ErrLoginRequired()
	}
	r := request{
		Client: asked.ClientID, Redirect: asked.RedirectURI, Scopes: asked.Scopes, State: asked.State, Nonce: asked.Nonce,
		Challenge: asked.CodeChallenge, Method: string(asked.CodeChallengeMethod), Mode: string(asked.ResponseMode),
	}
	until := s.i.opts.Clock.Now().Add(connector.Lasting(s.i.opts.Expiry.AuthRequests, requestLifetime))
	id, err := s.i.keys.box.Seal(purposeRequest, r, until)
	return &asking{id: id, login: login{Request: r}}, err
}

// AuthRequestByID takes the login that Complete kept.
func (s *storage) AuthRequestByID(ctx context.Context, id string) (op.AuthRequest, error) {
	records, err := s.i.opts.Vault.Read(ctx)
	if err != nil {
		return nil, err
	}
	a := &asking{id: id, done: true}
	if err := s.i.keys.box.Open(purposeLogin, string(records[loginKey(id)]), s.i.opts.Clock.Now(), &a.login); err != nil {
		return nil, oidc.ErrInvalidRequest().WithDescription("the sign-in was completed already, or has expired")
	}
	return a, nil
}

// SaveAuthCode turns the login into one that the code fetches.
func (s *storage) SaveAuthCode(ctx context.Context, id, code string) error {
	_, err := s.i.take(ctx, loginKey(id), codeKey(code))
	return err
}

// AuthRequestByCode takes the login of a code: it works once, even if what follows fails.
func (s *storage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	l, err := s.i.take(ctx, codeKey(code), "")
	if err != nil {
		return nil, err
	}
	return &asking{id: code, login: l, done: true}, nil
}

// DeleteAuthRequest has nothing to do: what was taken is gone.
func (s *storage) DeleteAuthRequest(context.Context, string) error { return nil }

// CreateAccessToken seals who it is about into the id of the access token, which the userinfo endpoint gets back.
func (s *storage) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	l, err := loginOf(r)
	if err != nil {
		return "", time.Time{}, err
	}
	l.Identity.Memory = nil
	until := s.i.opts.Clock.Now().Add(connector.Lasting(s.i.opts.Expiry.IDTokens, idTokenLifetime))
	id, err := s.i.keys.box.Seal(purposeAccess, l, until)
	return id, until, err
}

// CreateAccessAndRefreshTokens starts a session, or goes on with that of the refresh token that was shown.
func (s *storage) CreateAccessAndRefreshTokens(ctx context.Context, r op.TokenRequest, shown string) (string, string, time.Time, error) {
	id, until, err := s.CreateAccessToken(ctx, r)
	if err != nil {
		return "", "", time.Time{}, err
	}
	var token string
	if again, ok := r.(*renewing); ok && shown != "" {
		token, err = s.i.next(ctx, again.refresh)
	} else if a, ok := r.(*asking); ok {
		token, err = s.i.start(ctx, a.login)
	}
	return id, token, until, err
}

// TokenRequestByRefreshToken asks the connector what it says of the person now.
func (s *storage) TokenRequestByRefreshToken(ctx context.Context, token string) (op.RefreshTokenRequest, error) {
	r, err := s.i.look(ctx, token)
	if err != nil {
		return nil, err
	}
	who, err := s.i.opts.Refresh(ctx, r.Login.Connector, r.Login.Identity)
	if err != nil {
		s.i.opts.Log.Info("a session cannot go on", "user", r.Login.Identity.UserID, "connector", r.Login.Connector, "error", err)
		return nil, err
	}
	if who.UserID != r.Login.Identity.UserID {
		return nil, errors.New("the provider names somebody else now")
	}
	r.Login.Identity = who
	return &renewing{refresh: r, scopes: r.Login.Request.Scopes}, nil
}

// TerminateSession has nothing to do: there is no logout at the issuer.
func (s *storage) TerminateSession(context.Context, string, string) error { return nil }

// RevokeToken ends the session of a refresh token. An access token ends by itself.
func (s *storage) RevokeToken(ctx context.Context, token, _, clientID string) *oidc.Error {
	var r refresh
	if s.i.keys.box.Open(purposeRefresh, token, s.i.opts.Clock.Now(), &r) != nil {
		return nil
	}
	if r.Login.Request.Client != clientID {
		return oidc.ErrInvalidClient().WithDescription("the token was issued to another client")
	}
	if err := s.i.end(ctx, r); err != nil {
		return oidc.ErrServerError().WithParent(err)
	}
	return nil
}

// GetRefreshTokenInfo tells a refresh token from an access token.
func (s *storage) GetRefreshTokenInfo(_ context.Context, _, token string) (string, string, error) {
	var r refresh
	if s.i.keys.box.Open(purposeRefresh, token, s.i.opts.Clock.Now(), &r) != nil {
		return "", "", op.ErrInvalidRefreshToken
	}
	return subject(r.Login), token, nil
}

// SigningKey returns the newest key.
func (s *storage) SigningKey(ctx context.Context) (op.SigningKey, error) {
	keys, err := s.i.keys.current(ctx)
	if err != nil {
		return nil, err
	}
	return keys[0], nil
}

// SignatureAlgorithms is what every client of OpenID Connect has to understand.
func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

// KeySet returns the public keys.
func (s *storage) KeySet(ctx context.Context) ([]op.Key, error) {
	keys, err := s.i.keys.public(ctx)
	out := make([]op.Key, len(keys))
	for n, k := range keys {
		out[n] = publicKey{k}
	}
	return out, err
}

type publicKey struct{ jose.JSONWebKey }

func (k publicKey) ID() string                         { return k.KeyID }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k publicKey) Use() string                        { return "sig" }
func (k publicKey) Key() any                           { return k.JSONWebKey.Key }

// GetClientByClientID returns a client.
func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	c, ok := s.i.clients[id]
	if !ok {
		return nil, errors.New("there is no such client")
	}
	return c, nil
}

// AuthorizeClientIDSecret checks the secret of a client.
func (s *storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if c, ok := s.i.clients[id]; !ok || !c.authorize(secret) {
		return errors.New("there is no such client, or its secret is another")
	}
	return nil
}

// SetUserinfoFromScopes does nothing: SetUserinfoFromRequest does.
func (s *storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest puts the claims into an ID token.
func (s *storage) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, r op.IDTokenRequest, scopes []string) error {
	l, err := loginOf(r)
	if err != nil {
		return err
	}
	fill(info, l, scopes)
	return nil
}

// SetUserinfoFromToken answers the userinfo endpoint.
func (s *storage) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, tokenID, _, _ string) error {
	var l login
	if err := s.i.keys.box.Open(purposeAccess, tokenID, s.i.opts.Clock.Now(), &l); err != nil {
		return err
	}
	fill(info, l, l.Request.Scopes)
	return nil
}

// SetIntrospectionFromToken refuses: the endpoint is not served.
func (s *storage) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return errors.New("introspection is not offered")
}

// GetPrivateClaimsFromScopes adds nothing.
func (s *storage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

// GetKeyByIDAndClientID refuses: clients have no keys.
func (s *storage) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errors.New("clients have no keys here")
}

// ValidateJWTProfileScopes refuses: that grant is not offered.
func (s *storage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errors.New("the JWT profile is not offered")
}

// Health is always well: an error of the Vault is one of the request that meets it.
func (s *storage) Health(context.Context) error { return nil }

// fill puts in what the scopes ask for.
func fill(info *oidc.UserInfo, l login, scopes []string) {
	who := l.Identity
	info.Subject = subject(l)
	for _, scope := range scopes {
		switch scope {
		case oidc.ScopeEmail:
			info.Email, info.EmailVerified = who.Email, oidc.Bool(who.EmailVerified)
		case oidc.ScopeProfile:
			info.Name, info.PreferredUsername = who.Name, who.PreferredUsername
		case ScopeGroups:
			info.AppendClaims("groups", append([]string{}, who.Groups...))
		case ScopeFederated:
			info.AppendClaims("federated_claims", map[string]string{"connector_id": l.Connector, "user_id": who.UserID})
		}
	}
}

// subject is the claim sub as Dex forms it: a protobuf message of the user id (1) and the connector's id (2), in base64.
func subject(l login) string {
	var b []byte
	b = protowire.AppendString(protowire.AppendTag(b, 1, protowire.BytesType), l.Identity.UserID)
	b = protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), l.Connector)
	return base64.RawURLEncoding.EncodeToString(b)
}

func loginOf(r any) (login, error) {
	switch r := r.(type) {
	case *asking:
		return r.login, nil
	case *renewing:
		l := r.refresh.Login
		l.Request.Scopes = r.scopes
		return l, nil
	}
	return login{}, errors.New("tokens are issued for sign-ins only")
}
