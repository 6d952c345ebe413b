// SPDX-License-Identifier: Apache-2.0

package source

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what known_hosts files hash names with
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/egress"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// Somebody on the way answers for the host: with a certificate of another authority, of another name, or that has ended.
func TestHTTPSServersAreVerified(t *testing.T) {
	stranger := gitserver.New(t, gitserver.Options{TLS: true})
	for name, test := range map[string]struct {
		options gitserver.Options
		ca      func(*gitserver.Server) string
		want    string
	}{
		"sound":           {gitserver.Options{TLS: true}, (*gitserver.Server).CA, ""},
		"other authority": {gitserver.Options{TLS: true}, func(*gitserver.Server) string { return stranger.CA() }, "unknown authority"},
		"system's only":   {gitserver.Options{TLS: true}, func(*gitserver.Server) string { return "" }, "unknown authority"},
		"expired":         {gitserver.Options{TLS: true, Expired: true}, (*gitserver.Server).CA, "expired"},
		"other name":      {gitserver.Options{TLS: true, OtherName: true}, (*gitserver.Server).CA, "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			test.options.Username, test.options.Password = "u", "topsecret"
			server := gitserver.New(t, test.options)
			repo := server.Repo(t, "config")
			sha := repo.Write(t, map[string]string{"a": "1"})
			s := openStore(t, nil)
			r := Repository{URL: repo.URL, CA: test.ca(server), Username: "u", Password: fault.NewSecret("topsecret")}
			_, refsErr := s.Refs(t.Context(), r)
			_, treeErr := s.Tree(t.Context(), r, sha, nil) // by git
			if test.want == "" {
				if refsErr != nil || treeErr != nil {
					t.Errorf("refs: %v; fetch: %v", refsErr, treeErr)
				}
				return
			}
			checkUnreachable(t, refsErr, ProblemTLS, fault.Stalled)
			checkUnreachable(t, treeErr, ProblemTLS, fault.Stalled)
			if !strings.Contains(refsErr.Error(), test.want) || !strings.Contains(treeErr.Error(), "argocd-tls-certs-cm") {
				t.Errorf("refs: %v\nfetch: %v", refsErr, treeErr)
			}
			if c := server.Counts(); c != (gitserver.Counts{}) {
				t.Errorf("the host that nobody vouches for was asked: %+v", c)
			}
			r.Insecure = true
			if _, err := s.Refs(t.Context(), r); err != nil {
				t.Errorf("insecure: %v", err)
			}
			if _, err := s.Tree(t.Context(), r, sha, nil); err != nil {
				t.Errorf("insecure fetch: %v", err)
			}
		})
	}
}

// hashedLine is a line of a known_hosts file as ssh-keygen -H writes it.
func hashedLine(line string) string {
	name, key, _ := strings.Cut(line, " ")
	salt := make([]byte, sha1.Size)
	_, _ = rand.Read(salt)
	h := hmac.New(sha1.New, salt)
	_, _ = h.Write([]byte(name))
	return "|1|" + base64.StdEncoding.EncodeToString(salt) + "|" + base64.StdEncoding.EncodeToString(h.Sum(nil)) + " " + key
}

func TestSSHHostsAreVerified(t *testing.T) {
	root := t.TempDir()
	repo, err := gitserver.Init(root + "/config.git")
	if err != nil {
		t.Fatal(err)
	}
	sha := repo.Write(t, map[string]string{"a": "1"})
	server, stranger := gitserver.NewSSH(t, root), gitserver.NewSSH(t, root)
	address := strings.TrimPrefix(server.URL, "ssh://git@")
	_, key, _ := strings.Cut(server.KnownHosts, " ")
	_, otherKey, _ := strings.Cut(stranger.KnownHosts, " ")
	_, otherAuthority, _ := strings.Cut(strings.TrimPrefix(stranger.Authority, "@cert-authority "), " ")
	_, port, _ := strings.Cut(address, ":")
	own := "[127.0.0.1]:" + port + " "
	for name, test := range map[string]struct {
		hosts string
		ok    bool
	}{
		"key with port":       {server.KnownHosts, true},
		"hashed":              {hashedLine(server.KnownHosts), true},
		"several names":       {"git.example.com,[127.0.0.1]:" + port + " " + key, true},
		"pattern":             {"[127.0.0.*]:" + port + " " + key, true},
		"among others":        {stranger.KnownHosts + "# note\n" + server.KnownHosts, true},
		"authority":           {server.Authority, true},
		"without port":        {"127.0.0.1 " + key, true}, // ssh takes it for every port
		"other key":           {own + otherKey, false},
		"other key, hashed":   {hashedLine(own + otherKey), false},
		"other authority":     {"@cert-authority " + own + otherAuthority, false},
		"revoked":             {server.KnownHosts + "@revoked * " + key, false},
		"negated":             {"!" + own + key, false},
		"authority as a key":  {strings.TrimPrefix(server.Authority, "@cert-authority "), false},
		"nothing about it":    {"github.com " + key, false},
		"empty":               {"", false},
		"authority elsewhere": {strings.Replace(server.Authority, "127.0.0.1", "127.0.0.2", 1), false},
	} {
		t.Run(name, func(t *testing.T) {
			c := mustCredentials(t, test.hosts, secret("s", "repo-creds", "url", server.URL, "sshPrivateKey", server.ClientKey))
			r, err := c.For(server.URL+"/config.git", "")
			if err != nil {
				t.Fatal(err)
			}
			s := openStore(t, nil)
			_, refsErr := s.Refs(t.Context(), r)
			if test.ok {
				if refsErr != nil {
					t.Fatal(refsErr)
				}
				read(t, mustTree(t, s, r, sha), "a")
				return
			}
			checkUnreachable(t, refsErr, ProblemHostKey, fault.Stalled)
			if !strings.Contains(refsErr.Error(), "argocd-ssh-known-hosts-cm") {
				t.Errorf("no advice: %v", refsErr)
			}
			_, err = s.Tree(t.Context(), r, sha, nil)
			checkUnreachable(t, err, ProblemHostKey, fault.Stalled)
			r.Insecure = true // as in Argo CD, it speaks of host keys too
			if _, err := s.Refs(t.Context(), r); err != nil && !strings.Contains(test.hosts, "@revoked") {
				t.Errorf("insecure: %v", err)
			}
		})
	}
}

