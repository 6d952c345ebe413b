// SPDX-License-Identifier: Apache-2.0

package signin_test

import (
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/auth/issuer"
	"github.com/bowline-cd/bowline/internal/server/signin"
	"github.com/bowline-cd/bowline/test/idp"
)

// ldapDex is a dex.config as people have it.
func ldapDex(dir *idp.LDAP) string {
	return `
connectors:
- type: ldap
  id: dir
  name: The directory
  config:
    host: ` + dir.Plain + `
    startTLS: true
    rootCA: ` + dir.Authority + `
    bindDN: ` + idp.LDAPBindDN + `
    bindPW: $dex.ldap.bindPW
    usernamePrompt: Your name
    userSearch: {baseDN: "ou=people,` + idp.LDAPBase + `", username: uid, idAttr: uid, emailAttr: mail, nameAttr: cn, preferredUsernameAttr: uid}
    groupSearch: {baseDN: "ou=groups,` + idp.LDAPBase + `", nameAttr: cn, userMatchers: [{userAttr: DN, groupAttr: member}]}
`
}

func lookup(key string) (string, bool) {
	value, ok := map[string]string{"dex.ldap.bindPW": idp.LDAPPassword + "\n"}[key]
	return value, ok
}

func ldapHouse(t *testing.T, vault issuer.Vault) (*house, *idp.LDAP) {
	t.Helper()
	dir := idp.StartLDAP(t, idp.People)
	return openReplica(t, vault, func(url string) signin.Settings {
		return signin.Settings{URL: url, Dex: ldapDex(dir), Lookup: lookup}
	}), dir
}

var alice = map[string]string{"username": "alice", "password": idp.AlicePassword}

func TestACommandLineSignsInWithADirectory(t *testing.T) {
	t.Parallel()
	h, _ := ldapHouse(t, &issuer.MemoryVault{})
	cli, b := newCommandLine(t, h.url), newBrowser(t, cliCallback)
	if p := b.open(cli.address()); p.status != http.StatusOK || !strings.Contains(p.body, "Your name") || !strings.Contains(p.body, "The directory") {
		t.Fatalf("the page is %d\n%s", p.status, p.body)
	}
	if p := b.submit(map[string]string{"username": "alice", "password": "not hers"}); p.status != http.StatusUnauthorized || !strings.Contains(p.body, "Wrong user name or password") {
		t.Fatalf("a wrong password gives %d\n%s", p.status, p.body)
	}
	token, claims := cli.exchange(b.submit(alice).url)
	for name, want := range map[string]any{
		"iss": h.url + "/api/dex", "email": "alice@example.org", "email_verified": true, "name": "Alice Liddell", "preferred_username": "alice",
		"groups": []any{"platform"}, "federated_claims": map[string]any{"connector_id": "dir", "user_id": "alice"}, "sub": "CgVhbGljZRIDZGly",
	} {
		if !reflect.DeepEqual(claims[name], want) {
			t.Errorf("the claim %s is %v, want %v", name, claims[name], want)
		}
	}
	who, err := h.VerifySSO(t.Context(), token.Extra("id_token").(string))
	if err != nil {
		t.Fatal(err)
	}
	if who.Subject != "alice" || who.Username != "alice@example.org" || !slices.Equal(who.Groups, []string{"platform"}) || who.TokenID == "" || who.Issued.IsZero() || who.Expires.IsZero() {
		t.Errorf("the caller is %+v", who)
	}
	if log := h.log.String(); strings.Contains(log, idp.AlicePassword) || strings.Contains(log, idp.LDAPPassword) || strings.Contains(log, "not hers") {
		t.Errorf("the log holds a password:\n%s", log)
	}
}

func TestTheIssuerSaysOnlyWhatItOffers(t *testing.T) {
	t.Parallel()
	h, _ := ldapHouse(t, &issuer.MemoryVault{})
	var about map[string]any
	if err := newCommandLine(t, h.url).provider.Claims(&about); err != nil {
		t.Fatal(err)
	}
	for name, value := range about {
		address, _ := value.(string)
		if name == "issuer" || !strings.HasPrefix(address, h.url) {
			continue
		}
		if p := newBrowser(t, "").open(address); p.status == http.StatusNotFound {
			t.Errorf("%s is %s, where there is nothing", name, address)
		}
	}
	if about["token_endpoint"] != h.url+"/api/dex/token" || !reflect.DeepEqual(about["response_types_supported"], []any{"code"}) {
		t.Errorf("it says %v", about)
	}
	for _, path := range []string{"/api/dex/", "/api/dex/healthz", "/api/dex/oauth/introspect", "/api/dex/device_authorization", "/api/dex/login/elsewhere?req=x", "/api/dex/auth/../keys/x"} {
		if p := newBrowser(t, "").open(h.url + path); p.status < 400 || p.status >= 500 {
			t.Errorf("%s answers %d", path, p.status)
		}
	}
}

