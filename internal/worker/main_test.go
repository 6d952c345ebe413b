// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// The processes of these tests are this very test binary, which knows types of jobs that misbehave (see hostile_test.go).
func TestMain(m *testing.M) {
	for name, behave := range behaviours {
		renderers[v1alpha1.ApplicationSourceType(name)] = behave
	}
	MainIfAsked()
	os.Exit(m.Run())
}

// logged collects what a pool logs.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newPool returns a pool that the test ends, and that must leave no process behind.
func newPool(t testing.TB, o Options) (*Pool, *logged) {
	t.Helper()
	log := &logged{}
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Close()
		if left := children(t); len(left) > 0 {
			t.Errorf("processes are left behind: %v", left)
		}
	})
	return p, log
}

// children lists the processes that this one started and has not reaped, zombies too.
func children(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Skip("there is no /proc")
	}
	var out []string
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if errors.Is(err, os.ErrNotExist) || err != nil {
			continue // it has just ended
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == fmt.Sprint(os.Getpid()) {
			out = append(out, e.Name()+" "+fields[0])
		}
	}
	return out
}

// behave runs a job of a type of these tests. in.Source.Path is its argument.
func behave(ctx context.Context, p *Pool, behaviour, argument string, change ...func(*render.Input)) (render.Output, error) {
	in := render.Input{
		Tree:   tree.Memory(map[string]tree.MemoryFile{"a.yaml": {Content: "a"}, "dir/b.yaml": {Content: "bb"}}),
		Source: v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/x", Path: argument},
		Trace:  &render.Trace{},
	}
	for _, f := range change {
		f(&in)
	}
	in.Limits = p.limits(in.Limits)
	return p.work(ctx, render.Prepared{Input: in, Type: v1alpha1.ApplicationSourceType(behaviour)})
}

const chartYAML = "apiVersion: v2\nname: web\nversion: 1.0.0\n"

// chart is a trivial one, with more files where they are given.
func chart(more map[string]string) tree.Tree {
	files := map[string]tree.MemoryFile{
		"web/Chart.yaml":               {Content: chartYAML},
		"web/values.yaml":              {Content: "greeting: hello\n"},
		"web/templates/configmap.yaml": {Content: "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  greeting: {{ .Values.greeting }}\n"},
	}
	for p, content := range more {
		files["web/"+p] = tree.MemoryFile{Content: content}
	}
	return tree.Memory(files)
}

// chartInput is an input that renders a chart.
func chartInput(t tree.Tree) render.Input {
	return render.Input{
		Tree: t, Source: v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/x", Path: "web"},
		App: "shop", Release: "shop", Namespace: "shop", Cluster: cluster{},
	}
}

// cluster is a destination of which all is known.
type cluster struct{}

func (cluster) KubeVersion(context.Context) (string, error) { return "v1.36.2", nil }
func (cluster) APIVersions(context.Context) ([]string, error) {
	return []string{"apps/v1", "v1", "v1/ConfigMap"}, nil
}
