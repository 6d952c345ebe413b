// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// writable is a repository that takes pushes, with a good commit, a bad one and one of somebody else on top.
func writable(t *testing.T, server *gitserver.Server) (repo *gitserver.Repo, good, tip string) {
	t.Helper()
	repo = server.Repo(t, "config")
	if err := repo.Configure("http.receivepack", "true"); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"web/a": "good", "web/gone": "here", "other/a": "1"}
	good = repo.Write(t, files)
	repo.MustCommit(t, gitserver.Change{Files: map[string]string{"web/a": "bad", "web/new": "new"}, Delete: []string{"web/gone"}})
	tip = repo.Write(t, map[string]string{"other/a": "2"})
	return repo, good, tip
}

func back(good string) Restoration {
	return Restoration{From: good, Author: "ann", Concerns: func(path string) bool { return strings.HasPrefix(path, "web/") },
		Message: func(paths []string) string { return "Take back " + strings.Join(paths, " ") }}
}

func TestRestoreGivesPathsBackAndLeavesTheRest(t *testing.T) {
	for _, tt := range []struct {
		name  string
		small int
	}{{"fetched whole", 0}, {"fetched without files", 1}} {
		t.Run(tt.name, func(t *testing.T) {
			server := gitserver.New(t, gitserver.Options{})
			repo, good, tip := writable(t, server)
			s := openStore(t, func(o *Options) {
				if tt.small > 0 {
					o.SmallRepository = tt.small
				}
			})
			r := Repository{URL: repo.URL}
			mustTree(t, s, r, good, Want{Path: "web"}) // as whoever rendered it does
			done, err := s.Restore(t.Context(), r, back(good))
			if err != nil {
				t.Fatal(err)
			}
			if want := []string{"web/a", "web/gone", "web/new"}; done.Parent != tip || done.Branch != "main" || !slices.Equal(done.Paths, want) {
				t.Errorf("%+v", done)
			}
			made := mustTree(t, s, r, done.Commit, Want{Path: "web"})
			if got := read(t, made, "web/a"); got != "good" {
				t.Errorf("web/a is %q before the push", got)
			}
			if err := s.Push(t.Context(), r, done.Commit, "main"); err != nil {
				t.Fatal(err)
			}
			if head, err := repo.Head("main"); err != nil || head != done.Commit {
				t.Fatalf("main is at %s, %v", head, err)
			}
			fresh := openStore(t, nil)
			pushed := mustTree(t, fresh, r, done.Commit, Want{Path: ""})
			for path, want := range map[string]string{"web/a": "good", "web/gone": "here", "other/a": "2"} {
				if got := read(t, pushed, path); got != want {
					t.Errorf("%s is %q, want %q", path, got, want)
				}
			}
			if _, err := pushed.Lookup(t.Context(), "web/new"); !errors.Is(err, tree.ErrAbsent) {
				t.Errorf("web/new: %v", err)
			}
			info, err := fresh.Commit(t.Context(), r, done.Commit)
			if err != nil || info.Message != "Take back web/a web/gone web/new" || !strings.HasPrefix(info.Author, "ann") {
				t.Errorf("%+v, %v", info, err)
			}
		})
	}
}

func TestAPushForcesNothing(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo, good, _ := writable(t, server)
	s, r := openStore(t, nil), Repository{URL: repo.URL}
	done, err := s.Restore(t.Context(), r, back(good))
	if err != nil {
		t.Fatal(err)
	}
	newer := repo.Write(t, map[string]string{"web/a": "fixed"})
	if err := s.Push(t.Context(), r, done.Commit, "main"); !fault.Is(err, fault.Retry) {
		t.Errorf("got %v", err)
	}
	if head, err := repo.Head("main"); err != nil || head != newer {
		t.Errorf("main is at %s, %v", head, err)
	}
	if err := s.Push(t.Context(), r, done.Commit, "take-back"); err != nil {
		t.Errorf("to a branch that is not there: %v", err)
	}
	if head, err := repo.Head("take-back"); err != nil || head != done.Commit {
		t.Errorf("take-back is at %s, %v", head, err)
	}
	if err := repo.Configure("receive.denyCreates", "true"); err != nil {
		t.Fatal(err)
	}
	if err := repo.Configure("http.receivepack", "false"); err != nil {
		t.Fatal(err)
	}
	if err := s.Push(t.Context(), r, done.Commit, "third"); err == nil {
		t.Error("a server that takes no pushes took one")
	}
}

