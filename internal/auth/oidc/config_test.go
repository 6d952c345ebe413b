// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/fault"
)

const minimal = "issuer: https://idp.example.com\nclientID: us\n"

func TestAnExistingConfigIsRead(t *testing.T) {
	c, err := ParseConfig(minimal+"clientSecret: $oidc.secret\ncliClientID: cli\nlogoutURL: https://idp.example.com/out?t={{token}}&u={{logoutRedirectURL}}\nazure: {useWorkloadIdentity: true}\n",
		func(key string) (string, bool) { return "the secret", key == "oidc.secret" })
	if err != nil {
		t.Fatal(err)
	}
	if c.ClientSecret != "the secret" || !slices.Equal(c.Audiences(), []string{"us", "cli"}) || !slices.Equal(c.Scopes(), []string{"openid", "profile", "email", "groups"}) || !c.Azure.UseWorkloadIdentity {
		t.Errorf("it is %+v", c)
	}
	if got := c.LeavingAddress("a.b.c", "https://bowline.example.com/x?y&z"); got != "https://idp.example.com/out?t=a.b.c&u=https%3A%2F%2Fbowline.example.com%2Fx%3Fy%26z" {
		t.Errorf("signing out leads to %s", got)
	}
	if c, err := ParseConfig("", nil); c != nil || err != nil {
		t.Errorf("nothing gives %v, %v", c, err)
	}
}

func TestMistakesInTheConfigAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"clientID: us": "issuer", "issuer: https://idp.example.com": "clientID", minimal + "userInfoBaseURL: idp": "userInfoBaseURL",
		"issuer: idp.example.com\nclientID: us": "issuer", minimal + "refreshTokenThreshold: soon": "refreshTokenThreshold",
		minimal + "azure: {graphApiEndpoint: https://evil.example.com/v1.0}": "graphApiEndpoint", "a: [": "YAML", minimal + "requestedScopes: 3": "wrong form",
		minimal + "logoutURL: javascript:alert(1)": "logoutURL",
	} {
		if _, err := ParseConfig(text, nil); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "oidc.config") || !fault.Is(err, fault.Stalled) {
			t.Errorf("%q: %v, want an error that names %s", text, err, want)
		}
	}
}

func TestTheSubjectIsThatOfTheConnector(t *testing.T) {
	who := callerOf(map[string]any{
		"sub": "CgVhbGljZRIDZGly", "iss": "https://b/api/dex", "federated_claims": map[string]any{"user_id": "alice"}, "uti": "one", "exp": 20.0, "iat": 10.0,
		"groups": []any{"a", 3, "b"}, "role": "c",
	}, []string{"groups", "role", "none"})
	if who.Subject != "alice" || who.Username != "alice" || who.TokenID != "one" || !slices.Equal(who.Groups, []string{"a", "b", "c"}) || who.Expires.Unix() != 20 || who.Issued.Unix() != 10 {
		t.Errorf("it is %+v", who)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add(minimal)
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ParseConfig(text, nil); err == nil && c != nil && (c.Issuer == "" || c.ClientID == "") {
			t.Errorf("%q gives a config without issuer or client", text)
		}
	})
}
