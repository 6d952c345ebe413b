// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

func TestForbiddenSubmodule(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	lib, app := server.Repo(t, "lib"), server.Repo(t, "app")
	commit := withModule(t, app, "lib", lib.Write(t, map[string]string{"x": "1"}), modules("lib", "../lib.git"), map[string]string{"own": "own"})
	server.ResetCounts()
	var asked []string
	files, err := openStore(t, nil).Tree(t.Context(), Repository{URL: app.URL}, commit, []Want{{}}, WithSubmodules(func(url string) (Repository, error) {
		asked = append(asked, url)
		return Repository{}, fault.New(fault.Forbidden, "use", "repository "+url, "spec.sourceRepos", "the project does not permit it", "")
	}))
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, files, "own"); got != "own" {
		t.Errorf("own = %q", got)
	}
	for _, look := range []func() error{
		func() error { _, err := files.Lookup(t.Context(), "lib/x"); return err },
		func() error { _, err := files.List(t.Context(), "lib"); return err },
		func() error { _, err := files.Read(t.Context(), "lib/x", -1); return err },
	} {
		if err := look(); !fault.Is(err, fault.Forbidden) || errors.Is(err, tree.ErrAbsent) || !strings.Contains(err.Error(), "submodule lib") {
			t.Errorf("got %v, want a refusal that names the submodule", err)
		}
	}
	if !slices.Equal(slices.Compact(asked), []string{lib.URL}) {
		t.Errorf("asked about %q, want %q", asked, lib.URL)
	}
	if strings.Contains(strings.Join(server.Log(), "\n"), "/lib.git") {
		t.Errorf("the forbidden repository was asked:\n%s", strings.Join(server.Log(), "\n"))
	}
}

func TestHostileGitmodules(t *testing.T) {
	const canary = "canary-of-another-tenant"
	server := gitserver.New(t, gitserver.Options{})
	lib := server.Repo(t, "lib")
	pinned := lib.Write(t, map[string]string{"x": canary})
	touched := filepath.Join(t.TempDir(), "touched")
	section := func(path, url string) string {
		return "[submodule \"m\"]\n\tpath = " + path + "\n\turl = " + url + "\n"
	}
	tests := []struct{ reason, gitmodules, mentions string }{
		{"an option", section("m", "--upload-pack=touch "+touched), "option"},
		{"an option in quotes", section("m", `"--upload-pack=touch `+touched+`"`), "option"},
		{"an option as the path of ssh", section("m", "ssh://git@127.0.0.1/-oProxyCommand=touch"), "not valid"},
		{"an option as the host", section("m", "ssh://-oProxyCommand=touch/x"), "not valid"},
		{"a remote helper", section("m", "ext::sh -c touch% "+touched), ""},
		{"the disk", section("m", "file://"+lib.Dir), "local disk"},
		{"a path", section("m", lib.Dir), ""},
		{"a path that climbs", section("m", "../../../../../../../../../../../../../.."+lib.Dir), "out of the host"},
		{"another scheme", section("m", "gopher://127.0.0.1/x"), "scheme"},
		{"a line break", section("m", `"http://127.0.0.1/x\nurl = y"`), "control character"},
		{"nothing", section("m", ""), "url"},
		{"no section", "", "add the submodule"},
		{"another path", section("./m", lib.URL), "add the submodule"},
		{"a path that climbs to it", section("x/../m", lib.URL), "add the submodule"},
		{"a file that is no configuration", "[submodule \"m\"\n", "] is missing"},
	}
	s, app := openStore(t, nil), server.Repo(t, "app")
	for _, tt := range tests {
		commit := withModule(t, app, "m", pinned, tt.gitmodules, nil)
		files, err := s.Tree(t.Context(), Repository{URL: app.URL}, commit, []Want{{}}, WithSubmodules(anyRepository))
		if err != nil {
			t.Fatalf("%s: %v", tt.reason, err)
		}
		data, err := files.Read(t.Context(), "m/x", -1)
		if err == nil || errors.Is(err, tree.ErrAbsent) || !strings.Contains(err.Error(), tt.mentions) {
			t.Errorf("%s: got %q, %v; want an error that mentions %q", tt.reason, data, err, tt.mentions)
		}
		if strings.Contains(fmt.Sprint(string(data), err), canary) {
			t.Errorf("%s: the canary shows", tt.reason)
		}
		if !fault.Is(err, fault.Mistake) {
			t.Errorf("%s: %v is of kind %s", tt.reason, err, fault.KindOf(err))
		}
	}
	if _, err := os.Stat(touched); err == nil {
		t.Error("a command was run")
	}
}

