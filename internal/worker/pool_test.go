// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// until waits for a condition; a test that hangs is ended by the test's own limit.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for range 3000 {
		if condition() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

func source(p string) v1alpha1.ApplicationSource {
	return v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/x", Path: p}
}

// Each tool gives what the library gives here, with origins and what was used.
func TestTools(t *testing.T) {
	p, log := newPool(t, Options{})
	kustomization := map[string]tree.MemoryFile{
		"app/kustomization.yaml": {Content: "namePrefix: p-\nresources: [a.yaml]\n"},
		"app/a.yaml":             {Content: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"},
	}
	jsonnet := map[string]tree.MemoryFile{
		"app/a.jsonnet": {Content: "function(name) { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name } }"},
		"app/b.yaml":    {Content: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n"},
	}
	withArgument := source("app")
	withArgument.Directory = &v1alpha1.ApplicationSourceDirectory{Jsonnet: v1alpha1.ApplicationSourceJsonnet{TLAs: []v1alpha1.JsonnetVar{{Name: "name", Value: "$ARGOCD_APP_NAME"}}}}
	build := map[string]string{"ARGOCD_APP_NAME": "shop", "ARGOCD_APP_REVISION": "abc"}
	for _, c := range []struct {
		name  string
		in    render.Input
		typ   v1alpha1.ApplicationSourceType
		names string
		used  []string
	}{
		{"helm", chartInput(chart(nil)), v1alpha1.ApplicationSourceTypeHelm, "web/templates/configmap.yaml shop", nil},
		{"kustomize", render.Input{Tree: tree.Memory(kustomization), Source: source("app")}, v1alpha1.ApplicationSourceTypeKustomize, "p-a", nil},
		{"jsonnet", render.Input{Tree: tree.Memory(jsonnet), Source: withArgument, Build: build}, v1alpha1.ApplicationSourceTypeDirectory, "app/a.jsonnet:1 shop,app/b.yaml:1 b", []string{"ARGOCD_APP_NAME"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in.Index, c.in.Trace = 3, &render.Trace{}
			out, err := p.Render(context.Background(), c.in)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, m := range out.Manifests {
				names = append(names, m.Origin.String()+" "+m.Object.GetName())
				if m.Origin.Source != 3 {
					t.Errorf("%s is of source %d", m.Origin, m.Origin.Source)
				}
			}
			if got := strings.Join(names, ","); !strings.HasSuffix(got, c.names) || out.Type != c.typ {
				t.Errorf("got %s of type %s", got, out.Type)
			}
			if fmt.Sprint(out.Used.Build) != fmt.Sprint(c.used) || fmt.Sprint(c.in.Trace.Used()) != fmt.Sprint(out.Used) {
				t.Errorf("used %+v, traced %+v", out.Used, c.in.Trace.Used())
			}
		})
	}
	if log.String() != "" {
		t.Errorf("logged: %s", log)
	}
}

// Plain directories need no process.
func TestDirectoryInProcess(t *testing.T) {
	p, _ := newPool(t, Options{})
	in := render.Input{Tree: tree.Memory(map[string]tree.MemoryFile{"a.yaml": {Content: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"}}), Source: source("")}
	if out, err := p.Render(context.Background(), in); err != nil || len(out.Manifests) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	if len(p.all) > 0 {
		t.Error("a process was started")
	}
	in.Limits.OutputBytes = 10
	if out, err := p.Render(context.Background(), in); err == nil || !strings.Contains(err.Error(), render.SettingOutput) || len(out.Manifests) > 0 {
		t.Errorf("%+v, %v", out, err)
	}
}

// What a render reads is seen by the caller's trace.
func TestTraceSeesReads(t *testing.T) {
	p, _ := newPool(t, Options{})
	tracer := tree.Trace(chart(map[string]string{"values-prod.yaml": "greeting: hi\n"}))
	if _, err := p.Render(context.Background(), chartInput(tracer)); err != nil {
		t.Fatal(err)
	}
	set := tracer.ReadSet()
	for _, want := range []string{"web/Chart.yaml", "web/values.yaml", "web/templates/configmap.yaml", "web/.argocd-source.yaml"} {
		if !set.Touched(want) {
			t.Errorf("%s is not in %+v", want, set)
		}
	}
	if set.Touched("other/file.yaml") {
		t.Errorf("a folder beside the chart is in %+v", set)
	}
}

// lost is a tree of which one file cannot be read.
type lost struct {
	tree.Tree
	at  string
	err error
}

func (l lost) Read(ctx context.Context, p string, limit int64) ([]byte, error) {
	if p == l.at {
		return nil, l.err
	}
	return l.Tree.Read(ctx, p, limit)
}

type notFetched struct{ at string }

func (e *notFetched) Error() string       { return e.at + " was not fetched" }
func (e *notFetched) MissingPath() string { return e.at }

// An error of the caller's trees comes back as the very error it was, through every tool.
func TestErrorsOfTreesComeBack(t *testing.T) {
	p, _ := newPool(t, Options{})
	chartFiles := chart(nil)
	kustomization := tree.Memory(map[string]tree.MemoryFile{"web/kustomization.yaml": {Content: "resources: [a.yaml]\n"}, "web/a.yaml": {Content: "x: y"}})
	jsonnet := tree.Memory(map[string]tree.MemoryFile{"web/a.jsonnet": {Content: "import 'b'"}, "web/b": {Content: "1"}})
	missing := &notFetched{"x"}
	broken := fault.New(fault.Stalled, "read", "the mirror", "", "the disk is full", "make room")
	for _, c := range []struct {
		name string
		tree tree.Tree
		at   string
	}{
		{"helm", chartFiles, "web/templates/configmap.yaml"}, {"helm values", chartFiles, "web/values.yaml"},
		{"kustomize", kustomization, "web/a.yaml"}, {"jsonnet", jsonnet, "web/b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := chartInput(lost{c.tree, c.at, missing})
			_, err := p.Render(context.Background(), in)
			var m interface{ MissingPath() string }
			if !errors.Is(err, missing) || !errors.As(err, &m) || m.MissingPath() != "x" {
				t.Errorf("got %v", err)
			}
			in.Tree = lost{c.tree, c.at, broken}
			if _, err := p.Render(context.Background(), in); !errors.Is(err, broken) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A program that is no render process is an error, not a hang.
func TestWrongProgram(t *testing.T) {
	for _, command := range [][]string{{"/bin/true"}, {"/bin/sh", "-c", "echo hello >&3; sleep 3"}, {"/does/not/exist"}} {
		p, _ := newPool(t, Options{Command: command})
		if _, err := behave(context.Background(), p, "fine", ""); err == nil || !fault.Is(err, fault.Retry) {
			t.Errorf("%v: %v", command, err)
		}
	}
}

// A program that would not notice that it is to be a process is not started over and over.
func TestNotAsked(t *testing.T) {
	asked.Store(false)
	defer asked.Store(true)
	p, _ := newPool(t, Options{})
	if _, err := behave(context.Background(), p, "fine", ""); !errors.Is(err, errNotAsked) {
		t.Errorf("got %v", err)
	}
}

// Without plugins a source that names one says so; with them they are asked.
func TestPlugins(t *testing.T) {
	in := render.Input{Tree: tree.Memory(map[string]tree.MemoryFile{"a.txt": {}}), Source: source("")}
	in.Source.Plugin = &v1alpha1.ApplicationSourcePlugin{Name: "ours"}
	p, _ := newPool(t, Options{})
	if _, err := p.Render(context.Background(), in); err == nil || !fault.Is(err, fault.Stalled) {
		t.Errorf("got %v", err)
	}
	p, _ = newPool(t, Options{Plugins: plugins{}})
	in.Source.Plugin = nil
	out, err := p.Render(context.Background(), in)
	if err != nil || len(out.Manifests) != 1 || out.Manifests[0].Object.GetName() != "of-discovered" {
		t.Errorf("%+v, %v", out, err)
	}
}

type plugins struct{}

func (plugins) Discover(context.Context, render.Input) (string, bool, error) {
	return "discovered", true, nil
}
func (plugins) Render(_ context.Context, in render.Input) (render.Output, error) {
	out := says()
	out.Manifests = append(out.Manifests, manifest("of-"+in.Source.Plugin.Name, ""))
	return out, nil
}

func TestDefaults(t *testing.T) {
	p, _ := newPool(t, Options{Limits: render.Limits{Objects: 7}})
	if p.options.Max != runtime.GOMAXPROCS(0) || p.options.Renders != DefaultRenders {
		t.Errorf("%+v", p.options)
	}
	got := p.limits(render.Limits{Files: 5})
	want := render.Limits{Objects: 7, Files: 5}.WithDefaults()
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
