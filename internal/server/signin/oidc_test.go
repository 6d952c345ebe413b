// SPDX-License-Identifier: Apache-2.0

package signin_test

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/auth/issuer"
	"github.com/bowline-cd/bowline/internal/server/signin"
	"github.com/bowline-cd/bowline/test/idp"
)

var directory = map[string]map[string]any{
	"dora": {"name": "Dora", "preferred_username": "dora", "email": "dora@example.org", "email_verified": true, "groups": []string{"platform"}},
	"eve":  {"name": "Eve", "email": "eve@example.org", "email_verified": false, "groups": []string{"visitors"}},
}

// oidcHouse starts oidc-provider and a house whose settings name it.
func oidcHouse(t *testing.T, settings func(url, issuer string) signin.Settings) (*house, string) {
	t.Helper()
	h := openReplica(t, &issuer.MemoryVault{}, func(url string) signin.Settings { return signin.Settings{URL: url} })
	at := idp.StartOIDC(t, []idp.Client{
		{ID: "bowline", Secret: "a-secret-of-a-test-of-some-length", Redirects: []string{h.url + "/auth/callback", h.url + "/root/auth/callback", h.url + "/api/dex/callback"}},
	}, directory)
	h.set(settings(h.url, at))
	return h, at
}

func oidcConfig(more string) func(url, issuer string) signin.Settings {
	return func(url, issuer string) signin.Settings {
		return signin.Settings{URL: url, Lookup: oidcLookup, OIDC: `
name: The provider
issuer: ` + issuer + `
clientID: bowline
clientSecret: $oidc:secret
requestedScopes: [openid, profile, email, groups]
requestedIDTokenClaims: {groups: {essential: true}}
enablePKCEAuthentication: true
` + strings.ReplaceAll(more, "%ISSUER%", issuer)}
	}
}

func oidcLookup(key string) (string, bool) {
	if key == "oidc:secret" {
		return "a-secret-of-a-test-of-some-length", true
	}
	return "", false
}

// enter goes through the provider's two pages: who it is, and whether Bowline may know.
func enter(t *testing.T, b *browser, name string) page {
	t.Helper()
	if p := b.submit(map[string]string{"login": name, "password": "any"}); !strings.Contains(p.body, "<form") {
		return p
	}
	return b.submit(nil)
}

