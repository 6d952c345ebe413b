// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/internal/fault"
)

// rsaKey makes a key once for all tests: it takes long.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func pkcs1() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey())}))
}

func pkcs8() string {
	der, err := x509.MarshalPKCS8PrivateKey(rsaKey())
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// tokenHost plays every host that gives out tokens. It checks what proves the identity, and counts.
type tokenHost struct {
	*httptest.Server
	t     *testing.T
	clock *clocktesting.FakeClock

	mu      sync.Mutex
	life    time.Duration
	issued  int
	asked   []string // method and path of each request
	answers func(w http.ResponseWriter, r *http.Request) bool
	given   func(token string) // told of each token
	wait    chan struct{}      // requests wait for it to close, if set
}

func newTokenHost(t *testing.T) *tokenHost {
	h := &tokenHost{t: t, clock: clocktesting.NewFakeClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), life: time.Hour}
	h.Server = httptest.NewTLSServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *tokenHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.asked = append(h.asked, r.Method+" "+r.URL.Path)
	wait, answers := h.wait, h.answers
	h.mu.Unlock()
	if wait != nil {
		<-wait
	}
	w.Header().Set("Date", h.clock.Now().UTC().Format(http.TimeFormat))
	if answers != nil && answers(w, r) {
		return
	}
	switch r.URL.Path {
	case "/api/v3/orgs/acme/installation":
		h.checkGitHub(r)
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
	case "/api/v3/users/acme/installation":
		h.checkGitHub(r)
		fmt.Fprint(w, `{"id": 77}`)
	case "/api/v3/app/installations/77/access_tokens":
		h.checkGitHub(r)
		w.WriteHeader(http.StatusCreated)
		h.mu.Lock()
		expires := h.clock.Now().Add(h.life).Format(time.RFC3339)
		h.mu.Unlock()
		fmt.Fprintf(w, `{"token": %q, "expires_at": %q}`, h.issue(), expires)
	case "/token":
		claims := h.verify(r.FormValue("assertion"))
		if claims["iss"] != "robot@acme.iam.gserviceaccount.com" || claims["aud"] != h.URL+"/token" || claims["scope"] != googleScope {
			h.t.Errorf("claims: %v", claims)
		}
		h.grant(w, "access_token")
	case "/tenant-1/oauth2/v2.0/token":
		switch {
		case r.FormValue("client_id") == "principal" && r.FormValue("client_secret") == "azure-secret":
		case r.FormValue("client_id") == "workload" && r.FormValue("client_assertion") == "federated":
		default:
			h.t.Errorf("who is %v?", r.Form)
		}
		if scope := r.FormValue("scope"); scope != azureDevOpsScope && scope != azureRegistryScope || r.FormValue("grant_type") != "client_credentials" {
			h.t.Errorf("form: %v", r.Form)
		}
		h.grant(w, "access_token")
	case "/oauth2/exchange":
		if r.FormValue("service") != "acme.azurecr.io" || !strings.HasPrefix(r.FormValue("access_token"), "token-") || r.Host != "acme.azurecr.io" {
			h.t.Errorf("exchange at %s: %v", r.Host, r.Form)
		}
		fmt.Fprintf(w, `{"refresh_token": %q}`, "refresh-"+r.FormValue("access_token"))
	default:
		h.t.Errorf("asked for %s", r.URL.Path)
		http.NotFound(w, r)
	}
}

func (h *tokenHost) issue() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.issued++
	token := fmt.Sprint("token-", h.issued)
	if h.given != nil {
		h.given(token)
	}
	return token
}

func (h *tokenHost) grant(w http.ResponseWriter, name string) {
	token := h.issue()
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintf(w, `{%q: %q, "expires_in": %d, "token_type": "Bearer"}`, name, token, int(h.life.Seconds()))
}

func (h *tokenHost) checkGitHub(r *http.Request) {
	proof, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if claims := h.verify(proof); claims["iss"] != "4711" {
		h.t.Errorf("claims: %v", claims)
	}
}

