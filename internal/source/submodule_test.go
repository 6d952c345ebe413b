// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// anyRepository opens every submodule without credentials.
func anyRepository(url string) (Repository, error) { return Repository{URL: url}, nil }

func modules(lines ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(lines); i += 2 {
		fmt.Fprintf(&b, "[submodule %q]\n\tpath = %s\n\turl = %s\n", lines[i], lines[i], lines[i+1])
	}
	return b.String()
}

// withModule commits a submodule to a repository.
func withModule(t *testing.T, repo *gitserver.Repo, path, commit, gitmodules string, files map[string]string) string {
	t.Helper()
	all := map[string]string{".gitmodules": gitmodules}
	for name, content := range files {
		all[name] = content
	}
	return repo.MustCommit(t, gitserver.Change{Files: all, Submodules: map[string]string{path: commit}})
}

func TestSubmodulesAreFolders(t *testing.T) {
	for _, mode := range []struct {
		name   string
		change func(*Options)
	}{{"small", nil}, {"planned", planned}} {
		t.Run(mode.name, func(t *testing.T) {
			server := gitserver.New(t, gitserver.Options{})
			inner, lib, app := server.Repo(t, "group/inner"), server.Repo(t, "group/lib"), server.Repo(t, "team/app")
			deep := inner.Write(t, map[string]string{"deep.yaml": "deep: 1\n"})
			pinned := withModule(t, lib, "third/inner", deep, modules("third/inner", "./../inner.git"), map[string]string{"base/x.yaml": "x: 1\n", "link": "base"})
			lib.Write(t, map[string]string{"base/x.yaml": "x: 2\n"}) // not what is pinned
			commit := withModule(t, app, "vendor/lib", pinned, modules("vendor/lib", "../../group/lib.git"), map[string]string{"own.yaml": "own: 1\n"})

			s := openStore(t, mode.change)
			files, err := s.Tree(t.Context(), Repository{URL: app.URL}, commit, []Want{{}}, WithSubmodules(anyRepository))
			if err != nil {
				t.Fatal(err)
			}
			for path, want := range map[string]string{"own.yaml": "own: 1\n", "vendor/lib/base/x.yaml": "x: 1\n", "vendor/lib/third/inner/deep.yaml": "deep: 1\n"} {
				if got := read(t, files, path); got != want {
					t.Errorf("%s = %q, want %q", path, got, want)
				}
			}
			checkModuleShape(t, files, pinned)
		})
	}
}

func checkModuleShape(t *testing.T, files tree.Tree, pinned string) {
	t.Helper()
	entry, err := files.Lookup(t.Context(), "vendor/lib")
	if err != nil || entry.Mode != tree.Dir || entry.ID != pinned {
		t.Errorf("vendor/lib is %+v, %v; want a folder with the id of the pinned commit", entry, err)
	}
	entries, err := files.List(t.Context(), "vendor")
	if err != nil || len(entries) != 1 || entries[0].Mode != tree.Dir || entries[0].ID != pinned {
		t.Errorf("vendor holds %+v, %v", entries, err)
	}
	entries, err = files.List(t.Context(), "vendor/lib")
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name
	}
	if got := strings.Join(names, " "); err != nil || got != ".gitmodules base link third" {
		t.Errorf("vendor/lib holds %q, %v", got, err)
	}
	for _, path := range []string{"vendor/lib/none", "vendor/lib/base/x.yaml/y", "vendor/other"} {
		if _, err := files.Lookup(t.Context(), path); !errors.Is(err, tree.ErrAbsent) {
			t.Errorf("Lookup(%s) = %v, want absence", path, err)
		}
	}
	if _, err := files.Read(t.Context(), "vendor/lib", -1); !errors.Is(err, tree.ErrAbsent) {
		t.Errorf("reading a submodule as a file: %v", err)
	}
}

func TestWithoutTheOptionASubmoduleIsOne(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	lib, app := server.Repo(t, "lib"), server.Repo(t, "app")
	commit := withModule(t, app, "lib", lib.Write(t, map[string]string{"x": "1"}), modules("lib", "../lib.git"), nil)
	files := mustTree(t, openStore(t, nil), Repository{URL: app.URL}, commit, Want{})
	if entry, err := files.Lookup(t.Context(), "lib"); err != nil || entry.Mode != tree.Submodule {
		t.Errorf("lib is %+v, %v", entry, err)
	}
	if _, err := files.Lookup(t.Context(), "lib/x"); !errors.Is(err, tree.ErrAbsent) {
		t.Errorf("below a submodule: %v", err)
	}
}