func TestProxies(t *testing.T) {
	plain := gitserver.New(t, gitserver.Options{Username: "u", Password: "topsecret"})
	secure := gitserver.New(t, gitserver.Options{TLS: true, OtherName: true, Username: "u", Password: "topsecret"})
	for _, test := range []struct {
		name     string
		server   *gitserver.Server
		scheme   string // of the proxy
		user     string
		asked    string // what begins each line that the proxy notes
		password string
	}{
		{"http", plain, "http", "", "http://git.example.org/config.git", ""},
		{"https", secure, "http", "", "CONNECT git.example.org:443", ""},
		{"https with password", secure, "http", "robot", "CONNECT git.example.org:443", "proxy-pass:word"},
		{"socks5", plain, "socks5", "", "socks5 git.example.org:80", ""},
		{"socks5 with password", secure, "socks5", "robot", "socks5 git.example.org:443", "proxy-pass:word"},
		{"socks5h", secure, "socks5h", "", "socks5 git.example.org:443", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			repo := test.server.Repo(t, strings.ReplaceAll(test.name, " ", "-"))
			sha := repo.Write(t, map[string]string{"a": "1"})
			at, err := url.Parse(repo.URL)
			if err != nil {
				t.Fatal(err)
			}
			proxy := gitserver.NewProxy(t, at.Host, test.user, test.password)
			way := url.URL{Scheme: test.scheme, Host: proxy.Address}
			if test.user != "" {
				way.User = url.UserPassword(test.user, test.password)
			}
			at.Host = "git.example.org"
			r := Repository{URL: at.String(), CA: test.server.CA(), Username: "u", Password: fault.NewSecret("topsecret"), Proxy: way.String()}
			s := openStore(t, nil)
			if _, err := s.Refs(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			inProcess := len(proxy.Asked())
			read(t, mustTree(t, s, r, sha), "a")
			asked := proxy.Asked()
			if inProcess == 0 || len(asked) == inProcess {
				t.Errorf("refs asked the proxy %d times, git %d", inProcess, len(asked)-inProcess)
			}
			for _, line := range asked {
				if test.name != "http" && !strings.HasPrefix(line, test.asked) || test.name == "http" && !strings.Contains(line, " http://git.example.org/http.git/") {
					t.Errorf("the proxy was asked for %q", line)
				}
			}
			if test.user == "" {
				return
			}
			way.User = url.UserPassword(test.user, "wrong-secret")
			r.Proxy = way.String()
			_, refsErr := s.Refs(t.Context(), r)
			_, treeErr := s.Tree(t.Context(), r, sha, nil)
			if !Unreachable(refsErr) || !Unreachable(treeErr) || proxy.Refused() == 0 {
				t.Errorf("with a wrong password: %v; %v", refsErr, treeErr)
			}
			for _, err := range []error{refsErr, treeErr} {
				if text := err.Error(); strings.Contains(text, "wrong-secret") || strings.Contains(text, "topsecret") || strings.Contains(text, "robot:") {
					t.Errorf("tells a password: %s", text)
				}
			}
		})
	}
}

