// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/auth/connector"
	"github.com/bowline-cd/bowline/internal/auth/seal"
)

// block is the config of a connector of the type oidc: https://dexidp.io/docs/connectors/oidc/
type block struct {
	Issuer                    string   `json:"issuer"`
	ClientID                  string   `json:"clientID"`
	ClientSecret              string   `json:"clientSecret"`
	Scopes                    []string `json:"scopes"`
	BasicAuthUnsupported      *bool    `json:"basicAuthUnsupported"`
	HostedDomains             []string `json:"hostedDomains"`
	RootCAs                   []string `json:"rootCAs"`
	InsecureSkipVerify        bool     `json:"insecureSkipVerify"`
	InsecureSkipEmailVerified bool     `json:"insecureSkipEmailVerified"`
	InsecureEnableGroups      bool     `json:"insecureEnableGroups"`
	AllowedGroups             []string `json:"allowedGroups"`
	AcrValues                 []string `json:"acrValues"`
	GetUserInfo               bool     `json:"getUserInfo"`
	UserIDKey                 string   `json:"userIDKey"`
	UserNameKey               string   `json:"userNameKey"`
	PromptType                *string  `json:"promptType"`
	OverrideClaimMapping      bool     `json:"overrideClaimMapping"`
	ClaimMapping              struct {
		PreferredUsername string `json:"preferred_username"`
		Email             string `json:"email"`
		Groups            string `json:"groups"`
	} `json:"claimMapping"`
}

// Connector is a connector of the type oidc.
type Connector struct {
	block    block
	provider *Provider
	redirect string
}

var (
	_ connector.Redirect  = (*Connector)(nil)
	_ connector.Refresher = (*Connector)(nil)
)

// Open reads the config of a block. redirect is where the provider sends browsers back: <url>/api/dex/callback.
func Open(b connector.Block, redirect string, clk clock.PassiveClock) (*Connector, error) {
	c := &Connector{redirect: redirect}
	if err := b.Decode(&c.block); err != nil {
		return nil, err
	}
	if err := b.Need("issuer", c.block.Issuer, "clientID", c.block.ClientID); err != nil {
		return nil, err
	}
	roots, err := readRoots(c.block.RootCAs)
	if err != nil {
		return nil, b.Broken("rootCAs", err.Error(), "name files that are there, or give the certificates in PEM")
	}
	client, err := connector.HTTPClient(roots, c.block.InsecureSkipVerify)
	if err != nil {
		return nil, b.Broken("rootCAs", err.Error(), "give certificates in PEM")
	}
	c.provider = NewProvider(c.block.Issuer, client, clk)
	return c, nil
}

// readRoots reads certificates given as files or as themselves.
func readRoots(roots []string) ([]byte, error) {
	var out []byte
	for _, root := range roots {
		if strings.Contains(root, "-----BEGIN") {
			out = append(out, root+"\n"...)
			continue
		}
		data, err := os.ReadFile(root) //nolint:gosec // the cluster's operator names the file
		if err != nil {
			return nil, err
		}
		out = append(append(out, data...), '\n')
	}
	return out, nil
}

// trip is the memo of a Departure.
type trip struct {
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
}

// Begin implements connector.Redirect.
func (c *Connector) Begin(ctx context.Context, state string) (connector.Departure, error) {
	config, err := c.oauth(ctx)
	if err != nil {
		return connector.Departure{}, err
	}
	t := trip{Nonce: seal.Random(), Verifier: oauth2.GenerateVerifier()}
	options := []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("nonce", t.Nonce), oauth2.S256ChallengeOption(t.Verifier)}
	switch {
	case len(c.block.HostedDomains) == 1:
		options = append(options, oauth2.SetAuthURLParam("hd", c.block.HostedDomains[0]))
	case len(c.block.HostedDomains) > 1:
		options = append(options, oauth2.SetAuthURLParam("hd", "*"))
	}
	if len(c.block.AcrValues) > 0 {
		options = append(options, oauth2.SetAuthURLParam("acr_values", strings.Join(c.block.AcrValues, " ")))
	}
	if slices.Contains(config.Scopes, "offline_access") {
		prompt := "consent"
		if c.block.PromptType != nil {
			prompt = *c.block.PromptType
		}
		options = append(options, oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("prompt", prompt))
	}
	memo, err := json.Marshal(t)
	return connector.Departure{URL: config.AuthCodeURL(state, options...), Memo: memo}, err
}

func (c *Connector) oauth(ctx context.Context) (*oauth2.Config, error) {
	found, _, err := c.provider.discover(ctx)
	if err != nil {
		return nil, err
	}
	scopes := c.block.Scopes
	if len(scopes) == 0 {
		scopes = []string{"profile", "email"}
	}
	endpoint := found.Endpoint()
	if c.block.BasicAuthUnsupported != nil && *c.block.BasicAuthUnsupported {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID: c.block.ClientID, ClientSecret: c.block.ClientSecret, Endpoint: endpoint,
		Scopes: append([]string{"openid"}, slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return s == "openid" })...), RedirectURL: c.redirect,
	}, nil
}

