// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	testclock "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

var (
	noon   = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	secret = fault.NewSecret("0123456789abcdef0123456789abcdef")
)

// scene is an installation with some accounts and a project.
type scene struct {
	*Tokens
	clock    *testclock.FakeClock
	accounts map[string]*Account
	project  *v1alpha1.AppProject
}

func newScene() *scene {
	clock := testclock.NewFakeClock(noon)
	s := &scene{clock: clock, project: &v1alpha1.AppProject{}, accounts: map[string]*Account{
		Admin: {Name: Admin, Enabled: true, Capabilities: []Capability{CanLogin}},
		"ci":  {Name: "ci", Enabled: true, Capabilities: []Capability{CanHaveKeys}, Tokens: []Token{{ID: "known", IssuedAt: noon.Unix()}}},
		"off": {Name: "off", Capabilities: []Capability{CanLogin, CanHaveKeys}},
	}}
	s.project.Name = "team"
	s.project.Status.JWTTokensByRole = map[string]v1alpha1.JWTTokens{"deploy": {Items: []v1alpha1.JWTToken{{ID: "known", IssuedAt: noon.Unix()}, {IssuedAt: noon.Unix() - 7}}}}
	s.Tokens = &Tokens{
		Key: func() fault.Secret { return secret }, Accounts: func() map[string]*Account { return s.accounts }, Clock: clock,
		Revoked: &Revocations{Board: &MemoryBoard{}, Clock: clock},
		Project: func(name string) *v1alpha1.AppProject {
			if name == s.project.Name {
				return s.project
			}
			return nil
		},
	}
	return s
}

// forged is a token as somebody may write it.
type forged struct {
	method jwt.SigningMethod
	key    any
	header map[string]any
	claims jwt.MapClaims
}

func forge() *forged {
	return &forged{
		method: jwt.SigningMethodHS256, key: []byte(secret.Reveal()), header: map[string]any{},
		claims: jwt.MapClaims{"iss": "argocd", "sub": "admin:login", "jti": "1", "iat": noon.Unix(), "nbf": noon.Unix(), "exp": noon.Add(time.Hour).Unix()},
	}
}

func (f *forged) set(name string, value any) *forged {
	if value == nil {
		delete(f.claims, name)
	} else {
		f.claims[name] = value
	}
	return f
}

