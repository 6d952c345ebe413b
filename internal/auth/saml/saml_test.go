// SPDX-License-Identifier: Apache-2.0

package saml

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/auth/connector"
)

func certificate(t testing.TB) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
}

func config(t testing.TB, change map[string]any) connector.Block {
	t.Helper()
	fields := map[string]any{"ssoURL": "https://idp.example.com/sso", "usernameAttr": "cn", "emailAttr": "mail", "caData": certificate(t)}
	for name, value := range change {
		fields[name] = value
	}
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return connector.Block{Type: "saml", ID: "corp", Config: data}
}

func TestMistakesInTheSettingsAreNamed(t *testing.T) {
	for field, value := range map[string]any{
		"ssoURL": "", "usernameAttr": "", "emailAttr": "", "caData": "", "nameIDPolicyFormat": "unheard-of", "insecureSkipSignatureValidation": true,
	} {
		if _, err := Open(config(t, map[string]any{field: value}), "https://b.example.com/api/dex/callback"); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s = %v: %v, want an error that names it", field, value, err)
		}
	}
	if _, err := Open(config(t, map[string]any{"nameIDPolicyFormat": "emailAddress"}), "https://b.example.com/api/dex/callback"); err != nil {
		t.Error(err)
	}
}

// FuzzAnswer: nothing that was not signed by the provider is ever somebody.
func FuzzAnswer(f *testing.F) {
	c, err := Open(config(f, nil), "https://b.example.com/api/dex/callback")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="a" Version="2.0" InResponseTo="id-1">` +
		`<saml:Issuer>https://idp.example.com</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>` +
		`<saml:Assertion ID="b" Version="2.0"><saml:Issuer>https://idp.example.com</saml:Issuer><saml:Subject><saml:NameID>admin</saml:NameID></saml:Subject></saml:Assertion></samlp:Response>`)
	f.Add("")
	f.Add("<a/>")
	f.Fuzz(func(t *testing.T, answer string) {
		if who, err := c.read(base64.StdEncoding.EncodeToString([]byte(answer)), "id-1"); err == nil {
			t.Errorf("an answer that nobody signed is %+v:\n%s", who, answer)
		}
	})
}
