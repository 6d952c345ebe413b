// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

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

// A process that dies is an error of its render, which says what is known and shows nothing of what was rendered.
func TestCrash(t *testing.T) {
	const secret = "hunter2"
	p, log := newPool(t, Options{Max: 1})
	for _, c := range []struct {
		behaviour, argument string
		kind                fault.Kind
		want                []string
	}{
		{"panic", secret, fault.Bug, []string{"the renderer broke with a string in ", "worker.init"}},
		{"panic", "runtime", fault.Bug, []string{"assignment to entry in nil map"}},
		{"crash", secret, fault.Bug, []string{"ended by itself (exit status 2): panic in "}},
		{"exit", "", fault.Retry, []string{"ended before it was done (exit status 7)"}},
	} {
		t.Run(c.behaviour+" "+c.argument, func(t *testing.T) {
			_, err := behave(context.Background(), p, c.behaviour, c.argument)
			if err == nil || fault.KindOf(err) != c.kind {
				t.Fatalf("got %v (%s)", err, fault.KindOf(err))
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %s", err, want)
				}
			}
			if strings.Contains(err.Error()+log.String(), secret) {
				t.Errorf("it shows what was rendered: %v\n%s", err, log)
			}
			if _, err := behave(context.Background(), p, "fine", ""); err != nil {
				t.Errorf("the next render: %v", err)
			}
		})
	}
}

// A render whose process somebody else kills fails, and may be tried again; a process that is killed while it waits is
// replaced without anyone noticing.
func TestKilledFromOutside(t *testing.T) {
	p, _ := newPool(t, Options{Max: 1})
	ended := make(chan error)
	go func() {
		_, err := behave(context.Background(), p, "loop", "")
		ended <- err
	}()
	until(t, "a process is at work", func() bool { return len(p.pids()) == 1 })
	if err := syscall.Kill(p.pids()[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || !fault.Is(err, fault.Retry) || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("got %v", err)
	}
	for range 5 {
		if _, err := behave(context.Background(), p, "fine", ""); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(p.pids()[0], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := behave(context.Background(), p, "fine", ""); err != nil || len(out.Warnings) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}

// pids lists the processes.
func (p *Pool) pids() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []int
	for proc := range p.all {
		out = append(out, proc.cmd.Process.Pid)
	}
	return out
}

func (p *Pool) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}

// Renders beyond Max wait in line; who stops waiting gets the context's error; the others go on.
func TestLine(t *testing.T) {
	p, _ := newPool(t, Options{Max: 2})
	ctx, stop := context.WithCancel(context.Background())
	errs := make(chan error)
	for range 6 {
		go func() {
			_, err := behave(ctx, p, "loop", "")
			errs <- err
		}()
	}
	until(t, "two processes are at work", func() bool { return len(p.pids()) == 2 })
	impatient, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := behave(impatient, p, "fine", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	stop()
	for range 6 {
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	until(t, "they are ended", func() bool { return len(p.pids()) == 0 })
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if _, err := behave(context.Background(), p, "fine", ""); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := len(p.pids()); n > 2 {
		t.Errorf("there are %d processes", n)
	}
}

// A process is recycled after so many renders, and after one that leaves it unclean.
func TestRecycled(t *testing.T) {
	p, _ := newPool(t, Options{Max: 1, Renders: 3})
	seen := map[string]int{}
	for range 9 {
		out, err := behave(context.Background(), p, "fine", "")
		if err != nil {
			t.Fatal(err)
		}
		seen[out.Warnings[0]]++
	}
	if len(seen) != 3 {
		t.Errorf("renders by process: %v", seen)
	}
	schema := tree.Memory(map[string]tree.MemoryFile{
		"app/kustomization.yaml": {Content: "openapi: {path: schema.json}\nresources: [a.yaml]\n"},
		"app/schema.json":        {Content: `{"definitions": {}}`},
		"app/a.yaml":             {Content: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"},
	})
	p, _ = newPool(t, Options{Max: 1})
	if _, err := p.Render(context.Background(), render.Input{Tree: schema, Source: source("app")}); err != nil {
		t.Fatal(err)
	}
	until(t, "the process is ended", func() bool { return len(p.pids()) == 0 })
}

// Processes that wait are ended one after the other, the last after longest.
func TestIdle(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Unix(1e9, 0))
	p, _ := newPool(t, Options{Max: 3, Clock: clock})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	gate := make(chan struct{})
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			_, err := behave(ctx, p, "read", "a.yaml", func(in *render.Input) { in.Tree = slow{in.Tree, func() { <-gate }} })
			if err != nil {
				t.Error(err)
			}
		})
	}
	until(t, "three processes are at work", func() bool { return len(p.pids()) == 3 })
	close(gate)
	wait.Wait()
	if n := p.waiting(); n != 3 {
		t.Fatalf("%d processes wait", n)
	}
	clock.Step(DefaultIdle - time.Second)
	if _, err := behave(ctx, p, "fine", ""); err != nil { // the one that worked last works again
		t.Fatal(err)
	}
	clock.Step(2 * time.Second)
	until(t, "one is left", func() bool { return len(p.pids()) == 1 })
	clock.Step(DefaultWarm - 3*time.Second)
	if n := p.waiting(); n != 1 {
		t.Errorf("%d processes wait", n)
	}
	clock.Step(3 * time.Second)
	until(t, "none is left", func() bool { return len(p.pids()) == 0 })
	if _, err := behave(ctx, p, "fine", ""); err != nil {
		t.Error(err)
	}
}

// Close ends what is at work and refuses what comes.
func TestClose(t *testing.T) {
	p, _ := newPool(t, Options{Max: 2})
	errs := make(chan error)
	for range 4 {
		go func() {
			_, err := behave(context.Background(), p, "loop", "")
			errs <- err
		}()
	}
	until(t, "two processes are at work", func() bool { return len(p.pids()) == 2 })
	p.Close()
	for range 4 {
		if err := <-errs; !errors.Is(err, errClosed) {
			t.Errorf("got %v", err)
		}
	}
	if left := children(t); len(left) > 0 {
		t.Errorf("processes are left behind: %v", left)
	}
	if _, err := behave(context.Background(), p, "fine", ""); !errors.Is(err, errClosed) {
		t.Errorf("got %v", err)
	}
	p.Close()
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