func (f *forged) text(t *testing.T) string {
	t.Helper()
	token := jwt.NewWithClaims(f.method, f.claims)
	for k, v := range f.header {
		token.Header[k] = v
	}
	out, err := token.SignedString(f.key)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func signedBy(method jwt.SigningMethod, key any) *forged {
	f := forge()
	f.method, f.key = method, key
	return f
}

func withHeader(name string, value any) *forged {
	f := forge()
	f.header[name] = value
	return f
}

// TestTokenOfSpec: a project from Git names its tokens in its spec alone.
func TestTokenOfSpec(t *testing.T) {
	s := newScene()
	token, record, err := s.Role("team", "deploy", "from-git", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(token); err == nil {
		t.Error("nobody named it, and it counts")
	}
	s.project.Spec.Roles = []v1alpha1.ProjectRole{{Name: "other"}, {Name: "deploy", JWTTokens: []v1alpha1.JWTToken{record}}}
	if _, err := s.Verify(token); err != nil {
		t.Errorf("the spec names it: %v", err)
	}
	s.project.Spec.Roles[0].JWTTokens, s.project.Spec.Roles[1].JWTTokens = []v1alpha1.JWTToken{record}, nil
	if _, err := s.Verify(token); err == nil {
		t.Error("another role's token counts")
	}
}

// TestTokensThatCount are the ways in.
func TestTokensThatCount(t *testing.T) {
	tests := []struct {
		reason string
		token  *forged
		want   Caller
	}{
		{"a person", forge(), Caller{Kind: Login, Subject: Admin, TokenID: "1"}},
		{"a program", forge().set("sub", "ci:apiKey").set("jti", "known").set("exp", nil), Caller{Kind: APIKey, Subject: "ci", TokenID: "known"}},
		{"a program of old", forge().set("sub", "ci").set("jti", "known"), Caller{Kind: APIKey, Subject: "ci", TokenID: "known"}},
		{"a role of a project", forge().set("sub", "proj:team:deploy").set("jti", "known"), Caller{Kind: ProjectToken, Subject: "proj:team:deploy", TokenID: "known"}},
		{"one without an id, by its time", forge().set("sub", "proj:team:deploy").set("jti", nil).set("iat", noon.Unix()-7), Caller{Kind: ProjectToken, Subject: "proj:team:deploy"}},
		{"a clock that is a little ahead", forge().set("iat", noon.Unix()+3).set("nbf", noon.Unix()+3), Caller{Kind: Login, Subject: Admin, TokenID: "1"}},
		{"times with fractions", forge().set("iat", float64(noon.Unix())+0.5), Caller{Kind: Login, Subject: Admin, TokenID: "1"}},
	}
	for _, tt := range tests {
		who, err := newScene().Verify(tt.token.text(t))
		if err != nil || who.Kind != tt.want.Kind || who.Subject != tt.want.Subject || who.TokenID != tt.want.TokenID || who.Issuer != Issuer {
			t.Errorf("%s: got %+v, %v (%v)", tt.reason, who, err, Cause(err))
		}
	}
}

// TestTokensThatDoNotCount is the matrix of what a forger, a thief or a clock may bring. All are answered in the same words.
func TestTokensThatDoNotCount(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := forge().text(t)
	parts := strings.Split(good, ".")
	unsigned := signedBy(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType)
	tests := map[string]string{
		"nothing":                  "",
		"no token":                 "hello",
		"no signature":             parts[0] + "." + parts[1] + ".",
		"two parts":                parts[0] + "." + parts[1],
		"a signature that is cut":  good[:len(good)-2],
		"another payload":          parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"argocd","sub":"admin:login"}`)) + "." + parts[2],
		"alg none":                 unsigned.text(t),
		"alg none, another case":   strings.Join([]string{base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"NoNe"}`)), parts[1], ""}, "."),
		"HS384":                    signedBy(jwt.SigningMethodHS384, []byte(secret.Reveal())).text(t),
		"HS512":                    signedBy(jwt.SigningMethodHS512, []byte(secret.Reveal())).text(t),
		"RS256":                    signedBy(jwt.SigningMethodRS256, rsaKey).text(t),
		"another key":              signedBy(jwt.SigningMethodHS256, []byte("ffffffffffffffffffffffffffffffff")).text(t),
		"no key":                   signedBy(jwt.SigningMethodHS256, []byte("")).text(t),
		"a header that asks more":  withHeader("crit", []string{"exp"}).text(t),
		"a header with a key":      withHeader("jwk", map[string]string{"kty": "oct", "k": "AA"}).text(t),
		"a header that names keys": withHeader("kid", "../../dev/null").text(t),
		"a compressed one":         compressed(t),
		"a very long one":          forge().set("x", strings.Repeat("a", maxToken)).text(t),
		"another issuer":           forge().set("iss", "https://idp.example").text(t),
		"no issuer":                forge().set("iss", nil).text(t),
		"an audience":              forge().set("aud", "another").text(t),
		"an audience of ours":      forge().set("aud", []string{"argocd"}).text(t),
		"expired":                  forge().set("iat", noon.Unix()-100).set("exp", noon.Unix()).text(t),
		"from the future":          forge().set("iat", noon.Add(time.Minute).Unix()).text(t),
		"not before the future":    forge().set("nbf", noon.Add(time.Minute).Unix()).text(t),
		"no time":                  forge().set("iat", nil).text(t),
		"a time that is none":      forge().set("iat", "yesterday").text(t),
		"a time before time":       forge().set("exp", -1).text(t),
		"a time beyond time":       forge().set("exp", 1e300).text(t),
		"no subject":               forge().set("sub", nil).text(t),
		"an empty subject":         forge().set("sub", "").text(t),
		"a subject without name":   forge().set("sub", ":login").text(t),
		"a subject that is none":   forge().set("sub", 7).text(t),
		"another capability":       forge().set("sub", "admin:root").text(t),
		"no id":                    forge().set("jti", nil).text(t),
		"an account that is gone":  forge().set("sub", "gone:login").text(t),
		"a disabled account":       forge().set("sub", "off:login").text(t),
		"a capability it has not":  forge().set("sub", "ci:login").text(t),
		"a key admin cannot have":  forge().set("sub", "admin:apiKey").text(t),
		"a key that was deleted":   forge().set("sub", "ci:apiKey").text(t),
		"a project that is gone":   forge().set("sub", "proj:gone:deploy").set("jti", "known").text(t),
		"a role that is gone":      forge().set("sub", "proj:team:gone").set("jti", "known").text(t),
		"a role's deleted token":   forge().set("sub", "proj:team:deploy").set("jti", "other").text(t),
		"a role without a name":    forge().set("sub", "proj:team:").set("jti", "known").text(t),
	}
	want := Rejected(errors.New("x")).Error()
	for reason, token := range tests {
		who, err := newScene().Verify(token)
		if err == nil || fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("%s: got %+v, %v; want it refused as unauthenticated", reason, who, err)
			continue
		}
		if err.Error() != want {
			t.Errorf("%s: the answer is %q, want %q as for all others", reason, err, want)
		}
	}
}

