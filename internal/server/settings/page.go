// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	rpccluster "github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/oidc"
)

// page is the data of argocd-cm.
type page map[string]string

func (p page) yes(key string) bool { return strings.TrimSpace(p[key]) == "true" }

// list reads a YAML list of texts; what is none is empty.
func (p page) list(key string) []string {
	var out []string
	if yaml.Unmarshal([]byte(p[key]), &out) != nil {
		return nil
	}
	return out
}

const downloadPrefix = "help.download."

func (p page) help() *rpccluster.Help {
	out := &rpccluster.Help{ChatURL: p["help.chatUrl"]}
	if out.ChatURL != "" {
		out.ChatText = cmp.Or(p["help.chatText"], "Chat now!")
	}
	for key, value := range p {
		if platform, ok := strings.CutPrefix(key, downloadPrefix); ok {
			if out.BinaryURLs == nil {
				out.BinaryURLs = map[string]string{}
			}
			out.BinaryURLs[platform] = value
		}
	}
	return out
}

// logins reports whether any account may sign in by password.
func (p page) logins() bool {
	if p["admin.enabled"] != "false" {
		return true
	}
	for key, value := range p {
		name, ok := strings.CutPrefix(key, "accounts.")
		if !ok || strings.Contains(name, ".") || p["accounts."+name+".enabled"] == "false" {
			continue
		}
		for capability := range strings.SplitSeq(value, ",") {
			if strings.TrimSpace(capability) == "login" {
				return true
			}
		}
	}
	return false
}

func versionsOf(versions map[string]string) []string {
	return slices.Sorted(maps.Keys(versions))
}

// signOn is what of oidc.config clients have to know. The rest of it, the secret above all, is never read here.
type signOn struct {
	Name            string                 `json:"name"`
	Issuer          string                 `json:"issuer"`
	ClientID        string                 `json:"clientID"`
	CLIClientID     string                 `json:"cliClientID"`
	RequestedScopes []string               `json:"requestedScopes"`
	RequestedClaims map[string]*oidc.Claim `json:"requestedIDTokenClaims"`
	PKCE            bool                   `json:"enablePKCEAuthentication"`
}

// addSignOn adds how people sign in. Settings that cannot be read are left out: signing in says what is wrong with them.
func (s *Service) addSignOn(out *rpccluster.Settings, cm page) {
	dex := &rpccluster.DexConfig{}
	if cm["dex.config"] != "" && yaml.Unmarshal([]byte(cm["dex.config"]), dex) == nil {
		dex.DexAuthConnectorID = cm["dex.auth.connectorId"]
		for i := range dex.Connectors {
			dex.Connectors[i].Name = s.resolve(dex.Connectors[i].Name)
		}
		out.DexConfig = dex
	}
	var direct signOn
	if cm["oidc.config"] != "" && yaml.Unmarshal([]byte(cm["oidc.config"]), &direct) == nil {
		out.OidcConfig = &rpccluster.OIDCConfig{
			Name: s.resolve(direct.Name), Issuer: s.resolve(direct.Issuer), ClientID: s.resolve(direct.ClientID), CliClientID: s.resolve(direct.CLIClientID),
			Scopes: direct.RequestedScopes, IdTokenClaims: direct.RequestedClaims, EnablePKCEAuthentication: direct.PKCE,
		}
	}
}

// resolve replaces $key by what it stands for.
func (s *Service) resolve(value string) string {
	if key, ok := strings.CutPrefix(value, "$"); ok && s.Lookup != nil {
		if found, ok := s.Lookup(key); ok {
			return found
		}
	}
	return value
}