func TestLinksAcrossSubmodules(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	lib, app := server.Repo(t, "lib"), server.Repo(t, "app")
	pinned := lib.MustCommit(t, gitserver.Change{Files: map[string]string{"base/x": "x"}, Links: map[string]string{"up": "../own", "out": "../../etc/passwd", "abs": "/etc/passwd"}})
	commit := app.MustCommit(t, gitserver.Change{Files: map[string]string{".gitmodules": modules("lib", "../lib.git"), "own": "own"},
		Links: map[string]string{"to": "lib/base"}, Submodules: map[string]string{"lib": pinned}})
	files, err := openStore(t, nil).Tree(t.Context(), Repository{URL: app.URL}, commit, []Want{{}}, WithSubmodules(anyRepository))
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, files, "to/x") + read(t, files, "lib/up"); got != "xown" {
		t.Errorf("through links: %q", got)
	}
	for _, path := range []string{"lib/out", "lib/abs"} {
		var escape *tree.EscapeError
		if _, err := tree.ReadFile(t.Context(), files, path, -1); !errors.As(err, &escape) {
			t.Errorf("%s: %v, want an escape", path, err)
		}
	}
}

func TestMissingInASubmoduleIsAskedForByItsPathAbove(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	lib, app := server.Repo(t, "lib"), server.Repo(t, "app")
	pinned := lib.Write(t, map[string]string{"a/x": "x", "b/y": "y", "c/z": "z"})
	commit := withModule(t, app, "vendor/lib", pinned, modules("vendor/lib", "../lib.git"), map[string]string{"o/o": "o", "p/p": "p"})
	s := openStore(t, planned)
	want := []Want{{Path: "vendor/lib/a"}}
	for range 2 {
		files, err := s.Tree(t.Context(), Repository{URL: app.URL}, commit, want, WithSubmodules(anyRepository))
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, files, "vendor/lib/a/x"); got != "x" {
			t.Fatalf("a/x = %q", got)
		}
		data, err := files.Read(t.Context(), "vendor/lib/b/y", -1)
		if err == nil {
			if string(data) != "y" {
				t.Errorf("b/y = %q", data)
			}
			return
		}
		var missing *MissingError
		if !errors.As(err, &missing) || missing.MissingPath() != "vendor/lib/b/y" || errors.Is(err, tree.ErrAbsent) {
			t.Fatalf("got %v, want a MissingError of vendor/lib/b/y", err)
		}
		want = append(want, Want{Path: missing.MissingPath()})
	}
	t.Error("still missing after it was asked for")
}

