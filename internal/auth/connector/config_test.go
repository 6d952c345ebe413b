// SPDX-License-Identifier: Apache-2.0

package connector_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/auth/connector"
	"github.com/bowline-cd/bowline/internal/fault"
)

const dex = `
logger: {level: debug}
connectors:
- type: ldap
  id: dir
  name: The directory
  config: {host: x, bindPW: $dex.ldap.bindPW, groupSearch: {userMatchers: [{userAttr: $other:key}]}, note: $unknown}
- {type: github, id: gh}
staticClients:
- {id: another, secret: $another, redirectURIs: [https://another.example.com/callback], public: false}
expiry: {idTokens: 12h, refreshTokens: {absoluteLifetime: 100h}}
`

func TestAnExistingDexConfigIsRead(t *testing.T) {
	known := map[string]string{"dex.ldap.bindPW": "a password\n", "other:key": "DN", "another": "its secret"}
	c, err := connector.Parse(dex, func(key string) (string, bool) { v, ok := known[key]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Connectors) != 2 || c.Connectors[0].ID != "dir" || c.Connectors[0].Name != "The directory" || c.Connectors[1].Type != "github" {
		t.Errorf("the connectors are %+v", c.Connectors)
	}
	var config struct {
		BindPW, Note string
		GroupSearch  struct{ UserMatchers []struct{ UserAttr string } }
	}
	if err := c.Connectors[0].Decode(&config); err != nil {
		t.Fatal(err)
	}
	if config.BindPW != "a password" || config.GroupSearch.UserMatchers[0].UserAttr != "DN" || config.Note != "$unknown" {
		t.Errorf("with what $ stands for the config is %+v", config)
	}
	if c.StaticClients[0].Secret != "its secret" || connector.Lasting(c.Expiry.IDTokens, time.Hour) != 12*time.Hour || connector.Lasting("", time.Hour) != time.Hour {
		t.Errorf("the rest is %+v", c)
	}
	if c, err := connector.Parse(" \n", nil); c != nil || err != nil {
		t.Errorf("nothing gives %v, %v", c, err)
	}
}

func TestMistakesInDexConfigAreNamedWithoutTheirValues(t *testing.T) {
	for text, want := range map[string]string{
		"connectors: [{id: x}]":                           "connectors[0].type",
		"connectors: [{type: ldap}]":                      "connectors[0].id",
		"connectors: [{type: a, id: x},{type: b, id: x}]": `two connectors have the id "x"`,
		"connectors: secret-value":                        "connectors is a string",
		"expiry: {idTokens: soon}":                        "expiry.idTokens",
		"expiry: {idTokens: -1h}":                         "expiry.idTokens",
		"staticClients: [{name: x}]":                      "staticClients[0].id",
		"a: [":                                            "not YAML",
	} {
		_, err := connector.Parse(text, nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "dex.config") || !fault.Is(err, fault.Stalled) || strings.Contains(err.Error(), "secret-value") {
			t.Errorf("%s: %v, want it to name %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(dex)
	f.Add("connectors: [{type: ldap, id: 3}]")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := connector.Parse(text, func(string) (string, bool) { return "value", true })
		if err != nil || c == nil {
			return
		}
		for _, b := range c.Connectors {
			if b.ID == "" || b.Type == "" {
				t.Errorf("%q gives a connector without id or type", text)
			}
		}
	})
}
