// SPDX-License-Identifier: Apache-2.0

package source

import (
	"encoding/json"
	"fmt"
	"os"
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
		secret("write", "repository-write", "url", "https://github.com/elsewhere/x", "username", "write", "password", "p"),
		secret("write-all", "repo-write-creds", "url", "https://gitlab.com", "username", "write", "password", "p"),
		secret("scm", "scm-creds", "url", "https://gitlab.com", "username", "scm", "password", "p"),
	}, map[string]string{"GitHub.com": "PEM"}, map[string]string{KnownHostsKey: "# ours\ngithub.com ssh-ed25519 AAAA\ngitlab.com ssh-ed25519 BBBB\n"})
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
		{"https://github.com/elsewhere/x", "default", "host"}, // never those for writing
		{"https://github.com.evil.org/company/x", "default", ""},
		{"https://github.com@evil.org/company/x", "default", ""},
		{"https://evil.org/github.com/company/x", "default", ""},
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
	if err != nil || r.SSHPrivateKey.Reveal() != "KEY" || r.KnownHosts != "github.com ssh-ed25519 AAAA\n" {
		t.Errorf("ssh: %+v, %q, %v", r, r.KnownHosts, err)
	}
}

// TestAProjectsProxySeesNoCredentialsForAll: who may declare a repository of one project cannot have the credentials that are for
// everybody sent to a proxy of theirs.
func TestAProjectsProxySeesNoCredentialsForAll(t *testing.T) {
	all := secret("all", "repo-creds", "url", "https://git.example", "username", "all", "password", "p")
	for _, tt := range []struct {
		reason string
		pairs  []string
		want   string // the user name; "" if the credentials are withheld
	}{
		{"unverified by a proxy", []string{"project", "team", "proxy", "http://theirs:3128", "insecure", "true"}, ""},
		{"by a proxy, which sees nothing", []string{"project", "team", "proxy", "http://theirs:3128"}, "all"},
		{"unverified without a proxy", []string{"project", "team", "insecure", "true"}, "all"},
		{"declared for everybody", []string{"proxy", "http://ours:3128", "insecure", "true"}, "all"},
		{"with its own credentials", []string{"project", "team", "proxy", "http://theirs:3128", "insecure", "true", "username", "own", "password", "p"}, "own"},
	} {
		c := mustCredentials(t, "", all, secret("one", "repository", append(tt.pairs, "url", "https://git.example/a")...))
		r, err := c.For("https://git.example/a", "team")
		if tt.want == "" && (!fault.Is(err, fault.Forbidden) || r.Username != "") || tt.want != "" && (err != nil || r.Username != tt.want) {
			t.Errorf("%s: got %q, %v; want %q", tt.reason, r.Username, err, tt.want)
		}
	}
}