func TestPrivateSubmoduleIsReadWithItsOwnCredentials(t *testing.T) {
	open := gitserver.New(t, gitserver.Options{})
	closed := gitserver.New(t, gitserver.Options{Username: "lib", Password: "hunter2-lib"})
	lib, app := closed.Repo(t, "lib"), open.Repo(t, "app")
	commit := withModule(t, app, "lib", lib.Write(t, map[string]string{"x": "secret content"}), modules("lib", lib.URL), nil)
	s := openStore(t, nil)
	r := Repository{URL: app.URL, Username: "app", Password: fault.NewSecret("hunter2-app")}

	files, err := s.Tree(t.Context(), r, commit, []Want{{}}, WithSubmodules(anyRepository))
	if err != nil {
		t.Fatal(err)
	}
	_, err = files.Lookup(t.Context(), "lib/x")
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || unreachable.Problem != ProblemAuth || !strings.Contains(err.Error(), "submodule lib") || errors.Is(err, tree.ErrAbsent) {
		t.Errorf("without credentials: %v", err)
	}
	if strings.Contains(fmt.Sprint(err), "hunter2") {
		t.Errorf("the password shows in %v", err)
	}
	files, err = s.Tree(t.Context(), r, commit, []Want{{}}, WithSubmodules(func(url string) (Repository, error) {
		return Repository{URL: url, Username: "lib", Password: fault.NewSecret("hunter2-lib")}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, files, "lib/x"); got != "secret content" {
		t.Errorf("lib/x = %q", got)
	}
	// What one reader could fetch is not shown to another that could not.
	files, err = s.Tree(t.Context(), r, commit, []Want{{}}, WithSubmodules(anyRepository))
	if err != nil {
		t.Fatal(err)
	}
	if data, err := files.Read(t.Context(), "lib/x", -1); err == nil {
		t.Errorf("read without credentials: %q", data)
	}
}

func TestSubmodulePinsACommitThatIsGone(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	lib, app := server.Repo(t, "lib"), server.Repo(t, "app")
	lib.Write(t, map[string]string{"x": "1"})
	commit := withModule(t, app, "lib", strings.Repeat("12", 20), modules("lib", "../lib.git"), nil)
	s := openStore(t, nil)
	files, err := s.Tree(t.Context(), Repository{URL: app.URL}, commit, []Want{{}}, WithSubmodules(anyRepository))
	if err != nil {
		t.Fatal(err)
	}
	var unknown *UnknownRevisionError
	if _, err := files.Lookup(t.Context(), "lib/x"); !errors.As(err, &unknown) || errors.Is(err, tree.ErrAbsent) {
		t.Errorf("got %v, want an unknown revision", err)
	}
	server.Misbehave(gitserver.Fail)
	if _, err := files.Lookup(t.Context(), "lib/x"); !Unreachable(err) {
		t.Errorf("got %v while the server fails, want unreachable", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := files.Lookup(ended, "lib/x"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v with a context that ended", err)
	}
}

func TestReadSetOverSubmodules(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	lib, app := server.Repo(t, "lib"), server.Repo(t, "app")
	one := lib.Write(t, map[string]string{"x": "1"})
	first := withModule(t, app, "vendor/lib", one, modules("vendor/lib", "../lib.git"), map[string]string{"own": "1"})
	second := app.Write(t, map[string]string{"own": "2"})
	two := lib.Write(t, map[string]string{"x": "2"})
	third := withModule(t, app, "vendor/lib", two, modules("vendor/lib", "../lib.git"), nil)

	s, r := openStore(t, nil), Repository{URL: app.URL}
	at := func(commit string) tree.Tree {
		files, err := s.Tree(t.Context(), r, commit, []Want{{}}, WithSubmodules(anyRepository))
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	tracer := tree.Trace(at(first))
	if got := read(t, tracer, "vendor/lib/x"); got != "1" {
		t.Fatalf("x = %q", got)
	}
	set := tracer.ReadSet()
	for _, tt := range []struct {
		from, to string
		touched  bool
	}{{first, second, false}, {second, third, true}} {
		changed, err := s.Changed(t.Context(), r, tt.from, tt.to)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.ContainsFunc(changed, set.Touched); got != tt.touched {
			t.Errorf("changes %q touch the reader: %t, want %t", changed, got, tt.touched)
		}
		if holds, err := set.Holds(t.Context(), at(tt.to)); err != nil || holds == tt.touched {
			t.Errorf("the read set holds in %s: %t, %v", tt.to, holds, err)
		}
	}
}

func TestRetainKeepsTheMirrorsOfSubmodules(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	lib, app := server.Repo(t, "lib"), server.Repo(t, "app")
	commit := withModule(t, app, "lib", lib.Write(t, map[string]string{"x": "1"}), modules("lib", "../lib.git"), nil)
	s, r := openStore(t, nil), Repository{URL: app.URL}
	files, err := s.Tree(t.Context(), r, commit, []Want{{}}, WithSubmodules(anyRepository))
	if err != nil {
		t.Fatal(err)
	}
	read(t, files, "lib/x")
	if err := s.Retain([]Repository{r}); err != nil {
		t.Fatal(err)
	}
	server.ResetCounts()
	if files, err = s.Tree(t.Context(), r, commit, []Want{{}}, WithSubmodules(anyRepository)); err != nil {
		t.Fatal(err)
	}
	if got := read(t, files, "lib/x"); got != "1" {
		t.Errorf("x = %q", got)
	}
	checkFetches(t, server, 0)
	if err := s.Retain(nil); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "mirrors", "*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// Whoever may push chooses whose servers a tree waits for: one that hangs takes a bounded time from the render that reads,
// however many submodules there are.
func TestSubmodulesOfAServerThatHangs(t *testing.T) {
	server, slow := gitserver.New(t, gitserver.Options{}), gitserver.New(t, gitserver.Options{})
	lib, app := slow.Repo(t, "lib"), server.Repo(t, "app")
	pinned := lib.Write(t, map[string]string{"x": "1"})
	commit := withModule(t, app, "lib", pinned, modules("lib", lib.URL), nil)
	s := openStore(t, func(o *Options) { o.ReadTimeout = 200 * time.Millisecond })
	open := func() tree.Tree {
		files, err := s.Tree(t.Context(), Repository{URL: app.URL}, commit, []Want{{}}, WithSubmodules(anyRepository))
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	slow.Misbehave(gitserver.Hang)
	files := open()
	for range 3 {
		if _, err := files.Lookup(t.Context(), "lib/x"); !Unreachable(err) || !strings.Contains(err.Error(), "did not come within") {
			t.Fatalf("got %v, want that it did not come", err)
		}
	}
	slow.Misbehave(gitserver.None)
	waitFor(t, func() bool { // what was begun goes on
		_, err := open().Lookup(t.Context(), "lib/x")
		return err == nil
	})
}
