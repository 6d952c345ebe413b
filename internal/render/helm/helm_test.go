// SPDX-License-Identifier: Apache-2.0

package helm_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/helm"
	"github.com/bowline-cd/bowline/internal/tree"
)

const chartYAML = "apiVersion: v2\nname: web\nversion: 1.0.0\n"

// files are files of a repository; a content that begins with "-> " makes a link, "-> submodule" a submodule.
type files map[string]string

func (f files) tree() tree.Tree {
	out := map[string]tree.MemoryFile{}
	for p, content := range f {
		if content == "-> submodule" {
			out[p] = tree.MemoryFile{Mode: tree.Submodule}
			continue
		}
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			out[p] = tree.MemoryFile{Content: target, Mode: tree.Link}
			continue
		}
		out[p] = tree.MemoryFile{Content: content}
	}
	return tree.Memory(out)
}

// with adds a chart's Chart.yaml in apps/web, where there is none, and other files.
func (f files) with(more files) files {
	out := files{"apps/web/Chart.yaml": chartYAML}
	for _, m := range []files{f, more} {
		for p, content := range m {
			out[p] = content
		}
	}
	return out
}

// config is a template of a ConfigMap with one line of data.
func config(data string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: " + data + "\n"
}

func input(f files, settings v1alpha1.ApplicationSourceHelm) render.Input {
	return render.Input{
		Tree: f.with(nil).tree(), Source: v1alpha1.ApplicationSource{Path: "apps/web", Helm: &settings},
		Release: "shop", Namespace: "space", Trace: &render.Trace{},
		Options: render.Options{ValuesFileSchemes: []string{"https", "http"}},
	}
}

// data renders a chart of one ConfigMap and returns its x.
func data(t *testing.T, in render.Input) string {
	t.Helper()
	out, err := helm.Render(t.Context(), in)
	if err != nil || len(out.Manifests) != 1 {
		t.Fatalf("%d manifests, needs %v, %v", len(out.Manifests), out.Needs, err)
	}
	x, _, _ := runtimeString(out.Manifests[0].Object.Object, "data", "x")
	return x
}

func runtimeString(obj map[string]any, keys ...string) (string, bool, error) {
	var value any = obj
	for _, key := range keys {
		m, ok := value.(map[string]any)
		if !ok {
			return "", false, errors.New("no mapping at " + key)
		}
		value = m[key]
	}
	text, ok := value.(string)
	return text, ok, nil
}

type cluster struct{ version string }

func (c cluster) KubeVersion(context.Context) (string, error) { return c.version, nil }
func (c cluster) APIVersions(context.Context) ([]string, error) {
	return []string{"example.org/v1", "example.org/v1/Widget"}, nil
}

