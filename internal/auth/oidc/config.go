// SPDX-License-Identifier: Apache-2.0

// Package oidc signs people in at an OpenID provider: the one of oidc.config, the one that Bowline itself is in the place of Dex,
// and those of connectors of the type oidc.
//
// The words of this room:
//
//   - Config: the setting oidc.config.
//   - Provider: an OpenID provider, as its discovery document describes it.
//   - Relying: Bowline as a client of a Provider: it sends browsers there, fetches their tokens and verifies them.
//   - Memory: the access and refresh tokens of those who signed in. They stay in the memory of the process: whoever has them can
//     act for the person at the provider, so they are written nowhere. After a restart a person whose groups come from the
//     provider's userinfo endpoint signs in again.
package oidc

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	rpcoidc "github.com/bowline-cd/bowline/api/argoproj/rpc/oidc"
	"github.com/bowline-cd/bowline/internal/auth/connector"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Config is the setting oidc.config of argocd-cm.
type Config struct {
	Name                     string                    `json:"name"`
	Issuer                   string                    `json:"issuer"`
	ClientID                 string                    `json:"clientID"`
	ClientSecret             string                    `json:"clientSecret"`
	CLIClientID              string                    `json:"cliClientID"`
	RequestedScopes          []string                  `json:"requestedScopes"`
	RequestedIDTokenClaims   map[string]*rpcoidc.Claim `json:"requestedIDTokenClaims"`
	LogoutURL                string                    `json:"logoutURL"`
	RootCA                   string                    `json:"rootCA"`
	EnablePKCEAuthentication bool                      `json:"enablePKCEAuthentication"`
	EnableUserInfoGroups     bool                      `json:"enableUserInfoGroups"`
	UserInfoPath             string                    `json:"userInfoPath"`
	UserInfoBaseURL          string                    `json:"userInfoBaseURL"`
	UserInfoCacheExpiration  string                    `json:"userInfoCacheExpiration"`
	DomainHint               string                    `json:"domainHint"`
	RefreshTokenThreshold    string                    `json:"refreshTokenThreshold"`
	AllowedAudiences         []string                  `json:"allowedAudiences"`
	SkipAudienceCheck        bool                      `json:"skipAudienceCheckWhenTokenHasNoAudience"`
	Azure                    Azure                     `json:"azure"`
	// InsecureSkipVerify is the setting oidc.tls.insecure.skip.verify.
	InsecureSkipVerify bool `json:"-"`
}

// Azure is what is special about Microsoft's provider.
type Azure struct {
	// UseWorkloadIdentity proves who the client is by a token that Kubernetes issued, rather than by a secret.
	UseWorkloadIdentity bool `json:"useWorkloadIdentity"`
	// EnableUserGroupOverageClaim asks Microsoft Graph for the groups of people who have more than a token holds.
	EnableUserGroupOverageClaim          bool   `json:"enableUserGroupOverageClaim"`
	GraphAPIEndpoint                     string `json:"graphApiEndpoint"`
	UserGroupOverageClaimCacheExpiration string `json:"userGroupOverageClaimCacheExpiration"`
}

// graphHosts are the hosts of Microsoft Graph in its clouds: access tokens go nowhere else.
var graphHosts = []string{"graph.microsoft.com", "graph.microsoft.us", "graph.microsoft.de", "microsoftgraph.chinacloudapi.cn"}

const defaultGraph = "https://graph.microsoft.com/v1.0"

// ParseConfig reads oidc.config. Values that begin with $ are replaced by what lookup knows. A blank text gives nil.
func ParseConfig(text string, lookup func(key string) (string, bool)) (*Config, error) {
	var tree any
	if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
		return nil, broken("", fmt.Sprintf("it is not YAML: %v", err), "correct the YAML")
	}
	if tree == nil {
		return nil, nil
	}
	data, err := json.Marshal(connector.Resolve(tree, lookup))
	if err != nil {
		return nil, broken("", "it is not YAML that JSON can say", "correct the YAML")
	}
	c := &Config{}
	if err := json.Unmarshal(data, c); err != nil {
		return nil, broken("", "a field has a value of the wrong form", "give each field the type that Argo CD documents")
	}
	return c, c.check()
}

func (c *Config) check() error {
	for field, value := range map[string]string{"issuer": c.Issuer, "userInfoBaseURL": c.UserInfoBaseURL, "logoutURL": strings.NewReplacer("{{token}}", "t", "{{logoutRedirectURL}}", "u").Replace(c.LogoutURL)} {
		if value == "" {
			continue
		}
		if u, err := url.Parse(value); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return broken(field, "it is no http or https address", "write the whole address")
		}
	}
	switch {
	case c.Issuer == "":
		return broken("issuer", "the field is missing", "add the address of the provider")
	case c.ClientID == "":
		return broken("clientID", "the field is missing", "add the id that the provider gave Bowline")
	}
	if g := c.Azure.GraphAPIEndpoint; g != "" {
		if u, err := url.Parse(g); err != nil || u.Scheme != "https" || !slices.Contains(graphHosts, u.Hostname()) {
			return broken("azure.graphApiEndpoint", "it is no address of Microsoft Graph", "use one of "+strings.Join(graphHosts, ", ")+" with https")
		}
	}
	for field, value := range map[string]string{"userInfoCacheExpiration": c.UserInfoCacheExpiration, "refreshTokenThreshold": c.RefreshTokenThreshold,
		"azure.userGroupOverageClaimCacheExpiration": c.Azure.UserGroupOverageClaimCacheExpiration} {
		if d, err := time.ParseDuration(value); value != "" && (err != nil || d < 0) {
			return broken(field, fmt.Sprintf("%q is no length of time", value), "write it like 5m")
		}
	}
	return nil
}

// Scopes are those that are asked for: requestedScopes, or Argo CD's default.
func (c *Config) Scopes() []string {
	if len(c.RequestedScopes) > 0 {
		return c.RequestedScopes
	}
	return []string{"openid", "profile", "email", "groups"}
}

// Audiences are those one of which a token has to be for.
func (c *Config) Audiences() []string {
	if len(c.AllowedAudiences) > 0 {
		return c.AllowedAudiences
	}
	out := []string{c.ClientID}
	if c.CLIClientID != "" {
		out = append(out, c.CLIClientID)
	}
	return out
}

// LeavingAddress is where a person who signs out is sent; "" if the provider is not to be told. back is where the provider sends
// them then.
func (c *Config) LeavingAddress(token, back string) string {
	return strings.NewReplacer("{{token}}", url.QueryEscape(token), "{{logoutRedirectURL}}", url.QueryEscape(back)).Replace(c.LogoutURL)
}

func broken(field, cause, fix string) error {
	return fault.New(fault.Stalled, "use", "the setting argocd-cm", strings.TrimSuffix("oidc.config, "+field, ", "), cause, fix)
}
