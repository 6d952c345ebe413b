// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/bowline-cd/bowline/internal/fault"
)

// GoogleAccount is a service account of Google Cloud, as the JSON file of its key has it.
type GoogleAccount struct {
	Email      string
	KeyID      string
	PrivateKey fault.Secret // PEM
	TokenURL   string
}

const (
	googleTokenURL = "https://oauth2.googleapis.com/token" //nolint:gosec // an address, no credential
	googleScope    = "https://www.googleapis.com/auth/cloud-platform"
)

func (a GoogleAccount) parts() []string {
	return []string{a.Email, a.KeyID, a.PrivateKey.Reveal(), a.TokenURL}
}

func parseGoogleAccount(s *corev1.Secret, r *Repository) error {
	const key = "gcpServiceAccountKey"
	if len(s.Data[key]) == 0 {
		return nil
	}
	var file struct {
		Type       string `json:"type"`
		Email      string `json:"client_email"`
		KeyID      string `json:"private_key_id"`
		PrivateKey string `json:"private_key"`
		TokenURL   string `json:"token_uri"`
	}
	const fix = "set the JSON file that `gcloud iam service-accounts keys create` writes, whole"
	if json.Unmarshal(s.Data[key], &file) != nil || file.Type != "service_account" || file.Email == "" || newline.MatchString(file.Email) {
		return unusable(s, key, "it is not the JSON of a service account's key", fix)
	}
	if _, err := parseRSAKey(file.PrivateKey); err != nil {
		return unusable(s, key, "of its private_key, "+err.Error(), fix)
	}
	address, err := parseTokenAddress(s, key, cmp.Or(file.TokenURL, googleTokenURL))
	if err != nil {
		return err
	}
	r.Google = GoogleAccount{Email: file.Email, KeyID: file.KeyID, PrivateKey: fault.NewSecret(file.PrivateKey), TokenURL: address}
	return nil
}

// googleIssuer gets access tokens of a service account:
// https://developers.google.com/identity/protocols/oauth2/service-account#httprest
type googleIssuer struct {
	account  GoogleAccount
	registry bool // Artifact Registry knows such tokens by a user name of their own
}

func (g googleIssuer) identity() []string {
	return append(g.account.parts(), "google", strconv.FormatBool(g.registry))
}

func (g googleIssuer) address() string { return g.account.TokenURL }

func (g googleIssuer) issue(ctx context.Context, d desk) (token, error) {
	now := d.clock.Now()
	proof, err := signJWT(g.account.PrivateKey, g.account.KeyID, map[string]any{
		"iss": g.account.Email, "scope": googleScope, "aud": g.account.TokenURL, "iat": now.Add(-10 * time.Second).Unix(), "exp": now.Add(50 * time.Minute).Unix(),
	})
	if err != nil {
		return token{}, &UnreachableError{Problem: ProblemAuth, Detail: "the private key of " + g.account.Email + " cannot be used: " + err.Error()}
	}
	value, expires, err := d.grant(ctx, d.client, g.account.TokenURL, "a token of "+g.account.Email, url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {proof},
	})
	if err != nil {
		return token{}, err
	}
	username := g.account.Email
	if g.registry {
		username = "oauth2accesstoken"
	}
	return token{login{username: username, password: value}, expires}, nil
}
