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

	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/auth/connector"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Relying is Bowline as a client of a provider.
type Relying struct {
	config   *Config
	provider *Provider
	clock    clock.PassiveClock
	memory   *memory
	lifetime time.Duration
}

// NewRelying returns a client. With a transport it reaches the provider through that (Bowline's own issuer is in the same
// process), else by the network as the Config says. lifetime is users.session.duration: a session is not renewed beyond.
func NewRelying(config *Config, transport http.RoundTripper, lifetime time.Duration, clk clock.PassiveClock) (*Relying, error) {
	client := &http.Client{Transport: transport}
	if transport == nil {
		var err error
		if client, err = connector.HTTPClient([]byte(config.RootCA), config.InsecureSkipVerify); err != nil {
			return nil, broken("rootCA", err.Error(), "give the certificate of the provider's authority in PEM")
		}
	}
	return &Relying{
		config: config, provider: NewProvider(config.Issuer, client, clk), clock: clk, memory: newMemory(clk), lifetime: lifetime,
	}, nil
}

// Config returns what the client was made with.
func (r *Relying) Config() *Config { return r.config }

// Departure is a browser that is sent to the provider.
type Departure struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier,omitempty"`
	// Redirect is where the provider sends it back.
	Redirect string `json:"redirect"`
	// Return is where the person wanted to go.
	Return string `json:"return,omitempty"`
}

// Address returns where to send the browser. It sets what of the Departure is to be remembered until it is back.
func (r *Relying) Address(ctx context.Context, d *Departure) (string, error) {
	found, about, err := r.provider.discover(ctx)
	if err != nil {
		return "", err
	}
	if len(about.ResponseTypes) > 0 && !slices.Contains(about.ResponseTypes, "code") {
		return "", fault.New(fault.Stalled, "sign in at", "the OpenID provider "+fault.RedactURL(r.config.Issuer), "",
			"it does not offer the authorization code flow", "allow the flow at the provider: the implicit flow is not offered here")
	}
	var options []oauth2.AuthCodeOption
	if len(r.config.RequestedIDTokenClaims) > 0 {
		claims, err := json.Marshal(map[string]any{"id_token": r.config.RequestedIDTokenClaims})
		if err != nil {
			return "", err
		}
		options = append(options, oauth2.SetAuthURLParam("claims", string(claims)))
	}
	if r.config.DomainHint != "" {
		options = append(options, oauth2.SetAuthURLParam("domain_hint", strings.TrimSpace(r.config.DomainHint)))
	}
	if r.config.EnablePKCEAuthentication {
		d.Verifier = oauth2.GenerateVerifier()
		options = append(options, oauth2.S256ChallengeOption(d.Verifier))
	}
	options = append(options, oauth2.SetAuthURLParam("nonce", d.Nonce))
	return r.oauth(found.Endpoint(), d.Redirect).AuthCodeURL(d.State, options...), nil
}

func (r *Relying) oauth(endpoint oauth2.Endpoint, redirect string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: r.config.ClientID, ClientSecret: r.config.ClientSecret, Endpoint: endpoint, Scopes: r.config.Scopes(), RedirectURL: redirect,
	}
}

// Arrive fetches the token of a browser that came back with a code, and returns it with who it is.
func (r *Relying) Arrive(ctx context.Context, d Departure, code string, scopes []string) (string, auth.Caller, error) {
	found, _, err := r.provider.discover(ctx)
	if err != nil {
		return "", auth.Caller{}, err
	}
	var options []oauth2.AuthCodeOption
	if d.Verifier != "" {
		options = append(options, oauth2.VerifierOption(d.Verifier))
	}
	if r.config.Azure.UseWorkloadIdentity {
		proof, err := workloadToken()
		if err != nil {
			return "", auth.Caller{}, err
		}
		options = append(options, oauth2.SetAuthURLParam("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
			oauth2.SetAuthURLParam("client_assertion", proof))
	}
	token, err := r.oauth(found.Endpoint(), d.Redirect).Exchange(r.provider.context(ctx), code, options...)
	if err != nil {
		return "", auth.Caller{}, refused(err)
	}
	raw, claims, err := r.read(ctx, token)
	if err != nil {
		return "", auth.Caller{}, err
	}
	if nonce, _ := claims["nonce"].(string); nonce != d.Nonce {
		return "", auth.Caller{}, errors.New("the provider answered another request than ours")
	}
	r.memory.put(claims, token, raw, d.Redirect)
	who, err := r.Verify(ctx, raw, scopes)
	return raw, who, err
}

// read takes the ID token out of an answer and verifies it.
func (r *Relying) read(ctx context.Context, token *oauth2.Token) (string, map[string]any, error) {
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return "", nil, fault.New(fault.Stalled, "sign in at", "the OpenID provider "+fault.RedactURL(r.config.Issuer), "",
			"it sends no ID token", "request the scope openid (oidc.config, requestedScopes)")
	}
	claims, err := r.claims(ctx, raw)
	return raw, claims, err
}

func (r *Relying) claims(ctx context.Context, raw string) (map[string]any, error) {
	token, err := r.provider.verify(ctx, raw, r.config.Audiences(), r.config.SkipAudienceCheck)
	if err != nil {
		return nil, err
	}
	claims := map[string]any{}
	return claims, token.Claims(&claims)
}

// Verify returns who a token is about. scopes are the claims that groups are read from. An error is of the code Unauthenticated
// unless the provider cannot be asked at all.
func (r *Relying) Verify(ctx context.Context, raw string, scopes []string) (auth.Caller, error) {
	claims, err := r.claims(ctx, raw)
	if err == nil {
		err = r.addGroups(ctx, claims)
	}
	if err != nil {
		var known *fault.Error
		if errors.As(err, &known) {
			return auth.Caller{}, err
		}
		return auth.Caller{}, auth.Rejected(err)
	}
	return callerOf(claims, scopes), nil
}

// refused says what a provider answered in the words of RFC 6749, without what it may have quoted.
func refused(err error) error {
	var e *oauth2.RetrieveError
	if errors.As(err, &e) && e.ErrorCode != "" {
		return fmt.Errorf("the provider refuses: %s %s", e.ErrorCode, e.ErrorDescription)
	}
	if errors.As(err, &e) {
		return fmt.Errorf("the provider answers %s", e.Response.Status)
	}
	return err
}

// workloadFile is the variable in which Azure's webhook says where the token of the service account is.
const workloadFile = "AZURE_FEDERATED_TOKEN_FILE"

func workloadToken() (string, error) {
	path := os.Getenv(workloadFile)
	if path == "" {
		return "", fault.New(fault.Stalled, "use", "azure.useWorkloadIdentity", "oidc.config", workloadFile+" is not set",
			"enable workload identity for the pod, or give a clientSecret")
	}
	data, err := os.ReadFile(path) //nolint:gosec // the cluster's operator names the file
	return string(data), err
}
