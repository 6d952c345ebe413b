// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/helm"
	"github.com/bowline-cd/bowline/internal/render/jsonnet"
	"github.com/bowline-cd/bowline/internal/render/kustomize"
	"github.com/bowline-cd/bowline/internal/tree"
)

// tools renders with the real tools, in this process.
type tools struct{ renders atomic.Int64 }

func (r *tools) Render(ctx context.Context, in render.Input) (render.Output, error) {
	r.renders.Add(1)
	prepared, err := render.Prepare(ctx, in, nil)
	if err != nil {
		return render.Output{}, err
	}
	switch prepared.Type {
	case v1alpha1.ApplicationSourceTypeHelm:
		return helm.Render(ctx, prepared.Input)
	case v1alpha1.ApplicationSourceTypeKustomize:
		return kustomize.Render(ctx, prepared.Input)
	default:
		return render.Directory(ctx, prepared.Input, jsonnet.Evaluate)
	}
}

// withTools is a theatre with the real tools, in which large repositories send only what they are asked for.
func withTools(t *testing.T) (*theatre, *tools) {
	th, r := newTheatre(t), &tools{}
	th.engine = NewEngine(th.sources, r, th.memory, th.cache)
	for _, url := range []string{"https://git.example.org/r", "https://git.example.org/v", "https://git.example.org/base"} {
		th.sources.set(url, func(r *fakeRepo) { r.large = true })
	}
	return th, r
}

func (th *theatre) expectToolRenders(r *tools, what string, want int64, app *v1alpha1.Application) *State {
	th.t.Helper()
	before := r.renders.Load()
	state := th.show(app)
	if got := r.renders.Load() - before; got != want {
		th.t.Errorf("%s: %d renders, want %d (%s)", what, got, want, state.Explain().Sources[0].Why)
	}
	return state
}

func text2(path ...string) files {
	out := files{}
	for i := 0; i < len(path); i += 2 {
		out[path[i]] = tree.MemoryFile{Content: path[i+1]}
	}
	return out
}

// A chart with values from another repository, a dependency from a chart repository, and a random password.
func TestHelmThroughTheEngine(t *testing.T) {
	th, r := withTools(t)
	th.sources.commit("https://git.example.org/r", "main", "r1", text2(
		"chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies:\n  - {name: lib, version: ^1, repository: \"https://charts.example.org\"}\n",
		"chart/templates/cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{ .Release.Name }}\"}\ndata: {a: {{ .Values.a | quote }}, rev: {{ .Values.rev | quote }}, kube: {{ .Capabilities.KubeVersion.Version | quote }}}\n",
		"chart/templates/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: pw}\nstringData: {pw: {{ randAlphaNum 20 | quote }}, user: x}\n",
		"chart/templates/stamp.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: stamp}\ndata: {at: {{ now | date \"2006\" | quote }}}\n",
		"readme", "1",
	))
	th.sources.commit("https://git.example.org/v", "main", "v1", text2("prod.yaml", "a: one\n", "dev.yaml", "a: dev\n"))
	th.sources.commit("https://charts.example.org#lib", "^1", "1.0.0", text2("Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.0.0\n",
		"templates/l.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lib}\n", "docs.md", "1"))
	values := from("https://git.example.org/v", "main", "")
	values.Ref = "values"
	chart := from("https://git.example.org/r", "main", "chart")
	chart.Helm = &v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"$values/prod.yaml"}, Parameters: []v1alpha1.HelmParameter{{Name: "rev", Value: "$ARGOCD_APP_NAME"}}}
	app := application("web", chart, values)

	state := th.show(app)
	if names(state) != "lib pw web stamp" && len(state.Objects) != 4 {
		t.Errorf("objects %s", names(state))
	}
	if len(state.Remotes) != 1 || state.Remotes[0].ID != "1.0.0" || state.Types[0] != v1alpha1.ApplicationSourceTypeHelm {
		t.Errorf("remotes %v, types %v", state.Remotes, state.Types)
	}
	if got := volatile(state); got != `pw["/stringData/pw"] stamp[""]` {
		t.Errorf("volatile: %s", got)
	}
	e := state.Explain().Sources[0]
	if e.KubeVersion != "v1.36.0" || e.AsksAPIVersions || e.Variables["ARGOCD_APP_NAME"] != "web" {
		t.Errorf("%+v", e)
	}
	th.expectToolRenders(r, "again", 0, app)
	th.sources.commit("https://git.example.org/r", "main", "r2", text2("readme", "2"))
	th.expectToolRenders(r, "a file beside the chart", 0, app)
	th.sources.commit("https://git.example.org/v", "main", "v2", text2("dev.yaml", "a: dev2\n"))
	th.expectToolRenders(r, "another value file", 0, app)
	th.facts.apis = []string{"v1", "x/v1"}
	th.expectToolRenders(r, "a CRD that the chart does not ask for", 0, app)
	th.engine = NewEngine(th.sources, r, th.memory, th.cache)
	if again := th.expectToolRenders(r, "after a restart", 0, app); again.Digest != state.Digest {
		t.Error("the password is another one")
	}
	th.sources.commit("https://git.example.org/v", "main", "v3", text2("prod.yaml", "a: two\n"))
	after := th.expectToolRenders(r, "the value file", 2, app) // twice, as it is volatile
	if after.Explain().Sources[0].Why != "prod.yaml of $values changed" || after.Inputs == state.Inputs {
		t.Errorf("why: %s", after.Explain().Sources[0].Why)
	}
	th.facts.version = "v1.37.0"
	th.expectToolRenders(r, "another version of the cluster", 2, app)
}

