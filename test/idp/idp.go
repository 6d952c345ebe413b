// SPDX-License-Identifier: Apache-2.0

// Package idp starts identity providers for tests: the LDAP server slapd, the certified OpenID provider oidc-provider of npm, and
// crewjam's SAML provider. Each is a program of its own on loopback, and ends with the test that started it.
package idp

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// here is the folder of this package.
func here() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// serve starts a program that ends when its input does, writes a line to it, and returns the first line it answers.
func serve(t testing.TB, cmd *exec.Cmd, line string) string {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := &tail{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", cmd.Path, err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	if line != "" {
		_, _ = io.WriteString(in, line+"\n")
	}
	reader := bufio.NewReader(out)
	answer, err := reader.ReadString('\n')
	if err != nil {
		t.Fatalf("%s ended without saying where it is: %v\n%s", cmd.Path, err, said)
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	return strings.TrimSpace(answer)
}

// tail keeps what a program says.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// Client is a program that is registered at an OpenID provider.
type Client struct {
	ID        string   `json:"client_id"`
	Secret    string   `json:"client_secret,omitempty"`
	Redirects []string `json:"redirect_uris"`
	Grants    []string `json:"grant_types"`
}

// StartOIDC starts oidc-provider and returns its issuer. people are claims by the name one signs in with; any password does.
func StartOIDC(t testing.TB, clients []Client, people map[string]map[string]any) string {
	t.Helper()
	dir := filepath.Join(here(), "oidc")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "oidc-provider")); err != nil {
		t.Fatal("the OpenID provider of the tests is not installed: run scripts/need-for-tests")
	}
	for i := range clients {
		clients[i].Grants = []string{"authorization_code", "refresh_token"}
	}
	config, err := json.Marshal(map[string]any{"clients": clients, "people": people})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "server.mjs")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "IDP_CONFIG="+string(config))
	return serve(t, cmd, "")
}

// SAMLPerson is one who may sign in at a SAML provider.
type SAMLPerson struct {
	Name       string   `json:"name"`
	Password   string   `json:"password"`
	Email      string   `json:"email"`
	CommonName string   `json:"common_name"`
	Groups     []string `json:"groups"`
}

// SAML is a provider that was started.
type SAML struct {
	// Address is where it is; <Address>/sso is where requests are posted, <Address>/metadata what it calls itself.
	Address string `json:"address"`
	// Certificate is what it signs with, in PEM.
	Certificate string `json:"certificate"`
}

// StartSAML starts a SAML provider for one service, described by its metadata.
func StartSAML(t testing.TB, metadata string, people []SAMLPerson) SAML {
	t.Helper()
	cmd := exec.Command("go", "run", "./saml") // which Go builds once and keeps
	cmd.Dir = here()
	var users []map[string]any
	for _, p := range people {
		users = append(users, map[string]any{"name": p.Name, "password": p.Password, "email": p.Email, "common_name": p.CommonName, "groups": p.Groups})
	}
	config, err := json.Marshal(map[string]any{"metadata": metadata, "people": users})
	if err != nil {
		t.Fatal(err)
	}
	var out SAML
	if err := json.Unmarshal([]byte(serve(t, cmd, string(config))), &out); err != nil {
		t.Fatal(err)
	}
	return out
}
