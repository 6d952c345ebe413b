// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

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
	w, err := newWeb(Repository{URL: own.URL, Insecure: true, TLSClientCert: certificate, TLSClientKey: fault.NewSecret(key)}, own.URL, webOptions{refuse: refuseLocal})
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

func TestHostileAddressesOfCharts(t *testing.T) {
	for _, address := range []string{
		"http://169.254.169.254/latest/meta-data", "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://0.0.0.0/", "http://[::]/", "http://224.0.0.1/", "http://[::ffff:169.254.169.254]/",
	} {
		s := openStore(t, func(o *Options) { o.AllowPrivate = func(string) bool { return true } })
		for _, a := range []Artifact{chartOf("web", ""), {Kind: ArtifactFile}} {
			_, err := s.ResolveArtifact(t.Context(), withAccount(Repository{URL: address, Declared: true}), a)
			wantProblem(t, err, ProblemAddress)
		}
	}
	server := registry.New(t, registry.Options{})
	server.Redirect("c/index.yaml", "http://169.254.169.254/latest")
	_, err := openStore(t, nil).ResolveArtifact(t.Context(), Repository{URL: server.URL + "/c", Declared: true}, chartOf("web", ""))
	wantProblem(t, err, ProblemAddress)
}

// A public host must not lead us to private ones, even if a Secret names it; one that has a private address itself may.
func TestHostileWayIn(t *testing.T) {
	inside := registry.New(t, registry.Options{})
	inside.Put("secret", []byte("internal"))
	own := "http://public.example"
	for name, tt := range map[string]struct {
		own     string
		options webOptions
		allowed bool
	}{
		"public":           {own, webOptions{}, false},
		"public, vouched":  {own, webOptions{vouched: true}, false},
		"public, allowed":  {own, webOptions{private: func(host string) bool { return host == "127.0.0.1" }}, true},
		"private":          {inside.URL, webOptions{}, true},
		"private, outside": {inside.URL, webOptions{outside: true}, false},
		"vouched, outside": {inside.URL, webOptions{outside: true, vouched: true}, true},
	} {
		tt.options.refuse = refuseLocal
		w, err := newWeb(Repository{URL: tt.own}, tt.own, tt.options)
		if err != nil {
			t.Fatal(err)
		}
		inside.Reset()
		_, err = w.get(t.Context(), inside.URL+"/secret", nil)
		if tt.allowed != (err == nil) || tt.allowed != (len(inside.Requests()) == 1) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The address is checked when it is connected to: what a name said before does not count.
func TestNamesAreCheckedWhenTheyAreConnectedTo(t *testing.T) {
	server := registry.New(t, registry.Options{})
	server.Put("x", []byte("internal"))
	_, port, _ := net.SplitHostPort(server.Host)
	asked := 0
	w, err := newWeb(Repository{URL: "http://localhost:" + port}, "http://localhost:"+port, webOptions{refuse: func(at netip.Addr) bool {
		asked++
		return at.IsLoopback()
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.get(t.Context(), "http://localhost:"+port+"/x", nil)
	wantProblem(t, w.failed(t.Context(), "read", err), ProblemAddress)
	if asked == 0 || len(server.Requests()) != 0 {
		t.Errorf("asked %d times, %d requests", asked, len(server.Requests()))
	}
}

func TestProxiesOfCharts(t *testing.T) {
	server := registry.New(t, registry.Options{})
	server.AddChart("c", "web", "1.0.0", nil)
	var mu sync.Mutex
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		asked = append(asked, req.URL.String()+" "+req.Header.Get("Proxy-Authorization"))
		mu.Unlock()
		if req.Host == "charts.example" {
			req.URL.Host = server.Host
		}
		answer, err := http.Get(server.URL + req.URL.Path)
		if err != nil {
			http.Error(w, "", http.StatusBadGateway)
			return
		}
		defer func() { _ = answer.Body.Close() }()
		w.WriteHeader(answer.StatusCode)
		_ = answer.Write(w)
	}))
	t.Cleanup(proxy.Close)
	address := strings.Replace(proxy.URL, "http://", "http://px:"+canary+"@", 1)
	s := openStore(t, nil)
	_, err := s.ResolveArtifact(t.Context(), Repository{URL: "http://charts.example/c", Proxy: address}, chartOf("nothing", ""))
	hidden(t, err)
	if len(asked) != 1 || !strings.HasPrefix(asked[0], "http://charts.example/c/index.yaml Basic ") {
		t.Errorf("the proxy was asked for %v (%v)", asked, err)
	}
	_, err = s.ResolveArtifact(t.Context(), Repository{URL: "http://169.254.169.254/c", Proxy: address}, chartOf("web", ""))
	wantProblem(t, err, ProblemAddress)
	if len(asked) != 1 {
		t.Errorf("the proxy was asked for a forbidden address: %v", asked)
	}
	_, err = s.ResolveArtifact(t.Context(), Repository{URL: "http://localhost.localdomain.invalid/c", Proxy: address, NoProxy: ".invalid"}, chartOf("web", ""))
	wantProblem(t, err, ProblemNetwork)
	if len(asked) != 1 {
		t.Errorf("noProxy does not count: %v", asked)
	}
	for _, bad := range []string{"socks4://h", "ext::sh -c id", "-oProxyCommand=x", "http://a b", "http://h/path?x", "file:///x", "http://-h", "h:1080", "http://u:" + canary + "@h\n"} {
		_, err := s.ResolveArtifact(t.Context(), Repository{URL: "http://charts.example/c", Proxy: bad}, chartOf("web", ""))
		if !fault.Is(err, fault.Mistake) {
			t.Errorf("%q: %v", bad, err)
		}
		hidden(t, err)
	}
}

func TestAnswersThatTrickleAreCut(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = w.Write([]byte("a"))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-release:
		case <-req.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	w, err := newWeb(Repository{URL: server.URL}, server.URL, webOptions{refuse: refuseLocal, patience: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := w.get(t.Context(), server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	wantProblem(t, err, ProblemTimeout)
}