func TestCredentialsForChartsAndRegistries(t *testing.T) {
	c, problems := ParseSecrets([]corev1.Secret{
		secret("charts", "repository", "url", "https://charts.example.com/stable", "type", "helm", "name", "stable", "username", "charts", "password", "p"),
		secret("charts-team", "repository", "url", "https://charts.example.com/team", "type", "helm", "name", "stable", "username", "team", "password", "p", "project", "team"),
		secret("forge", "repo-creds", "url", "https://forge.example.com", "username", "forge", "password", "p"),
		secret("forge-charts", "repo-creds", "url", "https://forge.example.com", "type", "helm", "username", "forge-charts", "password", "p"),
		secret("git-only", "repo-creds", "url", "https://git.example.com", "type", "git", "username", "git", "password", "p"),
		secret("oci-helm", "repository", "url", "Registry.example.com:5000/charts", "type", "helm", "name", "private", "enableOCI", "true", "username", "oci-helm", "password", "p"),
		secret("oci", "repository", "url", "oci://registry.example.com:5000/manifests", "type", "oci", "username", "oci", "password", "p", "insecureOCIForceHttp", "true"),
		secret("oci-all", "repo-creds", "url", "registry.example.com:5000", "type", "helm", "enableOCI", "true", "username", "oci-all", "password", "p"),
		secret("untyped", "repository", "url", "https://charts.example.com/untyped", "username", "untyped", "password", "p"),
	}, map[string]string{"registry.example.com": "PEM"}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, test := range []struct{ kind, url, project, want string }{
		{KindHelm, "https://charts.example.com/stable", "default", "charts"},
		{KindHelm, "https://charts.example.com/stable/", "default", ""}, // another address, as in Argo CD
		{KindGit, "https://charts.example.com/stable", "default", ""},
		{KindHelm, "https://charts.example.com/untyped", "default", "untyped"},
		{KindHelm, "https://forge.example.com/api/helm", "default", "forge-charts"},
		{KindGit, "https://forge.example.com/team/repo", "default", "forge"},
		{KindHelm, "https://git.example.com/charts", "default", ""},
		{KindHelm, "registry.example.com:5000/charts", "default", "oci-helm"},
		{KindHelm, "oci://registry.example.com:5000/charts", "default", "oci-helm"},
		{KindOCI, "oci://registry.example.com:5000/charts", "default", "oci-helm"},
		{KindOCI, "oci://REGISTRY.example.com:5000/manifests/", "default", "oci"},
		{KindOCI, "oci://registry.example.com:5000/else/x", "default", "oci-all"},
		{KindOCI, "oci://registry.example.com:5001/manifests", "default", ""},
		{KindOCI, "oci://registry.example.com/manifests", "default", ""},
		{KindOCI, "oci://registry.example.com:5000.evil.org/manifests", "default", ""},
		{KindGit, "https://registry.example.com:5000/manifests", "default", ""},
	} {
		r, err := c.ForType(test.kind, test.url, test.project)
		if err != nil || r.Username != test.want || r.URL != test.url {
			t.Errorf("%s %s of %s: %q, %v; want %q", test.kind, test.url, test.project, r.Username, err, test.want)
		}
	}
	r, err := c.ForType(KindOCI, "oci://registry.example.com:5000/manifests", "default")
	if err != nil || !r.InsecureOCIForceHTTP || r.CA != "PEM" {
		t.Errorf("%+v, %v", r, err)
	}
	for _, test := range []struct{ name, project, want string }{
		{"stable", "default", "https://charts.example.com/stable"}, {"stable", "team", "https://charts.example.com/team"},
		{"private", "default", "Registry.example.com:5000/charts"}, {"gone", "default", ""}, {"", "default", ""},
	} {
		r, ok, err := c.ByName(test.name, test.project)
		if r.URL != test.want || ok != (test.want != "") || err != nil || ok && r.Password.Empty() {
			t.Errorf("%q of %s: %q, %t, %v", test.name, test.project, r.URL, ok, err)
		}
	}
}

func TestBrokenSecretsAreNamedAndCostNobodyElse(t *testing.T) {
	key, certificate := pkcs1(), "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"
	const canary = "hunter2-canary"
	for _, test := range []struct {
		key   string
		pairs []string
	}{
		{"url", []string{"url", "https://a/b\nc"}},
		{"type", []string{"type", "hg"}},
		{"insecure", []string{"insecure", "perhaps"}},
		{"enableOCI", []string{"enableOCI", canary}},
		{"depth", []string{"depth", "-1"}},
		{"password", []string{"password", canary + "\nX-Header: 1"}},
		{"bearerToken", []string{"bearerToken", canary + "\r\nX-Header: 1"}},
		{"username", []string{"username", "a\x00b"}},
		{"proxy", []string{"proxy", "ftp://" + canary + ":x@proxy"}},
		{"proxy", []string{"proxy", "--proxy-user=" + canary}},
		{"proxy", []string{"proxy", "socks5://u:" + canary + "@-oProxyCommand=x:1080"}},
		{"proxy", []string{"proxy", "socks5://127.0.0.1:1080/" + canary}},
		{"proxy", []string{"proxy", "http://u:" + canary + "%0a@proxy"}},
		{"tlsClientCertData", []string{"tlsClientCertData", certificate, "tlsClientCertKey", canary}},
		{"tlsClientCertData", []string{"tlsClientCertKey", canary}},
		{"githubAppID", []string{"githubAppPrivateKey", key}},
		{"githubAppID", []string{"githubAppID", "../1", "githubAppPrivateKey", key}},
		{"githubAppInstallationID", []string{"githubAppID", "1", "githubAppInstallationID", "1/../2", "githubAppPrivateKey", key}},
		{"githubAppPrivateKey", []string{"githubAppID", "1", "githubAppPrivateKey", canary}},
		{"githubAppEnterpriseBaseUrl", []string{"githubAppID", "1", "githubAppPrivateKey", key, "githubAppEnterpriseBaseUrl", "http://ghe.example.com"}},
		{"githubAppEnterpriseBaseUrl", []string{"githubAppID", "1", "githubAppPrivateKey", key, "githubAppEnterpriseBaseUrl", "https://u:" + canary + "@ghe.example.com"}},
		{"gcpServiceAccountKey", []string{"gcpServiceAccountKey", `{"type":"authorized_user","client_secret":"` + canary + `"}`}},
		{"gcpServiceAccountKey", []string{"gcpServiceAccountKey", `{"type":"service_account","client_email":"a@b","private_key":"` + canary + `"}`}},
		{"gcpServiceAccountKey", []string{"gcpServiceAccountKey", googleKey("http://169.254.169.254/token")}},
		{"azureServicePrincipalTenantId", []string{"azureServicePrincipalClientId", "a", "azureServicePrincipalClientSecret", canary, "azureServicePrincipalTenantId", "a/../b"}},
		{"azureServicePrincipalClientSecret", []string{"azureServicePrincipalClientId", "a", "azureServicePrincipalTenantId", "b"}},
		{"azureActiveDirectoryEndpoint", []string{"azureServicePrincipalClientId", "a", "azureServicePrincipalClientSecret", canary, "azureServicePrincipalTenantId", "b", "azureActiveDirectoryEndpoint", "file:///" + canary}},
		{"useAzureWorkloadIdentity", []string{"useAzureWorkloadIdentity", "yes please"}},
	} {
		broken := secret("broken", "repository", append([]string{"url", "https://a/b", "username", canary}, test.pairs...)...)
		c, problems := ParseSecrets([]corev1.Secret{broken,
			secret("template", "repo-creds", "url", "https://a", "username", "template", "password", "p"),
			secret("good", "repository", "url", "https://a/good", "username", "good", "password", "p"),
		}, nil, nil)
		if len(problems) != 1 || !fault.Is(problems[0], fault.Mistake) || !strings.Contains(problems[0].Error(), "Secret argocd/broken at data."+test.key+": ") {
			t.Errorf("%s: %v", test.key, problems)
		}
		if text := fmt.Sprint(problems); strings.Contains(text, canary) || strings.Contains(text, "PRIVATE") {
			t.Errorf("%s: tells a secret: %s", test.key, text)
		}
		if r, err := c.For("https://a/good", ""); err != nil || r.Username != "good" {
			t.Errorf("%s: another repository: %+v, %v", test.key, r, err)
		}
		// Whom it is for is told, instead of being read in somebody else's name.
		if r, err := c.For("https://a/b", ""); test.key != "url" && err == nil {
			t.Errorf("%s: read as %q", test.key, r.Username)
		}
	}
	c, problems := ParseSecrets([]corev1.Secret{
		secret("bad", "repository", "url", "https://a/b", "insecure", "perhaps"), secret("good", "repository", "url", "https://a/b", "username", "good"),
		secret("no-url", "repository", "username", "u"),
	}, nil, nil)
	if r, err := c.For("https://a/b", ""); err != nil || r.Username != "good" || len(problems) != 2 {
		t.Errorf("a good one beside it: %+v, %v, %v", r, err, problems)
	}
}

func TestPassphrasesAreNamed(t *testing.T) {
	const locked = `-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF

AAAA
-----END RSA PRIVATE KEY-----
`
	_, problems := ParseSecrets([]corev1.Secret{secret("s", "repository", "url", "git@a:b", "sshPrivateKey", locked)}, nil, nil)
	if len(problems) != 1 || !strings.Contains(problems[0].Error(), "passphrase") {
		t.Errorf("%v", problems)
	}
}

func TestKnownHostsOfAHost(t *testing.T) {
	const file = "# comment\n\ngit.example.com ssh-ed25519 A\r\nother.example.com ssh-ed25519 B\n[git.example.com]:2222,[10.0.0.1]:2222 ssh-ed25519 C\n" +
		"|1|salt|hash ssh-ed25519 D\n*.example.com ssh-ed25519 E\n@cert-authority other.org ssh-ed25519 F\n@revoked * ssh-ed25519 G\n!x,y ssh-ed25519 H\n  GIT.example.com\tssh-ed25519 I"
	var kept []string
	for line := range strings.Lines(knownHostsOf(file, "git.example.com")) {
		kept = append(kept, strings.TrimSuffix(line[len(line)-2:], "\n"))
	}
	if got := strings.Join(kept, ""); got != "ACDEFGHI" {
		t.Errorf("kept %s", got)
	}
	before, err := mustCredentials(t, "git.example.com ssh-ed25519 A\n").For("git@git.example.com:x", "")
	if err != nil {
		t.Fatal(err)
	}
	after, err := mustCredentials(t, "git.example.com ssh-ed25519 A\nnew.example.com ssh-ed25519 B\n").For("git@git.example.com:x", "")
	if err != nil || before.Key() != after.Key() {
		t.Errorf("a key for another host makes a new mirror: %v", err)
	}
}

func mustCredentials(t *testing.T, knownHosts string, secrets ...corev1.Secret) *Credentials {
	t.Helper()
	c, problems := ParseSecrets(secrets, nil, map[string]string{KnownHostsKey: knownHosts})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return c
}

func FuzzKnownHosts(f *testing.F) {
	f.Add("git.example.com ssh-ed25519 A\n[git.example.com]:2222 x\n|1|a|b c", "git.example.com")
	f.Fuzz(func(t *testing.T, file, host string) {
		kept := knownHostsOf(file, host)
		for line := range strings.Lines(kept) {
			if !strings.Contains(file, strings.TrimRight(line, "\n")) {
				t.Errorf("line %q is not in the file", line)
			}
		}
		if again := knownHostsOf(kept, host); again != kept {
			t.Errorf("kept %q, then %q", kept, again)
		}
	})
}

func FuzzParseSecret(f *testing.F) {
	f.Add("https://a/b", "http://proxy:1", googleKey("https://x/token"), "1")
	f.Fuzz(func(t *testing.T, url, proxy, google, app string) {
		s := secret("s", "repository", "url", url, "proxy", proxy, "gcpServiceAccountKey", google, "githubAppID", app, "githubAppPrivateKey", app)
		c, problems := ParseSecrets([]corev1.Secret{s}, nil, nil)
		r, err := c.For(url, "")
		if len(problems) == 0 && err == nil && newline.MatchString(r.URL+r.Proxy+r.GitHubApp.ID+r.Google.Email) {
			t.Errorf("accepted %+v", r)
		}
	})
}

// Whatever is set, nothing of a repository but its address is printed.
func TestRepositoriesPrintNoSecret(t *testing.T) {
	s := secret("s", "repository", "url", "https://u:canary-url@git.example.com/x", "username", "u", "password", "canary-password", "proxy", "http://u:canary-proxy@proxy:1",
		"sshPrivateKey", "canary-ssh", "githubAppID", "1", "githubAppPrivateKey", pkcs1(), "gcpServiceAccountKey", googleKey("https://x/token"),
		"azureServicePrincipalClientId", "a", "azureServicePrincipalClientSecret", "canary-azure", "azureServicePrincipalTenantId", "b")
	r, err := mustCredentials(t, "", s).For("https://u:canary-url@git.example.com/x", "")
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]any{"r": r, "p": &r})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %q", r, r, r, r, r), fmt.Sprintf("%v %+v", &r, []Repository{r}), string(data),
		unreachable("x", r, ProblemAuth, strings.Join(r.secrets(), " ")).Error()} {
		if strings.Contains(text, "canary") || strings.Contains(text, "PRIVATE") {
			t.Errorf("prints %s", text)
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, test := range []struct {
		r    Repository
		want string
	}{
		{Repository{URL: "https://git.example.com/x"}, ""},
		{Repository{URL: "git@git.example.com:x"}, ""},
		{Repository{URL: "http://git.example.com/x"}, "without encryption"},
		{Repository{URL: "http://127.0.0.1:3000/x"}, ""},
		{Repository{URL: "http://localhost/x"}, ""},
		{Repository{URL: "https://git.example.com/x", Insecure: true}, "TLS certificate is not checked"},
		{Repository{URL: "https://git.example.com/x", InsecureIgnoreHostKey: true}, ""},
		{Repository{URL: "git@git.example.com:x", InsecureIgnoreHostKey: true}, "SSH host key is not checked"},
		{Repository{URL: "git@git.example.com:x", Insecure: true}, "SSH host key is not checked"},
		{Repository{URL: "oci://registry.example.com/x", InsecureOCIForceHTTP: true}, "without encryption"},
		{Repository{URL: "oci://registry.example.com/x", Insecure: true}, "TLS certificate is not checked"},
	} {
		got := strings.Join(test.r.Warnings(), "\n")
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s %+v: %q", test.r.URL, test.r.Insecure, got)
		}
	}
}

