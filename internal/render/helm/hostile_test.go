// SPDX-License-Identifier: Apache-2.0

package helm_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/helm"
	"github.com/bowline-cd/bowline/internal/tree"
)

// canary is the text of a file outside of every repository.
const canary = "canary-of-another-tenant"

// hostile is a repository that tries to read what is not its own.
type hostile struct {
	name     string
	files    files
	settings v1alpha1.ApplicationSourceHelm
	// renders is true if it may render; it must not show the canary then either.
	renders bool
}

func TestHostileRepositoriesReadNothingOutside(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "canary.yaml")
	if err := os.WriteFile(file, []byte("x: "+canary+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CANARY", canary)
	asked := atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprintf(w, `{"const": %q}`, canary)
	}))
	defer server.Close()
	up := strings.Repeat("../", 12)
	var tests []hostile
	for _, p := range []string{
		file, "/" + file, up + file[1:], "/../" + file, "x/../../../.." + file, "..", "../../..", "../../../x", strings.Repeat("..%2f", 8) + file[1:], "%2e%2e/%2e%2e" + file,
		"file://" + file, "FILE://" + file, "file:" + file, `..\..\..` + file, "a\x00" + file, "../../\x00../..", "link", "linked/canary.yaml", "chain", "relative", "/absolute", "$ref/link", "$ref/../" + file,
		"$ref" + file, "${CANARY}", "$CANARY", "~/x", "linked/*.yaml", "/proc/self/environ", "/dev/stdin", "-",
	} {
		links := files{"apps/web/link": "-> " + file, "apps/web/linked": "-> " + dir, "apps/web/chain": "-> ../../absolute", "absolute": "-> /" + file, "apps/web/relative": "-> " + up + file[1:], "apps/web/templates/a.yaml": config("{{ toJson .Values | quote }}")}
		ignored := links.with(files{"apps/web/.helmignore": "link\nlinked\nchain\nrelative\n"})
		tests = append(tests,
			hostile{name: "value file " + p, files: ignored, settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{p}}},
			hostile{name: "value file or none " + p, files: ignored, settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{p}, IgnoreMissingValueFiles: true}, renders: true},
			hostile{name: "file parameter " + p, files: ignored, settings: v1alpha1.ApplicationSourceHelm{FileParameters: []v1alpha1.HelmFileParameter{{Name: "x", Path: p}}}})
	}
	for name, f := range map[string]files{
		"absolute link in templates": {"apps/web/templates/x.yaml": "-> " + file},
		"relative link in templates": {"apps/web/templates/x.yaml": "-> " + up + file[1:]},
		"link to a folder":           {"apps/web/templates/x": "-> " + dir},
		"chain of links":             {"apps/web/x": "-> ../y", "apps/y": "-> z", "apps/z": "-> " + file},
		"values":                     {"apps/web/values.yaml": "-> " + file},
		"schema":                     {"apps/web/values.schema.json": "-> " + file},
		"charts":                     {"apps/web/charts": "-> " + dir},
		"a chart":                    {"apps/web/charts/x": "-> " + dir},
		"crds":                       {"apps/web/crds": "-> " + dir},
		"rules of what is ignored":   {"apps/web/.helmignore": "-> " + file},
		"Chart.yaml":                 {"apps/web/Chart.yaml": "-> " + file},
		"link to itself":             {"apps/web/files": "-> ."},
		"link to the folder above":   {"apps/web/files": "-> ../.."},
		"links to each other":        {"apps/web/a": "-> b", "apps/web/b": "-> a"},
		"neighbour by a link":        {"apps/web/Chart.yaml": chartYAML + "dependencies: [{name: x, version: '1', repository: 'file://../x'}]\n", "apps/x": "-> " + dir},
		"neighbour of the disk":      {"apps/web/Chart.yaml": chartYAML + "dependencies: [{name: x, version: '1', repository: 'file://" + dir + "'}]\n"},
		"neighbour above":            {"apps/web/Chart.yaml": chartYAML + "dependencies: [{name: x, version: '1', repository: 'file://" + up + dir[1:] + "'}]\n"},
		"environment":                {"apps/web/templates/a.yaml": config(`{{ env "CANARY" }}`)},
		"expanded environment":       {"apps/web/templates/a.yaml": config(`{{ expandenv "$CANARY" }}`)},
		"schema of a file":           {"apps/web/values.schema.json": `{"properties": {"x": {"$ref": "file://` + file + `"}}}`},
		"schema beside":              {"apps/web/values.schema.json": `{"properties": {"x": {"$ref": "..` + file + `"}}}`},
		"schema by its id":           {"apps/web/values.schema.json": `{"$id": "file://` + dir + `/x.json", "properties": {"x": {"$ref": "canary.yaml"}}}`},
		"meta schema of a file":      {"apps/web/values.schema.json": `{"$schema": "file://` + file + `"}`},
		"schema of other schemes":    {"apps/web/values.schema.json": `{"properties": {"x": {"$ref": "ftp://127.0.0.1/x"}}}`},
	} {
		tests = append(tests, hostile{name: name, files: f})
	}
	for name, f := range map[string]files{
		"files":         {"apps/web/templates/a.yaml": config(`{{ .Files.Get "` + file + `" | quote }}{{ .Files.Get "../../` + file + `" | quote }}{{ .Files.Glob "/**" | len }}`)},
		"include":       {"apps/web/templates/a.yaml": config(`{{ tpl "{{ .Files.Get \"` + file + `\" }}" . | quote }}`)},
		"name service":  {"apps/web/templates/a.yaml": config(`{{ getHostByName "` + canary[:6] + `" | quote }}`)},
		"ignored links": {"apps/web/.helmignore": "link\n", "apps/web/link": "-> " + file},
	} {
		tests = append(tests, hostile{name: name, files: f, renders: true})
	}
	for name, url := range map[string]string{"schema of an address": server.URL, "schema of a metadata service": "http://169.254.169.254/latest/meta-data"} {
		for _, schema := range []string{`{"properties": {"x": {"$ref": "` + url + `"}}}`, `{"$schema": "` + url + `"}`, `{"$id": "` + url + `/a", "$ref": "b"}`} {
			tests = append(tests, hostile{name: name, files: files{"apps/web/values.schema.json": schema, "apps/web/values.yaml": "x: 1\n"}, renders: true})
		}
	}
	var logged bytes.Buffer
	defer captureLogs(&logged)()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := input(test.files, test.settings)
			in.Refs = map[string]tree.Tree{"ref": files{"link": "-> " + file, "other": "x: 1"}.tree()}
			in.Build = map[string]string{"ARGOCD_APP_NAME": "shop"}
			out, err := helm.Render(t.Context(), in)
			if err == nil && !test.renders {
				t.Errorf("it renders %v, needs %v", out.Manifests, out.Needs)
			}
			shown, _ := json.Marshal([]any{out.Manifests, out.Warnings, out.Needs, out.Used})
			if all := fmt.Sprintf("%s %v %s", shown, err, logged.String()); strings.Contains(all, canary) {
				t.Errorf("the canary shows: %s", all)
			}
		})
	}
	if asked.Load() > 0 {
		t.Errorf("%d requests went to the network", asked.Load())
	}
}

