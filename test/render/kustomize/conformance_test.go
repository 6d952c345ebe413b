// SPDX-License-Identifier: Apache-2.0

// Package kustomize_test holds what Bowline renders of kustomizations against what Kustomize itself does: the library's
// ordinary entry point (package krusty, as `kustomize build` uses it) on a real folder on disk. Each file of testdata is
// one kustomization with what is around it.
package kustomize_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/kustomize"
	"github.com/bowline-cd/bowline/internal/tree"
)

// scenario is one file of testdata. Its header is YAML. Files below remote/ are repositories, charts and files elsewhere,
// those below ref/ what only Kustomize gets to see; all others are the repository.
type scenario struct {
	// Path is the folder that is rendered; "app" if empty. Reference is the one that Kustomize builds instead, where the
	// source's fields change the kustomization or where it lies elsewhere.
	Path      string `json:"path"`
	Reference string `json:"reference"`
	// Build are the build options of the installation.
	Build string `json:"build"`
	// Source are the fields of the source, Vars the build environment.
	Source *v1alpha1.ApplicationSourceKustomize `json:"source"`
	Vars   map[string]string                    `json:"vars"`
	// Links are symbolic links with their targets.
	Links map[string]string `json:"links"`
	// Remotes are what lies elsewhere. They have to be asked for, and nothing else.
	Remotes []remote `json:"remotes"`
	// Fails is what the error says, if there has to be one. Kustomize has to fail too.
	Fails string `json:"fails"`
	// Refused is what the error says where Kustomize would render, and Why it is refused.
	Refused string `json:"refused"`
	Why     string `json:"why"`
	// Warns are parts of the warnings that there have to be; without any there must be none.
	Warns []string `json:"warns"`

	files map[string]string
}

type remote struct {
	Kind     render.NeedKind `json:"kind"`
	URL      string          `json:"url"`
	Chart    string          `json:"chart"`
	Revision string          `json:"revision"`
	// From is the folder, or the file, that it is.
	From string `json:"from"`
}

func (r remote) need() render.Need {
	return render.Need{Kind: r.Kind, URL: r.URL, Chart: r.Chart, Revision: r.Revision}
}

const kubeVersion = "v1.34.2"

// TestKustomizationsRenderAsKustomizeRendersThem runs one after the other: the library keeps its schema in a variable.
func TestKustomizationsRenderAsKustomizeRendersThem(t *testing.T) {
	scenarios := scenarios(t)
	if len(scenarios) < 60 {
		t.Errorf("only %d kustomizations: some got lost", len(scenarios))
	}
	for _, name := range names(scenarios) {
		t.Run(name, func(t *testing.T) {
			s := scenarios[name]
			want, reference := byKustomize(t, s)
			got, err := byBowline(t, s)
			switch {
			case s.Fails != "" && (err == nil || reference == nil || !strings.Contains(err.Error(), s.Fails)):
				t.Fatalf("error %v; want one that says %q, as Kustomize's %v", err, s.Fails, reference)
			case s.Refused != "" && (err == nil || !strings.Contains(err.Error(), s.Refused)):
				t.Fatalf("error %v; want one that says %q", err, s.Refused)
			case s.Refused != "" && reference != nil:
				t.Fatalf("Kustomize refuses it too (%v): take it out of the differences", reference)
			case s.Fails != "" || s.Refused != "":
				return
			case err != nil || reference != nil:
				t.Fatalf("error %v; Kustomize's %v", err, reference)
			}
			compare(t, objects(t, got), want)
			compareWarnings(t, s, got.Warnings)
		})
	}
}

// TestOneAfterTheOther renders everything in one process in turn, twice: nothing of a kustomization may be left in the
// next one. Those that set a schema are left out, as the worker does: it ends after them.
func TestOneAfterTheOther(t *testing.T) {
	scenarios := scenarios(t)
	first := map[string][]string{}
	order := names(scenarios)
	for range 2 {
		slices.Reverse(order)
		for _, name := range order {
			s := scenarios[name]
			if s.Fails != "" || s.Refused != "" || strings.HasPrefix(name, "openapi") {
				continue
			}
			out, err := byBowline(t, s)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			now := objects(t, out)
			if before, ok := first[name]; ok && !slices.Equal(before, now) {
				t.Errorf("%s renders otherwise after others:\n%s\nbefore\n%s", name, now, before)
			}
			first[name] = now
		}
	}
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("missing: %s", want[i])
		case i >= len(want):
			t.Errorf("too much: %s", got[i])
		case got[i] != want[i]:
			t.Errorf("object %d:\n          %s\nKustomize %s", i, got[i], want[i])
		}
	}
}

