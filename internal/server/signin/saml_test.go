// SPDX-License-Identifier: Apache-2.0

package signin_test

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	crewjam "github.com/crewjam/saml"

	"github.com/bowline-cd/bowline/internal/auth/issuer"
	"github.com/bowline-cd/bowline/internal/server/signin"
	"github.com/bowline-cd/bowline/test/idp"
)

// samlHouse starts a provider that knows the house, and a house that knows the provider.
func samlHouse(t *testing.T, more string) (*house, idp.SAML) {
	t.Helper()
	h := openReplica(t, &issuer.MemoryVault{}, func(url string) signin.Settings { return signin.Settings{URL: url} })
	at, err := url.Parse(h.url + "/api/dex/callback")
	if err != nil {
		t.Fatal(err)
	}
	metadata, err := xml.Marshal((&crewjam.ServiceProvider{EntityID: at.String(), MetadataURL: *at, AcsURL: *at}).Metadata())
	if err != nil {
		t.Fatal(err)
	}
	provider := idp.StartSAML(t, string(metadata), []idp.SAMLPerson{
		{Name: "carol", Password: "carol-has-a-password", Email: "carol@example.org", CommonName: "Carol", Groups: []string{"platform", "oncall"}},
	})
	h.set(signin.Settings{URL: h.url, Dex: `
connectors:
- type: saml
  id: corp
  name: The company
  config:
    ssoURL: ` + provider.Address + `/sso
    ssoIssuer: ` + provider.Address + `/metadata
    caData: ` + base64.StdEncoding.EncodeToString([]byte(provider.Certificate)) + `
    usernameAttr: cn
    emailAttr: mail
    groupsAttr: eduPersonAffiliation
    nameIDPolicyFormat: transient
` + more})
	return h, provider
}

var carol = map[string]string{"user": "carol", "password": "carol-has-a-password"}

// atSAML goes to the provider's form.
func atSAML(t *testing.T, h *house) (*commandLine, *browser) {
	t.Helper()
	await(t, "the new settings", func() bool {
		answer, err := http.Get(h.url + "/api/dex/keys")
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	cli, b := newCommandLine(t, h.url), newBrowser(t, cliCallback)
	b.open(cli.address())
	if policy := b.page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'sha256-") {
		t.Errorf("the policy of the page that goes on by itself is %q", policy)
	}
	b.submit(nil) // what the page does by itself
	return cli, b
}

func TestACommandLineSignsInWithSAML(t *testing.T) {
	t.Parallel()
	h, _ := samlHouse(t, "")
	cli, b := atSAML(t, h)
	b.submit(carol)         // the provider's form, which answers with one that goes back
	at := b.submit(nil).url // to us, and on to the command line
	token, claims := cli.exchange(at)
	federated, _ := claims["federated_claims"].(map[string]any)
	if claims["email"] != "carol@example.org" || claims["name"] != "Carol" || !reflect.DeepEqual(claims["groups"], []any{"platform", "oncall"}) || federated["connector_id"] != "corp" || federated["user_id"] == "" {
		t.Errorf("the claims are %v", claims)
	}
	if token.RefreshToken != "" {
		t.Error("there is a refresh token, but SAML has no way to ask again")
	}
}

func TestASAMLAnswerThatWasTamperedWithIsRefused(t *testing.T) {
	t.Parallel()
	h, provider := samlHouse(t, "")
	for name, tamper := range map[string]func(answer string) string{
		"another person": func(a string) string { return strings.ReplaceAll(a, "carol@example.org", "admin@example.org") },
		"another group":  func(a string) string { return strings.ReplaceAll(a, ">oncall<", ">admins<") },
		"no signature": func(a string) string {
			return cut(cut(a, "<ds:Signature", "</ds:Signature>"), "<ds:Signature", "</ds:Signature>")
		},
		"a comment": func(a string) string {
			return strings.ReplaceAll(a, ">carol@example.org<", ">carol@example.org<!---->.evil.org<")
		},
		"no XML":    func(string) string { return "nothing" },
		"an entity": func(a string) string { return `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + a },
		"another issuer": func(a string) string {
			return strings.ReplaceAll(a, provider.Address+"/metadata", "https://evil.example.org/metadata")
		},
		"wrapped in more": func(a string) string { return "<a>" + a + "</a>" },
	} {
		t.Run(name, func(t *testing.T) {
			_, b := atSAML(t, h)
			b.submit(carol)
			to, fields := b.form()
			answer, err := base64.StdEncoding.DecodeString(fields.Get("SAMLResponse"))
			if err != nil {
				t.Fatal(err)
			}
			changed := tamper(string(answer))
			if changed == string(answer) {
				t.Fatalf("there is nothing to tamper with in\n%s", answer)
			}
			fields.Set("SAMLResponse", base64.StdEncoding.EncodeToString([]byte(changed)))
			if p := b.do(http.MethodPost, to, fields); p.status != http.StatusForbidden {
				t.Errorf("it gives %d at %s\n%s", p.status, p.url, p.body)
			}
		})
	}
}

func cut(text, from, to string) string {
	i := strings.Index(text, from)
	if i < 0 {
		return text
	}
	j := strings.Index(text[i:], to)
	return text[:i] + text[i+j+len(to):]
}

func TestASAMLAnswerIsForTheBrowserThatAsked(t *testing.T) {
	t.Parallel()
	h, _ := samlHouse(t, "")
	_, carols := atSAML(t, h)
	carols.submit(carol)
	to, fields := carols.form()
	// Somebody else's browser is made to post it: they would be signed in as carol.
	if p := newBrowser(t, cliCallback).do(http.MethodPost, to, fields); p.status != http.StatusBadRequest {
		t.Errorf("in a browser that did not ask it gives %d", p.status)
	}
	// Somebody who asked themselves shows carol's answer with their own state: it answers another request.
	_, other := atSAML(t, h)
	other.submit(carol)
	_, theirs := other.form()
	theirs.Set("SAMLResponse", fields.Get("SAMLResponse"))
	if p := other.do(http.MethodPost, to, theirs); p.status != http.StatusForbidden {
		t.Errorf("the answer to another request gives %d", p.status)
	}
	if p := carols.submit(nil); !strings.HasPrefix(p.url.String(), cliCallback) {
		t.Fatalf("carol herself is at %s: %d %s", p.url, p.status, p.body)
	}
	if p := carols.do(http.MethodPost, to, fields); p.status != http.StatusBadRequest {
		t.Errorf("the same answer a second time gives %d", p.status)
	}
}

func TestGroupsOfSAMLThatMaySignIn(t *testing.T) {
	t.Parallel()
	h, _ := samlHouse(t, "    allowedGroups: [nobody]\n")
	_, b := atSAML(t, h)
	b.submit(carol)
	if p := b.submit(nil); p.status != http.StatusForbidden || !strings.Contains(p.body, "allowedGroups") {
		t.Errorf("one who is in no allowed group gets %d\n%s", p.status, p.body)
	}
}
