// SPDX-License-Identifier: Apache-2.0

package source

import (
	"encoding/pem"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// A GitHub App from its Secret to the files: one token for refs and fetches, and a new one when the server refuses it.
func TestGitHubAppReadsARepository(t *testing.T) {
	host := newTokenHost(t)
	server := gitserver.New(t, gitserver.Options{TLS: true, Username: "x-access-token", Password: "none yet"})
	host.given = func(token string) { server.SetAccount("x-access-token", token) }
	repo := server.Repo(t, "acme/config")
	first := repo.Write(t, map[string]string{"a": "1"})
	clock := clocktesting.NewFakeClock(host.clock.Now())
	host.clock = clock
	s := openStore(t, func(o *Options) { o.Clock = clock })
	authorities := server.CA() + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: host.Certificate().Raw}))
	c, problems := ParseSecrets([]corev1.Secret{secret("acme", "repo-creds", "url", server.URL+"/acme", "githubAppID", "4711", "githubAppPrivateKey", pkcs1(),
		"githubAppEnterpriseBaseUrl", host.URL+"/api/v3")}, map[string]string{"127.0.0.1": authorities}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	r, err := c.For(repo.URL, "default")
	if err != nil {
		t.Fatal(err)
	}
	if commit, err := s.Resolve(t.Context(), r, Revision{}); err != nil || commit != first {
		t.Fatalf("%s, %v", commit, err)
	}
	read(t, mustTree(t, s, r, first), "a")
	checkIssued(t, host, 1)

	server.SetAccount("x-access-token", "revoked") // as soon as it was made: asking again would not help
	if _, err := s.Refs(t.Context(), r); true {
		checkUnreachable(t, err, ProblemAuth, fault.Stalled)
	}
	checkIssued(t, host, 1)
	clock.Step(2 * time.Minute)
	if _, err := s.Refs(t.Context(), r); err != nil {
		t.Errorf("after a refusal: %v", err)
	}
	checkIssued(t, host, 2)

	second := repo.Write(t, map[string]string{"a": "2"})
	server.SetAccount("x-access-token", "revoked")
	clock.Step(2 * time.Minute)
	if got := read(t, mustTree(t, s, r, second), "a"); got != "2" { // by git
		t.Errorf("got %q", got)
	}
	checkIssued(t, host, 3)
	mirrors, err := filepath.Glob(filepath.Join(s.dir, "mirrors", "*"))
	if err != nil || len(mirrors) != 1 {
		t.Errorf("three tokens, %d mirrors", len(mirrors))
	}
}

func checkIssued(t *testing.T, host *tokenHost, want int) {
	t.Helper()
	if issued, _ := host.counts(); issued != want {
		t.Errorf("%d tokens, want %d", issued, want)
	}
}
