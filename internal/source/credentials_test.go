// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/internal/fault"
)

func secret(name, kind string, pairs ...string) corev1.Secret {
	s := corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: name, Labels: map[string]string{SecretTypeLabel: kind}}, Data: map[string][]byte{}}
	for i := 0; i < len(pairs); i += 2 {
		s.Data[pairs[i]] = []byte(pairs[i+1])
	}
	return s
}

func TestCredentialsFor(t *testing.T) {
	c, problems := ParseSecrets([]corev1.Secret{
		secret("exact", "repository", "url", "https://github.com/Company/Infra", "username", "exact", "password", "p\n", "type", "git"),
		secret("scoped", "repository", "url", "https://github.com/company/infra.git", "username", "scoped", "password", "p", "project", "team"),
		secret("other-project", "repository", "url", "https://github.com/company/private", "username", "private", "password", "p", "project", "team"),
		secret("bare", "repository", "url", "https://github.com/company/bare", "proxy", "http://proxy:3128", "insecure", "true"),
		secret("chart", "repository", "url", "https://github.com/company/charts", "username", "chart", "password", "p", "type", "helm"),
		secret("org", "repo-creds", "url", "https://github.com/company", "username", "org", "password", "p"),
		secret("host", "repo-creds", "url", "https://github.com", "username", "host", "password", "p"),
		secret("ssh", "repo-creds", "url", "git@github.com:company", "sshPrivateKey", "KEY"),
		secret("cluster", "cluster", "url", "https://github.com/company/x"),
	}, map[string]string{"github.com": "PEM"}, map[string]string{KnownHostsKey: "github.com ssh-ed25519 AAAA"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, test := range []struct{ url, project, want string }{
		{"https://github.com/company/infra.git", "default", "exact"},
		{"https://github.com/company/infra.git", "team", "scoped"},
		{"https://github.com/company/private", "team", "private"},
		{"https://github.com/company/private", "default", "org"}, // never a project's own credentials
		{"https://github.com/company/bare", "default", "org"},
		{"https://github.com/company/charts", "default", "org"},
		{"https://github.com/company/else", "default", "org"},
		{"https://github.com/elsewhere/x", "default", "host"},
		{"https://github.com.evil.org/company/x", "default", ""},
		{"https://github.com:8443/company/x", "default", ""},
		{"https://gitlab.com/company/x", "default", ""},
		{"http://github.com/company/x", "default", ""},
	} {
		r, err := c.For(test.url, test.project)
		if err != nil || r.Username != test.want || r.URL != test.url {
			t.Errorf("%s of %s: %q, %v; want %q", test.url, test.project, r.Username, err, test.want)
		}
	}
	r, err := c.For("https://github.com/company/bare", "default")
	if err != nil || r.Proxy != "http://proxy:3128" || !r.Insecure || r.CA != "PEM" || r.Password.Reveal() != "p" {
		t.Errorf("bare: %+v, %v", r, err)
	}
	r, err = c.For("ssh://git@github.com/company/x.git", "default")
	if err != nil || r.SSHPrivateKey.Reveal() != "KEY" || !strings.HasPrefix(r.KnownHosts, "github.com ") {
		t.Errorf("ssh: %+v, %v", r, err)
	}
	if text := fmt.Sprintf("%+v %v %#v", r, r, r); strings.Contains(text, "KEY") {
		t.Errorf("prints its key: %s", text)
	}
}

func TestBrokenSecretsAreNamedAndCostNobodyElse(t *testing.T) {
	c, problems := ParseSecrets([]corev1.Secret{
		secret("no-url", "repository", "username", "u"),
		secret("bad-flag", "repository", "url", "https://a/b", "insecure", "perhaps"),
		secret("bad-depth", "repository", "url", "https://a/b", "depth", "-1"),
		secret("good", "repository", "url", "https://a/b", "username", "good"),
	}, nil, nil)
	if len(problems) != 3 {
		t.Errorf("problems: %v", problems)
	}
	for _, problem := range problems {
		if !fault.Is(problem, fault.Mistake) || !strings.Contains(problem.Error(), "Secret argocd/") || !strings.Contains(problem.Error(), "data.") {
			t.Errorf("unclear: %v", problem)
		}
	}
	if r, err := c.For("https://a/b", ""); err != nil || r.Username != "good" {
		t.Errorf("%+v, %v", r, err)
	}
}
