// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/source"
	"github.com/bowline-cd/bowline/internal/tree"
)

func TestFolderIsATree(t *testing.T) {
	ctx := context.Background()
	outside := t.TempDir()
	write(t, filepath.Join(outside, "canary"), "canary")
	dir := t.TempDir()
	write(t, filepath.Join(dir, ".git", "config"), "[core]")
	write(t, filepath.Join(dir, "app", "a.yaml"), "a: 1")
	for link, target := range map[string]string{"inside": "app/a.yaml", "out": "../" + filepath.Base(outside) + "/canary", "absolute": filepath.Join(outside, "canary"), "dir": outside} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	f, err := source.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	entries, err := f.List(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	if got := strings.Join(names, " "); got != "absolute app dir inside out" {
		t.Errorf("listed %s", got)
	}
	if data, err := tree.ReadFile(ctx, f, "inside", -1); err != nil || string(data) != "a: 1" {
		t.Errorf("through a link inside: %q, %v", data, err)
	}
	for _, p := range []string{"out", "absolute"} {
		data, err := tree.ReadFile(ctx, f, p, -1)
		if escape := (*tree.EscapeError)(nil); !errors.As(err, &escape) {
			t.Errorf("%s: read %q, %v", p, data, err)
		}
	}
	for _, p := range []string{"dir/canary", "missing", "app/a.yaml/x", "app/../app/b"} {
		if _, err := f.Read(ctx, p, -1); !errors.Is(err, tree.ErrAbsent) {
			t.Errorf("%s: %v", p, err)
		}
	}
	if _, err := f.Read(ctx, "app/a.yaml", 3); !errors.Is(err, tree.ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
	if err := exec.Command("git", "-C", dir, "init", "-q").Run(); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command("git", "-C", dir, "add", "app").Run(); err != nil {
		t.Fatal(err)
	}
	id, err := exec.Command("git", "-C", dir, "write-tree").Output()
	if err != nil {
		t.Fatal(err)
	}
	want, err := exec.Command("git", "-C", dir, "rev-parse", strings.TrimSpace(string(id))+":app").Output()
	if err != nil {
		t.Fatal(err)
	}
	if e, err := f.Lookup(ctx, "app"); err != nil || e.ID != strings.TrimSpace(string(want)) {
		t.Errorf("app is %+v, %v; Git calls it %s", e, err, want)
	}
	root, within, err := source.RepositoryOf(filepath.Join(dir, "app"))
	if err != nil || within != "app" || filepath.Base(root) != filepath.Base(dir) {
		t.Errorf("the repository of app is %s with %s, %v", root, within, err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
