// SPDX-License-Identifier: Apache-2.0

package source

import (
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

	"github.com/bowline-cd/bowline/internal/egress"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/test/registry"
)

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

// A path that winds is not where it seems to be: what permits an address, and what has credentials for it, goes by its text.
func TestHostilePathsOfFiles(t *testing.T) {
	server := registry.New(t, registry.Options{})
	server.Put("theirs/values.yaml", []byte("internal"))
	for _, address := range []string{"/mine/../theirs/values.yaml", "/mine/%2e%2e/theirs/values.yaml", "/mine/..%2Ftheirs/values.yaml", "/mine/%252e%252e/../../theirs/values.yaml"} {
		_, err := openStore(t, nil).ResolveArtifact(t.Context(), Repository{URL: server.URL + address, Declared: true}, Artifact{Kind: ArtifactFile})
		if !fault.Is(err, fault.Mistake) || Unreachable(err) || len(server.Requests()) > 0 {
			t.Errorf("%s: %v, %d requests", address, err, len(server.Requests()))
		}
	}
}

// Nor does the index of a public repository lead us to a registry inside.
func TestHostileRegistryOfAnIndex(t *testing.T) {
	s := openStore(t, nil)
	shop, err := s.artifacts.shop(Repository{URL: "https://public.example/charts"}, ArtifactChart)
	if err != nil {
		t.Fatal(err)
	}
	_, err = shop.downloadElsewhere(t.Context(), &url.URL{Scheme: "oci", Host: "127.0.0.1:1", Path: "/charts/web:1.0.0"}, "")
	wantProblem(t, err, ProblemAddress)
}

func TestTranslatedAddressesArePrivate(t *testing.T) {
	for text, want := range map[string]bool{"64:ff9b::10.0.0.1": true, "64:ff9b::127.0.0.1": true, "::ffff:10.0.0.1": true, "64:ff9b::192.0.2.1": false} {
		if got := isPrivate(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
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
		tt.options.refuse = egress.Refused
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
	loud := strings.Replace(strings.Replace(address, "127.0.0.1", "LOCALHOST", 1), "http:", "HTTP:", 1)
	if _, err = s.ResolveArtifact(t.Context(), Repository{URL: "http://charts.example/c/web-1.0.0.tgz", Proxy: loud}, Artifact{Kind: ArtifactFile}); err != nil || len(asked) != 2 {
		t.Errorf("a proxy with a private address: %v, %v", err, asked)
	}
	asked = asked[:1]
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
	w, err := newWeb(Repository{URL: server.URL}, server.URL, webOptions{refuse: egress.Refused, patience: 50 * time.Millisecond})
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