func TestACodeAndARefreshTokenAreGoodOnce(t *testing.T) {
	t.Parallel()
	vault := &issuer.MemoryVault{}
	h, dir := ldapHouse(t, vault)
	cli, b := newCommandLine(t, h.url), newBrowser(t, cliCallback)
	b.open(cli.address())
	at := b.submit(alice).url
	first, _ := cli.exchange(at)
	if _, err := cli.config.Exchange(t.Context(), at.Query().Get("code")); err == nil {
		t.Error("a code was accepted twice")
	}
	second, err := cli.again(first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if claims := cli.claims(second); claims["email"] != "alice@example.org" {
		t.Errorf("renewed, the claims are %v", claims)
	}
	// Another replica, or this one after a restart, knows the sessions and signs with the same keys.
	other := openReplica(t, vault, func(string) signin.Settings { return signin.Settings{URL: h.url, Dex: ldapDex(dir), Lookup: lookup} })
	if _, err := other.VerifySSO(t.Context(), second.Extra("id_token").(string)); err != nil {
		t.Errorf("another replica does not know the token: %v", err)
	}
	third, err := cli.again(second.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cli.again(first.RefreshToken); err == nil {
		t.Error("a refresh token that was replaced twice is accepted")
	}
	if _, err := cli.again(third.RefreshToken); err == nil {
		t.Error("the session goes on although one of its old refresh tokens was used")
	}
}

func TestWhoIsGoneFromTheDirectoryIsNotRenewed(t *testing.T) {
	t.Parallel()
	h, dir := ldapHouse(t, &issuer.MemoryVault{})
	cli, b := newCommandLine(t, h.url), newBrowser(t, cliCallback)
	b.open(cli.address())
	token, _ := cli.exchange(b.submit(alice).url)
	h.set(signin.Settings{URL: h.url, Dex: strings.Replace(ldapDex(dir), "username: uid", `username: uid, filter: "(uid=bob)"`, 1), Lookup: lookup})
	await(t, "the new settings", func() bool {
		_, err := cli.again(token.RefreshToken)
		return err != nil
	})
}

func TestAPageSignsInAndOut(t *testing.T) {
	t.Parallel()
	h, _ := ldapHouse(t, &issuer.MemoryVault{})
	b := newBrowser(t, "")
	b.open(h.url + "/auth/login?return_url=" + url.QueryEscape(h.url+"/applications?search=a b"))
	p := b.submit(alice)
	if p.status != http.StatusOK || p.body != "/applications: hello alice" || p.url.Query().Get("search") != "a b" {
		t.Fatalf("signed in the browser is at %s: %d %s", p.url, p.status, p.body)
	}
	for name := range b.cookies(h.url + "/api/dex/login/dir") {
		if strings.HasPrefix(name, "bowline.signin.") || strings.HasPrefix(name, "bowline.connector.") {
			t.Errorf("the cookie %s is left", name)
		}
	}
	if p := b.open(h.url + "/auth/logout"); p.status != http.StatusUnauthorized {
		t.Errorf("signed out the page is %d %s", p.status, p.body)
	}
	if len(h.revoked) != 1 || h.revoked[0].Subject != "alice" {
		t.Errorf("revoked is %+v, want the session of alice", h.revoked)
	}
}

func TestTheFormIsOurs(t *testing.T) {
	t.Parallel()
	h, _ := ldapHouse(t, &issuer.MemoryVault{})
	b := newBrowser(t, cliCallback)
	p := b.open(newCommandLine(t, h.url).address())
	policy := p.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self' http://localhost:8085"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(p.body, "<script") || regexp.MustCompile(` on[a-z]+=`).MatchString(p.body) {
		t.Errorf("the form has scripts:\n%s", p.body)
	}
	action, fields := b.form()
	fields.Set("username", "alice")
	fields.Set("password", idp.AlicePassword)
	// Another site has a browser post the form: it knows neither the secret nor, in a browser of today, may send the cookie.
	stranger := newBrowser(t, cliCallback)
	if p := stranger.do(http.MethodPost, action, fields); p.status != http.StatusForbidden {
		t.Errorf("a form without the cookie gives %d", p.status)
	}
	fields.Set("secret", "guessed")
	if p := b.do(http.MethodPost, action, fields); p.status != http.StatusForbidden {
		t.Errorf("a form with another secret gives %d", p.status)
	}
	b.open(action)
	if p := b.submit(map[string]string{"username": `"><script>alert(1)</script>`, "password": "x"}); strings.Contains(p.body, "<script") {
		t.Errorf("what was typed is in the page as it is:\n%s", p.body)
	}
}

func TestPasswordsCannotBeTriedForLong(t *testing.T) {
	t.Parallel()
	h, _ := ldapHouse(t, &issuer.MemoryVault{})
	b := newBrowser(t, cliCallback)
	b.open(newCommandLine(t, h.url).address())
	for range 3 {
		b.submit(map[string]string{"username": "alice", "password": "wrong"})
	}
	if p := b.submit(alice); p.status != http.StatusUnauthorized {
		t.Errorf("after three wrong passwords the right one gives %d at %s", p.status, p.url)
	}
	p := b.submit(map[string]string{"username": "bob", "password": idp.BobPassword})
	if !strings.HasPrefix(p.url.String(), cliCallback) {
		t.Errorf("somebody else cannot sign in: %d %s", p.status, p.body)
	}
}

func TestADirectoryThatIsAwayIsNoWrongPassword(t *testing.T) {
	t.Parallel()
	h, dir := ldapHouse(t, &issuer.MemoryVault{})
	b := newBrowser(t, cliCallback)
	b.open(newCommandLine(t, h.url).address())
	dir.Stop()
	p := b.submit(alice)
	if p.status < 500 || strings.Contains(p.body, dir.Plain) || !strings.Contains(p.body, "the log of the server says why") {
		t.Errorf("the page is %d\n%s", p.status, p.body)
	}
	if !strings.Contains(h.log.String(), dir.Plain) {
		t.Errorf("the log does not name the directory:\n%s", h.log)
	}
}
