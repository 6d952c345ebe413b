// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
	"github.com/bowline-cd/bowline/test/gitserver"
)

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
