// SPDX-License-Identifier: Apache-2.0

package signin_test

import (
	"net/url"
	"testing"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// cliCallback is where Argo CD's command line listens.
const cliCallback = "http://localhost:8085/auth/callback"

// commandLine signs in as the command line of Argo CD does with --sso: the code flow with PKCE at <url>/api/dex.
type commandLine struct {
	t        *testing.T
	config   oauth2.Config
	provider *gooidc.Provider
	verifier string
}

func newCommandLine(t *testing.T, url string) *commandLine {
	t.Helper()
	provider, err := gooidc.NewProvider(t.Context(), url+"/api/dex")
	if err != nil {
		t.Fatal(err)
	}
	return &commandLine{t: t, provider: provider, verifier: oauth2.GenerateVerifier(), config: oauth2.Config{
		ClientID: "argo-cd-cli", Endpoint: provider.Endpoint(), RedirectURL: cliCallback,
		Scopes: []string{"openid", "profile", "email", "groups", "federated:id", "offline_access"},
	}}
}

// address is what it opens in the browser.
func (c *commandLine) address() string {
	return c.config.AuthCodeURL("the state of the command line", oauth2.AccessTypeOffline, oauth2.S256ChallengeOption(c.verifier))
}

// exchange fetches the tokens for the address that the browser was sent to.
func (c *commandLine) exchange(at *url.URL) (*oauth2.Token, map[string]any) {
	c.t.Helper()
	if at.Query().Get("state") != "the state of the command line" {
		c.t.Fatalf("the browser was sent to %s", at)
	}
	token, err := c.config.Exchange(c.t.Context(), at.Query().Get("code"), oauth2.VerifierOption(c.verifier))
	if err != nil {
		c.t.Fatal(err)
	}
	return token, c.claims(token)
}

func (c *commandLine) claims(token *oauth2.Token) map[string]any {
	c.t.Helper()
	raw, _ := token.Extra("id_token").(string)
	verified, err := c.provider.Verifier(&gooidc.Config{ClientID: "argo-cd-cli"}).Verify(c.t.Context(), raw)
	if err != nil {
		c.t.Fatal(err)
	}
	claims := map[string]any{}
	if err := verified.Claims(&claims); err != nil {
		c.t.Fatal(err)
	}
	return claims
}

// again uses a refresh token.
func (c *commandLine) again(refresh string) (*oauth2.Token, error) {
	return c.config.TokenSource(c.t.Context(), &oauth2.Token{RefreshToken: refresh}).Token()
}