func TestWhatCannotBeRestored(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo, good, tip := writable(t, server)
	if err := repo.Tag("v1", tip, ""); err != nil {
		t.Fatal(err)
	}
	s, r := openStore(t, nil), Repository{URL: repo.URL}
	for name, change := range map[string]func(*Restoration){
		"onto a tag":             func(w *Restoration) { w.Branch = "v1" },
		"onto a commit":          func(w *Restoration) { w.Branch = tip },
		"onto nothing":           func(w *Restoration) { w.Branch = "nowhere" },
		"where nothing differs":  func(w *Restoration) { w.From = tip },
		"where nobody looks":     func(w *Restoration) { w.Concerns = func(string) bool { return false } },
		"from an unknown commit": func(w *Restoration) { w.From = strings.Repeat("1", 40) },
	} {
		want := back(good)
		change(&want)
		if done, err := s.Restore(t.Context(), r, want); err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("%s: made %+v, %v", name, done, err)
		}
	}
}

func TestCredentialsForWriting(t *testing.T) {
	c := mustCredentials(t, "",
		secret("read", SecretTypeRepo, "url", "https://git.example/a", "username", "reader", "password", "r"),
		secret("write", SecretTypeWrite, "url", "https://git.example/a", "username", "writer", "password", "w"),
		secret("all", SecretTypeWriteCreds, "url", "https://git.example/team/", "username", "team", "password", "t"),
		secret("own", SecretTypeWrite, "url", "https://git.example/a", "username", "shop", "password", "s", "project", "shop"))
	for _, tt := range []struct{ address, project, read, write string }{
		{"https://git.example/a", "default", "reader", "writer"},
		{"https://git.example/a", "shop", "reader", "shop"},
		{"https://git.example/team/x", "default", "", "team"},
		{"https://git.example/b", "default", "", ""},
	} {
		reads, err := c.For(tt.address, tt.project)
		if err != nil || reads.Username != tt.read {
			t.Errorf("%s is read as %q, %v; want %q", tt.address, reads.Username, err, tt.read)
		}
		writes, err := c.Writing().For(tt.address, tt.project)
		if err != nil || writes.Username != tt.write {
			t.Errorf("%s is written as %q, %v; want %q", tt.address, writes.Username, err, tt.write)
		}
	}
}

func TestNamesOfBranches(t *testing.T) {
	for name, good := range map[string]bool{
		"main": true, "take-back/web": true, "v1.2": true, "ä": true, "a@b": true,
		"": false, "-x": false, "--force": false, "@": false, "HEAD": false, "a b": false, "a:refs/heads/main": false, "+main": true, "a..b": false, "../x": false,
		"a@{1}": false, "a/.b": false, "a//b": false, "/a": false, "a/": false, "a.lock": false, "a.": false, "a\nb": false, "a*": false, "a~1": false, `a\b`: false,
	} {
		if err := CheckBranch(name); (err == nil) != good || err != nil && !fault.Is(err, fault.Mistake) {
			t.Errorf("%q: %v", name, err)
		}
		if out := exec.Command("git", "check-ref-format", "refs/heads/"+name).Run(); good && out != nil {
			t.Errorf("%q: git says %v", name, out)
		}
	}
	if err := openStore(t, nil).Push(t.Context(), Repository{URL: "https://git.example/a"}, strings.Repeat("1", 40), "a:refs/heads/main"); !fault.Is(err, fault.Mistake) {
		t.Errorf("got %v", err)
	}
}
