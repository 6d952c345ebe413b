// SPDX-License-Identifier: Apache-2.0

package contexts_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bowline-cd/bowline/internal/cli/contexts"
	"github.com/bowline-cd/bowline/internal/fault"
)

// theirs is a file as Argo CD's command line writes it.
const theirs = `contexts:
- name: cd.example.com
  server: cd.example.com
  user: cd.example.com
current-context: cd.example.com
prompts-enabled: false
servers:
- grpc-web: true
  grpc-web-root-path: "argo"
  insecure: true
  server: cd.example.com
users:
- auth-token: t0ken
  name: cd.example.com
  refresh-token: more
`

// home sets up a home of its own, with files by their paths in it.
func home(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	for _, name := range []string{"XDG_CONFIG_HOME", "ARGOCD_CONFIG_DIR", "BOWLINE_CONFIG_DIR", "BOWLINE_CONFIG"} {
		t.Setenv(name, "")
	}
	for path, text := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, path string) *contexts.File {
	t.Helper()
	f, err := contexts.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestContextsOfArgoCDAreUsedUntilThereAreOurs(t *testing.T) {
	dir := home(t, map[string]string{".config/argocd/config": theirs})
	f := read(t, "")
	want := contexts.Context{
		Name:   "cd.example.com",
		Server: contexts.Server{Server: "cd.example.com", Insecure: true, GRPCWeb: true, GRPCWebRootPath: "argo"},
		User:   contexts.User{Name: "cd.example.com", AuthToken: "t0ken", RefreshToken: "more"},
	}
	got, ok, err := f.Find("")
	if diff := cmp.Diff(want, got); err != nil || !ok || diff != "" {
		t.Fatal(err, ok, diff)
	}
	f.Put(contexts.Context{Name: "new", Server: contexts.Server{Server: "new.example.com"}, User: contexts.User{AuthToken: "x"}})
	if err := f.Write(); err != nil {
		t.Fatal(err)
	}
	ours := filepath.Join(dir, ".config/bowline/config")
	if info, err := os.Stat(ours); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("ours is %v, %v: it holds tokens", info, err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, ".config/argocd/config")); err != nil || string(data) != theirs {
		t.Errorf("Argo CD's file was changed: %v\n%s", err, data)
	}
	again := read(t, "")
	if diff := cmp.Diff([]string{"cd.example.com", "new"}, again.Names()); diff != "" || again.Current != "new" {
		t.Error(diff, again.Current)
	}
}

func TestFoldersOfArgoCD(t *testing.T) {
	dir := home(t, map[string]string{".argocd/config": theirs, "elsewhere/config": "current-context: \"\"\nprompts-enabled: true\n"})
	if f := read(t, ""); f.Current != "cd.example.com" {
		t.Errorf("~/.argocd is not used where it exists: %v", f)
	}
	t.Setenv("ARGOCD_CONFIG_DIR", filepath.Join(dir, "elsewhere"))
	if f := read(t, ""); !f.PromptsEnabled {
		t.Errorf("ARGOCD_CONFIG_DIR is not used: %v", f)
	}
}

func TestTheLastContextTakesTheFileWithIt(t *testing.T) {
	path := filepath.Join(home(t, nil), "file")
	f := read(t, path)
	if f.Exists() {
		t.Error("a file that is not there exists")
	}
	f.Put(contexts.Context{Name: "a", Server: contexts.Server{Server: "one"}})
	f.Put(contexts.Context{Name: "b", Server: contexts.Server{Server: "one"}})
	if err := f.Remove("a"); err != nil || len(f.Servers) != 1 {
		t.Errorf("%v: the server that another context needs is gone: %v", err, f.Servers)
	}
	if err := f.Write(); err != nil {
		t.Fatal(err)
	}
	if err := f.Remove("b"); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file is there: %v", err)
	}
}

func TestNoContextComesBackWhenOursAreGone(t *testing.T) {
	home(t, map[string]string{".config/argocd/config": theirs})
	f := read(t, "")
	if err := f.Remove("cd.example.com"); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(); err != nil {
		t.Fatal(err)
	}
	if names := read(t, "").Names(); len(names) > 0 {
		t.Errorf("what was deleted is back from Argo CD's file: %v", names)
	}
}

func TestMistakesNameTheFile(t *testing.T) {
	dir := home(t, map[string]string{"broken": "contexts: {", "dangling": "current-context: a\ncontexts: [{name: a, server: gone, user: a}]\n"})
	if _, err := contexts.Read(filepath.Join(dir, "broken")); !fault.Is(err, fault.Mistake) {
		t.Errorf("got %v", err)
	}
	f := read(t, filepath.Join(dir, "dangling"))
	for _, name := range []string{"", "none"} {
		if _, _, err := f.Find(name); !fault.Is(err, fault.Mistake) {
			t.Errorf("%q: got %v", name, err)
		}
	}
}
