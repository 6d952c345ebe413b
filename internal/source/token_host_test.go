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
	"fmt"
	"io"
	"log"
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
	h.Server = httptest.NewUnstartedServer(h)
	h.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that trust it not are part of the tests
	h.StartTLS()
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