func TestHostileGitmodulesThatAreNoFile(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	lib := server.Repo(t, "lib")
	pinned := lib.Write(t, map[string]string{"x": "1"})
	links := server.Repo(t, "links")
	commit := links.MustCommit(t, gitserver.Change{Files: map[string]string{"m": modules("lib", lib.URL)}, Links: map[string]string{"modules": "m"}, Submodules: map[string]string{"lib": pinned}})
	s := openStore(t, nil)
	files, err := s.Tree(t.Context(), Repository{URL: links.URL}, commit, nil, WithSubmodules(anyRepository))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := files.Lookup(t.Context(), "lib/x"); err == nil || !strings.Contains(err.Error(), "no file .gitmodules") {
		t.Errorf("without the file: %v", err)
	}
	// Git itself refuses to fetch a link of this name: fsck says gitmodulesSymlink.
	commit = links.MustCommit(t, gitserver.Change{Links: map[string]string{".gitmodules": "m"}})
	if _, err := s.Tree(t.Context(), Repository{URL: links.URL}, commit, nil, WithSubmodules(anyRepository)); err == nil {
		t.Error("a link in the place of .gitmodules was fetched")
	}
}

func TestHostileSubmodulesWithoutEnd(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "app")
	commit := repo.Write(t, map[string]string{"x": "1"})
	for range maxModuleDepth + 2 { // each commit has the one before as its submodule
		commit = withModule(t, repo, "m", commit, modules("m", "../app.git"), nil)
	}
	files, err := openStore(t, nil).Tree(t.Context(), Repository{URL: repo.URL}, commit, []Want{{}}, WithSubmodules(anyRepository))
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, files, strings.Repeat("m/", maxModuleDepth)+"x"); got != "1" {
		t.Errorf("at the greatest depth: %q", got)
	}
	if _, err := files.Lookup(t.Context(), strings.Repeat("m/", maxModuleDepth+1)+"x"); !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "deeper than") {
		t.Errorf("below it: %v", err)
	}
}

