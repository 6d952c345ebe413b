// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
	"github.com/bowline-cd/bowline/test/registry"
)

func chartOf(name, revision string) Artifact {
	return Artifact{Kind: ArtifactChart, Name: name, Revision: revision}
}

func mustResolve(t *testing.T, s *Store, r Repository, a Artifact) Pin {
	t.Helper()
	p, err := s.ResolveArtifact(t.Context(), r, a)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustArtifact(t *testing.T, s *Store, r Repository, a Artifact, p Pin) tree.Tree {
	t.Helper()
	files, err := s.ArtifactTree(t.Context(), r, a, p)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// wantUnknown checks for an error that says that there is no such thing.
func wantUnknown(t *testing.T, err error, part string) {
	t.Helper()
	var unknown *UnknownRevisionError
	if !errors.As(err, &unknown) || !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), part) {
		t.Errorf("%v; want an unknown revision with %q", err, part)
	}
}

// wantProblem checks for an error that says that the repository could not be asked.
func wantProblem(t *testing.T, err error, problem Problem) {
	t.Helper()
	var u *UnreachableError
	if !errors.As(err, &u) || u.Problem != problem {
		t.Errorf("%v; want the problem %q", err, problem)
	}
}

// wantLimit checks for an error that names a limit and what raises it.
func wantLimit(t *testing.T, err error, parts ...string) {
	t.Helper()
	if !fault.Is(err, fault.Mistake) || Unreachable(err) {
		t.Errorf("%v; want a mistake", err)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v; want %q in it", err, part)
		}
	}
}

func TestChartOfHTTPRepository(t *testing.T) {
	server := registry.New(t, registry.Options{})
	old := server.AddChart("charts", "web", "1.2.3", map[string]string{"values.yaml": "a: 1\n"})
	latest := server.AddChart("charts", "web", "1.3.0", map[string]string{"values.yaml": "a: 2\n", "templates/x.yaml": "x"})
	server.AddChart("charts", "web", "2.0.0-rc.1", nil)
	server.AddChart("charts", "other", "9.9.9", nil)
	s, r := openStore(t, nil), Repository{URL: server.URL + "/charts", Type: KindHelm}
	for _, tt := range []struct{ revision, version string }{
		{"", "1.3.0"}, {"*", "1.3.0"}, {"1.2.3", "1.2.3"}, {"v1.2.3", "1.2.3"}, {"1.2.*", "1.2.3"}, {">=1 <2", "1.3.0"}, {"1.2", "1.2.3"}, {"~1.2", "1.2.3"},
		{"^1.0.0", "1.3.0"}, {"*-0", "2.0.0-rc.1"}, {">=2.0.0-0", "2.0.0-rc.1"}, {"2.0.0-rc.1", "2.0.0-rc.1"},
	} {
		if p := mustResolve(t, s, r, chartOf("web", tt.revision)); p.Version != tt.version {
			t.Errorf("%q is %s, want %s", tt.revision, p.Version, tt.version)
		}
	}
	p := mustResolve(t, s, r, chartOf("web", "1.2.x"))
	if p != (Pin{Version: "1.2.3", Digest: old}) {
		t.Errorf("pinned to %+v, want the digest %s", p, old)
	}
	files := mustArtifact(t, s, r, chartOf("web", ""), Pin{Version: "1.3.0", Digest: latest})
	if got := read(t, files, "values.yaml") + read(t, files, "templates/x.yaml"); got != "a: 2\nx" {
		t.Errorf("files: %q", got)
	}
	if got := read(t, files, "Chart.yaml"); !strings.Contains(got, "version: 1.3.0") {
		t.Errorf("Chart.yaml: %q", got)
	}
	if n := server.Count("index.yaml"); n != 1 {
		t.Errorf("%d requests for the index, want 1", n)
	}
	if n := server.Count(".tgz"); n != 1 {
		t.Errorf("%d archives fetched, want 1", n)
	}
	_, err := s.ResolveArtifact(t.Context(), r, chartOf("web", "7.x"))
	wantUnknown(t, err, "7.x")
	_, err = s.ResolveArtifact(t.Context(), r, chartOf("nothing", "1.0.0"))
	wantUnknown(t, err, "no chart nothing")
	info, err := s.DescribeArtifact(t.Context(), r, chartOf("web", ""), Pin{Version: "1.3.0", Digest: latest})
	if err != nil || info.Title != "web" || info.Description != "web for tests" || info.Version != "1.3.0" {
		t.Errorf("described as %+v, %v", info, err)
	}
}