// Finish implements connector.Redirect.
func (c *Connector) Finish(r *http.Request, memo []byte) (connector.Identity, error) {
	var t trip
	if err := json.Unmarshal(memo, &t); err != nil {
		return connector.Identity{}, err
	}
	if what := r.FormValue("error"); what != "" {
		return connector.Identity{}, fmt.Errorf("the provider refuses: %s %s", what, r.FormValue("error_description"))
	}
	config, err := c.oauth(r.Context())
	if err != nil {
		return connector.Identity{}, err
	}
	token, err := config.Exchange(c.provider.context(r.Context()), r.FormValue("code"), oauth2.VerifierOption(t.Verifier))
	if err != nil {
		return connector.Identity{}, refused(err)
	}
	return c.identity(r.Context(), config, token, t.Nonce)
}

// Refresh implements connector.Refresher.
func (c *Connector) Refresh(ctx context.Context, before connector.Identity) (connector.Identity, error) {
	if len(before.Memory) == 0 {
		return before, nil // the provider gave no refresh token: what it said holds as long as the session, as with Dex
	}
	config, err := c.oauth(ctx)
	if err != nil {
		return connector.Identity{}, err
	}
	token, err := config.TokenSource(c.provider.context(ctx), &oauth2.Token{RefreshToken: string(before.Memory), Expiry: time.Unix(1, 0)}).Token()
	if err != nil {
		return connector.Identity{}, refused(err)
	}
	if _, ok := token.Extra("id_token").(string); !ok && !c.block.GetUserInfo {
		before.Memory = []byte(token.RefreshToken)
		return before, nil // an answer to a refresh need not hold an ID token (OpenID Connect Core, section 12.2)
	}
	return c.identity(ctx, config, token, "")
}

// identity reads who it is from the ID token and, with getUserInfo, from the userinfo endpoint. Without a nonce none is expected.
func (c *Connector) identity(ctx context.Context, config *oauth2.Config, token *oauth2.Token, nonce string) (connector.Identity, error) {
	claims := map[string]any{}
	if raw, ok := token.Extra("id_token").(string); ok {
		verified, err := c.provider.verify(ctx, raw, []string{c.block.ClientID}, false)
		if err != nil {
			return connector.Identity{}, err
		}
		if nonce != "" && verified.Nonce != nonce {
			return connector.Identity{}, errors.New("the provider answered another request than ours")
		}
		if err := verified.Claims(&claims); err != nil {
			return connector.Identity{}, err
		}
	} else if nonce != "" {
		return connector.Identity{}, errors.New("the provider sent no ID token")
	}
	if c.block.GetUserInfo {
		found, _, err := c.provider.discover(ctx)
		if err != nil {
			return connector.Identity{}, err
		}
		info, err := found.UserInfo(c.provider.context(ctx), config.TokenSource(c.provider.context(ctx), token))
		if err != nil {
			return connector.Identity{}, fmt.Errorf("the userinfo of the provider: %w", err)
		}
		if sub := text(claims, "sub"); sub != "" && sub != info.Subject {
			return connector.Identity{}, errors.New("the userinfo of the provider is about somebody else")
		}
		if err := info.Claims(&claims); err != nil {
			return connector.Identity{}, err
		}
	}
	who, err := c.read(claims)
	who.Memory = []byte(token.RefreshToken)
	return who, err
}

// read makes an Identity of claims.
func (c *Connector) read(claims map[string]any) (connector.Identity, error) {
	b := c.block
	who := connector.Identity{
		UserID: text(claims, or(b.UserIDKey, "sub")), Name: text(claims, or(b.UserNameKey, "name")),
		PreferredUsername: text(claims, c.mapped(claims, "preferred_username", b.ClaimMapping.PreferredUsername)),
		Email:             text(claims, c.mapped(claims, "email", b.ClaimMapping.Email)),
		EmailVerified:     claims["email_verified"] == true || claims["email_verified"] == "true" || b.InsecureSkipEmailVerified,
	}
	if who.UserID == "" {
		return who, fmt.Errorf("the provider says nothing of %q", or(b.UserIDKey, "sub"))
	}
	if who.Email != "" && !who.EmailVerified { // as in Dex, saying nothing is not enough: roles may be given by address
		return who, errors.New("the provider has not verified the person's e-mail address, or does not say so (insecureSkipEmailVerified allows that)")
	}
	if len(b.HostedDomains) > 0 && !slices.Contains(b.HostedDomains, text(claims, "hd")) {
		return who, errors.New("the person is of no domain of hostedDomains")
	}
	if b.InsecureEnableGroups || len(b.AllowedGroups) > 0 {
		who.Groups = groupsOf(claims, []string{c.mapped(claims, "groups", b.ClaimMapping.Groups)})
	}
	if len(b.AllowedGroups) > 0 {
		who.Groups = slices.DeleteFunc(who.Groups, func(g string) bool { return !slices.Contains(b.AllowedGroups, g) })
		if len(who.Groups) == 0 {
			return who, errors.New("the person is in no group of allowedGroups")
		}
	}
	return who, nil
}

// mapped chooses the claim: the configured one if the usual one is missing, or always with overrideClaimMapping.
func (c *Connector) mapped(claims map[string]any, usual, configured string) string {
	if configured != "" && (claims[usual] == nil || c.block.OverrideClaimMapping) {
		return configured
	}
	return usual
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