func TestProxyIsChosenOnce(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://environment:3128")
	t.Setenv("HTTP_PROXY", "http://environment:3128")
	t.Setenv("NO_PROXY", "internal.example.com,10.0.0.0/8")
	for _, test := range []struct{ url, proxy, noProxy, want string }{
		{"https://git.example.com/x", "", "", "http://environment:3128"},
		{"http://git.example.com/x", "", "", "http://environment:3128"},
		{"https://internal.example.com/x", "", "", ""},
		{"https://10.1.2.3/x", "", "", ""},
		{"https://git.example.com/x", "socks5://own:1080", "", "socks5h://own:1080"},
		{"https://git.example.com/x", "http://own:3128", "git.example.com", ""},
		{"https://git.example.com/x", "http://own:3128", ".example.com", ""},
		{"https://git.example.com/x", "http://own:3128", "example.org", "http://own:3128"},
		{"https://git.example.com:8443/x", "http://own:3128", "git.example.com:443", "http://own:3128"},
		{"https://[2001:db8::1]:8443/x", "http://own:3128", "", "http://own:3128"},
		{"https://internal.example.com/x", "http://own:3128", "", "http://own:3128"}, // its own rules only
		{"https://127.0.0.1/x", "http://own:3128", "", ""},
		{"git@git.example.com:x", "", "", ""},
		{"git@git.example.com:x", "socks5://own:1080", "git.example.com", ""},
		{"git@git.example.com:x", "socks5://own:1080", "", "socks5h://own:1080"},
	} {
		r, err := newRemote(Repository{URL: test.url, Proxy: test.proxy, NoProxy: test.noProxy, KnownHosts: "x"}, remoteSettings{refuse: egress.Refused})
		if err != nil {
			t.Errorf("%s: %v", test.url, err)
			continue
		}
		if got := r.proxyForGit(); got != test.want {
			t.Errorf("%s by %q without %q: %q, want %q", test.url, test.proxy, test.noProxy, got, test.want)
		}
	}
	_, err := newRemote(Repository{URL: "git@git.example.com:x", Proxy: "http://u:topsecret@own:1080", KnownHosts: "x"}, remoteSettings{refuse: egress.Refused})
	if !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "SSH goes through SOCKS5 proxies only") || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("ssh: %v", err)
	}
}

func TestIdentitiesForHTTPSAreNotForSSH(t *testing.T) {
	r := Repository{URL: "git@github.com:acme/x", KnownHosts: "x", GitHubApp: GitHubApp{ID: "1"}}
	if _, err := newRemote(r, remoteSettings{refuse: egress.Refused}); !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "https address") {
		t.Errorf("%v", err)
	}
	r.SSHPrivateKey = fault.NewSecret("KEY")
	if _, err := newRemote(r, remoteSettings{refuse: egress.Refused}); err != nil {
		t.Errorf("with a key: %v", err)
	}
}

func TestSSHThroughAProxy(t *testing.T) {
	root := t.TempDir()
	repo, err := gitserver.Init(root + "/config.git")
	if err != nil {
		t.Fatal(err)
	}
	sha := repo.Write(t, map[string]string{"a": "1"})
	server, stranger := gitserver.NewSSH(t, root), gitserver.NewSSH(t, root)
	_, key, _ := strings.Cut(server.KnownHosts, " ")
	proxy := gitserver.NewProxy(t, strings.TrimPrefix(server.URL, "ssh://git@"), "robot", "proxy-pass:word")
	way := url.URL{Scheme: "socks5", Host: proxy.Address, User: url.UserPassword("robot", "proxy-pass:word")}
	good := Repository{URL: "ssh://git@git.example.org:2222/config.git", SSHPrivateKey: fault.NewSecret(server.ClientKey), KnownHosts: "[git.example.org]:2222 " + key, Proxy: way.String()}
	dir := t.TempDir()
	s := openStoreIn(t, dir, nil)
	if commit, err := s.Resolve(t.Context(), good, Revision{Name: "main"}); err != nil || commit != sha {
		t.Fatalf("%s, %v", commit, err)
	}
	read(t, mustTree(t, s, good, sha), "a")
	scp := good
	scp.URL, scp.KnownHosts = "git@git.example.org:config.git", hashedLine("git.example.org "+key)
	if _, err := s.Refs(t.Context(), scp); err != nil {
		t.Errorf("in scp form: %v", err)
	}
	asked := strings.Join(proxy.Asked(), ",")
	if !strings.HasPrefix(asked, "socks5 git.example.org:2222,") || !strings.HasSuffix(asked, "socks5 git.example.org:22") {
		t.Errorf("the proxy was asked for %s", asked)
	}

	// Behind the proxy the host is verified all the same.
	_, otherKey, _ := strings.Cut(stranger.KnownHosts, " ")
	for _, hosts := range []string{"[git.example.org]:2222 " + otherKey, "git.example.com " + key, server.KnownHosts} {
		wrong := good
		wrong.KnownHosts = hosts
		_, err := s.Refs(t.Context(), wrong)
		checkUnreachable(t, err, ProblemHostKey, fault.Stalled)
	}
	refused, gone := good, good
	way.User = url.UserPassword("robot", "wrong-secret")
	refused.Proxy = way.String()
	gone.Proxy = "socks5://127.0.0.1:1"
	for _, r := range []Repository{refused, gone} {
		_, err := s.Refs(t.Context(), r)
		checkUnreachable(t, err, ProblemNetwork, fault.Retry)
		if !strings.Contains(err.Error(), "through its proxy") || strings.Contains(err.Error(), "secret:") || strings.Contains(err.Error(), "wrong-secret") {
			t.Errorf("%v", err)
		}
	}
	checkNoFileHolds(t, dir, "proxy-pass", "wrong-secret")
}
