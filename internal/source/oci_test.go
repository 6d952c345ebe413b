// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/egress"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/test/registry"
)

func ociOf(revision string) Artifact { return Artifact{Kind: ArtifactOCI, Revision: revision} }

func unencrypted(r Repository) Repository {
	r.InsecureOCIForceHTTP = true
	return r
}

func layered(files map[string]string) registry.Manifest {
	return registry.Manifest{
		Layers:      []registry.Layer{{MediaType: registry.LayerType, Content: registry.Gzip(registry.Tar(registry.Files(files)...))}},
		Annotations: map[string]string{"org.opencontainers.image.title": "config", "org.opencontainers.image.authors": "me", "other": "x"},
	}
}

func TestChartOfRegistry(t *testing.T) {
	for name, options := range map[string]registry.Options{
		"open": {}, "basic": {Username: "me", Password: "hunter2"}, "tokens": {Username: "me", Password: "hunter2", Tokens: true},
		"tokens for all": {Tokens: true}, "no digests": {NoDigests: true, PageSize: 2},
	} {
		t.Run(name, func(t *testing.T) {
			server := registry.New(t, options)
			first := server.PushChart("charts", "web", "1.2.3", map[string]string{"values.yaml": "a: 1\n"})
			server.PushChart("charts", "web", "1.3.0+build.5", map[string]string{"values.yaml": "a: 2\n"})
			server.PushChart("charts", "web", "2.0.0-rc.1", nil)
			server.PushChart("charts", "web", "v0.9.0", nil)
			moving := server.PushChart("charts", "web", "9", nil)
			s := openStore(t, nil)
			for _, address := range []string{server.Host + "/charts", "oci://" + server.Host + "/charts"} {
				r := unencrypted(Repository{URL: address, Type: KindHelm, EnableOCI: true, Username: options.Username, Password: fault.NewSecret(options.Password)})
				for _, tt := range []struct{ revision, version string }{
					{"1.2.3", "1.2.3"}, {"v1.2.3", "1.2.3"}, {"0.9.0", "v0.9.0"}, {"1.3.0+build.5", "1.3.0+build.5"}, {"", "1.3.0+build.5"}, {"1.*", "1.3.0+build.5"},
					{"*-0", "2.0.0-rc.1"}, {"1.2", "1.2.3"}, {"9", "9"}, {"<1", "v0.9.0"},
				} {
					if p := mustResolve(t, s, r, chartOf("web", tt.revision)); p.Version != tt.version {
						t.Errorf("%q is %s, want %s", tt.revision, p.Version, tt.version)
					}
				}
				p := mustResolve(t, s, r, chartOf("web", "1.2.3"))
				if p.Digest != first {
					t.Errorf("digest %s, want that of the manifest", p.Digest)
				}
				if got := read(t, mustArtifact(t, s, r, chartOf("web", "1.2.3"), p), "values.yaml"); got != "a: 1\n" {
					t.Errorf("values %q", got)
				}
				_, err := s.ResolveArtifact(t.Context(), r, chartOf("web", "5.x"))
				wantUnknown(t, err, "5.x")
				_, err = s.ResolveArtifact(t.Context(), r, chartOf("web", "1.2.4"))
				wantUnknown(t, err, "1.2.4")
				_, err = s.ResolveArtifact(t.Context(), r, chartOf("none", "1.2.4"))
				wantUnknown(t, err, "none")
			}
			if _, err := s.ArtifactTree(t.Context(), unencrypted(Repository{URL: server.Host + "/charts", EnableOCI: true, Username: "eve", Password: fault.NewSecret("x")}), chartOf("web", "9"), Pin{Digest: moving}); options.Username != "" {
				wantProblem(t, err, ProblemAuth) // what one set of credentials fetched is not shown to another
			}
		})
	}
}

func TestOCISource(t *testing.T) {
	server := registry.New(t, registry.Options{})
	first := server.Push("team/config", "v1.0.0", layered(map[string]string{"a.yaml": "1", "dir/b.yaml": "2"}))
	latest := server.Push("team/config", "latest", layered(map[string]string{"a.yaml": "2"}))
	server.Push("team/config", "1.1.0", layered(map[string]string{"a.yaml": "3"}))
	s, r := openStore(t, nil), unencrypted(Repository{URL: "oci://" + server.Host + "/team/config", Type: KindOCI})
	for _, tt := range []struct{ revision, version, digest string }{
		{"", "latest", latest}, {"latest", "latest", latest}, {"v1.0.0", "v1.0.0", first}, {"1.0.x", "v1.0.0", first}, {first, first, first},
	} {
		if p := mustResolve(t, s, r, ociOf(tt.revision)); p != (Pin{tt.version, tt.digest}) {
			t.Errorf("%q is %+v", tt.revision, p)
		}
	}
	files := mustArtifact(t, s, r, ociOf(""), Pin{Version: "v1.0.0", Digest: first})
	if got := read(t, files, "a.yaml") + read(t, files, "dir/b.yaml"); got != "12" {
		t.Errorf("files %q", got)
	}
	info, err := s.DescribeArtifact(t.Context(), r, ociOf(""), Pin{Version: "v1.0.0", Digest: first})
	if err != nil || info.Title != "config" || len(info.Annotations) != 2 || info.Maintainers[0] != "me" {
		t.Errorf("described as %+v, %v", info, err)
	}
	for _, revision := range []string{"9.x", "none", "sha256:" + strings.Repeat("0", 64)} {
		_, err := s.ResolveArtifact(t.Context(), r, ociOf(revision))
		wantUnknown(t, err, "oci")
	}
	chart := server.PushChart("team", "web", "1.0.0", nil)
	r.URL = "oci://" + server.Host + "/team/web"
	if got := read(t, mustArtifact(t, s, r, ociOf("1.0.0"), Pin{Version: "1.0.0", Digest: chart}), "Chart.yaml"); !strings.Contains(got, "web") {
		t.Errorf("a chart as an OCI source: %q", got)
	}
}

