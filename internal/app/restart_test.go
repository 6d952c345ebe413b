// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// oneCommit is a repository of one commit.
type oneCommit struct{ files tree.Tree }

func (s oneCommit) Resolve(_ context.Context, wanted desired.Commit, _ string) (desired.Commit, error) {
	wanted.ID = s.files.Root()
	return wanted, nil
}

func (s oneCommit) Tree(context.Context, desired.Commit, []string) (tree.Tree, error) {
	return s.files, nil
}

func (s oneCommit) Verify(context.Context, desired.Commit, string) error { return nil }

// dealer renders a Secret that is another one each time.
type dealer struct{ renders atomic.Int64 }

func (d *dealer) Render(ctx context.Context, in render.Input) (render.Output, error) {
	n := d.renders.Add(1)
	if _, err := tree.ReadFile(ctx, in.Tree, in.Source.Path+"/a", -1); err != nil {
		return render.Output{}, err
	}
	in.Trace.Volatile("randAlphaNum", "a")
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "pw"},
		"stringData": map[string]any{"pw": fmt.Sprint(canary, n)}}}
	return render.Output{Type: v1alpha1.ApplicationSourceTypeHelm, Manifests: []object.Manifest{{Object: u}}, Used: in.Trace.Used()}, nil
}

func plainTarget(app *v1alpha1.Application) desired.Target {
	return desired.Target{
		Instance: app.Name, Release: app.Name, Namespace: "shop", Version: "1",
		Scope:    func(schema.GroupVersionKind) desired.Scope { return desired.ScopeNamespaced },
		Permit:   func(object.Key, bool) error { return nil },
		Excluded: func(string, string) bool { return false },
	}
}

// A process that starts again renders nothing that is as it was, and a password stays what it is; nobody can read it in
// the data folder.
func TestARestartRendersNothingAgain(t *testing.T) {
	data := t.TempDir()
	const apps = 20
	content := map[string]tree.MemoryFile{}
	for i := range apps {
		content[fmt.Sprintf("app%d/a", i)] = tree.MemoryFile{Content: "x"}
	}
	renderer := &dealer{}
	digests := map[string]object.Digest{}
	start := func(secret string) {
		t.Helper()
		cache, err := newSealedFolder(data, rendersFolder, rendersBytes, slog.New(slog.DiscardHandler), realClock)
		if err == nil {
			err = cache.SetKey(fault.NewSecret(secret))
		}
		if err != nil {
			t.Fatal(err)
		}
		engine := desired.NewEngine(oneCommit{tree.Memory(content)}, renderer, nil, cache)
		for i := range apps {
			app := &v1alpha1.Application{}
			app.Name, app.Spec.Source = fmt.Sprintf("app%d", i), &v1alpha1.ApplicationSource{RepoURL: "r", Path: fmt.Sprintf("app%d", i)}
			state, err := engine.For(t.Context(), app.Name, app, plainTarget(app))
			if err != nil {
				t.Fatal(err)
			}
			digests[app.Name] = state.Digest
		}
	}
	start("key")
	before := digests["app7"]
	first := renderer.renders.Load()
	if first != 2*apps {
		t.Fatalf("%d renders, and each source of random values is rendered twice", first)
	}
	start("key")
	if n := renderer.renders.Load() - first; n != 0 || digests["app7"] != before {
		t.Errorf("%d renders after a restart; the password is the same: %t", n, digests["app7"] == before)
	}
	err := filepath.WalkDir(data, func(p string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(p)
		if err == nil && bytes.Contains(text, []byte(canary)) {
			err = errors.New(p + " shows the password")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	content["app7/a"] = tree.MemoryFile{Content: "y"}
	start("key")
	if n := renderer.renders.Load() - first; n != 2 {
		t.Errorf("%d renders after a change of one", n)
	}
	start("another key")
	if n := renderer.renders.Load() - first; n != 2+2*apps {
		t.Errorf("%d renders with another key", n)
	}
}
