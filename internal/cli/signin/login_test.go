// SPDX-License-Identifier: Apache-2.0

package signin_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/signin"
	"github.com/bowline-cd/bowline/internal/fault"
)

// issuer is a provider that signs everybody in who comes. Its fields spoil one thing each.
type issuer struct {
	cluster.SettingsService
	url                      string
	key                      *rsa.PrivateKey
	challenge, nonce, client string // of the last sign-in
	wrongNonce, refuses      bool
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	described := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "k", Algorithm: oidc.RS256}}}
	mux := http.NewServeMux()
	mux.Handle("/", described)
	mux.HandleFunc("/token", i.token)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	described.SetIssuer(server.URL)
	i.url = server.URL
	return i
}

func (i *issuer) Get(context.Context, *cluster.SettingsQuery) (*cluster.Settings, error) {
	return &cluster.Settings{OidcConfig: &cluster.OIDCConfig{Issuer: i.url, ClientID: "web", CliClientID: "cli"}}, nil
}

func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	hash := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	proved := base64.RawURLEncoding.EncodeToString(hash[:]) == i.challenge || r.FormValue("refresh_token") == "r0"
	w.Header().Set("Content-Type", "application/json")
	if !proved || i.refuses {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_grant","error_description":"secret r0"}`)
		return
	}
	nonce := i.nonce
	if i.wrongNonce {
		nonce = "another"
	}
	now := time.Now().Unix()
	claims := fmt.Sprintf(`{"iss":%q,"aud":"cli","sub":"u1","email":"jane@example.com","nonce":%q,"iat":%d,"exp":%d}`, i.url, nonce, now, now+600)
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "a", "token_type": "Bearer", "refresh_token": "r1", "id_token": oidctest.SignIDToken(i.key, "k", oidc.RS256, claims)})
}

// browse is a browser: it goes where the provider would send it to.
func (i *issuer) browse(t *testing.T, change func(url.Values)) func(string) error {
	return func(address string) error {
		u, err := url.Parse(address)
		if err != nil {
			return err
		}
		asked := u.Query()
		i.challenge, i.nonce, i.client = asked.Get("code_challenge"), asked.Get("nonce"), asked.Get("client_id")
		if asked.Get("code_challenge_method") != "S256" {
			t.Errorf("asked with %v", asked)
		}
		back := url.Values{"code": {"c0de"}, "state": {asked.Get("state")}}
		change(back)
		answer, err := http.Get(asked.Get("redirect_uri") + "?" + back.Encode())
		if err != nil {
			return err
		}
		return answer.Body.Close()
	}
}

func login(t *testing.T, i *issuer, change func(url.Values)) (signin.Tokens, error) {
	t.Helper()
	return signin.Login(t.Context(), i, &client.Server{Address: "cd.example.com"}, http.DefaultClient, signin.Options{Browse: i.browse(t, change), Out: io.Discard})
}

func TestLoginInABrowser(t *testing.T) {
	i := newIssuer(t)
	tokens, err := login(t, i, func(url.Values) {})
	if err != nil || tokens.Refresh != "r1" || i.client != "cli" {
		t.Fatalf("got %v, %v, as client %s", tokens, err, i.client)
	}
	claims, ok := signin.Read(tokens.ID)
	if !ok || claims.Who() != "jane@example.com" || claims.Local() || claims.Expires.IsZero() {
		t.Errorf("got %+v", claims)
	}
}

func TestRefresh(t *testing.T) {
	i := newIssuer(t)
	tokens, err := signin.Refresh(t.Context(), i, &client.Server{}, http.DefaultClient, "r0")
	if err != nil || tokens.Refresh != "r1" || tokens.ID == "" {
		t.Errorf("got %v, %v", tokens, err)
	}
	i.refuses = true
	_, err = signin.Refresh(t.Context(), i, &client.Server{}, http.DefaultClient, "r0")
	if !fault.Is(err, fault.Stalled) || !strings.Contains(err.Error(), "invalid_grant") || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestLoginThatIsNotOurs(t *testing.T) {
	i := newIssuer(t)
	if _, err := login(t, i, func(back url.Values) { back.Del("code"); back.Set("error", "access_denied") }); err == nil || !strings.Contains(err.Error(), "access_denied") {
		t.Errorf("a refusal of the provider gives %v", err)
	}
	i.wrongNonce = true
	if _, err := login(t, i, func(url.Values) {}); !fault.Is(err, fault.Stalled) {
		t.Errorf("a token of another sign-in gives %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	foreign := func(address string) error {
		defer cancel() // nobody else comes back
		return i.browse(t, func(back url.Values) { back.Set("state", "guessed") })(address)
	}
	_, err := signin.Login(ctx, i, &client.Server{}, http.DefaultClient, signin.Options{Browse: foreign, Out: io.Discard})
	if !fault.Is(err, fault.Wait) {
		t.Errorf("a browser with another state gives %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbjpsb2dpbiIsImV4cCI6MWUzMDB9.x")
	f.Fuzz(func(_ *testing.T, token string) {
		claims, _ := signin.Read(token)
		_ = claims.Who()
	})
}