// captureLogs has what libraries log written to w, until the returned function is called.
func captureLogs(w *bytes.Buffer) func() {
	logger, output, flags := slog.Default(), log.Writer(), log.Flags()
	slog.SetDefault(slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})))
	log.SetOutput(w)
	return func() {
		slog.SetDefault(logger)
		log.SetOutput(output)
		log.SetFlags(flags)
	}
}

func TestHostileSchemasAreNeedsOrRefused(t *testing.T) {
	f := files{"apps/web/values.schema.json": `{"properties": {"x": {"$ref": "http://169.254.169.254/latest"}}}`, "apps/web/values.yaml": "x: 1\n"}
	in := input(f, v1alpha1.ApplicationSourceHelm{})
	out, err := helm.Render(t.Context(), in)
	if err != nil || len(out.Needs) != 1 || out.Needs[0].Kind != render.NeedFile || out.Needs[0].URL != "http://169.254.169.254/latest" || out.Needs[0].Where != "apps/web/values.schema.json" {
		t.Errorf("needs %+v, %v", out.Needs, err)
	}
	in.Options.ValuesFileSchemes = []string{"https"}
	if out, err := helm.Render(t.Context(), in); err == nil || len(out.Needs) > 0 || !strings.Contains(err.Error(), "helm.valuesFileSchemes") {
		t.Errorf("a scheme that is not allowed: %v, %v", out.Needs, err)
	}
}