func TestChartNamesThatAreNone(t *testing.T) {
	server := registry.New(t, registry.Options{})
	s, r := openStore(t, nil), Repository{URL: server.URL}
	for _, name := range []string{"", "../x", "/etc", "a//b", "-x", "a b", "a\nb"} {
		_, err := s.ResolveArtifact(t.Context(), r, chartOf(name, ""))
		if !fault.Is(err, fault.Mistake) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestChartsShareOneRequest(t *testing.T) {
	server := registry.New(t, registry.Options{})
	server.AddChart("c", "web", "1.0.0", nil)
	server.Misbehave(registry.Hang)
	s, r := openStore(t, nil), Repository{URL: server.URL + "/c"}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			p, err := s.ResolveArtifact(t.Context(), r, chartOf("web", ""))
			if err == nil {
				_, err = s.ArtifactTree(t.Context(), r, chartOf("web", ""), p)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, func() bool { return server.Count("index.yaml") == 1 })
	server.Misbehave(registry.None)
	wg.Wait()
	if i, a := server.Count("index.yaml"), server.Count(".tgz"); i != 1 || a != 1 {
		t.Errorf("%d requests for the index and %d for the archive, want 1 and 1", i, a)
	}
}

func TestIndexIsAskedForByConditionAndSurvivesARestart(t *testing.T) {
	server := registry.New(t, registry.Options{})
	digest := server.AddChart("c", "web", "1.0.0", map[string]string{"values.yaml": "x"})
	dir, r := t.TempDir(), Repository{URL: server.URL + "/c"}
	never := func(o *Options) { o.RefsAge = 1 }
	s := openStoreIn(t, dir, never)
	pin := mustResolve(t, s, r, chartOf("web", ""))
	mustArtifact(t, s, r, chartOf("web", ""), pin)
	mustResolve(t, s, r, chartOf("web", ""))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStoreIn(t, dir, never)
	server.Misbehave(registry.Fail)
	files := mustArtifact(t, s, r, chartOf("web", ""), Pin{Version: "1.0.0", Digest: digest})
	if got := read(t, files, "values.yaml"); got != "x" {
		t.Errorf("after a restart, without the network: %q", got)
	}
	server.Misbehave(registry.None)
	mustResolve(t, s, r, chartOf("web", ""))
	var statuses []int
	for _, q := range server.Requests() {
		if strings.HasSuffix(q.Path, "index.yaml") {
			statuses = append(statuses, q.Status)
		}
	}
	if fmt.Sprint(statuses) != "[200 304 304 304]" {
		t.Errorf("the index was answered with %v, want once with 200", statuses)
	}
	server.AddChart("c", "web", "1.1.0", nil)
	if p := mustResolve(t, s, r, chartOf("web", "")); p.Version != "1.1.0" {
		t.Errorf("after a release: %+v", p)
	}
}

func TestChartWithoutDigestIsMeasuredOnce(t *testing.T) {
	server := registry.New(t, registry.Options{})
	archive := registry.Chart("web", "1.0.0", nil)
	server.Put("elsewhere/web.tgz", archive)
	server.AddRelease("c", "web", "1.0.0", "/elsewhere/web.tgz", "")
	s, r := openStore(t, func(o *Options) { o.RefsAge = 1 }), Repository{URL: server.URL + "/c"}
	for range 3 {
		if p := mustResolve(t, s, r, chartOf("web", "1.0.0")); p.Digest != registry.Digest(archive) {
			t.Errorf("digest %s", p.Digest)
		}
	}
	if n := server.Count("web.tgz"); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	server.Put("elsewhere/web.tgz", []byte("<html>sign in</html>"))
	server.AddRelease("c", "web", "1.0.1", "/elsewhere/web.tgz?1", "")
	_, err := s.ResolveArtifact(t.Context(), r, chartOf("web", "1.0.1"))
	wantLimit(t, err, "tar")
}

func TestChartWithAnotherDigest(t *testing.T) {
	server := registry.New(t, registry.Options{})
	server.AddChart("c", "web", "1.0.0", nil)
	server.Put("c/web-1.0.0.tgz", registry.Chart("web", "1.0.0", map[string]string{"evil": "x"}))
	s, r := openStore(t, func(o *Options) { o.RefsAge = 1 }), Repository{URL: server.URL + "/c"}
	p := mustResolve(t, s, r, chartOf("web", ""))
	_, err := s.ArtifactTree(t.Context(), r, chartOf("web", ""), p)
	wantProblem(t, err, ProblemInvalidData)

	again := registry.New(t, registry.Options{})
	first := again.AddChart("c", "web", "1.0.0", nil)
	r.URL = again.URL + "/c"
	mustResolve(t, s, r, chartOf("web", ""))
	republished := registry.Chart("web", "1.0.0", map[string]string{"x": "y"})
	again.Put("c/index.yaml", []byte("apiVersion: v1\nentries:\n  web:\n  - version: 1.0.0\n    urls: [web.tgz]\n    digest: "+strings.TrimPrefix(registry.Digest(republished), "sha256:")+"\n"))
	again.Put("c/web.tgz", republished)
	_, err = s.ArtifactTree(t.Context(), r, chartOf("web", ""), Pin{Version: "1.0.0", Digest: first})
	wantUnknown(t, err, "another archive")
}

func TestStoredContentThatIsDamagedIsFetchedAgain(t *testing.T) {
	server := registry.New(t, registry.Options{})
	server.AddChart("c", "web", "1.0.0", map[string]string{"values.yaml": "good"})
	dir, r, a := t.TempDir(), Repository{URL: server.URL + "/c"}, chartOf("web", "")
	s := openStoreIn(t, dir, nil)
	p := mustResolve(t, s, r, a)
	mustArtifact(t, s, r, a, p)
	for _, damage := range []string{"blobs/*", "packs/*"} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		tamper(t, filepath.Join(dir, "artifacts", "*", damage))
		s = openStoreIn(t, dir, nil)
		files := mustArtifact(t, s, r, a, p)
		content, err := files.Read(t.Context(), "values.yaml", -1)
		var missing *MissingError
		if errors.As(err, &missing) { // what was unpacked is verified when it is read
			content, err = mustArtifact(t, s, r, a, p).Read(t.Context(), "values.yaml", -1)
		}
		if err != nil || string(content) != "good" {
			t.Errorf("%s: %q, %v", damage, content, err)
		}
	}
	if n := server.Count(".tgz"); n != 2 {
		t.Errorf("%d downloads, want one at first and one for the damaged archive", n)
	}
}

// tamper changes the last byte of each file.
func tamper(t *testing.T, pattern string) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v, %v", pattern, paths, err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		content[len(content)-1] ^= 1
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestIndexTrouble(t *testing.T) {
	for _, tt := range []struct {
		trouble registry.Trouble
		problem Problem
	}{
		{registry.Fail, ProblemServer}, {registry.Overloaded, ProblemServer}, {registry.Gone, ProblemNotFound}, {registry.Half, ProblemBrokenOff},
		{registry.Garbage, ProblemInvalidData},
	} {
		server := registry.New(t, registry.Options{})
		server.AddChart("c", "web", "1.0.0", nil)
		s, r := openStore(t, func(o *Options) { o.RefsAge = 1 }), Repository{URL: server.URL + "/c"}
		mustResolve(t, s, r, chartOf("web", ""))
		server.Misbehave(tt.trouble)
		_, err := s.ResolveArtifact(t.Context(), r, chartOf("web", ""))
		wantProblem(t, err, tt.problem)
		server.Misbehave(registry.None)
		mustResolve(t, s, r, chartOf("web", ""))
	}
}

func TestEndlessAnswersAreCut(t *testing.T) {
	server := registry.New(t, registry.Options{})
	digest := server.AddChart("c", "web", "1.0.0", nil)
	s := openStore(t, func(o *Options) {
		o.RefsAge = 1
		o.ArtifactLimits = ArtifactLimits{Index: 1 << 20, Archive: 1 << 20}
	})
	r := Repository{URL: server.URL + "/c"}
	mustResolve(t, s, r, chartOf("web", ""))
	server.Misbehave(registry.Endless)
	_, err := s.ResolveArtifact(t.Context(), r, chartOf("web", ""))
	wantLimit(t, err, "1Mi", "bowline.source.maxIndex")
	server.Misbehave(registry.None)
	s.SetArtifactLimits(ArtifactLimits{Archive: 100})
	_, err = s.ArtifactTree(t.Context(), r, chartOf("web", ""), Pin{Version: "1.0.0", Digest: digest})
	wantLimit(t, err, "100 bytes", "bowline.source.maxArchive")
}

func TestHangingRepositoryIsGivenUp(t *testing.T) {
	server := registry.New(t, registry.Options{})
	server.Misbehave(registry.Hang)
	s, r := openStore(t, nil), Repository{URL: server.URL + "/c"}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := s.ResolveArtifact(ctx, r, chartOf("web", ""))
		done <- err
	}()
	waitFor(t, func() bool { return server.Count("index.yaml") == 1 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("given up with %v", err)
	}
}

// A chart server behind a proxy that encrypts for it writes its addresses without encryption.
func TestChartAddressesOfTheSameHostAreEncrypted(t *testing.T) {
	server := registry.New(t, registry.Options{TLS: true})
	archive := registry.Chart("web", "1.0.0", nil)
	server.Put("/c/web.tgz", archive)
	server.AddRelease("c", "web", "1.0.0", "http://"+server.Host+"/c/web.tgz", registry.Digest(archive))
	s, err := NewStore(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	r := Repository{URL: server.URL + "/c", Type: KindHelm, CA: server.CA()}
	a := Artifact{Kind: ArtifactChart, Name: "web"}
	pin, err := s.ResolveArtifact(t.Context(), r, a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ArtifactTree(t.Context(), r, a, pin); err != nil {
		t.Error(err)
	}
}