func compareWarnings(t *testing.T, s scenario, got []string) {
	t.Helper()
	for _, part := range s.Warns {
		if !slices.ContainsFunc(got, func(w string) bool { return strings.Contains(w, part) }) {
			t.Errorf("no warning says %q: %q", part, got)
		}
	}
	if len(s.Warns) == 0 && len(got) > 0 {
		t.Errorf("warnings %q", got)
	}
}

func scenarios(t testing.TB) map[string]scenario {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]scenario{}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := scenario{Path: "app", files: map[string]string{}}
		if err := yaml.UnmarshalStrict(archive.Comment, &s); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, f := range archive.Files {
			s.files[f.Name] = string(f.Data)
		}
		if s.Reference == "" {
			s.Reference = s.Path
		}
		if s.Refused != "" && s.Why == "" {
			t.Fatalf("%s: a difference needs its reason", file)
		}
		out[strings.TrimSuffix(filepath.Base(file), ".txtar")] = s
	}
	return out
}

func names(scenarios map[string]scenario) []string {
	var out []string
	for name := range scenarios {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// byBowline renders, with what was asked for as often as something is.
func byBowline(t testing.TB, s scenario) (render.Output, error) {
	t.Helper()
	in := render.Input{
		Tree: s.tree("", "remote/", "ref/"), Build: s.Vars, Cluster: facts{}, Trace: &render.Trace{},
		Source:  v1alpha1.ApplicationSource{Path: s.Path, Kustomize: s.Source},
		Options: render.Options{KustomizeBuildOptions: s.Build, KustomizeVersions: map[string]string{"v4.5.7": "--reorder none"}},
	}
	asked := map[string]bool{}
	for {
		out, err := kustomize.Render(t.Context(), in)
		if err != nil || len(out.Needs) == 0 {
			for _, r := range s.Remotes {
				if err == nil && !asked[r.need().Key()] {
					t.Errorf("%s is never asked for", r.need())
				}
			}
			return out, err
		}
		for _, need := range out.Needs {
			if asked[need.Key()] {
				t.Fatalf("%s is asked for again", need)
			}
			asked[need.Key()] = true
			i := slices.IndexFunc(s.Remotes, func(r remote) bool { return r.need().Key() == need.Key() })
			if i < 0 {
				t.Fatalf("%s (%q) is asked for by %s, and nobody has it", need, need.Key(), need.Where)
			}
			in.Remotes = append(in.Remotes, render.Remote{Need: need, Pin: "pin", Tree: s.remoteTree(s.Remotes[i])})
		}
	}
}

func (s scenario) remoteTree(r remote) tree.Tree {
	if r.Kind == render.NeedFile {
		return tree.Memory(map[string]tree.MemoryFile{render.FileName: {Content: s.files[r.From]}})
	}
	return s.tree(r.From + "/")
}

// tree holds the files below a prefix, but for those below others.
func (s scenario) tree(prefix string, without ...string) tree.Tree {
	files := map[string]tree.MemoryFile{}
	add := func(name, content string, mode tree.Mode) {
		rel, ok := strings.CutPrefix(name, prefix)
		if ok && !slices.ContainsFunc(without, func(w string) bool { return strings.HasPrefix(name, w) }) {
			files[rel] = tree.MemoryFile{Content: content, Mode: mode}
		}
	}
	for name, content := range s.files {
		add(name, content, tree.File)
	}
	for name, target := range s.Links {
		add(name, target, tree.Link)
	}
	return tree.Memory(files)
}

// write lays the files of the scenario on disk.
func (s scenario) write(t testing.TB) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range s.files {
		p := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range s.Links {
		p := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, p); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func objects(t testing.TB, out render.Output) []string {
	t.Helper()
	var texts []string
	for _, m := range out.Manifests {
		texts = append(texts, compact(t, m.Object.Object))
	}
	return texts
}

func compact(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// parsed reads what the program would print as Kubernetes reads it.
func parsed(t testing.TB, text []byte) []string {
	t.Helper()
	docs, err := object.ParseYAML("output", text)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, doc := range docs {
		out = append(out, compact(t, doc.Data))
	}
	return out
}
