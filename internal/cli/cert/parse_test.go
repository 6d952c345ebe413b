// SPDX-License-Identifier: Apache-2.0

package cert

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/bowline-cd/bowline/internal/fault"
)

func TestCertificatesAreTakenOnce(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	one := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	other := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})
	certs, err := certificates(bytes.Join([][]byte{one, []byte("a comment\n"), other, one}, nil))
	if err != nil || len(certs) != 1 || !bytes.Equal(certs[0], one) {
		t.Errorf("got %d, %v", len(certs), err)
	}
	for _, text := range []string{"", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		if _, err := certificates([]byte(text)); !fault.Is(err, fault.Mistake) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestHostKeysOfEachName(t *testing.T) {
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	line := knownhosts.Line([]string{"git.example.com", "[git.example.com]:2222"}, key)
	items, err := hostKeys([]byte("# a comment\n" + line + "\n"))
	if err != nil || len(items) != 2 || items[1].ServerName != "[git.example.com]:2222" || items[0].CertSubType != "ssh-ed25519" ||
		!strings.HasSuffix(line, string(items[0].CertData)) {
		t.Errorf("got %+v, %v of %s", items, err, line)
	}
	_, keys, _ := strings.Cut(line, " ")
	rest := " " + keys
	for _, text := range []string{"", "# nothing\n", "git.example.com nonsense", "@revoked " + line, knownhosts.HashHostname("git.example.com") + rest} {
		if _, err := hostKeys([]byte(text)); !fault.Is(err, fault.Mistake) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func FuzzHostKeys(f *testing.F) {
	f.Add([]byte("git.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB7uWgFNt2PQXSLyRuGSmFYUdhVzbrFH4hXQw8sAqzvL\n"))
	f.Add([]byte("|1|a|b x y"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if items, err := hostKeys(text); (err == nil) != (len(items) > 0) {
			t.Errorf("got %d, %v", len(items), err)
		}
	})
}
