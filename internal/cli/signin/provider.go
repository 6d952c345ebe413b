// SPDX-License-Identifier: Apache-2.0

// Package signin signs somebody in by single sign-on from a command line: with a browser that comes back to a port of this
// machine (RFC 8252), by the code flow of OpenID Connect with PKCE (RFC 7636).
//
// The words of this package:
//
//   - Provider: who knows people: the issuer of the server's oidc.config, or the server itself where its dex.config has connectors.
//   - Tokens: what the provider gives: an ID token to show to the server, and one to get the next with.
package signin

import (
	"context"
	"net/http"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	claims "github.com/bowline-cd/bowline/api/argoproj/rpc/oidc"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Tokens are what a sign-in gives. Refresh is "" if the provider gives none.
type Tokens struct{ ID, Refresh string }

// dexClient is what Argo CD's command line is to the issuer of a dex.config, and dexScope asks it for who somebody is to a
// connector, which is the subject that roles name since Argo CD 3.0.
const (
	dexClient = "argo-cd-cli"
	dexScope  = "federated:id"
	dexPath   = "/api/dex"
)

// provider is a provider as its discovery document describes it.
type provider struct {
	config   oauth2.Config
	verifier *oidc.IDTokenVerifier
	claims   map[string]*claims.Claim
}

// discover finds the provider of a server.
func discover(ctx context.Context, settings cluster.SettingsService, server *client.Server) (*provider, error) {
	s, err := settings.Get(ctx, &cluster.SettingsQuery{})
	if err != nil {
		return nil, err
	}
	var issuer, id string
	var scopes []string
	out := &provider{}
	switch {
	case s.OidcConfig != nil && s.OidcConfig.Issuer != "":
		issuer, id, scopes, out.claims = s.OidcConfig.Issuer, s.OidcConfig.CliClientID, s.OidcConfig.Scopes, s.OidcConfig.IdTokenClaims
		if id == "" {
			id = s.OidcConfig.ClientID
		}
	case s.DexConfig != nil && len(s.DexConfig.Connectors) > 0:
		issuer, id = s.URL+dexPath, dexClient
	default:
		return nil, fault.New(fault.Mistake, "sign in to", "server "+server.Address, "", "it has no single sign-on", "log in with --username")
	}
	if len(scopes) == 0 {
		scopes = []string{oidc.ScopeOpenID, "profile", "email", "groups"}
	}
	if id == dexClient {
		scopes = append(scopes, dexScope)
	}
	found, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, fault.Wrap(fault.Retry, "ask", "the provider "+issuer, err, "check that it runs, and that this machine reaches it under that address")
	}
	if offline(found) {
		scopes = append(slices.Clip(scopes), oidc.ScopeOfflineAccess)
	}
	out.config = oauth2.Config{ClientID: id, Endpoint: found.Endpoint(), Scopes: scopes}
	out.verifier = found.Verifier(&oidc.Config{ClientID: id})
	return out, nil
}

// offline reports whether a provider gives refresh tokens. One that does not say which scopes it knows is taken to.
func offline(p *oidc.Provider) bool {
	said := struct {
		Scopes []string `json:"scopes_supported"`
	}{}
	err := p.Claims(&said)
	return err == nil && (len(said.Scopes) == 0 || slices.Contains(said.Scopes, oidc.ScopeOfflineAccess))
}

// Refresh gets the next tokens for a refresh token. h reaches the server, and the provider.
func Refresh(ctx context.Context, settings cluster.SettingsService, server *client.Server, h *http.Client, refresh string) (Tokens, error) {
	ctx = oidc.ClientContext(ctx, h)
	p, err := discover(ctx, settings, server)
	if err != nil {
		return Tokens{}, err
	}
	token, err := p.config.TokenSource(ctx, &oauth2.Token{RefreshToken: refresh}).Token()
	if err != nil {
		return Tokens{}, refusal(err, "sign in anew with `bowline relogin`")
	}
	return p.tokens(ctx, token, refresh)
}

// tokens takes the ID token out of a provider's answer, once it is known to be the provider's and for us.
func (p *provider) tokens(ctx context.Context, token *oauth2.Token, refresh string) (Tokens, error) {
	id, ok := token.Extra("id_token").(string)
	if !ok {
		return Tokens{}, fault.New(fault.Stalled, "sign in", "", "", "the provider gave no ID token", "allow its client "+p.config.ClientID+" the scope openid")
	}
	if _, err := p.verifier.Verify(ctx, id); err != nil {
		return Tokens{}, fault.Wrap(fault.Stalled, "sign in", "", err, "check the clock of this machine, and the provider's settings")
	}
	if token.RefreshToken != "" {
		refresh = token.RefreshToken
	}
	return Tokens{ID: id, Refresh: refresh}, nil
}