func TestHostileManySubmodules(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	lib, app := server.Repo(t, "lib"), server.Repo(t, "app")
	pinned := lib.Write(t, map[string]string{"x": "1"})
	links := map[string]string{}
	var lines []string
	for i := range maxModules + 1 {
		path := fmt.Sprintf("m%d", i)
		links[path], lines = pinned, append(lines, path, "../lib.git")
	}
	commit := app.MustCommit(t, gitserver.Change{Files: map[string]string{".gitmodules": modules(lines...)}, Submodules: links})
	files, err := openStore(t, nil).Tree(t.Context(), Repository{URL: app.URL}, commit, []Want{{}}, WithSubmodules(anyRepository))
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxModules {
		if got := read(t, files, fmt.Sprintf("m%d/x", i)); got != "1" {
			t.Fatalf("m%d/x = %q", i, got)
		}
	}
	if _, err := files.Lookup(t.Context(), fmt.Sprintf("m%d/x", maxModules)); !fault.Is(err, fault.Mistake) {
		t.Errorf("one more: %v", err)
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

func TestResolveURL(t *testing.T) {
	for _, tt := range []struct{ parent, relative, want string }{
		{"https://host/group/app.git", "../lib.git", "https://host/group/lib.git"},
		{"https://host/group/app.git/", "../lib.git/", "https://host/group/lib.git"},
		{"https://host/group/app", "./sub", "https://host/group/app/sub"},
		{"https://host/group/app", "../../other/lib", "https://host/other/lib"},
		{"https://host/group/app", "./../lib", "https://host/group/lib"},
		{"https://host:8443/app", "../lib", "https://host:8443/lib"},
		{"https://host/app", "../../lib", ""},
		{"https://host/app", "../../../evil.example/lib", ""},
		{"https://host/group/app", "../", ""},
		{"https://host/group/app", "../..", ""},
		{"ssh://git@host:22/group/app", "../lib", "ssh://git@host:22/group/lib"},
		{"ssh://git@host/app", "../../lib", ""},
		{"git@host:group/app.git", "../lib.git", "git@host:group/lib.git"},
		{"git@host:app.git", "../lib.git", "git@host:lib.git"},
		{"git@host:app.git", "../../lib.git", ""},
		{"git@host:group/app.git", "../../../lib.git", ""},
		{"file:///repos/app.git", "../lib.git", "file:///repos/lib.git"},
	} {
		got, err := resolveURL(tt.parent, tt.relative)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("resolveURL(%q, %q) = %q, %v; want %q", tt.parent, tt.relative, got, err, tt.want)
		}
	}
}

// gitConfig is what git itself reads from a configuration.
func gitConfig(t *testing.T, data string) (map[string]string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("git", "config", "--no-includes", "--file", path, "--list", "-z").Output()
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for item := range strings.SplitSeq(string(out), "\x00") {
		if item == "" {
			continue
		}
		key, value, ok := strings.Cut(item, "\n")
		if !ok {
			value = "true"
		}
		all[key] = value
	}
	return all, nil
}

var configs = []string{
	"[submodule \"a\"]\n\tpath = a\n\turl = https://host/a\n", "[submodule \"a b\"] path=x\nurl = \"y ; z\" ; comment\n", "[a]b\n", "[A.B]\nKey = v\\\n w\n",
	"[submodule \"q\\\"\\\\x\"]\r\nurl = a \\\"b\\\" \\t c  # no\r\n", "# only\n;comments\n", "[a]\nb = \"x\" y\"z\"\n", "\ufeff[a]\nb = 1\nb = 2\n", "[a]\nb = \\x\n", "[a\n", "b = 1\n",
	"[a \"x\ny\"]\n", "[a]\nb c\n", "[a]\nb = \"x\n", "[a]b=1[c]d=2\n", "[]\n", "[a \"\"]\nb = \n", "[a] # x\n b = 1 \n", "[a]\nb =   x   y   \n", "[a]\n-b = 1\n", "[a]\nb.c = 1\n", "[a-1]\nb-2 = x\n",
}

func TestParseConfigReadsWhatGitReads(t *testing.T) {
	for _, data := range configs {
		want, wrong := gitConfig(t, data)
		settings, err := parseConfig([]byte(data))
		if (err == nil) != (wrong == nil) {
			t.Errorf("%q: we say %v, git says %v", data, err, wrong)
			continue
		}
		got := map[string]string{}
		for _, s := range settings {
			got[strings.TrimPrefix(s.section+"."+s.key, ".")] = s.value
		}
		if err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: we read %q, git reads %q", data, got, want)
		}
	}
}

func FuzzGitmodules(f *testing.F) {
	for _, data := range configs {
		f.Add([]byte(data))
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		modules, err := parseGitmodules(data)
		if err != nil && modules != nil {
			panic("modules with an error")
		}
		for _, url := range modules {
			if isRelativeURL(url) {
				if whole, err := resolveURL("https://host/group/app.git", url); err == nil && !strings.HasPrefix(whole, "https://host/") {
					panic("leads to another host: " + whole)
				}
			}
		}
	})
}
