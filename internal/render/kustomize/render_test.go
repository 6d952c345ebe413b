// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

func TestNeedsOfOneRoundAreAskedForTogether(t *testing.T) {
	in := input(map[string]string{
		"app/kustomization.yaml": `resources:
- https://github.com/org/one//base?ref=v1
- ../other
- https://example.org/cm.yaml
components:
- git@example.org:org/parts.git//a
configMapGenerator:
- name: g
  files: [k=https://example.org/data]
helmCharts:
- name: shop
  repo: https://charts.example.org
  version: ">=1 <2"
- name: tool
  repo: oci://registry.example.org/charts/
  devel: true
`,
		"other/kustomization.yaml": "resources:\n- https://github.com/org/one//other?ref=v1\n- https://github.com/org/two?ref=v2\n",
	})
	in.Options.KustomizeBuildOptions = "--enable-helm"
	out, err := Render(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range out.Needs {
		got = append(got, fmt.Sprintf("%s %s|%s|%s from %s", n.Kind, n.URL, n.Chart, n.Revision, n.Where))
	}
	want := []string{
		"git https://github.com/org/one||v1 from app/kustomization.yaml:2 (resources[0])",
		"file https://example.org/cm.yaml|| from app/kustomization.yaml:4 (resources[2])",
		"git git@example.org:org/parts.git|| from app/kustomization.yaml:6 (components[0])",
		"file https://example.org/data|| from app/kustomization.yaml:9 (configMapGenerator[0].files[0])",
		"chart https://charts.example.org|shop|>=1 <2 from app/kustomization.yaml:11 (helmCharts[0])",
		"chart oci://registry.example.org/charts|tool|>0.0.0-0 from app/kustomization.yaml:14 (helmCharts[1])",
		"git https://github.com/org/two||v2 from other/kustomization.yaml:3 (resources[1])",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(out.Manifests) > 0 || out.Type != v1alpha1.ApplicationSourceTypeKustomize {
		t.Errorf("%+v", out)
	}
}

func TestOriginsNameFileAndLine(t *testing.T) {
	in := input(map[string]string{
		"app/kustomization.yaml": "namePrefix: p-\nresources:\n- all.yaml\n- ../low\n- https://github.com/org/repo//base?ref=v1\nconfigMapGenerator: [{name: made, literals: [a=b]}]\n",
		"app/all.yaml":           "# first\n" + configMap + "---\n\napiVersion: v1\nkind: Secret\nmetadata: {labels: {name: x}, name: keys}\n",
		"low/kustomization.yaml": "resources: [svc.yaml]\n",
		"low/svc.yaml":           "---\nkind: Service\nmetadata:\n  labels:\n    name: other\n  name: 'web'\napiVersion: v1\n",
	})
	in.Index = 2
	need := render.Need{Kind: render.NeedGit, URL: "https://github.com/org/repo", Revision: "v1"}
	in.Remotes = []render.Remote{{Need: need, Tree: repo(map[string]string{"base/kustomization.yaml": "resources: [sa.yaml]\n", "base/sa.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa}\n"})}}
	out, err := Render(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range out.Manifests {
		got[m.Object.GetKind()+" "+m.Object.GetName()] = fmt.Sprintf("%s of %d", m.Origin, m.Origin.Source)
	}
	for object, want := range map[string]string{
		"ConfigMap p-settings":        "app/all.yaml:2 of 2",
		"Secret p-keys":               "app/all.yaml:9 of 2",
		"Service p-web":               "low/svc.yaml:2 of 2",
		"ServiceAccount p-sa":         "https://github.com/org/repo at v1: base/sa.yaml:1 of 2",
		"ConfigMap p-made-4h2mbtbbt6": "app/kustomization.yaml of 2",
	} {
		if got[object] != want {
			t.Errorf("%s comes from %q, want %q", object, got[object], want)
		}
	}
}

func TestAnnotationsOfOriginNameTheRepository(t *testing.T) {
	in := input(map[string]string{"app/kustomization.yaml": "buildMetadata: [originAnnotations, transformerAnnotations]\nresources:\n- https://github.com/org/repo//base?ref=v1\n- https://example.org/x.yaml\n"})
	in.Remotes = []render.Remote{
		{Need: render.Need{Kind: render.NeedGit, URL: "https://github.com/org/repo", Revision: "v1"}, Tree: repo(map[string]string{
			"base/kustomization.yaml": "namePrefix: p-\nresources: [cm.yaml]\nconfigMapGenerator: [{name: g, literals: [a=b]}]\n", "base/cm.yaml": configMap})},
		{Need: render.Need{Kind: render.NeedFile, URL: "https://example.org/x.yaml"}, Tree: repo(map[string]string{"file": strings.ReplaceAll(configMap, "settings", "web")})},
	}
	out, err := Render(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range out.Manifests {
		a := m.Object.GetAnnotations()
		got[m.Object.GetName()] = a[originAnnotation] + "|" + a[transformationsAnnotation]
	}
	const by = "- repo: https://github.com/org/repo\n  ref: v1\n  configuredIn: base/kustomization.yaml\n  configuredBy:\n    apiVersion: builtin\n    kind: PrefixTransformer\n"
	for name, want := range map[string]string{
		"p-settings":     "path: base/cm.yaml\nrepo: https://github.com/org/repo\nref: v1\n|" + by,
		"p-g-4h2mbtbbt6": "repo: https://github.com/org/repo\nref: v1\nconfiguredIn: base/kustomization.yaml\nconfiguredBy:\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n|" + by,
		"web":            "path: https:/example.org/x.yaml\n|",
	} {
		if got[name] != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got[name], want)
		}
	}
}

// missingError is how a Tree says that a file was not fetched.
type missingError struct{ path string }

func (e missingError) Error() string       { return e.path + " was not fetched" }
func (e missingError) MissingPath() string { return e.path }

// partial is a Tree of which some files were not fetched.
type partial struct {
	tree.Tree
	without []string
	asked   map[string]bool
}

func (p *partial) Read(ctx context.Context, at string, limit int64) ([]byte, error) {
	if slices.Contains(p.without, at) {
		p.asked[at] = true
		return nil, missingError{at}
	}
	return p.Tree.Read(ctx, at, limit)
}

func TestWhatWasNotFetchedIsNeverAbsent(t *testing.T) {
	files := map[string]string{
		"app/kustomization.yaml": "resources: [cm.yaml, ../low, svc.yaml]\nconfigMapGenerator: [{name: g, files: [data]}]\npatches: [{path: p.yaml}]\n",
		"app/cm.yaml":            configMap, "app/data": "x", "app/p.yaml": configMap, "app/svc.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n",
		"low/kustomization.yml": "resources: [role.yaml]\n", "low/role.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: s}\n",
	}
	for name := range files {
		in := input(files)
		in.Tree = &partial{Tree: in.Tree, without: []string{name}, asked: map[string]bool{}}
		_, err := Render(t.Context(), in)
		var missing missingError
		if !errors.As(err, &missing) || missing.path != name {
			t.Errorf("without %s: %v", name, err)
		}
	}
	in := input(files)
	p := &partial{Tree: in.Tree, without: []string{"app/cm.yaml", "low/kustomization.yml", "app/data", "app/p.yaml", "app/svc.yaml"}, asked: map[string]bool{}}
	in.Tree = p
	if _, err := Render(t.Context(), in); err == nil || len(p.asked) != len(p.without) {
		t.Errorf("one render finds all that is missing: asked for %v, %v", p.asked, err)
	}
}

func TestTreesThatCannotBeRead(t *testing.T) {
	in := input(map[string]string{"app/kustomization.yaml": "resources: [../low]\n", "low/kustomization.yaml": "resources: [cm.yaml]\n", "low/cm.yaml": configMap})
	gone := errors.New("the store does not answer")
	in.Tree = brokenTree{Tree: in.Tree, at: "low", err: gone}
	if _, err := Render(t.Context(), in); !errors.Is(err, gone) || fault.Is(err, fault.Mistake) {
		t.Error(err)
	}
}

type brokenTree struct {
	tree.Tree
	at  string
	err error
}

func (b brokenTree) Lookup(ctx context.Context, p string) (tree.Entry, error) {
	if strings.HasPrefix(p, b.at) {
		return tree.Entry{}, b.err
	}
	return b.Tree.Lookup(ctx, p)
}

func TestBounds(t *testing.T) {
	deep := map[string]string{"app/kustomization.yaml": "resources: [../d0]\n"}
	for i := range 80 {
		deep[fmt.Sprintf("d%d/kustomization.yaml", i)] = fmt.Sprintf("resources: [../d%d]\n", i+1)
	}
	wide := map[string]string{"app/kustomization.yaml": "resources: [../l0a, ../l0b]\n"}
	for i := range 30 {
		for _, side := range []string{"a", "b"} {
			wide[fmt.Sprintf("l%d%s/kustomization.yaml", i, side)] = fmt.Sprintf("namePrefix: %s-\nresources: [../l%da, ../l%db]\n", side, i+1, i+1)
		}
	}
	wide["l30a/kustomization.yaml"], wide["l30b/kustomization.yaml"] = "resources: [cm.yaml]\n", "resources: [cm.yaml]\n"
	wide["l30a/cm.yaml"], wide["l30b/cm.yaml"] = configMap, strings.ReplaceAll(configMap, "settings", "more")
	many := map[string]string{"app/kustomization.yaml": "resources: [a.yaml, b.yaml, c.yaml]\n"}
	for _, name := range []string{"a", "b", "c"} {
		many["app/"+name+".yaml"] = strings.ReplaceAll(configMap, "settings", name)
	}
	laughs := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'j'; c++ {
		laughs += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for _, c := range []struct {
		name   string
		files  map[string]string
		limits render.Limits
		want   string
	}{
		{"depth", deep, render.Limits{}, "its bases lie more than 64 deep"},
		{"a base that is built 2^30 times", wide, render.Limits{}, "are built more than 20000 times; make it smaller, or raise bowline.render.maxFiles"},
		{"files", many, render.Limits{Files: 3}, "it reads more than 3 files; make it smaller, or raise bowline.render.maxFiles"},
		{"size of a file", many, render.Limits{FileBytes: 60}, "app/a.yaml"},
		{"objects", many, render.Limits{Objects: 2}, "more than 2 objects; make it smaller, or raise bowline.render.maxObjects"},
		{"output", many, render.Limits{OutputBytes: 100}, "raise bowline.render.maxOutput"},
		{"aliases", map[string]string{"app/kustomization.yaml": laughs}, render.Limits{}, "app/kustomization.yaml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(c.files)
			in.Limits = c.limits
			_, err := Render(t.Context(), in)
			if err == nil || !strings.Contains(err.Error(), c.want) || !fault.Is(err, fault.Mistake) {
				t.Errorf("%v, want one that says %q", err, c.want)
			}
		})
	}
}

func TestRemotesThatGoRoundInCircles(t *testing.T) {
	need := func(url string) render.Need { return render.Need{Kind: render.NeedGit, URL: url} }
	in := input(map[string]string{"app/kustomization.yaml": "resources: [\"https://example.org/a/one.git//x\"]\n"})
	in.Remotes = []render.Remote{
		{Need: need("https://example.org/a/one.git"), Tree: repo(map[string]string{"x/kustomization.yaml": "resources: [../y]\n", "y/kustomization.yaml": "resources: [\"https://example.org/a/two.git\"]\n"})},
		{Need: need("https://example.org/a/two.git"), Tree: repo(map[string]string{"kustomization.yaml": "resources: [\"https://example.org/a/one.git//x\"]\n"})},
	}
	_, err := Render(t.Context(), in)
	const want = "lead back to where they began: https://example.org/a/one.git: x → https://example.org/a/one.git: y → https://example.org/a/two.git → https://example.org/a/one.git: x"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v", err)
	}
}

func TestSchemasTaintTheProcess(t *testing.T) {
	tainted.Store(false)
	defer tainted.Store(false)
	plain := input(map[string]string{"app/kustomization.yaml": "resources: [cm.yaml]\n", "app/cm.yaml": configMap})
	if _, err := Render(t.Context(), plain); err != nil || Tainted() {
		t.Fatalf("tainted by a plain kustomization: %t, %v", Tainted(), err)
	}
	for name, files := range map[string]map[string]string{
		"a schema of its own": {"app/kustomization.yaml": "resources: [cm.yaml]\nopenapi: {path: s.json}\n", "app/cm.yaml": configMap, "app/s.json": `{"definitions":{}}`},
		"in a base":           {"app/kustomization.yaml": "resources: [../low]\n", "low/kustomization.yaml": "resources: [cm.yaml]\nopenapi: {version: v1.21.2}\n", "low/cm.yaml": configMap},
		"that is none":        {"app/kustomization.yaml": "resources: [cm.yaml]\nopenapi: {path: s.json}\npatches: [{path: cm.yaml}]\n", "app/cm.yaml": configMap, "app/s.json": `[[`},
	} {
		tainted.Store(false)
		_, err := Render(t.Context(), input(files))
		if !Tainted() {
			t.Errorf("%s: not tainted, %v", name, err)
		}
		if name == "that is none" && (err == nil || !fault.Is(err, fault.Mistake)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	const deployment = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s}\nspec: {template: {spec: {containers: [{name: c, image: old}, {name: d, image: d}]}}}\n"
	out, err := Render(t.Context(), input(map[string]string{
		"app/kustomization.yaml": "resources: [s.yaml]\npatches: [{path: p.yaml}]\n", "app/s.yaml": deployment,
		"app/p.yaml": "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s}\nspec: {template: {spec: {containers: [{name: c, env: [{name: A, value: b}]}]}}}\n",
	}))
	if err != nil || !strings.Contains(fmt.Sprint(out.Manifests[0].Object.Object), "image:old") {
		t.Errorf("even in the same process the schema of before is forgotten: %v, %v", out.Manifests, err)
	}
}

func TestChartsWithTwoNamespacesAreRefused(t *testing.T) {
	in := input(map[string]string{
		"app/kustomization.yaml":  "resources: [../one, ../two]\n",
		"one/kustomization.yaml":  "namespace: one\nnamePrefix: one-\nresources: [../low]\n",
		"two/kustomization.yaml":  "namespace: two\nnamePrefix: two-\nresources: [../low]\n",
		"low/kustomization.yaml":  "helmCharts: [{name: c}]\n",
		"low/charts/c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n", "low/charts/c/templates/a.yaml": configMap,
	})
	in.Options.KustomizeBuildOptions = "--enable-helm"
	_, err := Render(t.Context(), in)
	if err == nil || !strings.Contains(err.Error(), `use helmCharts[0] at low/kustomization.yaml:1: it is reached with two namespaces, "one" and "two"`) {
		t.Error(err)
	}
}