// verify checks the signature and the times of a JSON Web Token and returns its claims.
func (h *tokenHost) verify(proof string) map[string]any {
	parts := strings.Split(proof, ".")
	if len(parts) != 3 {
		h.t.Errorf("not a JWT: %q", proof)
		return nil
	}
	decode := func(s string) []byte {
		data, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			h.t.Error(err)
		}
		return data
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&rsaKey().PublicKey, crypto.SHA256, digest[:], decode(parts[2])); err != nil {
		h.t.Errorf("signature: %v", err)
	}
	var header, claims map[string]any
	if json.Unmarshal(decode(parts[0]), &header) != nil || header["alg"] != "RS256" {
		h.t.Errorf("header %v", header)
	}
	if err := json.Unmarshal(decode(parts[1]), &claims); err != nil {
		h.t.Error(err)
		return nil
	}
	from, _ := claims["iat"].(float64)
	until, _ := claims["exp"].(float64)
	now := float64(h.clock.Now().Unix())
	if from >= now || until <= now || until-from > 3600 || claims["iss"] == "4711" && until-from > 600 {
		h.t.Errorf("from %v until %v, now %v", from, until, now)
	}
	return claims
}

func (h *tokenHost) counts() (issued, asked int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.issued, len(h.asked)
}

func (h *tokenHost) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// client leads every host to this one.
func (h *tokenHost) client(Repository) (*http.Client, error) {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", h.Listener.Addr().String())
		},
	}}, nil
}

func googleKey(tokenURL string) string {
	key, _ := json.Marshal(map[string]string{"type": "service_account", "client_email": "robot@acme.iam.gserviceaccount.com", "private_key_id": "k1", "private_key": pkcs8(), "token_uri": tokenURL})
	return string(key)
}

// identities are one Secret of each kind of identity, with what its server is told.
func (h *tokenHost) identities(t *testing.T) map[string]struct {
	url, kind string
	keys      []string
	header    func(token string) string
} {
	file := filepath.Join(t.TempDir(), "federated")
	if err := os.WriteFile(file, []byte("federated\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AZURE_CLIENT_ID", "workload")
	t.Setenv("AZURE_TENANT_ID", "tenant-1")
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", file)
	t.Setenv("AZURE_AUTHORITY_HOST", h.URL+"/")
	basic := func(username, prefix string) func(string) string {
		return func(token string) string {
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+prefix+token))
		}
	}
	bearer := func(token string) string { return "Bearer " + token }
	app := []string{"githubAppID", "4711", "githubAppPrivateKey", pkcs1(), "githubAppEnterpriseBaseUrl", h.URL + "/api/v3/"}
	principal := []string{"azureServicePrincipalClientId", "principal", "azureServicePrincipalClientSecret", "azure-secret",
		"azureServicePrincipalTenantId", "tenant-1", "azureActiveDirectoryEndpoint", h.URL}
	return map[string]struct {
		url, kind string
		keys      []string
		header    func(string) string
	}{
		"GitHub App":              {"https://ghe.example.com/Acme/app.git", KindGit, append([]string{"githubAppInstallationID", "77"}, app...), basic("x-access-token", "")},
		"GitHub App, looked up":   {"https://ghe.example.com/Acme/app.git", KindGit, app, basic("x-access-token", "")},
		"Google":                  {"https://source.developers.google.com/p/acme/r/app", KindGit, []string{"gcpServiceAccountKey", googleKey(h.URL + "/token")}, basic("robot@acme.iam.gserviceaccount.com", "")},
		"Google registry":         {"oci://europe-docker.pkg.dev/acme/charts", KindOCI, []string{"gcpServiceAccountKey", googleKey(h.URL + "/token")}, basic("oauth2accesstoken", "")},
		"Azure workload":          {"https://dev.azure.com/acme/p/_git/app", KindGit, []string{"useAzureWorkloadIdentity", "true"}, bearer},
		"Azure principal":         {"https://dev.azure.com/acme/p/_git/app", KindGit, principal, bearer},
		"Azure registry":          {"oci://acme.azurecr.io/charts/app", KindOCI, principal, basic(azureRegistryUser, "refresh-")},
		"Azure registry workload": {"acme.azurecr.io/charts", KindHelm, []string{"useAzureWorkloadIdentity", "true"}, basic(azureRegistryUser, "refresh-")},
	}
}

// repositoryOf reads a Secret and returns its repository.
func repositoryOf(t *testing.T, url, kind string, keys []string) Repository {
	t.Helper()
	c, problems := ParseSecrets([]corev1.Secret{secret("s", "repository", append([]string{"url", url, "type", kind}, keys...)...)}, nil, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	r, err := c.ForType(kind, url, "default")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

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
