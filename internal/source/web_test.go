// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/bowline-cd/bowline/internal/egress"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/test/gitserver"
	"github.com/bowline-cd/bowline/test/registry"
)

// canary is a password that no server but the own one, and no text, may ever show.
const canary = "hunter2-canary"

func withAccount(r Repository) Repository {
	r.Username, r.Password = "me", fault.NewSecret(canary)
	return r
}

// neverTold checks that a server was told nothing about who asks.
func neverTold(t *testing.T, server *registry.Server) {
	t.Helper()
	for _, q := range server.Requests() {
		if q.Authorization != "" || strings.Contains(q.Query, canary) {
			t.Errorf("%s %s was told %q", q.Method, q.Path, q.Authorization)
		}
	}
}

func hidden(t *testing.T, err error) {
	t.Helper()
	if err != nil && strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
		t.Errorf("the error shows the password: %v", err)
	}
}

func TestHostileIndexGetsNoCredentialsForAnotherHost(t *testing.T) {
	for _, pass := range []bool{false, true} {
		own := registry.New(t, registry.Options{Username: "me", Password: canary})
		other := registry.New(t, registry.Options{})
		archive := registry.Chart("web", "1.0.0", map[string]string{"x": "y"})
		other.Put("web.tgz", archive)
		own.AddRelease("c", "web", "1.0.0", other.URL+"/web.tgz", registry.Digest(archive))
		s, r, a := openStore(t, nil), withAccount(Repository{URL: own.URL + "/c"}), chartOf("web", "")
		a.PassCredentials = pass
		p := mustResolve(t, s, r, a)
		if got := read(t, mustArtifact(t, s, r, a, p), "x"); got != "y" {
			t.Errorf("%q", got)
		}
		if !pass {
			neverTold(t, other)
		} else if got := other.Requests(); len(got) != 1 || got[0].Authorization == "" {
			t.Errorf("passCredentials: %+v", got)
		}
	}
}

func TestHostileRedirects(t *testing.T) {
	third := registry.New(t, registry.Options{})
	for name, redirect := range map[string]func(own, other *registry.Server) (path string){
		"index": func(own, other *registry.Server) string {
			own.Redirect("c/index.yaml", other.URL+"/c/index.yaml")
			return "c"
		},
		"archive": func(own, other *registry.Server) string {
			own.Redirect("c/web-1.0.0.tgz", other.URL+"/c/web-1.0.0.tgz")
			return "c"
		},
		"there and back": func(own, other *registry.Server) string {
			own.Redirect("d/index.yaml", other.URL+"/back")
			other.Redirect("back", own.URL+"/c/index.yaml")
			return "d"
		},
	} {
		t.Run(name, func(t *testing.T) {
			own := registry.New(t, registry.Options{Username: "me", Password: canary})
			other := registry.New(t, registry.Options{})
			own.AddChart("c", "web", "1.0.0", nil)
			other.AddChart("c", "web", "1.0.0", nil)
			r := withAccount(Repository{URL: own.URL + "/" + redirect(own, other)})
			a := chartOf("web", "")
			a.PassCredentials = true // not for who is redirected to
			s := openStore(t, nil)
			p, err := s.ResolveArtifact(t.Context(), r, a)
			if err == nil {
				_, err = s.ArtifactTree(t.Context(), r, a, p)
			}
			if name == "there and back" {
				wantProblem(t, err, ProblemAuth) // who came from elsewhere is nobody here
			} else if err != nil {
				t.Error(err)
			}
			hidden(t, err)
			neverTold(t, other)
		})
	}
	neverTold(t, third)
	loop := registry.New(t, registry.Options{})
	loop.Redirect("c/index.yaml", loop.URL+"/c/index.yaml")
	_, err := openStore(t, nil).ResolveArtifact(t.Context(), Repository{URL: loop.URL + "/c"}, chartOf("web", ""))
	wantProblem(t, err, ProblemRedirect)
	if n := len(loop.Requests()); n != maxRedirects+1 {
		t.Errorf("%d requests", n)
	}
	for _, to := range []string{"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/"} {
		loop.Redirect("c/index.yaml", to)
		_, err := openStore(t, nil).ResolveArtifact(t.Context(), Repository{URL: loop.URL + "/c"}, chartOf("web", ""))
		wantProblem(t, err, ProblemRedirect)
	}
}

func TestHostileRedirectToLessEncryption(t *testing.T) {
	own := registry.New(t, registry.Options{TLS: true, Username: "me", Password: canary})
	other := registry.New(t, registry.Options{})
	own.Redirect("c/index.yaml", other.URL+"/c/index.yaml")
	other.AddChart("c", "web", "1.0.0", nil)
	s, r := openStore(t, nil), withAccount(Repository{URL: own.URL + "/c", CA: own.CA()})
	_, err := s.ResolveArtifact(t.Context(), r, chartOf("web", ""))
	wantProblem(t, err, ProblemRedirect)
	hidden(t, err)
	if n := len(other.Requests()); n != 0 {
		t.Errorf("%d requests without encryption", n)
	}
}