func TestAPageSignsInAtAProvider(t *testing.T) {
	t.Parallel()
	h, at := oidcHouse(t, oidcConfig("logoutURL: %ISSUER%/session/end?id_token_hint={{token}}&post_logout_redirect_uri={{logoutRedirectURL}}\n"))
	b := newBrowser(t, "")
	b.open(h.url + "/auth/login?return_url=/applications/argocd/shop")
	if !strings.HasPrefix(b.page.url.String(), at) {
		t.Fatalf("the browser is at %s: %d %s", b.page.url, b.page.status, b.page.body)
	}
	if p := enter(t, b, "dora"); p.body != "/applications/argocd/shop: hello dora" {
		t.Fatalf("signed in the browser is at %s: %d %s\n%s", p.url, p.status, p.body, h.log)
	}
	token := b.cookies(h.url)["argocd.token"]
	who, err := h.VerifySSO(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if who.Subject != "dora" || who.Username != "dora@example.org" || !slices.Equal(who.Groups, []string{"platform"}) || who.Issuer != at {
		t.Errorf("the caller is %+v", who)
	}
	led, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/auth/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	led.Header.Set("Sec-Fetch-Site", "cross-site") // https://www.w3.org/TR/fetch-metadata/
	if answer, err := b.client.Do(led); err != nil || answer.Body.Close() != nil || len(h.revoked) != 0 || b.cookies(h.url)["argocd.token"] != token {
		t.Errorf("another site's page ends the session: %v, %v", err, h.revoked)
	}
	b.stop = at + "/session/end"
	p := b.open(h.url + "/auth/logout")
	if q := p.url.Query(); q.Get("id_token_hint") != token || q.Get("post_logout_redirect_uri") != h.url {
		t.Errorf("signing out leads to %s", p.url)
	}
	if len(h.revoked) != 1 || b.cookies(h.url)["argocd.token"] != "" {
		t.Errorf("revoked is %+v, the cookies are %v", h.revoked, b.cookies(h.url))
	}
}

func TestGroupsComeFromUserinfo(t *testing.T) {
	t.Parallel()
	h, _ := oidcHouse(t, oidcConfig("enableUserInfoGroups: true\nuserInfoPath: /me\nuserInfoCacheExpiration: 5m\n"))
	b := newBrowser(t, "")
	b.open(h.url + "/auth/login")
	enter(t, b, "dora")
	token := b.cookies(h.url)["argocd.token"]
	if who, err := h.VerifySSO(t.Context(), token); err != nil || !slices.Equal(who.Groups, []string{"platform"}) {
		t.Errorf("the caller is %+v, %v", who, err)
	}
	// A process that was restarted does not have the access token: no groups would be fewer denials, so nobody comes in.
	other := openReplica(t, h.vault, func(string) signin.Settings { return *h.now.Load() })
	if who, err := other.VerifySSO(t.Context(), token); err == nil {
		t.Errorf("without its groups the caller is %+v", who)
	}
}

func TestTokensOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	h, at := oidcHouse(t, oidcConfig(""))
	b := newBrowser(t, "")
	b.open(h.url + "/auth/login")
	enter(t, b, "dora")
	token := b.cookies(h.url)["argocd.token"]
	if _, err := h.VerifySSO(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(token, ".")
	body, _, _ := strings.Cut(rest, ".")
	for name, forged := range map[string]string{
		"no signature": head + "." + body + ".", "alg none": "eyJhbGciOiJub25lIn0." + body + ".", "cut": token[:len(token)-8], "nothing": "", "no token": "a.b.c",
		"dots": strings.Repeat(".", 10_000),
	} {
		if who, err := h.VerifySSO(t.Context(), forged); err == nil {
			t.Errorf("%s: it is accepted as %+v", name, who)
		}
	}
	h.set(oidcConfig("allowedAudiences: [somebody-else]\n")(h.url, at))
	await(t, "the audience to count", func() bool { _, err := h.VerifySSO(t.Context(), token); return err != nil })
	h.set(signin.Settings{URL: h.url})
	await(t, "single sign-on to be off", func() bool {
		return newBrowser(t, "").open(h.url+"/auth/login").status == http.StatusNotFound
	})
	if _, err := h.VerifySSO(t.Context(), token); err == nil {
		t.Error("with single sign-on switched off its tokens are accepted")
	}
}

func TestACallbackThatNobodyAskedForIsRefused(t *testing.T) {
	t.Parallel()
	h, _ := oidcHouse(t, oidcConfig(""))
	b := newBrowser(t, h.url+"/auth/callback")
	b.open(h.url + "/auth/login")
	callback := enter(t, b, "dora").url.String()
	stranger := newBrowser(t, "")
	if p := stranger.open(callback); p.status != http.StatusBadRequest || stranger.cookies(h.url)["argocd.token"] != "" {
		t.Errorf("another browser gets %d and %v: somebody else would be signed in as dora", p.status, stranger.cookies(h.url))
	}
	b.stop = ""
	if p := b.open(callback); p.body != "/: hello dora" {
		t.Fatalf("the browser that asked gets %d %s", p.status, p.body)
	}
	if p := b.open(callback); p.status != http.StatusBadRequest {
		t.Errorf("the second time it gets %d", p.status)
	}
	if p := b.open(h.url + "/auth/callback?error=access_denied&error_description=<script>&state=short"); p.status != http.StatusBadRequest || strings.Contains(p.body, "<script>") {
		t.Errorf("an error without a sign-in gives %d %s", p.status, p.body)
	}
}

func TestSeveralTabsSignInAtOnce(t *testing.T) {
	t.Parallel()
	h, _ := oidcHouse(t, oidcConfig(""))
	b := newBrowser(t, h.url+"/auth/callback")
	b.open(h.url + "/auth/login?return_url=/first")
	first := enter(t, b, "dora").url.String()
	second := b.open(h.url + "/auth/login?return_url=/second").url.String()
	b.stop = ""
	if p := b.open(first); p.body != "/first: hello dora" {
		t.Errorf("the first tab is at %s: %s", p.url, p.body)
	}
	if p := b.open(second); p.body != "/second: hello dora" {
		t.Errorf("the second tab is at %s: %s", p.url, p.body)
	}
}

func TestATokenThatEndsSoonIsRenewed(t *testing.T) {
	t.Parallel()
	h, _ := oidcHouse(t, oidcConfig("refreshTokenThreshold: 2h\n"))
	b := newBrowser(t, "")
	b.open(h.url + "/auth/login")
	enter(t, b, "dora")
	token := b.cookies(h.url)["argocd.token"]
	var newer string
	await(t, "a newer token", func() bool { // within the same second the provider issues the very same one
		var err error
		if newer, err = h.Renew(t.Context(), token); err != nil || newer == "" {
			t.Fatalf("renewed it is %q, %v", newer, err)
		}
		return newer != token
	})
	if who, err := h.VerifySSO(t.Context(), newer); err != nil || who.Subject != "dora" {
		t.Errorf("the new token is about %+v, %v", who, err)
	}
	if forged, err := h.Renew(t.Context(), token[:len(token)-6]); err == nil {
		t.Errorf("a forged token is renewed to %q", forged)
	}
}

func oidcConnector(more string) func(url, issuer string) signin.Settings {
	return func(url, issuer string) signin.Settings {
		return signin.Settings{URL: url, Lookup: oidcLookup, Dex: `
connectors:
- type: oidc
  id: provider
  name: The provider
  config:
    issuer: ` + issuer + `
    clientID: bowline
    clientSecret: $oidc:secret
    scopes: [profile, email, groups]
    insecureEnableGroups: true
` + more}
	}
}

func TestACommandLineSignsInAtAProviderThroughAConnector(t *testing.T) {
	t.Parallel()
	h, _ := oidcHouse(t, oidcConnector("    getUserInfo: true\n"))
	await(t, "the new settings", func() bool { return newBrowser(t, "").open(h.url+"/api/dex/keys").status == http.StatusOK })
	cli, b := newCommandLine(t, h.url), newBrowser(t, cliCallback)
	b.open(cli.address())
	token, claims := cli.exchange(enter(t, b, "dora").url)
	want := map[string]any{"connector_id": "provider", "user_id": "dora"}
	if !reflect.DeepEqual(claims["federated_claims"], want) || claims["email"] != "dora@example.org" || !reflect.DeepEqual(claims["groups"], []any{"platform"}) {
		t.Errorf("the claims are %v", claims)
	}
	again, err := cli.again(token.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if claims := cli.claims(again); !reflect.DeepEqual(claims["groups"], []any{"platform"}) {
		t.Errorf("renewed, the claims are %v", claims)
	}
}

func TestAnAddressThatNobodyVerifiedIsRefused(t *testing.T) {
	t.Parallel()
	h, _ := oidcHouse(t, oidcConnector("    getUserInfo: true\n"))
	await(t, "the new settings", func() bool { return newBrowser(t, "").open(h.url+"/api/dex/keys").status == http.StatusOK })
	b := newBrowser(t, cliCallback)
	b.open(newCommandLine(t, h.url).address())
	if p := enter(t, b, "eve"); p.status != http.StatusForbidden || !strings.Contains(p.body, "has not verified") {
		t.Errorf("eve gets %d at %s\n%s", p.status, p.url, p.body)
	}
}

func TestReturnAddressesStayHere(t *testing.T) {
	t.Parallel()
	h, _ := oidcHouse(t, func(at, issuer string) signin.Settings {
		s := oidcConfig("")(at, issuer)
		s.URL, s.Additional = at+"/root", []string{"https://bowline.example.com/cd"}
		return s
	})
	await(t, "the new settings", func() bool {
		return newBrowser(t, h.url+"/nowhere").open(h.url+"/auth/login").status == http.StatusOK
	})
	for back, fine := range map[string]bool{
		"": true, "/applications": true, h.url + "/root/applications": true, h.url + "/root": true, "https://bowline.example.com/cd/x?y#z": true,
		"https://evil.example.com/": false, "//evil.example.com": false, "/\\evil.example.com": false, "https:/evil.example.com": false,
		"javascript:alert(1)": false, h.url + "@evil.example.com/": false, h.url + ".evil.example.com/": false, "\thttps://evil.example.com": false,
		"/a\r\nSet-Cookie: x=y": false, "https://bowline.example.com/": false, "https://bowline.example.com/cdx": false, "http://bowline.example.com/cd": false,
		h.url + "/root/../x": false, "applications": false,
	} {
		b := newBrowser(t, "")
		p := b.open(h.url + "/auth/login?return_url=" + url.QueryEscape(back))
		if got := p.status == http.StatusOK; got != fine || !fine && p.status != http.StatusBadRequest {
			t.Errorf("return_url %q: %d at %s, want it to be allowed: %v", back, p.status, p.url, fine)
		}
	}
}
