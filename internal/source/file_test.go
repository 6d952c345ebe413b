// SPDX-License-Identifier: Apache-2.0

package source

import (
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/test/registry"
)

func TestFileAtAnAddress(t *testing.T) {
	server := registry.New(t, registry.Options{})
	server.Put("values.yaml", []byte("a: 1\n"))
	s := openStore(t, func(o *Options) {
		o.RefsAge = 1
		o.AllowPrivate = func(host string) bool { return host == "127.0.0.1" }
	})
	r, a := Repository{URL: server.URL + "/values.yaml?token=" + canary}, Artifact{Kind: ArtifactFile}
	p := mustResolve(t, s, r, a)
	if p != (Pin{Digest: registry.Digest([]byte("a: 1\n"))}) {
		t.Errorf("%+v", p)
	}
	if got := read(t, mustArtifact(t, s, r, a, p), "file"); got != "a: 1\n" {
		t.Errorf("%q", got)
	}
	mustResolve(t, s, r, a)
	requests := server.Requests()
	if len(requests) != 2 || requests[1].Status != 304 || requests[0].Query != "token="+canary {
		t.Errorf("%+v", requests)
	}
	server.Put("values.yaml", []byte("a: 2\n"))
	if again := mustResolve(t, s, r, a); again == p {
		t.Error("a change was not seen")
	}
	if got := read(t, mustArtifact(t, s, r, a, p), "file"); got != "a: 1\n" {
		t.Errorf("what was pinned is %q", got)
	}
	shop, err := s.artifacts.shop(r, ArtifactFile)
	if err != nil {
		t.Fatal(err)
	}
	shop.shelf.drop(p.Digest)
	_, err = s.ArtifactTree(t.Context(), r, a, p)
	wantUnknown(t, err, "changed")
	hidden(t, err)
	server.Misbehave(registry.Gone)
	_, err = s.ResolveArtifact(t.Context(), r, a)
	wantProblem(t, err, ProblemNotFound)
	hidden(t, err)
	server.Misbehave(registry.Endless)
	s.SetArtifactLimits(ArtifactLimits{Archive: 1 << 16})
	_, err = s.ResolveArtifact(t.Context(), r, a)
	wantLimit(t, err, "64Ki", archiveSetting)
	hidden(t, err)
}

// Whoever writes to a repository can name any address in it: none inside is asked unless somebody who may set it said so.
func TestHostileAddressesOfFiles(t *testing.T) {
	server := registry.New(t, registry.Options{})
	server.Put("x", []byte(canary))
	_, port, _ := strings.Cut(server.Host, ":")
	s := openStore(t, func(o *Options) {
		o.AllowPrivate = func(host string) bool { return strings.HasSuffix(host, ".corp.example") }
	})
	for _, address := range []string{
		server.URL + "/x", "http://localhost:" + port + "/x", "http://127.1.2.3:" + port + "/x", "http://[::1]:" + port + "/x", "http://[::ffff:127.0.0.1]:" + port + "/x",
		"http://10.0.0.1/", "http://192.168.0.1/", "http://172.16.0.1/", "http://100.100.100.200/", "http://[fd00::1]/",
	} {
		_, err := s.ResolveArtifact(t.Context(), Repository{URL: address}, Artifact{Kind: ArtifactFile})
		wantProblem(t, err, ProblemAddress)
	}
	for _, address := range []string{"file:///etc/passwd", "ftp://host/x", "http://", "x", "http://-host/", "http://2130706433/", "http://0x7f.1/x"} {
		_, err := s.ResolveArtifact(t.Context(), Repository{URL: address}, Artifact{Kind: ArtifactFile})
		if err == nil {
			t.Errorf("%s was read", address)
		}
	}
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
	mustResolve(t, s, withAccount(Repository{URL: server.URL + "/x"}), Artifact{Kind: ArtifactFile}) // a Secret names it
}