// All that decides about access or the way there tells mirrors apart; what does not, does not.
func TestKeysTellRepositoriesApart(t *testing.T) {
	base := Repository{URL: "https://git.example.com/x", Username: "u", Password: fault.NewSecret("p")}
	seen := map[string]string{base.Key(): "base"}
	for name, change := range map[string]func(*Repository){
		"url": func(r *Repository) { r.URL += "y" }, "project": func(r *Repository) { r.Project = "team" }, "user": func(r *Repository) { r.Username = "v" },
		"password": func(r *Repository) { r.Password = fault.NewSecret("q") }, "token": func(r *Repository) { r.BearerToken = fault.NewSecret("q") },
		"ssh": func(r *Repository) { r.SSHPrivateKey = fault.NewSecret("q") }, "certificate": func(r *Repository) { r.TLSClientCert = "c" },
		"app": func(r *Repository) { r.GitHubApp.ID = "1" }, "installation": func(r *Repository) { r.GitHubApp.InstallationID = "1" },
		"app key": func(r *Repository) { r.GitHubApp.PrivateKey = fault.NewSecret("1") }, "base": func(r *Repository) { r.GitHubApp.BaseURL = "1" },
		"google": func(r *Repository) { r.Google.PrivateKey = fault.NewSecret("1") }, "azure": func(r *Repository) { r.Azure.ClientSecret = fault.NewSecret("1") },
		"workload": func(r *Repository) { r.Azure.Workload = true }, "ca": func(r *Repository) { r.CA = "1" }, "hosts": func(r *Repository) { r.KnownHosts = "1" },
		"insecure": func(r *Repository) { r.Insecure = true }, "proxy": func(r *Repository) { r.Proxy = "http://p" }, "lfs": func(r *Repository) { r.EnableLFS = true },
	} {
		r := base
		change(&r)
		if other, ok := seen[r.Key()]; ok {
			t.Errorf("%s is the same mirror as %s", name, other)
		}
		seen[r.Key()] = name
	}
	same := base
	same.Name, same.Depth, same.ForceHTTPBasicAuth, same.Type = "n", 3, true, KindGit
	if same.Key() != base.Key() {
		t.Error("a name makes another mirror")
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/git-repositories.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range strings.Fields(`url type name project username password bearerToken sshPrivateKey tlsClientCertData tlsClientCertKey insecure
		insecureIgnoreHostKey enableLfs enableOCI insecureOCIForceHttp forceHttpBasicAuth proxy noProxy depth githubAppID githubAppInstallationID githubAppPrivateKey
		githubAppEnterpriseBaseUrl gcpServiceAccountKey useAzureWorkloadIdentity azureServicePrincipalClientId azureServicePrincipalClientSecret
		azureServicePrincipalTenantId azureActiveDirectoryEndpoint webhookManifestCacheWarmDisabled`) {
		if !strings.Contains(string(page), "`"+key+"`") {
			t.Errorf("%s is not in docs/reference/git-repositories.md", key)
		}
	}
}

// Whoever may push writes the addresses of files: the credentials of a Git host are not for them.
func TestCredentialsOfFiles(t *testing.T) {
	secret := func(name, kind, url, typ string) corev1.Secret {
		s := corev1.Secret{Data: map[string][]byte{"url": []byte(url), "username": []byte(name), "password": []byte("canary"), "type": []byte(typ)}}
		s.Name, s.Labels = name, map[string]string{SecretTypeLabel: kind}
		return s
	}
	c, problems := ParseSecrets([]corev1.Secret{
		secret("any", SecretTypeRepoCreds, "https://git.example", ""), secret("git", SecretTypeRepoCreds, "https://git.example/team", "git"),
		secret("charts", SecretTypeRepoCreds, "https://charts.example", "helm"), secret("exact", SecretTypeRepo, "https://git.example/api/v1/user", ""),
	}, nil, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for address, want := range map[string]string{
		"https://git.example/team/app/raw/values.yaml": "", "https://git.example/api/v1/user": "", "https://charts.example/values.yaml": "charts",
	} {
		r, err := c.ForType(KindFile, address, "default")
		if err != nil || r.Username != want || r.vouched() != (want != "") {
			t.Errorf("%s: %q, want %q; %v", address, r.Username, want, err)
		}
	}
}