func TestOriginsNameTheTemplate(t *testing.T) {
	in := input(files{
		"apps/web/templates/a.yaml":            config("1"),
		"apps/web/crds/crd.yaml":               "# a comment\n\napiVersion: x/v1\nkind: CustomResourceDefinition\nmetadata: {name: crd}\n",
		"apps/web/charts/sub/Chart.yaml":       "name: sub\nversion: 1.0.0\n",
		"apps/web/charts/sub/templates/b.yaml": config("2"),
		"apps/web/charts/link":                 "-> ../../../shared/linked",
		"shared/linked/Chart.yaml":             "name: linked\nversion: 1.0.0\n",
		"shared/linked/templates/c.yaml":       config("3"),
	}, v1alpha1.ApplicationSourceHelm{})
	in.Index = 2
	out, err := helm.Render(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range out.Manifests {
		if m.Origin.Source != 2 {
			t.Errorf("source %d", m.Origin.Source)
		}
		got = append(got, m.Origin.String())
	}
	want := []string{"apps/web/crds/crd.yaml:3", "shared/linked/templates/c.yaml", "apps/web/charts/sub/templates/b.yaml", "apps/web/templates/a.yaml"}
	if slices.Sort(got); !slices.Equal(got, sorted(want)) {
		t.Errorf("origins %q, want %q", got, want)
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func TestWhatLiesElsewhereIsAskedForAllAtOnce(t *testing.T) {
	f := files{
		"apps/web/Chart.yaml": chartYAML + "dependencies:\n  - {name: redis, version: ^1, repository: 'https://charts.example.org'}\n" +
			"  - {name: db, version: 2.x, repository: 'oci://registry.example.org/charts'}\n  - {name: here, version: 1.0.0, repository: 'https://charts.example.org'}\n" +
			"  - {name: cache, version: '*', repository: 'alias:stable'}\n",
		"apps/web/charts/here/Chart.yaml": "name: here\nversion: 1.0.0\n",
		"apps/web/values.schema.json":     `{"properties": {"x": {"$ref": "https://schemas.example.org/x.json"}}}`,
		"apps/web/templates/a.yaml":       config("{{ .Values.x }}"),
	}
	in := input(f, v1alpha1.ApplicationSourceHelm{
		ValueFiles:     []string{"https://files.example.org/a.yaml", "https://files.example.org/b.yaml"},
		FileParameters: []v1alpha1.HelmFileParameter{{Name: "x", Path: "https://files.example.org/x"}},
	})
	chart := func(name, version string) tree.Tree {
		return files{"Chart.yaml": "name: " + name + "\nversion: " + version + "\n"}.tree()
	}
	file := func(content string) tree.Tree { return files{render.FileName: content}.tree() }
	resolved := map[string]tree.Tree{
		"chart redis of https://charts.example.org at ^1":      chart("redis", "1.2.3"),
		"chart db of oci://registry.example.org/charts at 2.x": chart("db", "2.0.1"),
		"chart cache of alias:stable at *":                     chart("cache", "9.9.9"),
		"https://files.example.org/a.yaml":                     file("x: a"),
		"https://files.example.org/b.yaml":                     file("x: b"),
		"https://files.example.org/x":                          file("text"),
		"https://schemas.example.org/x.json":                   file(`{"type": "string"}`),
	}
	rounds := 0
	for {
		out, err := helm.Render(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Needs) == 0 {
			break
		}
		if len(out.Manifests) > 0 {
			t.Error("manifests beside needs")
		}
		if rounds++; rounds == 1 && len(out.Needs) != 6 {
			t.Errorf("the first round asks for %v", out.Needs)
		}
		for _, need := range out.Needs {
			if need.Where == "" || resolved[need.String()] == nil {
				t.Fatalf("unexpected need %q, asked for by %q", need, need.Where)
			}
			in.Remotes = append(in.Remotes, render.Remote{Need: need, Tree: resolved[need.String()]})
			delete(resolved, need.String())
		}
	}
	if len(resolved) > 0 || rounds != 2 {
		t.Errorf("%d rounds, never asked for %v", rounds, resolved)
	}
	if got := data(t, in); got != "text" {
		t.Errorf("x is %q", got)
	}
}

func TestUsedIsExactlyWhatTheChartAsksFor(t *testing.T) {
	for _, test := range []struct {
		name, template string
		chart          string
		settings       v1alpha1.ApplicationSourceHelm
		want           render.Used
	}{
		{name: "nothing", template: "1"},
		{name: "version", template: "{{ .Capabilities.KubeVersion.Version }}", want: render.Used{KubeVersion: true}},
		{name: "printed version", template: "{{ .Capabilities.KubeVersion }}", want: render.Used{KubeVersion: true}},
		{name: "versions", template: `{{ .Capabilities.APIVersions.Has "apps/v1" | quote }}`, want: render.Used{APIVersions: true}},
		{name: "Helm's own", template: "{{ .Capabilities.HelmVersion.Version | quote }}"},
		{name: "both in one", template: "{{ .Capabilities | toYaml | quote }}", want: render.Used{KubeVersion: true, APIVersions: true}},
		{name: "pretty", template: "{{ .Capabilities | toYamlPretty | quote }}", want: render.Used{KubeVersion: true, APIVersions: true}},
		{name: "not reached", template: "{{ if false }}{{ .Capabilities.KubeVersion }}{{ end }}1"},
		{name: "the chart's constraint", template: "1", chart: chartYAML + "kubeVersion: '>=1.20'\n", want: render.Used{KubeVersion: true}},
		{name: "given by the source", template: `{{ .Capabilities.KubeVersion }}{{ .Capabilities.APIVersions.Has "x/v1" }}`,
			settings: v1alpha1.ApplicationSourceHelm{KubeVersion: "1.30.0", APIVersions: []string{"x/v1"}}},
		{name: "variables", template: "1", settings: v1alpha1.ApplicationSourceHelm{Parameters: []v1alpha1.HelmParameter{{Name: "a", Value: "$ARGOCD_APP_NAME-$$x-$NOTHING"}}},
			want: render.Used{Build: []string{"ARGOCD_APP_NAME"}}},
		{name: "the version as a variable", template: "1", settings: v1alpha1.ApplicationSourceHelm{Parameters: []v1alpha1.HelmParameter{{Name: "a", Value: "$KUBE_VERSION"}}},
			want: render.Used{KubeVersion: true}},
		{name: "random", template: "{{ randAlphaNum 3 }}", want: render.Used{Volatile: []string{"randAlphaNum (apps/web/templates/a.yaml)"}}},
		{name: "random not reached", template: "{{ .Values.x | default (ternary 1 2 true) }}"},
		{name: "lookup is always empty", template: `{{ lookup "v1" "Secret" "" "" | len | quote }}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := files{"apps/web/templates/a.yaml": config(test.template)}
			if test.chart != "" {
				f["apps/web/Chart.yaml"] = test.chart
			}
			in := input(f, test.settings)
			in.Cluster, in.Build = cluster{"v1.34.2"}, map[string]string{"ARGOCD_APP_NAME": "shop", "OTHER": "x"}
			out, err := helm.Render(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			got := out.Used
			if got.KubeVersion != test.want.KubeVersion || got.APIVersions != test.want.APIVersions ||
				!slices.Equal(got.Build, test.want.Build) || !slices.Equal(got.Volatile, test.want.Volatile) {
				t.Errorf("used %+v, want %+v", got, test.want)
			}
			in.Cluster, in.Trace = nil, &render.Trace{}
			_, err = helm.Render(t.Context(), in)
			if asks := test.want.KubeVersion || test.want.APIVersions; asks != fault.Is(err, fault.Wait) || !asks && err != nil {
				t.Errorf("without a cluster: %v", err)
			}
		})
	}
}

func TestVolatileFunctionsNameTheTemplateThatRuns(t *testing.T) {
	in := input(files{
		"apps/web/templates/_h.tpl":    `{{ define "password" }}{{ randAlphaNum 8 }}{{ end }}`,
		"apps/web/templates/a.yaml":    config(`{{ include (print $.Template.BasePath "/b.yaml") . | sha256sum }}{{ now | kindOf }}`),
		"apps/web/templates/b.yaml":    config(`{{ include "password" . }}{{ tpl "{{ uuidv4 }}" . }}`),
		"apps/web/templates/c.yaml":    config(`{{ keys (dict "b" 1 "a" 2) | join "" }}{{ values (dict "b" 2 "a" 1) | join "" }}{{ date "2006" 0 }}`),
		"apps/web/templates/NOTES.txt": "{{ randAlpha 9 }}{{ include \"password\" . }}{{ lookup \"v1\" \"Pod\" \"\" \"\" }}",
		"apps/web/templates/d.yaml":    config(`{{ if not (lookup "v1" "Secret" "x" "y") }}{{ lookup "v1" "Secret" "x" "z" | len | quote }}{{ end }}`),
	}, v1alpha1.ApplicationSourceHelm{})
	out, err := helm.Render(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"now (apps/web/templates/a.yaml)", "randAlphaNum (apps/web/templates/b.yaml)", "uuidv4 (apps/web/templates/b.yaml)"}
	if !slices.Equal(out.Used.Volatile, want) {
		t.Errorf("volatile %q, want %q", out.Used.Volatile, want)
	}
	if len(out.Warnings) != 4 || !slices.ContainsFunc(out.Warnings, func(w string) bool { return strings.HasPrefix(w, "apps/web/templates/d.yaml calls lookup") }) {
		t.Errorf("warnings %q", out.Warnings)
	}
	if x, _, _ := runtimeString(out.Manifests[2].Object.Object, "data", "x"); x != "ab121970" {
		t.Errorf("keys and values are in no order: %q", x)
	}
}

func TestTemplateIsARelease(t *testing.T) {
	f := files{
		"charts/web/Chart.yaml":          chartYAML,
		"charts/web/templates/a.yaml":    config("{{ .Values.a }}-{{ .Values.b }}-{{ .Release.Name }}-{{ .Capabilities.KubeVersion }}"),
		"charts/web/templates/hook.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: hook, annotations: {helm.sh/hook: post-install}}\n",
		"charts/web/crds/a.yaml":         "apiVersion: x/v1\nkind: CustomResourceDefinition\nmetadata: {name: crd}\n",
	}
	r := helm.Release{
		Chart: f.tree(), Dir: "charts/web", Label: "inflated/", Name: "r", Namespace: "n", KubeVersion: "1.31.0", SkipHooks: true,
		Values: []map[string]any{{"a": "first", "b": "first"}, {"b": "second"}},
	}
	manifests, warnings, err := helm.Template(t.Context(), render.Input{}, r)
	if err != nil || len(manifests) != 1 || len(warnings) > 0 {
		t.Fatalf("%v, %q, %v", manifests, warnings, err)
	}
	if x, _, _ := runtimeString(manifests[0].Object.Object, "data", "x"); x != "first-second-r-v1.31.0" {
		t.Errorf("x is %q", x)
	}
	if manifests[0].Origin.File != "inflated/charts/web/templates/a.yaml" {
		t.Errorf("origin %v", manifests[0].Origin)
	}
	r.SkipHooks, r.IncludeCRDs = false, true
	if manifests, _, err = helm.Template(t.Context(), render.Input{}, r); err != nil || len(manifests) != 3 {
		t.Errorf("%v, %v", manifests, err)
	}
	f["charts/web/Chart.yaml"] += "dependencies: [{name: x, version: '1', repository: 'https://charts.example.org'}]\n"
	r.Chart = f.tree()
	_, _, err = helm.Template(t.Context(), render.Input{}, r)
	var unmet *helm.Unmet
	if !errors.As(err, &unmet) || len(unmet.Needs) != 1 || unmet.Needs[0].Chart != "x" {
		t.Errorf("a dependency that has to be fetched: %v", err)
	}
}

func TestValuesObjectOfNothing(t *testing.T) {
	for text, want := range map[string]string{"{}": "chart", "null": "chart", `{"x": "object"}`: "object"} {
		in := input(files{"apps/web/values.yaml": "x: chart\n", "apps/web/templates/a.yaml": config("{{ .Values.x }}")},
			v1alpha1.ApplicationSourceHelm{Values: "x: text", ValuesObject: &runtime.RawExtension{Raw: []byte(text)}})
		if got := data(t, in); got != want {
			t.Errorf("valuesObject %s: x is %q, want %q", text, got, want)
		}
	}
}

func TestVersions(t *testing.T) {
	for version, ok := range map[string]bool{"": true, "v2": true, "v3": true, "v4": true, "v5": false, "3": false} {
		_, err := helm.Render(t.Context(), input(files{"apps/web/templates/a.yaml": config("1")}, v1alpha1.ApplicationSourceHelm{Version: version}))
		if ok != (err == nil) {
			t.Errorf("version %q: %v", version, err)
		}
	}
}

func TestReadSet(t *testing.T) {
	base := files{
		"apps/web/templates/a.yaml": config("{{ .Values.x }}"), "apps/web/.helmignore": "ignored/\n", "apps/web/ignored/x": "1", "apps/web/ignored.txt": "1",
		"apps/web/values.yaml": "x: 1\n", "values/a.yaml": "x: 2\n", "unrelated": "1",
	}
	in := input(base, v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"/values/*.yaml", "missing.yaml", "../absent.yaml"}, IgnoreMissingValueFiles: true})
	tracer := tree.Trace(in.Tree)
	in.Tree = tracer
	if _, err := helm.Render(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		path, content string
		holds         bool
	}{
		{"unrelated", "2", true}, {"apps/other", "2", true},
		{"apps/web/values.yaml", "x: 9\n", false}, {"apps/web/templates/a.yaml", config("9"), false}, {"apps/web/.helmignore", "", false},
		{"apps/web/ignored.txt", "2", false}, {"apps/web/missing.yaml", "", false}, {"apps/absent.yaml", "", false}, {"values/b.yaml", "", false},
		{"values/a.yaml", "", false}, {"apps/web/templates/b.yaml", "", false}, {"apps/web/values.schema.json", "{}", false}, {"apps/web/Chart.lock", "", false},
	} {
		now := base.with(files{test.path: test.content}).tree()
		if holds, err := tracer.ReadSet().Holds(t.Context(), now); err != nil || holds != test.holds {
			t.Errorf("%s changed: the read set holds %t, %v; want %t", test.path, holds, err, test.holds)
		}
	}
}

func TestWarningsAreBounded(t *testing.T) {
	in := input(files{"apps/web/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n{{ range until 300 }}  k{{ . }}: a\n  k{{ . }}: b\n{{ end }}"}, v1alpha1.ApplicationSourceHelm{})
	out, err := helm.Render(t.Context(), in)
	if err != nil || len(out.Warnings) != 101 || out.Warnings[100] != "and 200 more of this kind" {
		t.Errorf("%d warnings, %v", len(out.Warnings), err)
	}
}
