// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/jsonnet"
	"github.com/bowline-cd/bowline/internal/tree"
)

// testCase is a folder of an archive under testdata:
//
//	CASE/source       the source, as YAML
//	CASE/options      tools that are turned off: helm, kustomize, jsonnet
//	CASE/build        the build environment, as YAML
//	CASE/repo/PATH    a file of the repository; the line "LINK target" makes it a link, "SUBMODULE" a submodule
//	CASE/plugin       the name of the plugin that discovers every source
//	CASE/type         the tool that renders it, and which field or file says so
//	CASE/merged       the source with what the repository overrides, as JSON
//	CASE/want         the objects, one per line: "file:line Kind.group namespace/name"
//	CASE/json         the objects' content, one JSON object per line
//	CASE/used         the variables of the build environment that went into the output
//	CASE/warnings     the warnings
//	CASE/error        kind and text of the error
type testCase struct {
	in     render.Input
	plugin string
	files  map[string]tree.MemoryFile
	want   map[string]string
}

// prepare is Prepare for tests that have no plugins.
func prepare(ctx context.Context, in render.Input) (render.Prepared, error) {
	return render.Prepare(ctx, in, nil)
}

// inProcess renders what needs no worker.
func inProcess(ctx context.Context, in render.Input) (render.Output, error) {
	prepared, err := prepare(ctx, in)
	if err != nil {
		return render.Output{}, err
	}
	return render.Directory(ctx, prepared.Input, nil)
}

// outcome is what a case gave.
type outcome struct {
	prepared render.Prepared
	out      render.Output
	err      error
}

// run prepares a case and renders it if it is a Directory: first as in the controller's process, then as in a worker.
func (c *testCase) run(ctx context.Context, t *testing.T) (got outcome) {
	t.Helper()
	in := c.in
	in.Tree, in.App, in.Trace = tree.Memory(c.files), "web", &render.Trace{}
	discover := func(context.Context, render.Input) (string, bool, error) { return c.plugin, c.plugin != "", nil }
	if got.prepared, got.err = render.Prepare(ctx, in, discover); got.err != nil || got.prepared.Type != v1alpha1.ApplicationSourceTypeDirectory {
		return got
	}
	got.out, got.err = render.Directory(ctx, got.prepared.Input, nil)
	if errors.Is(got.err, render.ErrNeedsWorker) {
		if len(got.out.Manifests) > 0 {
			t.Error("objects without those of the Jsonnet files")
		}
		got.out, got.err = render.Directory(ctx, got.prepared.Input, jsonnet.Evaluate)
	}
	return got
}