// A kustomization on a remote base, in a repository that sends only what is asked for.
func TestKustomizeThroughTheEngine(t *testing.T) {
	th, r := withTools(t)
	th.sources.commit("https://git.example.org/r", "main", "r1", text2(
		"overlays/prod/kustomization.yaml", "resources: [../../common, \"https://git.example.org/base//app?ref=main\"]\nnamePrefix: prod-\n",
		"common/kustomization.yaml", "resources: [cm.yaml]\n", "common/cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: common}\n",
	))
	th.sources.commit("https://git.example.org/base", "main", "b1", text2(
		"app/kustomization.yaml", "resources: [deploy.yaml]\n", "app/deploy.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: base}\n", "other/x", "1",
	))
	app := application("web", from("https://git.example.org/r", "main", "overlays/prod"))
	state := th.show(app)
	if names(state) != "prod-base prod-common" || len(state.Remotes) != 1 {
		t.Fatalf("objects %s of %v", names(state), state.Remotes)
	}
	th.expectToolRenders(r, "again", 0, app)
	changed := th.sources.commit("https://git.example.org/base", "main", "b2", text2("app/deploy.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: base2}\n"))
	at := state.Remotes[0].Wanted()
	if got := told(th.engine.Moved(func(c Commit) bool { return c == at }, "b1", "b2", changed)); got != "touched: web; unchanged: " {
		t.Error(got)
	}
	if state := th.expectToolRenders(r, "the base changed", 1, app); !strings.Contains(names(state), "prod-base2") || state.Remotes[0].ID != "b2" {
		t.Errorf("objects %s of %v", names(state), state.Remotes)
	}
	changed = th.sources.commit("https://git.example.org/base", "main", "b3", text2("other/x", "2"))
	if got := told(th.engine.Moved(func(c Commit) bool { return c == at }, "b2", "b3", changed)); got != "touched: ; unchanged: web" {
		t.Error(got)
	}
}

func TestJsonnetThroughTheEngine(t *testing.T) {
	th, r := withTools(t)
	th.sources.commit("https://git.example.org/r", "main", "r1", text2(
		"app/main.jsonnet", `local l = import "../lib/l.libsonnet"; {apiVersion: "v1", kind: "ConfigMap", metadata: {name: l.name}}`,
		"lib/l.libsonnet", `{name: "one"}`, "lib/other.libsonnet", `{}`,
	))
	app := application("web", from("https://git.example.org/r", "main", "app"))
	if state := th.show(app); names(state) != "one" {
		t.Fatalf("objects %s", names(state))
	}
	th.sources.commit("https://git.example.org/r", "main", "r2", text2("lib/other.libsonnet", `{a: 1}`))
	th.expectToolRenders(r, "another library", 0, app)
	th.sources.commit("https://git.example.org/r", "main", "r3", text2("lib/l.libsonnet", `{name: "two"}`))
	if state := th.expectToolRenders(r, "the library", 1, app); names(state) != "two" {
		t.Errorf("objects %s", names(state))
	}
}