func TestHostileRegistryGetsNoCredentialsForAnotherHost(t *testing.T) {
	t.Run("blobs", func(t *testing.T) {
		store := registry.New(t, registry.Options{})
		for _, tokens := range []bool{true, false} {
			own := registry.New(t, registry.Options{Username: "me", Password: canary, Tokens: tokens, BlobsAt: store.URL})
			archive := registry.Chart("web", "1.0.0", map[string]string{"x": "y"})
			own.PushChart("", "web", "1.0.0", map[string]string{"x": "y"})
			store.Put(strings.TrimPrefix(registry.Digest(archive), "sha256:"), archive)
			s, r, a := openStore(t, nil), withAccount(unencrypted(Repository{URL: own.Host, EnableOCI: true})), chartOf("web", "")
			if got := read(t, mustArtifact(t, s, r, a, mustResolve(t, s, r, a)), "x"); got != "y" {
				t.Errorf("%q", got)
			}
			neverTold(t, store)
			for _, q := range own.Requests() {
				if tokens && strings.HasPrefix(q.Path, "/v2/") && strings.HasPrefix(q.Authorization, "Basic") {
					t.Errorf("%s was told the password although tokens are asked for", q.Path)
				}
			}
		}
	})
	for name, realm := range map[string]string{
		"without encryption": "http://localhost:%s/token", "no web address": "file:///etc/passwd", "nothing": "::",
	} {
		t.Run("token service "+name, func(t *testing.T) {
			other := registry.New(t, registry.Options{})
			_, port, _ := net.SplitHostPort(other.Host)
			own := registry.New(t, registry.Options{Username: "me", Password: canary, Tokens: true, Realm: strings.Replace(realm, "%s", port, 1)})
			own.PushChart("", "web", "1.0.0", nil)
			s, r := openStore(t, nil), withAccount(unencrypted(Repository{URL: own.Host, EnableOCI: true}))
			_, err := s.ResolveArtifact(t.Context(), r, chartOf("web", ""))
			wantProblem(t, err, ProblemAuth)
			hidden(t, err)
			if n := len(other.Requests()); n != 0 {
				t.Errorf("%d requests to the other host", n)
			}
			neverTold(t, own)
		})
	}
}

func TestRegistryWithATokenServiceOfItsOwn(t *testing.T) {
	service := registry.New(t, registry.Options{TLS: true, Username: "me", Password: canary})
	own := registry.New(t, registry.Options{Tokens: true, Realm: service.URL + "/token"})
	own.PushChart("team", "web", "1.0.0", nil)
	s, r := openStore(t, nil), withAccount(unencrypted(Repository{URL: own.Host + "/team", EnableOCI: true, CA: service.CA()}))
	mustResolve(t, s, r, chartOf("web", ""))
	mustResolve(t, s, r, chartOf("web", "1.0.0"))
	got := service.Requests()
	if len(got) != 1 || !strings.Contains(got[0].Query, url.QueryEscape("repository:team/web:pull")) {
		t.Errorf("%+v; want one request for a token to pull", got)
	}
	r.Password = fault.NewSecret("wrong-canary-hunter2")
	_, err := s.ResolveArtifact(t.Context(), r, chartOf("web", ""))
	wantProblem(t, err, ProblemAuth)
	hidden(t, err)
}

func TestAccountsAndCertificates(t *testing.T) {
	server := registry.New(t, registry.Options{TLS: true, Username: "me", Password: canary})
	server.AddChart("c", "web", "1.0.0", nil)
	good := withAccount(Repository{URL: server.URL + "/c", CA: server.CA()})
	s := openStore(t, nil)
	mustResolve(t, s, good, chartOf("web", ""))
	insecure := good
	insecure.CA, insecure.Insecure = "", true
	mustResolve(t, s, insecure, chartOf("web", ""))
	inAddress := Repository{URL: strings.Replace(server.URL, "https://", "https://me:"+canary+"@", 1) + "/c", CA: server.CA()}
	mustResolve(t, s, inAddress, chartOf("web", ""))
	for name, tt := range map[string]struct {
		change  func(*Repository)
		problem Problem
	}{
		"no authority":    {func(r *Repository) { r.CA = "" }, ProblemTLS},
		"no password":     {func(r *Repository) { r.Password = fault.Secret{}; r.Username = "" }, ProblemAuth},
		"wrong password":  {func(r *Repository) { r.Password = fault.NewSecret("wrong-" + canary) }, ProblemAuth},
		"broken CA":       {func(r *Repository) { r.CA = "x" }, ProblemTLS},
		"half a key pair": {func(r *Repository) { r.TLSClientCert = "x" }, ProblemAuth},
	} {
		r := good
		tt.change(&r)
		_, err := s.ResolveArtifact(t.Context(), r, chartOf("web", ""))
		t.Run(name, func(t *testing.T) {
			wantProblem(t, err, tt.problem)
			hidden(t, err)
		})
	}
}

func TestClientCertificateGoesToTheOwnHostOnly(t *testing.T) {
	git := gitserver.New(t, gitserver.Options{TLS: true, ClientCertificates: true})
	certificate, key, err := git.ClientCertificate()
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	shown := map[string]int{}
	start := func(name string) *httptest.Server {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			mu.Lock()
			shown[name] = max(shown[name], len(req.TLS.PeerCertificates))
			mu.Unlock()
			if to := req.URL.Query().Get("to"); to != "" {
				http.Redirect(w, req, to, http.StatusFound)
			}
		}))
		server.EnableHTTP2 = true
		server.StartTLS()
		server.TLS.ClientAuth = 1 // ask for one
		t.Cleanup(server.Close)
		return server
	}
	own, other := start("own"), start("other")
	w, err := newWeb(Repository{URL: own.URL, Insecure: true, TLSClientCert: certificate, TLSClientKey: fault.NewSecret(key)}, own.URL, webOptions{refuse: egress.Refused})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := w.get(t.Context(), own.URL+"/?to="+url.QueryEscape(other.URL), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if shown["own"] != 1 || shown["other"] != 0 {
		t.Errorf("shown to %v", shown)
	}
}