func TestRender(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("%d archives, %v", len(archives), err)
	}
	for _, archive := range archives {
		group := strings.TrimSuffix(filepath.Base(archive), ".txtar")
		for name, c := range readCases(t, archive) {
			t.Run(group+"/"+name, func(t *testing.T) {
				outcome := c.run(context.Background(), t)
				got := map[string]string{}
				for what := range c.want {
					got[what] = report(t, what, outcome)
				}
				if _, ok := c.want["error"]; outcome.err != nil && !ok {
					t.Fatalf("unexpected error: %v", outcome.err)
				}
				if len(c.want) == 0 {
					t.Fatal("the case wants nothing")
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
	}
}

func readCases(t *testing.T, file string) map[string]*testCase {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]*testCase{}
	for _, f := range archive.Files {
		name, rest, _ := strings.Cut(f.Name, "/")
		c := cases[name]
		if c == nil {
			c = &testCase{files: map[string]tree.MemoryFile{}, want: map[string]string{}}
			cases[name] = c
		}
		text := string(f.Data)
		switch p, inRepo := strings.CutPrefix(rest, "repo/"); {
		case inRepo:
			c.files[p] = memoryFile(text)
		case rest == "source":
			unmarshal(t, f, &c.in.Source)
		case rest == "build":
			unmarshal(t, f, &c.in.Build)
		case rest == "options":
			off := strings.Fields(text)
			c.in.Options = render.Options{HelmOff: slices.Contains(off, "helm"), KustomizeOff: slices.Contains(off, "kustomize"), JsonnetOff: slices.Contains(off, "jsonnet")}
		case rest == "plugin":
			c.plugin = strings.TrimSpace(text)
		default:
			c.want[rest] = text
		}
	}
	return cases
}

func unmarshal(t *testing.T, f txtar.File, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict(f.Data, into); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
}

func memoryFile(text string) tree.MemoryFile {
	if target, ok := strings.CutPrefix(text, "LINK "); ok {
		return tree.MemoryFile{Content: strings.TrimSpace(target), Mode: tree.Link}
	}
	if strings.HasPrefix(text, "SUBMODULE") {
		return tree.MemoryFile{Content: text, Mode: tree.Submodule}
	}
	return tree.MemoryFile{Content: text}
}

func report(t *testing.T, what string, got outcome) string {
	t.Helper()
	var lines []string
	switch what {
	case "error":
		if got.err != nil {
			lines = append(lines, fault.KindOf(got.err).String()+": "+got.err.Error())
		}
	case "type":
		lines = append(lines, strings.TrimSpace(string(got.prepared.Type)+" "+got.prepared.Why))
	case "merged":
		lines = append(lines, asJSON(t, got.prepared.Source))
	case "used":
		lines = got.out.Used.Build
	case "warnings":
		lines = got.out.Warnings
	case "want":
		for _, m := range got.out.Manifests {
			o := m.Object
			gvk := o.GroupVersionKind()
			lines = append(lines, fmt.Sprintf("%s %s/%s %s", m.Origin, gvk.GroupVersion(), gvk.Kind, path.Join(o.GetNamespace(), o.GetName()+o.GetGenerateName())))
		}
	case "json":
		for _, m := range got.out.Manifests {
			lines = append(lines, asJSON(t, m.Object.Object))
		}
	default:
		t.Fatalf("unknown file %q", what)
	}
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"

func manifest(name string) tree.MemoryFile {
	return tree.MemoryFile{Content: fmt.Sprintf(configMap, name)}
}

// One broken file of twenty is named alone; when all are, the first ten are.
func TestBrokenFiles(t *testing.T) {
	files := map[string]tree.MemoryFile{}
	for i := range 20 {
		files[fmt.Sprintf("app/%02d.yaml", i)] = manifest(fmt.Sprintf("c%d", i))
	}
	files["app/07.yaml"] = tree.MemoryFile{Content: fmt.Sprintf(configMap, "c7") + "data:\n  a: b\n c: d\n"}
	in := render.Input{Tree: tree.Memory(files), Source: v1alpha1.ApplicationSource{Path: "app"}}
	_, err := inProcess(context.Background(), in)
	want := "cannot read the manifest at app/07.yaml:6: not valid YAML: did not find expected key; correct the file and push"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}

	for name := range files {
		files[name] = tree.MemoryFile{Content: "apiVersion: v1\nkind: X\nmetadata: [\n"}
	}
	in.Tree = tree.Memory(files)
	_, err = inProcess(context.Background(), in)
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 11 || !strings.Contains(lines[0], "app/00.yaml:3") || !strings.Contains(lines[9], "app/09.yaml:3") || lines[10] != "and 10 more broken files" {
		t.Errorf("got\n%v", err)
	}
	if !fault.Is(err, fault.Mistake) {
		t.Errorf("its kind is %s", fault.KindOf(err))
	}
}

func TestLimit(t *testing.T) {
	big := func(n int) tree.MemoryFile {
		return tree.MemoryFile{Content: fmt.Sprintf(configMap, "big") + "data: {x: '" + strings.Repeat("x", n) + "'}\n"}
	}
	source := v1alpha1.ApplicationSource{Path: "app"}
	t.Run("a file of 5 MB is fine", func(t *testing.T) {
		out, err := inProcess(context.Background(), render.Input{Tree: tree.Memory(map[string]tree.MemoryFile{"app/a.yaml": big(5 << 20)}), Source: source})
		if err != nil || len(out.Manifests) != 1 {
			t.Errorf("%d objects, %v", len(out.Manifests), err)
		}
	})
	files := map[string]tree.MemoryFile{
		"app/a.yaml": big(5 << 20), "app/b.yaml": big(4 << 20), "app/c.yaml": big(2 << 20),
		"app/d.txt": {Content: strings.Repeat("x", 20<<20)}, // not a manifest: not counted
	}
	t.Run("all together are limited", func(t *testing.T) {
		_, err := inProcess(context.Background(), render.Input{Tree: tree.Memory(files), Source: source})
		want := `cannot render path "app" at app/c.yaml: with this file its manifests are larger than 10 MiB together; leave files that are no manifests out with spec.source.directory.exclude, split the application, or raise reposerver.max.combined.directory.manifests.size`
		if err == nil || err.Error() != want || !fault.Is(err, fault.Mistake) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
	t.Run("the limit is a setting", func(t *testing.T) {
		if _, err := inProcess(context.Background(), render.Input{Tree: tree.Memory(files), Source: source, Limits: render.Limits{TotalBytes: 20 << 20}}); err != nil {
			t.Error(err)
		}
		_, err := inProcess(context.Background(), render.Input{Tree: tree.Memory(files), Source: source, Limits: render.Limits{TotalBytes: 3 << 10}})
		if err == nil || !strings.Contains(err.Error(), "3 KiB") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what is excluded is not counted", func(t *testing.T) {
		source := source
		source.Directory = &v1alpha1.ApplicationSourceDirectory{Exclude: "a.yaml"}
		if _, err := inProcess(context.Background(), render.Input{Tree: tree.Memory(files), Source: source}); err != nil {
			t.Error(err)
		}
	})
}

// failing is a tree of which one path cannot be read.
type failing struct {
	tree.Tree
	at string
}

var errLost = errors.New("object lost")

func (f failing) Lookup(ctx context.Context, p string) (tree.Entry, error) {
	if p == f.at {
		return tree.Entry{}, errLost
	}
	return f.Tree.Lookup(ctx, p)
}

func (f failing) List(ctx context.Context, p string) ([]tree.Entry, error) {
	if p == f.at {
		return nil, errLost
	}
	return f.Tree.List(ctx, p)
}

func (f failing) Read(ctx context.Context, p string, limit int64) ([]byte, error) {
	if p == f.at {
		return nil, errLost
	}
	return f.Tree.Read(ctx, p, limit)
}

// What could not be had is never taken for what is not there.
func TestMissingIsNotAbsent(t *testing.T) {
	whole := tree.Memory(map[string]tree.MemoryFile{
		"app/a.yaml": manifest("a"), "app/sub/b.yaml": manifest("b"), "app/c.yaml": {Content: "../shared/c.yaml", Mode: tree.Link}, "shared/c.yaml": manifest("c"),
	})
	source := v1alpha1.ApplicationSource{Path: "app", Directory: &v1alpha1.ApplicationSourceDirectory{Recurse: true}}
	if out, err := inProcess(context.Background(), render.Input{Tree: whole, Source: source}); err != nil || len(out.Manifests) != 3 {
		t.Fatalf("%d objects, %v", len(out.Manifests), err)
	}
	for _, at := range []string{"", "app", "app/a.yaml", "app/sub", "app/sub/b.yaml", "app/c.yaml", "shared", "shared/c.yaml", "app/.argocd-source.yaml"} {
		t.Run(at, func(t *testing.T) {
			out, err := inProcess(context.Background(), render.Input{Tree: failing{whole, at}, Source: source})
			if !errors.Is(err, errLost) || len(out.Manifests) != 0 {
				t.Errorf("%d objects, %v", len(out.Manifests), err)
			}
		})
	}
	source.Directory = nil
	for _, at := range []string{"app/kustomization.yaml", "app/Chart.yaml"} {
		if _, err := prepare(context.Background(), render.Input{Tree: failing{whole, at}, Source: source}); !errors.Is(err, errLost) {
			t.Errorf("%s: %v", at, err)
		}
	}
}

func TestRenderStopsWhenTold(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := inProcess(ctx, render.Input{Tree: tree.Memory(map[string]tree.MemoryFile{"a.yaml": manifest("a")})}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSourceIndex(t *testing.T) {
	in := render.Input{Tree: tree.Memory(map[string]tree.MemoryFile{"a.yaml": manifest("a")}), Index: 2, Where: "spec.sources[2]"}
	out, err := inProcess(context.Background(), in)
	if err != nil || len(out.Manifests) != 1 || out.Manifests[0].Origin.Source != 2 {
		t.Errorf("%+v, %v", out, err)
	}
	in.Source.Path = "gone"
	if _, err := inProcess(context.Background(), in); err == nil || !strings.Contains(err.Error(), "spec.sources[2].path") {
		t.Errorf("got %v", err)
	}
}
