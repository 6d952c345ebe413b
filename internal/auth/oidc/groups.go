// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/internal/auth/connector"
	"github.com/bowline-cd/bowline/internal/fault"
)

var errForgotten = errors.New("its access token is not known any more, and the groups are asked for with it")

// addGroups puts the groups that the token itself does not hold into its claims. Groups that cannot be had are an error: without
// them a deny that a group has would not hold.
func (r *Relying) addGroups(ctx context.Context, claims map[string]any) error {
	var ask func(context.Context, string, map[string]any) ([]string, error)
	var keep string
	switch {
	case r.config.EnableUserInfoGroups && r.config.UserInfoPath != "":
		ask, keep = r.userinfo, r.config.UserInfoCacheExpiration
	case r.config.Azure.EnableUserGroupOverageClaim && overflows(claims):
		ask, keep = r.overage, r.config.Azure.UserGroupOverageClaimCacheExpiration
	default:
		return nil
	}
	from := r.memory.find(claims, true)
	if from == nil {
		return errForgotten
	}
	from.mu.Lock()
	defer from.mu.Unlock()
	if from.groups == nil || !r.clock.Now().Before(from.until) {
		groups, err := ask(ctx, from.token.AccessToken, claims)
		if err != nil {
			return err
		}
		from.groups, from.until = append([]string{}, groups...), expiry(claims)
		if most := r.clock.Now().Add(connector.Lasting(keep, time.Hour)); most.Before(from.until) {
			from.until = most
		}
	}
	claims["groups"] = from.groups
	return nil
}

// userinfo asks the provider's userinfo endpoint (OpenID Connect Core, section 5.3).
func (r *Relying) userinfo(ctx context.Context, access string, claims map[string]any) ([]string, error) {
	base := r.config.UserInfoBaseURL
	if base == "" {
		base = r.config.Issuer
	}
	body, form, err := r.call(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/"+strings.TrimPrefix(r.config.UserInfoPath, "/"), access, "")
	if err != nil {
		return nil, err
	}
	said := map[string]any{}
	if form == "application/jwt" {
		if said, err = r.claims(ctx, string(body)); err != nil {
			return nil, fmt.Errorf("the userinfo of the provider is signed, and %w", err)
		}
	} else if err := json.Unmarshal(body, &said); err != nil {
		return nil, errors.New("the userinfo of the provider is not JSON")
	}
	if text(said, "sub") != text(claims, "sub") {
		return nil, errors.New("the userinfo of the provider is about somebody else")
	}
	return groupsOf(said, []string{"groups"}), nil
}

// overflows reports whether Microsoft's provider left the groups out because they are too many for a token.
func overflows(claims map[string]any) bool {
	names, _ := claims["_claim_names"].(map[string]any)
	return names["groups"] != nil || claims["hasgroups"] == true
}

// overage asks Microsoft Graph for the groups of a person who has too many for a token.
func (r *Relying) overage(ctx context.Context, access string, _ map[string]any) ([]string, error) {
	base := r.config.Azure.GraphAPIEndpoint
	if base == "" {
		base = defaultGraph
	}
	body, _, err := r.call(ctx, http.MethodPost, strings.TrimSuffix(base, "/")+"/me/getMemberGroups", access, `{"securityEnabledOnly":false}`)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Value []string `json:"value"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, errors.New("the answer of Microsoft Graph is not JSON")
	}
	return answer.Value, nil
}

func (r *Relying) call(ctx context.Context, method, address, access, send string) ([]byte, string, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(send))
	if err != nil {
		return nil, "", err
	}
	request.Header.Set("Authorization", "Bearer "+access)
	if send != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := r.provider.client.Do(request)
	if err != nil {
		return nil, "", fault.Wrap(fault.Retry, "ask", "the provider for groups", err, "check that "+fault.RedactURL(address)+" can be reached from here")
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	switch {
	case answer.StatusCode == http.StatusUnauthorized:
		return nil, "", errors.New("the provider does not accept its access token any more")
	case answer.StatusCode != http.StatusOK:
		return nil, "", fmt.Errorf("the provider, asked for groups, answers %s", answer.Status)
	}
	form, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	return body, form, err
}