func TestManifestsThatAreNotRead(t *testing.T) {
	server := registry.New(t, registry.Options{})
	s, r := openStore(t, nil), unencrypted(Repository{URL: "oci://" + server.Host + "/x", Type: KindOCI})
	good := registry.Layer{MediaType: registry.LayerType, Content: registry.Gzip(registry.Tar())}
	for name, tt := range map[string]struct {
		layers []registry.Layer
		want   string
	}{
		"none":      {nil, "it has 0 layers"},
		"two":       {[]registry.Layer{good, good}, "it has 2 layers"},
		"other":     {[]registry.Layer{{MediaType: "application/zip", Content: []byte("x")}}, `"application/zip"`},
		"one other": {[]registry.Layer{good, {MediaType: "application/zip", Content: []byte("x")}}, "1 others"},
		"digest":    {[]registry.Layer{{MediaType: registry.LayerType, Digest: "sha256:../../x"}}, "no digest"},
		"huge":      {[]registry.Layer{{MediaType: registry.LayerType, Content: []byte("x"), Size: 1 << 40}}, "bowline.source.maxArchive"},
	} {
		t.Run(name, func(t *testing.T) {
			digest := server.Push("x", "v1", registry.Manifest{Layers: tt.layers})
			_, err := s.ArtifactTree(t.Context(), r, ociOf("v1"), Pin{Version: "v1", Digest: digest})
			wantLimit(t, err, tt.want)
		})
	}
	list := server.PushRaw("x", "list", registry.IndexType, []byte(`{"mediaType":"`+registry.IndexType+`","manifests":[{},{}]}`))
	_, err := s.ArtifactTree(t.Context(), r, ociOf("list"), Pin{Digest: list})
	wantLimit(t, err, "list of 2 manifests")
	page := server.PushRaw("x", "page", registry.ManifestType, []byte("<html>"))
	_, err = s.ArtifactTree(t.Context(), r, ociOf("page"), Pin{Digest: page})
	wantLimit(t, err, "manifest")
	wrong := server.Push("x", "wrong", registry.Manifest{Layers: []registry.Layer{{MediaType: registry.LayerType, Content: []byte("x"), Digest: "sha256:" + strings.Repeat("1", 64)}}})
	_, err = s.ArtifactTree(t.Context(), r, ociOf("wrong"), Pin{Digest: wrong})
	wantProblem(t, err, ProblemInvalidData)
	s.SetArtifactLimits(ArtifactLimits{MediaTypes: []string{"application/zip"}})
	zip := server.Push("x", "zip", registry.Manifest{Layers: []registry.Layer{{MediaType: "application/zip", Content: registry.Tar(registry.Entry{Name: "a", Content: "b"})}}})
	if got := read(t, mustArtifact(t, s, r, ociOf("zip"), Pin{Digest: zip}), "a"); got != "b" {
		t.Errorf("an allowed kind: %q", got)
	}
}

func TestRegistryAddresses(t *testing.T) {
	for _, address := range []string{
		"oci://", "oci://host:port/x", "oci://user:hunter2@host/x", "oci://host/../x", "oci://host/X", "oci://host/x?y", "oci://-host/x", "oci://host/a//b", "ftp://host/x", "oci://host/x:tag",
	} {
		_, err := parseRegistry(Repository{URL: address, Type: KindOCI})
		if !fault.Is(err, fault.Mistake) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", address, err)
		}
	}
	p, err := parseRegistry(Repository{URL: "oci://docker.io/bitnamicharts"})
	if err != nil || p.address() != "https://registry-1.docker.io/bitnamicharts" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestRegistryTrouble(t *testing.T) {
	server := registry.New(t, registry.Options{})
	server.PushChart("", "web", "1.0.0", nil)
	s, r := openStore(t, func(o *Options) { o.RefsAge = 1 }), unencrypted(Repository{URL: server.Host, EnableOCI: true})
	for trouble, problem := range map[registry.Trouble]Problem{
		registry.Fail: ProblemServer, registry.Overloaded: ProblemServer, registry.EndlessTags: ProblemInvalidData, registry.Garbage: ProblemInvalidData,
	} {
		server.Misbehave(trouble)
		_, err := s.ResolveArtifact(t.Context(), r, chartOf("web", ""))
		wantProblem(t, err, problem)
	}
	if n := server.Count("/tags/list"); n > maxTagPages+10 {
		t.Errorf("%d pages of tags asked for", n)
	}
	server.Misbehave(registry.Endless)
	_, err := s.ResolveArtifact(t.Context(), r, chartOf("web", ""))
	wantProblem(t, err, ProblemInvalidData)
}

