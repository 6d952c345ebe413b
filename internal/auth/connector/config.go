// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Config is what of dex.config has a meaning here. The rest is about how Dex itself runs, and is ignored.
type Config struct {
	Connectors    []Block  `json:"connectors"`
	StaticClients []Client `json:"staticClients"`
	Expiry        Expiry   `json:"expiry"`
}

// Block is one entry of connectors.
type Block struct {
	// Type is ldap, saml, oidc, github or gitlab.
	Type string `json:"type"`
	// ID is part of what a person is called in tokens.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Config is read by the connector (Decode).
	Config json.RawMessage `json:"config"`
}

// Client is a program that people sign in to through us, beside Bowline itself.
type Client struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Secret       string   `json:"secret"`
	RedirectURIs []string `json:"redirectURIs"`
	Public       bool     `json:"public"`
}

// Expiry says how long things hold, as Go durations.
type Expiry struct {
	IDTokens      string `json:"idTokens"`
	AuthRequests  string `json:"authRequests"`
	RefreshTokens struct {
		ValidIfNotUsedFor string `json:"validIfNotUsedFor"`
		AbsoluteLifetime  string `json:"absoluteLifetime"`
	} `json:"refreshTokens"`
}

// Parse reads dex.config. Values that begin with $ are replaced by what lookup knows (Resolve). A blank text gives nil.
func Parse(text string, lookup func(key string) (string, bool)) (*Config, error) {
	var tree any
	if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
		return nil, broken("", fmt.Sprintf("it is not YAML: %v", err), "correct the YAML")
	}
	if tree == nil {
		return nil, nil
	}
	data, err := json.Marshal(Resolve(tree, lookup))
	if err != nil {
		return nil, broken("", err.Error(), "correct the YAML")
	}
	var c Config
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, broken("", plain(err), "give the field the type that Dex documents")
	}
	return &c, c.check()
}

func (c *Config) check() error {
	ids := map[string]bool{}
	for i, b := range c.Connectors {
		where := fmt.Sprintf("connectors[%d]", i)
		switch {
		case b.Type == "":
			return broken(where+".type", "a connector has no type", "name one of ldap, saml, oidc, github, gitlab")
		case b.ID == "":
			return broken(where+".id", "a connector has no id", "give it one: it becomes a part of what people are called")
		case ids[b.ID]:
			return broken(where+".id", fmt.Sprintf("two connectors have the id %q", b.ID), "give each an id of its own")
		}
		ids[b.ID] = true
	}
	for i, client := range c.StaticClients {
		if client.ID == "" {
			return broken(fmt.Sprintf("staticClients[%d].id", i), "a client has no id", "give it one")
		}
	}
	for name, text := range map[string]string{"idTokens": c.Expiry.IDTokens, "authRequests": c.Expiry.AuthRequests,
		"refreshTokens.validIfNotUsedFor": c.Expiry.RefreshTokens.ValidIfNotUsedFor, "refreshTokens.absoluteLifetime": c.Expiry.RefreshTokens.AbsoluteLifetime} {
		if d, err := time.ParseDuration(text); text != "" && (err != nil || d < 0) {
			return broken("expiry."+name, fmt.Sprintf("%q is no length of time", text), "write it like 24h")
		}
	}
	return nil
}

// Lasting returns text as a length of time, or otherwise if it is blank or broken (Parse refuses the latter).
func Lasting(text string, otherwise time.Duration) time.Duration {
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return d
	}
	return otherwise
}

// Decode reads the config of a block into a connector's own structure. Fields it does not know are ignored, as Dex does.
func (b Block) Decode(into any) error {
	if len(b.Config) == 0 {
		return nil
	}
	if err := json.Unmarshal(b.Config, into); err != nil {
		return b.Broken("", plain(err), "give the field the type that Dex documents for connectors of the type "+b.Type)
	}
	return nil
}

// Broken returns an error about a field of the block.
func (b Block) Broken(field, cause, fix string) error {
	where := fmt.Sprintf("dex.config, connector %q", b.ID)
	if field != "" {
		where += ", config." + field
	}
	return fault.New(fault.Stalled, "use", "the setting argocd-cm", where, cause, fix)
}

// Need returns an error naming the first of the fields that is blank; they come in pairs of name and value.
func (b Block) Need(fields ...string) error {
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i+1] == "" {
			return b.Broken(fields[i], "the field is missing", "add it")
		}
	}
	return nil
}

// Resolve replaces every text $key in a tree of YAML by the value that lookup knows for key. A text whose key is not known stays
// as it is: passwords may begin with $.
func Resolve(tree any, lookup func(key string) (string, bool)) any {
	switch v := tree.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = Resolve(value, lookup)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = Resolve(value, lookup)
		}
		return out
	case string:
		if key, ok := strings.CutPrefix(v, "$"); ok && lookup != nil {
			if value, known := lookup(key); known {
				return strings.TrimSpace(value)
			}
		}
	}
	return tree
}

// plain says what encoding/json found without showing any value: what is configured may be secret.
func plain(err error) string {
	if e, ok := err.(*json.UnmarshalTypeError); ok { //nolint:errorlint // encoding/json returns it unwrapped
		return fmt.Sprintf("%s is a %s and has to be a %s", e.Field, strings.SplitN(e.Value, " ", 2)[0], e.Type)
	}
	return "a field has a value of the wrong form"
}

func broken(where, cause, fix string) error {
	return fault.New(fault.Stalled, "use", "the setting argocd-cm", strings.TrimSuffix("dex.config, "+where, ", "), cause, fix)
}
