// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/internal/fault"
)

// TestTokens is what every kind of identity keeps to.
func TestTokens(t *testing.T) {
	for name := range (&tokenHost{Server: &httptest.Server{}}).identities(t) {
		t.Run(name, func(t *testing.T) {
			h := newTokenHost(t)
			kind := h.identities(t)[name]
			r := repositoryOf(t, kind.url, kind.kind, kind.keys)
			tokens, key := newTokens(h.clock, h.client), r.Key()
			must := func(number int) login {
				t.Helper()
				l, err := tokens.login(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				if want := kind.header(fmt.Sprint("token-", number)); l.header() != want {
					t.Errorf("told %q, want %q", l.header(), want)
				}
				if issued, _ := h.counts(); issued != number {
					t.Errorf("%d tokens were asked for, want %d", issued, number)
				}
				return l
			}

			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					if _, err := tokens.login(t.Context(), r); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			first := must(1)
			if r.Key() != key {
				t.Error("a token changes the key of the mirror")
			}
			if tokens.refused(r, first) {
				t.Error("a token is replaced as soon as it was made")
			}
			h.clock.Step(55*time.Minute - time.Second)
			must(1)
			h.clock.Step(2 * time.Second) // less than five minutes left
			second := must(2)
			if !tokens.refused(r, first) {
				t.Error("a refusal of the former token is no reason to try the new one")
			}
			must(2)
			h.clock.Step(2 * time.Minute)
			if !tokens.refused(r, second) {
				t.Error("a refused token is kept")
			}
			must(3)

			// The host that gives out tokens fails: a token that has not ended serves on, an ended one never.
			h.clock.Step(56 * time.Minute)
			h.set(func() {
				h.answers = func(w http.ResponseWriter, _ *http.Request) bool {
					http.Error(w, "out of order", http.StatusServiceUnavailable)
					return true
				}
			})
			must(3)
			h.clock.Step(5 * time.Minute)
			_, asked := h.counts()
			for range 20 {
				var u *UnreachableError
				if l, err := tokens.login(t.Context(), r); !errors.As(err, &u) || u.Problem != ProblemServer || l != (login{}) {
					t.Errorf("the host is out of order: %v", err)
				}
			}
			if _, now := h.counts(); now != asked+1 {
				t.Errorf("%d requests while the host is out of order, want one", now-asked)
			}
			h.set(func() { h.answers = nil })
			h.clock.Step(tokenPause)
			must(4)
		})
	}
}

func TestTokensAreSharedByIdentityOnly(t *testing.T) {
	h := newTokenHost(t)
	tokens := newTokens(h.clock, h.client)
	app := []string{"githubAppID", "4711", "githubAppInstallationID", "77", "githubAppPrivateKey", pkcs1(), "githubAppEnterpriseBaseUrl", h.URL + "/api/v3"}
	for range 2 {
		for i := range 5 {
			if _, err := tokens.login(t.Context(), repositoryOf(t, fmt.Sprint("https://ghe.example.com/acme/", i), KindGit, app)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if issued, asked := h.counts(); issued != 1 || asked != 1 {
		t.Errorf("five repositories of one app: %d tokens, %d requests", issued, asked)
	}
	google := repositoryOf(t, "https://source.developers.google.com/p/a/r/b", KindGit, []string{"gcpServiceAccountKey", googleKey(h.URL + "/token")})
	if _, err := tokens.login(t.Context(), google); err != nil {
		t.Fatal(err)
	}
	if issued, _ := h.counts(); issued != 2 {
		t.Errorf("another identity: %d tokens", issued)
	}
	// A password goes before an identity.
	static := repositoryOf(t, "https://ghe.example.com/acme/x", KindGit, append([]string{"username", "u", "password", "p"}, app...))
	if l, err := tokens.login(t.Context(), static); err != nil || l.username != "u" || l.issued {
		t.Errorf("%+v, %v", l, err)
	}
	// Identities that are gone are forgotten once their tokens have ended.
	h.clock.Step(2 * time.Hour)
	other := repositoryOf(t, "https://dev.azure.com/a/b/_git/c", KindGit, []string{"azureServicePrincipalClientId", "principal",
		"azureServicePrincipalClientSecret", "azure-secret", "azureServicePrincipalTenantId", "tenant-1", "azureActiveDirectoryEndpoint", h.URL})
	if _, err := tokens.login(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if len(tokens.held) != 1 {
		t.Errorf("%d identities are held", len(tokens.held))
	}
}

func TestWaitForATokenEndsWithItsCaller(t *testing.T) {
	h := newTokenHost(t)
	release := make(chan struct{})
	h.set(func() { h.wait = release })
	tokens := newTokens(h.clock, h.client)
	r := repositoryOf(t, "https://source.developers.google.com/p/a/r/b", KindGit, []string{"gcpServiceAccountKey", googleKey(h.URL + "/token")})
	first := make(chan error)
	go func() {
		_, err := tokens.login(t.Context(), r)
		first <- err
	}()
	waitFor(t, func() bool { _, asked := h.counts(); return asked == 1 })
	ctx, cancel := context.WithCancel(t.Context())
	second := make(chan error)
	go func() {
		_, err := tokens.login(ctx, r)
		second <- err
	}()
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("the second: %v", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Errorf("the first: %v", err)
	}
}

// What people read when a token cannot be had, and what they must not read.
func TestTokenErrors(t *testing.T) {
	answer := func(status int, body string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			_ = r.ParseForm()
			said := strings.NewReplacer("PROOF", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")+r.FormValue("assertion")+r.FormValue("client_secret"), "\n", " ").Replace(body)
			if status >= 300 && status < 400 {
				w.Header().Set("Location", "https://elsewhere.example.com/")
			}
			w.WriteHeader(status)
			fmt.Fprint(w, said)
			return true
		}
	}
	for _, test := range []struct {
		name, identity string
		status         int
		body           string
		off            time.Duration // how far the server's clock is ahead
		problem        Problem
		want           []string
	}{
		{"not installed", "GitHub App, looked up", 404, `{"message":"Not Found"}`, 0, ProblemAuth, []string{"GitHub App 4711 is not installed for acme", "install it there"}},
		{"no such installation", "GitHub App", 404, `{"message":"Not Found"}`, 0, ProblemAuth, []string{"installation 77 of GitHub App 4711", "no such installation"}},
		{"wrong key", "GitHub App", 401, `{"message":"A JSON web token could not be decoded PROOF"}`, 0, ProblemAuth, []string{"401 Unauthorized", "could not be decoded [redacted]"}},
		{"clock", "GitHub App", 401, `{"message":"'Issued at' claim ('iat') must be in the past"}`, -5 * time.Minute, ProblemAuth, []string{"the clock here is 5m0s ahead of the server's"}},
		{"clock behind", "Google", 400, `{"error":"invalid_grant","error_description":"Invalid JWT"}`, time.Hour, ProblemAuth, []string{"invalid_grant Invalid JWT", "1h0m0s behind"}},
		{"may not read", "GitHub App", 422, `{"message":"The permissions requested are not granted to this installation."}`, 0, ProblemAuth, []string{"give the app that permission"}},
		{"suspended", "GitHub App", 403, `{"message":"This installation has been suspended"}`, 0, ProblemAuth, []string{"suspended"}},
		{"rate limit", "GitHub App", 403, `{"message":"API rate limit exceeded"}`, 0, ProblemServer, []string{"rate limit"}},
		{"overloaded", "Google", 429, ``, 0, ProblemServer, []string{"429 Too Many Requests"}},
		{"redirect", "GitHub App", 302, ``, 0, ProblemRedirect, []string{"302 Found"}},
		{"redirect of a form", "Azure principal", 307, ``, 0, ProblemRedirect, []string{"307"}},
		{"wrong secret", "Azure principal", 401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret PROOF provided. Trace ID: 1234"}`, 0, ProblemAuth, []string{"Azure application principal", "AADSTS7000215: Invalid client secret [redacted] provided."}},
		{"no JSON", "Google", 200, `<html>PROOF</html>`, 0, ProblemAuth, []string{"a token of robot@acme.iam.gserviceaccount.com"}},
		{"no token", "GitHub App", 201, `{"expires_at":"2030-01-01T00:00:00Z"}`, 0, ProblemAuth, []string{"201"}},
		{"token with a line break", "Azure principal", 200, `{"access_token":"a\nX-Evil: 1","expires_in":3600}`, 0, ProblemAuth, []string{"200"}},
		{"long", "Google", 400, `{"error":"` + strings.Repeat("é", 4000) + `"}`, 0, ProblemAuth, []string{"…"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newTokenHost(t)
			kind := h.identities(t)[test.identity]
			r := repositoryOf(t, kind.url, kind.kind, kind.keys)
			serve := answer(test.status, test.body)
			h.answers = func(w http.ResponseWriter, r *http.Request) bool {
				w.Header().Set("Date", h.clock.Now().Add(test.off).UTC().Format(http.TimeFormat))
				return serve(w, r)
			}
			_, err := newTokens(h.clock, h.client).login(t.Context(), r)
			err = loginError(r, err)
			checkUnreachable(t, err, test.problem, map[bool]fault.Kind{true: fault.Retry, false: fault.Stalled}[test.problem == ProblemServer])
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %q", err, want)
				}
			}
			if text := err.Error(); len(text) > 1200 || strings.Contains(text, "eyJ") || strings.Contains(text, "azure-secret") || strings.Contains(text, "PRIVATE") || strings.Contains(text, "\n") {
				t.Errorf("tells too much: %s", text)
			}
			for _, asked := range h.asked {
				if strings.Contains(asked, "elsewhere") {
					t.Error("a redirect was followed")
				}
			}
		})
	}
}

func TestAzureWorkloadIdentityIsShownToAzureOnly(t *testing.T) {
	h := newTokenHost(t)
	h.identities(t) // sets the environment
	for _, url := range []string{"https://git.evil.example/a/b", "https://dev.azure.com.evil.example/a", "http://dev.azure.com/a/_git/b", "https://dev.azure.com:8443/a/_git/b",
		"https://x@evil.example/dev.azure.com", "oci://registry.evil.example/charts", "oci://acme.azurecr.io.evil.example/x", "oci://azurecr.io/x"} {
		kind := KindGit
		if strings.HasPrefix(url, "oci://") {
			kind = KindOCI
		}
		_, err := newTokens(h.clock, h.client).login(t.Context(), repositoryOf(t, url, kind, []string{"useAzureWorkloadIdentity", "true"}))
		var u *UnreachableError
		if !errors.As(err, &u) || u.Problem != ProblemAuth || !strings.Contains(u.Detail, "only to Azure") {
			t.Errorf("%s: %v", url, err)
		}
	}
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", filepath.Join(t.TempDir(), "gone"))
	azure := repositoryOf(t, "https://acme.visualstudio.com/p/_git/b", KindGit, []string{"useAzureWorkloadIdentity", "true"})
	if _, err := newTokens(h.clock, h.client).login(t.Context(), azure); err == nil || !strings.Contains(err.Error(), "AZURE_FEDERATED_TOKEN_FILE cannot be read") {
		t.Errorf("no file: %v", err)
	}
	t.Setenv("AZURE_TENANT_ID", "")
	if _, err := newTokens(h.clock, h.client).login(t.Context(), azure); err == nil || !strings.Contains(err.Error(), "not set up here") {
		t.Errorf("no environment: %v", err)
	}
	if issued, asked := h.counts(); issued+asked > 0 {
		t.Errorf("%d requests", asked)
	}
}

func TestTokensOfUnknownLife(t *testing.T) {
	for identity, body := range map[string]string{
		"GitHub App": `{"token":"token-1"}`, "Google": `{"access_token":"token-1"}`, "Azure principal": `{"access_token":"token-1","expires_in":"-1"}`,
	} {
		h := newTokenHost(t)
		h.answers = func(w http.ResponseWriter, _ *http.Request) bool {
			if identity == "GitHub App" {
				w.WriteHeader(http.StatusCreated)
			}
			_, err := io.WriteString(w, body)
			return err == nil
		}
		kind, tokens := h.identities(t)[identity], newTokens(h.clock, h.client)
		for range 5 {
			if l, err := tokens.login(t.Context(), repositoryOf(t, kind.url, kind.kind, kind.keys)); err != nil || l.header() != kind.header("token-1") {
				t.Errorf("%s: %q, %v", identity, l.header(), err)
			}
		}
		if _, asked := h.counts(); asked != 1 {
			t.Errorf("%s: asked %d times", identity, asked)
		}
	}
}

// The authority of the host that gives out tokens is its own: neither the repository's nor what `insecure` says of that.
func TestTokenHostsAreVerified(t *testing.T) {
	h := newTokenHost(t)
	own := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw}))
	for name, test := range map[string]struct {
		authorities map[string]string
		insecure    string
		ok          bool
	}{
		"its own":                       {map[string]string{"127.0.0.1": own}, "", true},
		"none":                          {nil, "", false},
		"the repository's":              {map[string]string{"ghe.example.com": own}, "", false},
		"insecure is of the other host": {nil, "true", false},
	} {
		c, problems := ParseSecrets([]corev1.Secret{secret("s", "repository", "url", "https://ghe.example.com/acme/x", "insecure", test.insecure, "githubAppID", "4711",
			"githubAppInstallationID", "77", "githubAppPrivateKey", pkcs1(), "githubAppEnterpriseBaseUrl", h.URL+"/api/v3")}, test.authorities, nil)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		r, err := c.For("https://ghe.example.com/acme/x", "")
		if err != nil {
			t.Fatal(err)
		}
		s := openStore(t, nil)
		_, err = newTokens(h.clock, s.tokenClient).login(t.Context(), r)
		var u *UnreachableError
		if test.ok != (err == nil) || err != nil && (!errors.As(err, &u) || u.Problem != ProblemTLS) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// tokenAnswer answers every request with one body.
type tokenAnswer struct {
	status int
	body   string
}

func (a tokenAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

func FuzzTokenAnswers(f *testing.F) {
	f.Add(200, `{"access_token":"a","expires_in":3600}`)
	f.Add(201, `{"token":"a","expires_at":"2030-01-01T00:00:00Z","id":3}`)
	f.Add(400, `{"error":"x","error_description":"y","message":"z"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		clock := clocktesting.NewFakeClock(time.Unix(1_800_000_000, 0))
		client := &http.Client{Transport: tokenAnswer{status, body}}
		d := desk{client, client, clock}
		for _, i := range []issuer{
			githubIssuer{GitHubApp{ID: "1", PrivateKey: fault.NewSecret(pkcs1())}, "acme", false},
			googleIssuer{GoogleAccount{Email: "a@b", PrivateKey: fault.NewSecret(pkcs8()), TokenURL: googleTokenURL}, false},
			AzureIdentity{ClientID: "a", ClientSecret: fault.NewSecret("bcd"), TenantID: "c"}.issuer("oci://x.azurecr.io/y"),
		} {
			got, err := i.issue(t.Context(), d)
			var u *UnreachableError
			if err == nil && (got.login.header() == "" || newline.MatchString(got.login.header()) || !got.expires.After(clock.Now())) || err != nil && !errors.As(err, &u) {
				t.Errorf("%+v, %v", got, err)
			}
		}
	})
}