func TestParseChallenges(t *testing.T) {
	for header, want := range map[string]string{
		`Bearer realm="https://a/token",service="a b, c",scope="repository:x:pull"`: `[{bearer map[realm:https://a/token scope:repository:x:pull service:a b, c]}]`,
		`Basic realm="x"`: `[{basic map[realm:x]}]`,
		`Negotiate, Basic realm="x", Bearer realm=y`: `[{negotiate map[]} {basic map[realm:x]} {bearer map[realm:y]}]`,
		`Basic`:                 `[{basic map[]}]`,
		`Bearer realm="a\"b`:    `[{bearer map[realm:a"b]}]`,
		``:                      `[]`,
		`="`:                    `[]`,
		`realm="x"`:             `[]`,
		`Bearer   realm = "x" `: `[{bearer map[realm:x]}]`,
	} {
		if got := fmt.Sprint(parseChallenges([]string{header})); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", header, got, want)
		}
	}
}

func TestNextPage(t *testing.T) {
	for link, want := range map[string]string{
		`</v2/x/tags/list?last=a&n=2>; rel="next"`:  "last=a&n=2",
		`<https://evil.example/x?last=b>; rel=next`: "last=b",
		`</v2/x/tags/list?last=a>; rel="previous"`:  "",
		``:                  "",
		`<:::>; rel="next"`: "",
	} {
		if got := nextPage(link); got != want {
			t.Errorf("%s: %q, want %q", link, got, want)
		}
	}
}

// Some public HTTP repositories keep their charts in a registry.
func TestChartOfAnIndexThatNamesARegistry(t *testing.T) {
	store := registry.New(t, registry.Options{TLS: true})
	store.PushChart("team", "web", "1.0.0+a", map[string]string{"x": "y"})
	own := registry.New(t, registry.Options{Username: "me", Password: canary})
	archive := registry.Chart("web", "1.0.0+a", map[string]string{"x": "y"})
	own.AddRelease("c", "web", "1.0.0+a", "oci://"+store.Host+"/team/web:1.0.0_a", registry.Digest(archive))
	s, r, a := openStore(t, nil), withAccount(Repository{URL: own.URL + "/c"}), chartOf("web", "")
	p := mustResolve(t, s, r, a)
	_, err := s.ArtifactTree(t.Context(), r, a, p)
	wantProblem(t, err, ProblemTLS) // nobody vouches for the registry's certificate
	hidden(t, err)
	other, err := s.artifacts.shop(Repository{URL: ociScheme + store.Host + "/team", Type: KindHelm, EnableOCI: true}, ArtifactChart)
	if err != nil {
		t.Fatal(err)
	}
	trusting, err := newWeb(Repository{URL: store.URL, CA: store.CA()}, store.URL, webOptions{refuse: egress.Refused})
	if err != nil {
		t.Fatal(err)
	}
	*other.web.client = *trusting.client // as if an authority of the system had signed it
	if got := read(t, mustArtifact(t, s, r, a, p), "x"); got != "y" {
		t.Errorf("%q", got)
	}
	neverTold(t, store)
}

// layerOf is the registry's judgement of a manifest, without a registry.
func layerOf(kind ArtifactKind, content []byte) (layer, error) {
	limits := ArtifactLimits{}.withDefaults()
	all := &artifacts{}
	all.limits.Store(&limits)
	g := &ociRegistry{shop: &shop{all: all, repo: Repository{URL: "oci://host/x"}}}
	return g.layer(Artifact{Kind: kind, Name: "web"}, "sha256:x", content)
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"layers":[{"mediaType":"`+chartLayer+`","digest":"sha256:`+strings.Repeat("a", 64)+`","size":3}]}`), true)
	f.Add([]byte(`{"manifests":[{}],"layers":null}`), false)
	f.Fuzz(func(t *testing.T, content []byte, chart bool) {
		kind := ArtifactOCI
		if chart {
			kind = ArtifactChart
		}
		l, err := layerOf(kind, content)
		if err != nil {
			if !fault.Is(err, fault.Mistake) {
				t.Errorf("%v", err)
			}
			return
		}
		if _, ok := digestHex(l.Digest); !ok || l.Size > 100<<20 || chart && l.MediaType != chartLayer {
			t.Errorf("%+v", l)
		}
	})
}

func FuzzChallenges(f *testing.F) {
	f.Add(`Bearer realm="https://a/token",service="a b, c",scope="x"`)
	f.Add(`Basic realm="x", Negotiate a==, ="`)
	f.Fuzz(func(t *testing.T, header string) {
		for _, c := range parseChallenges([]string{header}) {
			if c.scheme == "" || c.scheme != strings.ToLower(c.scheme) {
				t.Errorf("%q: %+v", header, c)
			}
		}
	})
}
