// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"context"
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

func TestBounded(t *testing.T) {
	manifests, _, err := render.Documents("x", []byte(strings.Repeat("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", 10)), 0)
	if err != nil {
		t.Fatal(err)
	}
	out := render.Output{Manifests: manifests}
	const each = int64(len(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}` + "\n"))
	for _, c := range []struct {
		limits render.Limits
		want   string
	}{
		{render.Limits{}, ""},
		{render.Limits{Objects: 10, OutputBytes: 10 * each}, ""},
		{render.Limits{Objects: 9}, `cannot render path "app" at spec.source: it gives more than 9 objects; make it smaller, or raise bowline.render.maxObjects`},
		{render.Limits{OutputBytes: 10*each - 1}, fmt.Sprintf(`cannot render path "app" at spec.source: it gives more than %d bytes of objects; make it smaller, or raise bowline.render.maxOutput`, 10*each-1)},
	} {
		err := render.Input{Source: v1alpha1.ApplicationSource{Path: "app"}, Limits: c.limits}.Bounded(out)
		if got := fmt.Sprint(err); c.want == "" && err != nil || c.want != "" && (got != c.want || !fault.Is(err, fault.Mistake)) {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

// A bomb of aliases ends its own render, and takes neither memory nor time before it does.
func TestHostileAliases(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\ndata:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 12 {
		fmt.Fprintf(&bomb, "  a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	}
	files := map[string]tree.MemoryFile{"a.yaml": manifest("a"), "bomb.yaml": {Content: bomb.String()}}
	_, err := inProcess(context.Background(), render.Input{Tree: tree.Memory(files)})
	if err == nil || !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "bomb.yaml") {
		t.Errorf("a file of aliases gives %v", err)
	}
	files["bomb.yaml"] = tree.MemoryFile{Content: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: deep}\ndata: " + strings.Repeat("[", 200_000)}
	if _, err = inProcess(context.Background(), render.Input{Tree: tree.Memory(files)}); err == nil || !strings.Contains(err.Error(), "bomb.yaml") {
		t.Errorf("a deep file gives %v", err)
	}
	delete(files, "bomb.yaml")
	files[".argocd-source.yaml"] = tree.MemoryFile{Content: bomb.String()}
	if _, err = inProcess(context.Background(), render.Input{Tree: tree.Memory(files)}); err == nil || !fault.Is(err, fault.Mistake) {
		t.Errorf("overrides of aliases give %v", err)
	}
	// Few aliases of a long text: a library that goes through JSON writes each of them out.
	files[".argocd-source.yaml"] = tree.MemoryFile{Content: "a: &a " + strings.Repeat("x", 64<<10) + "\nb: [" + strings.Repeat("*a,", 400) + "]\n"}
	if _, err = inProcess(context.Background(), render.Input{Tree: tree.Memory(files)}); err == nil || !strings.Contains(err.Error(), "aliases") {
		t.Errorf("overrides that repeat a long text give %v", err)
	}
}

// Every document that a tool gives is an object or nothing, each with its place.
func TestDocuments(t *testing.T) {
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"
	for _, c := range []struct{ name, text, want, err string }{
		{"two with emptiness between", "---\n" + fmt.Sprintf(object, "a") + "---\n# nothing\n---\n" + fmt.Sprintf(object, "b"), "x.yaml:2 a,x.yaml:8 b", ""},
		{"a list", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n", "x.yaml:1 a", ""},
		{"nothing", "", "", ""},
		{"not an object", fmt.Sprintf(object, "a") + "---\nreplicas: 3\n", "", "x.yaml:5"},
		{"not a mapping", "- a\n", "", "x.yaml:1"},
		{"broken", "a: b\n c: d\n", "", "x.yaml:2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			manifests, _, err := render.Documents("x.yaml", []byte(c.text), 3)
			var got []string
			for _, m := range manifests {
				if m.Origin.Source != 3 {
					t.Errorf("%s is of source %d", m.Origin, m.Origin.Source)
				}
				got = append(got, m.Origin.String()+" "+m.Object.GetName())
			}
			if c.err == "" && (err != nil || strings.Join(got, ",") != c.want) {
				t.Errorf("got %v, %v; want %s", got, err, c.want)
			}
			if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || !fault.Is(err, fault.Mistake)) {
				t.Errorf("got %v, want an error at %s", err, c.err)
			}
		})
	}
}

// Folders that hold each other many times over take a few objects of Git, and stand for more paths than anybody can walk.
type nested struct{ tree.Tree }

func (nested) Root() string { return "root" }

func (nested) Lookup(_ context.Context, p string) (tree.Entry, error) {
	if p == "" || path.Base(p) != "a.yaml" && path.Base(p)[0] != '.' && len(path.Base(p)) == 1 {
		return tree.Entry{Name: path.Base(p), Mode: tree.Dir, ID: "dir"}, nil
	}
	return tree.Entry{}, tree.ErrAbsent
}

func (nested) List(_ context.Context, p string) ([]tree.Entry, error) {
	if strings.Count(p, "/") == 8 {
		return nil, nil
	}
	var out []tree.Entry
	for _, name := range "abcdefghij" {
		out = append(out, tree.Entry{Name: string(name), Mode: tree.Dir, ID: "dir"})
	}
	return out, nil
}

func TestHostileFolders(t *testing.T) {
	in := render.Input{Tree: nested{}, Source: v1alpha1.ApplicationSource{Directory: &v1alpha1.ApplicationSourceDirectory{Recurse: true}}}
	_, err := inProcess(context.Background(), in)
	if err == nil || !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "more than 20000 files and folders") {
		t.Errorf("got %v", err)
	}
}
