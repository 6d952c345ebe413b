// SPDX-License-Identifier: Apache-2.0

// Package helm_test holds what Bowline renders of charts against what Helm itself does: its ordinary entry point
// (package action, as `helm template` uses it) on a real folder on disk. Each file of testdata is one chart, with what is
// around it, and the settings of its source on top.
package helm_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/helm"
	"github.com/bowline-cd/bowline/internal/tree"
)

// chart is one file of testdata. Its header is YAML; files below refs/NAME/ are the tree of that ref, files below
// remote/ are fetched charts and files, all others are the repository.
type chart struct {
	// Path is the folder of the chart; "chart" if empty. Helm are the settings of its source.
	Path string                          `json:"path"`
	Helm *v1alpha1.ApplicationSourceHelm `json:"helm"`
	// Build are variables of the build environment.
	Build map[string]string `json:"build"`
	// Links are symbolic links of the repository with their targets.
	Links map[string]string `json:"links"`
	// Pack makes archives (.tgz) of folders of the file. Built are the charts that only Helm finds as archives, where
	// `helm dependency build` puts them.
	Pack  map[string]string `json:"pack"`
	Built []string          `json:"built"`
	// Fetched are charts of other repositories, with the folder of the file that has them.
	Fetched []fetched `json:"fetched"`
	// Web are files at addresses, with the file that has them.
	Web map[string]string `json:"web"`
	// Expands are the value files that Helm is given, where they are not those of the source.
	Expands []string `json:"expands"`
	// Fails is what the error says, if there has to be one. Helm has to fail too, unless Stricter says why it does not.
	Fails    string `json:"fails"`
	Stricter string `json:"stricter"`
	// Differs is why the objects are other ones than Helm's, and Instead what they are, as JSON.
	Differs string            `json:"differs"`
	Instead []json.RawMessage `json:"instead"`
	// Warns are parts of the warnings that there have to be; without any there must be none.
	Warns []string `json:"warns"`

	files map[string]string
}

type fetched struct {
	URL     string `json:"url"`
	Chart   string `json:"chart"`
	Version string `json:"version"`
	From    string `json:"from"`
}

const (
	releaseName = "release"
	namespace   = "space"
	kubeVersion = "v1.34.2"
)

var apiVersions = []string{"example.org/v1", "example.org/v1/Widget"}

func TestChartsRenderAsHelmRendersThem(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 40 {
		t.Errorf("only %d charts: some got lost", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			c := load(t, file)
			want, helmErr := byHelm(t, c)
			got, err := byBowline(t.Context(), c)
			if c.Fails != "" {
				if err == nil || (helmErr == nil) != (c.Stricter != "") || !strings.Contains(err.Error(), c.Fails) {
					t.Fatalf("error %v; want one that says %q, as Helm's %v", err, c.Fails, helmErr)
				}
				return
			}
			if err != nil || helmErr != nil {
				t.Fatalf("error %v; Helm's %v", err, helmErr)
			}
			compare(t, c, objects(t, got), want)
			compareWarnings(t, c, got.Warnings)
		})
	}
}

func compare(t *testing.T, c chart, got, want []string) {
	t.Helper()
	if c.Differs != "" {
		if slices.Equal(got, want) {
			t.Error("nothing differs from Helm any more: take it out of the differences")
		}
		want = nil
		for _, text := range c.Instead {
			want = append(want, compact(t, text))
		}
	}
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("missing: %s", want[i])
		case i >= len(want):
			t.Errorf("too much: %s", got[i])
		case got[i] != want[i]:
			t.Errorf("object %d:\n     %s\nHelm %s", i, got[i], want[i])
		}
	}
}

func compareWarnings(t *testing.T, c chart, got []string) {
	t.Helper()
	for _, part := range c.Warns {
		if !slices.ContainsFunc(got, func(w string) bool { return strings.Contains(w, part) }) {
			t.Errorf("no warning says %q: %q", part, got)
		}
	}
	if len(c.Warns) == 0 && len(got) > 0 {
		t.Errorf("warnings %q", got)
	}
}

func load(t *testing.T, file string) chart {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := chart{files: map[string]string{}}
	if err := yaml.UnmarshalStrict(archive.Comment, &c); err != nil {
		t.Fatalf("header: %v", err)
	}
	for _, f := range archive.Files {
		c.files[f.Name] = string(f.Data)
	}
	if c.Path == "" {
		c.Path = "chart"
	}
	if c.Helm == nil {
		c.Helm = &v1alpha1.ApplicationSourceHelm{}
	}
	for to, from := range c.Pack {
		c.files[to] = pack(t, c.below(from))
	}
	return c
}

// below returns the files of a folder, by their paths in it.
func (c chart) below(dir string) map[string]string {
	out := map[string]string{}
	for p, content := range c.files {
		if rel, ok := strings.CutPrefix(p, dir+"/"); ok {
			out[rel] = content
		}
	}
	return out
}

func memory(files map[string]string, links map[string]string) tree.Tree {
	out := map[string]tree.MemoryFile{}
	for p, content := range files {
		out[p] = tree.MemoryFile{Content: content}
	}
	for p, target := range links {
		out[p] = tree.MemoryFile{Content: target, Mode: tree.Link}
	}
	return tree.Memory(out)
}

// byBowline renders a chart from trees.
func byBowline(ctx context.Context, c chart) (render.Output, error) {
	in := render.Input{
		Tree: memory(c.files, c.Links), Source: v1alpha1.ApplicationSource{Path: c.Path, Helm: c.Helm},
		Release: releaseName, Namespace: namespace, Build: c.Build, Cluster: facts{},
		Refs: map[string]tree.Tree{}, Options: render.Options{ValuesFileSchemes: []string{"https", "http"}}, Trace: &render.Trace{},
	}
	for p := range c.files {
		if rest, ok := strings.CutPrefix(p, "refs/"); ok {
			name, _, _ := strings.Cut(rest, "/")
			in.Refs[name] = memory(c.below("refs/"+name), nil)
		}
	}
	for {
		out, err := helm.Render(ctx, in)
		if err != nil || len(out.Needs) == 0 {
			return out, err
		}
		for _, need := range out.Needs {
			in.Remotes = append(in.Remotes, render.Remote{Need: need, Tree: c.resolve(need)})
		}
	}
}

// resolve returns what is needed: an empty tree if the file does not have it.
func (c chart) resolve(need render.Need) tree.Tree {
	if need.Kind == render.NeedFile {
		return memory(map[string]string{render.FileName: c.files[c.Web[need.URL]]}, nil)
	}
	for _, f := range c.Fetched {
		if need.URL == f.URL && need.Chart == f.Chart && need.Revision == f.Version {
			return memory(c.below(f.From), nil)
		}
	}
	return tree.Memory(nil)
}

type facts struct{}

func (facts) KubeVersion(context.Context) (string, error)   { return kubeVersion, nil }
func (facts) APIVersions(context.Context) ([]string, error) { return apiVersions, nil }

func objects(t *testing.T, out render.Output) []string {
	t.Helper()
	var texts []string
	for _, m := range out.Manifests {
		texts = append(texts, text(t, m.Object))
	}
	return texts
}

func text(t *testing.T, u *unstructured.Unstructured) string {
	t.Helper()
	data, err := json.Marshal(u.Object)
	if err != nil {
		t.Fatal(err)
	}
	return compact(t, data)
}

// compact brings JSON into one form: keys in their order, and numbers that are equal written the same.
func compact(t *testing.T, data []byte) string {
	t.Helper()
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