// compressed is a token whose payload is small and becomes large, as JWE may be.
func compressed(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(bytes.Repeat([]byte(" "), 16<<20))
	_ = w.Close()
	header, _ := json.Marshal(map[string]string{"alg": "HS256", "zip": "DEF"})
	text := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(b.Bytes())
	signature, err := jwt.SigningMethodHS256.Sign(text, []byte(secret.Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestNothingCountsWithoutAKey(t *testing.T) {
	s := newScene()
	s.Key = func() fault.Secret { return fault.Secret{} }
	if who, err := s.Verify(signedBy(jwt.SigningMethodHS256, []byte("")).text(t)); err == nil {
		t.Errorf("a token signed with nothing counts where there is no key: %+v", who)
	}
	if _, err := s.Login(s.accounts[Admin], time.Hour); !fault.Is(err, fault.Stalled) {
		t.Errorf("a token is issued without a key: %v", err)
	}
}

func TestSessionsEnd(t *testing.T) {
	tests := map[string]func(*scene, Caller){
		"by themselves":     func(s *scene, _ Caller) { s.clock.Step(time.Hour) },
		"by signing out":    func(s *scene, who Caller) { _ = s.Revoke(context.Background(), who) },
		"by a new password": func(s *scene, _ Caller) { s.accounts[Admin].SetPassword(secret, s.clock.Now()) },
		"with the account":  func(s *scene, _ Caller) { s.accounts[Admin].Enabled = false },
		"with its right":    func(s *scene, _ Caller) { s.accounts[Admin].Capabilities = nil },
		"with the whole key": func(s *scene, _ Caller) {
			s.Key = func() fault.Secret { return fault.NewSecret("another key of good length") }
		},
	}
	for reason, end := range tests {
		s := newScene()
		s.clock.SetTime(noon.Add(300 * time.Millisecond))
		token, err := s.Login(s.accounts[Admin], time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		who, err := s.Verify(token)
		if err != nil {
			t.Fatalf("%s: a new session does not count: %v", reason, Cause(err))
		}
		end(s, who)
		if _, err := s.Verify(token); err == nil {
			t.Errorf("sessions do not end %s", reason)
		}
	}
}

func TestASessionBegunAfterANewPasswordCounts(t *testing.T) {
	s := newScene()
	s.clock.SetTime(noon.Add(300 * time.Millisecond))
	s.accounts[Admin].SetPassword(secret, s.clock.Now())
	token, err := s.Login(s.accounts[Admin], time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(token); err != nil {
		t.Errorf("whoever signs in within the second of the change is refused: %v", Cause(err))
	}
}

func TestASessionGoesOnWhileItIsUsed(t *testing.T) {
	s := newScene()
	token, err := s.Login(s.accounts[Admin], time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	who, err := s.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	if next, err := s.Renew(who); next != "" || err != nil {
		t.Errorf("a new session is renewed: %v", err)
	}
	s.clock.Step(56 * time.Minute)
	next, err := s.Renew(who)
	if err != nil {
		t.Fatal(err)
	}
	later, err := s.Verify(next)
	if err != nil || later.Expires.Sub(s.clock.Now()) != time.Hour || later.TokenID == who.TokenID {
		t.Errorf("got %+v, %v; want a session of another hour", later, err)
	}
	program := Caller{Kind: APIKey, Subject: Admin, Expires: s.clock.Now().Add(time.Second)}
	if next, err := s.Renew(program); next != "" || err != nil {
		t.Errorf("a token of a program is renewed: %v", err)
	}
}

func TestTokensOfProgramsAreNotRevokedBySigningOut(t *testing.T) {
	s := newScene()
	token, record, err := s.APIKey(s.accounts["ci"], "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s.accounts["ci"].Tokens = append(s.accounts["ci"].Tokens, record)
	who, err := s.Verify(token)
	if err != nil || s.Revoke(context.Background(), who) != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(token); err != nil {
		t.Errorf("the token ended: %v", Cause(err))
	}
}

// FuzzVerify: nothing but a token of ours is let in, and nothing ends the program.
func FuzzVerify(f *testing.F) {
	f.Add("eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhcmdvY2QifQ.x")
	f.Add("a.b.c")
	s := newScene()
	f.Fuzz(func(t *testing.T, token string) {
		if who, err := s.Verify(token); err == nil {
			t.Errorf("let in: %+v", who)
		}
		Ours(token)
	})
}