func TestHostileLinksOfFetchedChartsStayInside(t *testing.T) {
	in := input(files{"apps/web/Chart.yaml": chartYAML + "dependencies: [{name: db, version: '1', repository: 'https://charts.example.org'}]\n", "secret.txt": canary}, v1alpha1.ApplicationSourceHelm{})
	need := render.Need{Kind: render.NeedChart, URL: "https://charts.example.org", Chart: "db", Revision: "1"}
	for _, target := range []string{"/etc/passwd", "../secret.txt", "../../secret.txt", "x/../../secret.txt"} {
		in.Remotes = []render.Remote{{Need: need, Tree: files{"Chart.yaml": "name: db\nversion: 1.0.0\n", "x/y": "1", "stolen": "-> " + target, "templates/a.yaml": config(`{{ .Files.Get "stolen" | quote }}`)}.tree()}}
		out, err := helm.Render(t.Context(), in)
		if err == nil || !strings.Contains(err.Error(), "chart db 1/stolen") || strings.Contains(fmt.Sprint(err, out.Manifests), canary) {
			t.Errorf("%s: %v, %v", target, out.Manifests, err)
		}
	}
}

// Passwords in addresses are a bad habit, and no reason to show them.
func TestHostilePasswordsInAddressesAreNotShown(t *testing.T) {
	const address = "https://user:" + secret + "@example.org/x"
	file := func(content string) []render.Remote {
		return []render.Remote{{Need: render.Need{Kind: render.NeedFile, URL: address}, Tree: files{render.FileName: content}.tree()}}
	}
	chart := func(content string) []render.Remote {
		return []render.Remote{{Need: render.Need{Kind: render.NeedChart, URL: address, Chart: "db", Revision: "1"}, Tree: files{"Chart.yaml": content}.tree()}}
	}
	dependency := files{"apps/web/Chart.yaml": chartYAML + "dependencies: [{name: db, version: '1', repository: '" + address + "'}]\n"}
	schema := files{"apps/web/values.schema.json": `{"$ref": "` + address + `"}`}
	values, parameters := v1alpha1.ApplicationSourceHelm{ValueFiles: []string{address}}, v1alpha1.ApplicationSourceHelm{FileParameters: []v1alpha1.HelmFileParameter{{Name: "a[x]", Path: address}}}
	for name, test := range map[string]struct {
		files    files
		settings v1alpha1.ApplicationSourceHelm
		remotes  []render.Remote
		schemes  []string
	}{
		"scheme":                {settings: values, schemes: []string{"http"}},
		"no values":             {settings: values, remotes: file("- x")},
		"no parameter":          {settings: parameters, remotes: file("x")},
		"no file":               {settings: parameters, remotes: []render.Remote{{Need: render.Need{Kind: render.NeedFile, URL: address}, Tree: files{}.tree()}}},
		"no chart":              {files: dependency, remotes: chart("x: y")},
		"another chart":         {files: dependency, remotes: chart("name: other\nversion: 1.0.0\n")},
		"no schema":             {files: schema, remotes: file("{")},
		"schema that is absent": {files: schema, remotes: []render.Remote{{Need: render.Need{Kind: render.NeedFile, URL: address}, Tree: files{}.tree()}}},
		"schema not allowed":    {files: schema, schemes: []string{"http"}},
		"values against schema": {files: schema, remotes: file(`{"required": ["y"]}`)},
	} {
		in := input(test.files, test.settings)
		if in.Remotes = test.remotes; test.schemes != nil {
			in.Options.ValuesFileSchemes = test.schemes
		}
		out, err := helm.Render(t.Context(), in)
		if err == nil || strings.Contains(fmt.Sprint(err, out), secret) {
			t.Errorf("%s: %v, %v", name, err, out)
		}
	}
}
