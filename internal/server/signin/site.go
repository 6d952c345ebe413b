// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/auth/connector"
	"github.com/bowline-cd/bowline/internal/auth/issuer"
	"github.com/bowline-cd/bowline/internal/auth/ldap"
	"github.com/bowline-cd/bowline/internal/auth/oauth"
	"github.com/bowline-cd/bowline/internal/auth/oidc"
	"github.com/bowline-cd/bowline/internal/auth/saml"
	"github.com/bowline-cd/bowline/internal/auth/seal"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Paths.
const (
	dexPath      = "/api/dex"
	callbackPath = "/auth/callback"
)

// site is what was opened with Settings. What could not be opened is in problems; the rest works.
type site struct {
	settings   Settings
	box        *seal.Box
	relying    *oidc.Relying
	issuer     *issuer.Issuer
	connectors []connector.Connector
	problems   error
}

// open opens what the settings name.
func (s *SignIn) open(settings Settings) *site {
	st := &site{settings: settings}
	if settings.OIDC == "" && settings.Dex == "" {
		return st
	}
	st.box = s.keys.Box()
	st.problems = errors.Join(s.openDex(st), s.openOIDC(st))
	if st.problems != nil {
		s.deps.Log.Warn("single sign-on does not work as the settings say", "error", st.problems)
	}
	return st
}

func (s *SignIn) openOIDC(st *site) error {
	config, err := oidc.ParseConfig(st.settings.OIDC, st.settings.Lookup)
	if err != nil || config == nil {
		return err
	}
	if st.settings.URL == "" {
		return noURL("oidc.config")
	}
	config.InsecureSkipVerify = st.settings.InsecureSkipVerify
	relying, err := oidc.NewRelying(config, nil, st.settings.Session, s.deps.Clock)
	if err == nil {
		st.relying = relying
	}
	return err
}

// openDex opens the connectors of dex.config and the issuer that Bowline is then. People are signed in there unless oidc.config says
// otherwise.
func (s *SignIn) openDex(st *site) error {
	config, err := connector.Parse(st.settings.Dex, st.settings.Lookup)
	if err != nil || config == nil {
		return err
	}
	if st.settings.URL == "" {
		return noURL("dex.config")
	}
	base := strings.TrimRight(st.settings.URL, "/")
	var problems []error
	for _, b := range config.Connectors {
		way, err := openConnector(b, base+dexPath+"/callback", s)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		st.connectors = append(st.connectors, connector.Connector{Block: b, Way: way})
	}
	secret := seal.Random() // of the client argo-cd, which is this process alone
	opened, err := issuer.New(issuer.Options{
		URL: base + dexPath, ClientSecret: secret, Callbacks: st.callbacks(), Clients: config.StaticClients, Expiry: config.Expiry,
		Refresh: st.refresh, LoginPath: base + dexPath + "/login", Vault: s.deps.Vault, Keys: s.keys, Clock: s.deps.Clock, Log: s.deps.Log,
	})
	if err != nil {
		return errors.Join(append(problems, err)...)
	}
	st.issuer = opened
	relying, err := oidc.NewRelying(&oidc.Config{
		Name: "SSO", Issuer: base + dexPath, ClientID: issuer.ClientID, ClientSecret: secret, CLIClientID: issuer.CLIClientID,
		RequestedScopes: []string{"openid", "profile", "email", issuer.ScopeGroups, issuer.ScopeFederated}, EnablePKCEAuthentication: true,
	}, inside{base + dexPath, opened}, st.settings.Session, s.deps.Clock)
	st.relying = relying
	return errors.Join(append(problems, err)...)
}

func openConnector(b connector.Block, callback string, s *SignIn) (any, error) {
	switch b.Type {
	case "ldap":
		return ldap.Open(b)
	case "saml":
		return saml.Open(b, callback)
	case "oidc":
		return oidc.Open(b, callback, s.deps.Clock)
	case "github":
		return oauth.OpenGitHub(b, callback)
	case "gitlab":
		return oauth.OpenGitLab(b, callback)
	}
	return nil, b.Broken("", fmt.Sprintf("connectors of the type %q are not built in", b.Type),
		"use one of ldap, saml, oidc, github, gitlab, or run Dex and name it as the issuer of oidc.config")
}

func noURL(key string) error {
	return fault.New(fault.Stalled, "use", "the setting argocd-cm", key, "the key url is missing", "set url to the address that people reach Bowline at")
}

// refresh asks a connector for a person again.
func (st *site) refresh(ctx context.Context, id string, before connector.Identity) (connector.Identity, error) {
	c, ok := st.connector(id)
	if !ok {
		return connector.Identity{}, fmt.Errorf("the connector %q is not configured any more", id)
	}
	way, ok := c.Way.(connector.Refresher)
	if !ok {
		return connector.Identity{}, fmt.Errorf("the connector %q cannot be asked again", id)
	}
	return way.Refresh(ctx, before)
}

func (st *site) connector(id string) (connector.Connector, bool) {
	i := slices.IndexFunc(st.connectors, func(c connector.Connector) bool { return c.ID == id })
	if i < 0 {
		return connector.Connector{}, false
	}
	return st.connectors[i], true
}

// close lets go of what the connectors hold.
func (st *site) close() {
	for _, c := range st.connectors {
		if closer, ok := c.Way.(io.Closer); ok {
			_ = closer.Close()
		}
	}
}

// addresses are those that Bowline is reached at.
func (st *site) addresses() []string {
	return append([]string{st.settings.URL}, st.settings.Additional...)
}

func (st *site) callbacks() []string {
	var out []string
	for _, address := range st.addresses() {
		out = append(out, strings.TrimRight(address, "/")+callbackPath)
	}
	return out
}

// base is the one of the addresses that a request came to; the first if it is none of them.
func (st *site) base(host string) string {
	for _, address := range st.addresses() {
		if u, err := url.Parse(address); err == nil && strings.EqualFold(u.Host, host) {
			return strings.TrimRight(address, "/")
		}
	}
	return strings.TrimRight(st.settings.URL, "/")
}

// secure reports whether cookies are for https only.
func (st *site) secure() bool { return strings.HasPrefix(st.settings.URL, "https://") }

// ReadAddresses reads additionalUrls: a list of addresses in YAML.
func ReadAddresses(text string) ([]string, error) {
	var out []string
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		return nil, fault.New(fault.Stalled, "use", "the setting argocd-cm", "additionalUrls", "it is no list of addresses in YAML", "write a list such as - https://bowline.example.com")
	}
	return out, nil
}
