// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// openStore opens a Store in a folder of the test.
func openStore(t *testing.T, change func(*Options)) *Store {
	t.Helper()
	return openStoreIn(t, t.TempDir(), change)
}

func openStoreIn(t *testing.T, dir string, change func(*Options)) *Store {
	t.Helper()
	options := Options{Logger: slog.New(slog.NewTextHandler(testLog{t}, nil))}
	if change != nil {
		change(&options)
	}
	s, err := NewStore(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func planned(o *Options) { o.SmallRepository = 1 }

func read(t *testing.T, files tree.Tree, path string) string {
	t.Helper()
	data, err := tree.ReadFile(t.Context(), files, path, -1)
	if err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	return string(data)
}

func mustTree(t *testing.T, s *Store, r Repository, commit string, want ...Want) tree.Tree {
	t.Helper()
	files, err := s.Tree(t.Context(), r, commit, want)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func checkFetches(t *testing.T, server *gitserver.Server, want int) {
	t.Helper()
	if c := server.Counts(); c.Fetch != want {
		t.Errorf("%d fetches, want %d:\n%s", c.Fetch, want, strings.Join(server.Log(), "\n"))
	}
}

func TestSmallRepositoryIsFetchedWholeOncePerCommit(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	first := repo.MustCommit(t, gitserver.Change{
		Files: map[string]string{"apps/a/x.yaml": "x: 1\n", "apps/b/y.yaml": "y: 1\n", "z": ""}, Executables: map[string]string{"run": "#!\n"},
		Links: map[string]string{"link": "apps/a"}, Submodules: map[string]string{"sub": strings.Repeat("1", 40)},
	})
	s, r := openStore(t, nil), Repository{URL: repo.URL}
	files := mustTree(t, s, r, first)
	if got := read(t, files, "link/x.yaml"); got != "x: 1\n" {
		t.Errorf("link/x.yaml = %q", got)
	}
	if got := read(t, files, "z"); got != "" {
		t.Errorf("z = %q", got)
	}
	entries, err := files.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, fmt.Sprintf("%s:%d", e.Name, e.Mode))
	}
	if got, want := strings.Join(names, " "), fmt.Sprintf("apps:%d link:%d run:%d sub:%d z:%d", tree.Dir, tree.Link, tree.Executable, tree.Submodule, tree.File); got != want {
		t.Errorf("entries %s, want %s", got, want)
	}
	for _, path := range []string{"nothing", "apps/a/x.yaml/below", "link/x.yaml", "apps/c/d"} {
		if _, err := files.Lookup(t.Context(), path); !errors.Is(err, tree.ErrAbsent) {
			t.Errorf("Lookup(%s) = %v, want ErrAbsent", path, err)
		}
	}
	if _, err := files.Read(t.Context(), "apps", -1); !errors.Is(err, tree.ErrAbsent) {
		t.Errorf("reading a folder: %v", err)
	}

	server.ResetCounts()
	second := repo.Write(t, map[string]string{"apps/a/x.yaml": "x: 2\n"})
	files = mustTree(t, s, r, second)
	if got := read(t, files, "apps/a/x.yaml") + read(t, files, "apps/b/y.yaml"); got != "x: 2\ny: 1\n" {
		t.Errorf("second commit: %q", got)
	}
	checkFetches(t, server, 1)
	changed, err := s.Changed(t.Context(), r, first, second)
	if err != nil || strings.Join(changed, " ") != "apps/a/x.yaml" {
		t.Errorf("changed: %v, %v", changed, err)
	}
	checkFetches(t, server, 1)
}

func TestLargeRepositoryFetchesOnlyWhatIsPlanned(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "mono")
	content := map[string]string{}
	for app := range 10 {
		for file := range 5 {
			content[fmt.Sprintf("apps/%d/%d.yaml", app, file)] = fmt.Sprintf("app: %d.%d\n", app, file)
		}
	}
	first := repo.Write(t, content)
	s, r := openStore(t, planned), Repository{URL: repo.URL}
	files := mustTree(t, s, r, first, Want{Path: "apps/1"}, Want{Path: "apps/2"})
	checkFetches(t, server, 2)
	for file := range 5 {
		read(t, files, fmt.Sprintf("apps/2/%d.yaml", file))
	}
	_, err := files.Read(t.Context(), "apps/3/1.yaml", -1)
	var missing *MissingError
	if !errors.As(err, &missing) || errors.Is(err, tree.ErrAbsent) || missing.Path != "apps/3/1.yaml" {
		t.Fatalf("read outside of the plan: %v", err)
	}
	checkFetches(t, server, 2)
	files = mustTree(t, s, r, first, Want{Path: "apps/3/1.yaml"})
	read(t, files, "apps/3/1.yaml")
	checkFetches(t, server, 3)

	// The next commit brings what everybody wanted lately in one request for the folders and one for the files.
	server.ResetCounts()
	second := repo.Write(t, map[string]string{"apps/1/0.yaml": "new: 1\n", "apps/2/0.yaml": "new: 2\n", "apps/9/0.yaml": "new: 9\n"})
	for _, path := range []string{"apps/1", "apps/2", "apps/3/1.yaml"} {
		files = mustTree(t, s, r, second, Want{Path: path})
	}
	if got := read(t, files, "apps/1/0.yaml") + read(t, files, "apps/2/0.yaml"); got != "new: 1\nnew: 2\n" {
		t.Errorf("second commit: %q", got)
	}
	if _, err := files.Read(t.Context(), "apps/9/0.yaml", -1); !errors.As(err, &missing) {
		t.Errorf("read outside of the plan: %v", err)
	}
	checkFetches(t, server, 2)
	if log := server.Log(); !strings.Contains(log[len(log)-1], "wants=2 haves=0") {
		t.Errorf("the request for files asks for more than the two that changed:\n%s", strings.Join(log, "\n"))
	}
	// A commit that concerns nobody costs the folders only.
	server.ResetCounts()
	third := repo.Write(t, map[string]string{"apps/9/0.yaml": "newer: 9\n"})
	mustTree(t, s, r, third, Want{Path: "apps/1"}, Want{Path: "apps/2", Files: true})
	checkFetches(t, server, 1)
}

func TestServerWithoutFilter(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	if err := repo.Configure("uploadpack.allowFilter", "false"); err != nil {
		t.Fatal(err)
	}
	sha := repo.Write(t, map[string]string{"a": "1", "b": "2"})
	s, r := openStore(t, planned), Repository{URL: repo.URL}
	t.Run("learned while listing", func(t *testing.T) {
		if _, err := s.Refs(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		server.ResetCounts()
		read(t, mustTree(t, s, r, sha), "b")
		checkFetches(t, server, 1)
	})
	t.Run("learned while fetching", func(t *testing.T) {
		other := openStore(t, planned)
		server.ResetCounts()
		read(t, mustTree(t, other, r, sha), "b")
		next := repo.Write(t, map[string]string{"a": "3"})
		files := mustTree(t, other, r, next)
		if got := read(t, files, "a") + read(t, files, "b"); got != "32" {
			t.Errorf("second commit: %s", got)
		}
		checkFetches(t, server, 2)
	})
}

func TestTwoHundredCallersCostOneRequest(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "mono")
	content := map[string]string{}
	for app := range 200 {
		content[fmt.Sprintf("apps/%d/x.yaml", app)] = fmt.Sprintf("app: %d\n", app)
	}
	repo.Write(t, content)
	s, r := openStore(t, nil), Repository{URL: repo.URL}
	for round, wantFetches := range []int{2, 1} { // the first round looks how large the repository is
		server.ResetCounts()
		sha := repo.Write(t, map[string]string{"round": fmt.Sprint(round)})
		refs, err := s.Refs(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for app := range 200 {
			wg.Go(func() {
				commit, err := s.Resolve(t.Context(), r, Revision{Name: "main"})
				if err != nil || commit != sha {
					t.Errorf("resolve: %s, %v", commit, err)
					return
				}
				path := fmt.Sprintf("apps/%d", app)
				files, err := s.Tree(t.Context(), r, commit, []Want{{Path: path}})
				if err != nil {
					t.Error(err)
					return
				}
				if got := read(t, files, path+"/x.yaml"); got != fmt.Sprintf("app: %d\n", app) {
					t.Errorf("app %d reads %q", app, got)
				}
			})
		}
		wg.Wait()
		if refs.At.IsZero() {
			t.Error("refs without time")
		}
		checkFetches(t, server, wantFetches)
		if c := server.Counts(); c.LsRefs != 1 {
			t.Errorf("%d times ls-refs, want 1", c.LsRefs)
		}
	}
}

func TestResolve(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	old := repo.Write(t, map[string]string{"a": "1"})
	middle := repo.Write(t, map[string]string{"a": "2"})
	head := repo.Write(t, map[string]string{"a": "3"})
	for _, err := range []error{
		repo.Point("refs/heads/both", old), repo.Tag("both", head, ""), repo.Tag("v1.2.0", old, ""), repo.Tag("v1.10.0", middle, "annotated"),
		repo.Tag("v2.0.0-rc.1", head, ""), repo.Tag("app/v3.1.0", old, ""), repo.Point("refs/heads/1.x", head), repo.Point("refs/heads/release/1.2", old),
		repo.Point("refs/pull/7/head", middle), repo.Point("refs/heads/v9", old),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s, r := openStore(t, nil), Repository{URL: repo.URL}
	for _, test := range []struct{ name, prefix, want, problem string }{
		{name: "", want: head}, {name: "HEAD", want: head}, {name: "main", want: head}, {name: "release/1.2", want: old},
		{name: "refs/heads/main", want: head}, {name: "refs/pull/7/head", want: middle},
		{name: "v1.2.0", want: old}, {name: "v1.10.0", want: middle}, {name: "refs/tags/v1.10.0", want: middle},
		{name: "v9", want: old},            // a version is a name
		{name: "1.x", want: middle},        // a constraint that tags satisfy wins over a branch
		{name: ">=1.0.0 <2", want: middle}, // 1.10 is newer than 1.2
		{name: "^1.0.0-0", want: middle}, {name: ">=2.0.0-0", want: head}, {name: "*", want: middle},
		{name: "^3", prefix: "app/", want: old},
		{name: "^3", problem: "no tag satisfies"}, {name: "^1", prefix: "app/", problem: "begins with app/"},
		{name: old, want: old}, {name: strings.ToUpper(old), want: old}, {name: head[:8], want: head}, {name: old[:7], want: old}, {name: middle[:12], want: middle},
		{name: "both", problem: "refs/heads/both for the branch"}, {name: "refs/heads/both", want: old}, {name: "refs/tags/both", want: head},
		{name: "gone", problem: "no branch, tag or commit"}, {name: "refs/heads/gone", problem: "no such ref"},
		{name: "fffffff", problem: "no branch, tag or commit"}, {name: strings.Repeat("f", 40), problem: "no such commit"},
		{name: "--upload-pack=touch /tmp/x", problem: "no branch"},
	} {
		commit, err := s.Resolve(t.Context(), r, Revision{Name: test.name, TagPrefix: test.prefix})
		if test.problem == "" {
			if err != nil || commit != test.want {
				t.Errorf("%q: %s, %v; want %s", test.name, commit, err, test.want)
			}
			continue
		}
		var unknown *UnknownRevisionError
		if !errors.As(err, &unknown) || !fault.Is(err, fault.Mistake) || Unreachable(err) || !strings.Contains(err.Error(), test.problem) || !strings.Contains(err.Error(), repo.URL) {
			t.Errorf("%q: %q, %v; want a mistake with %q", test.name, commit, err, test.problem)
		}
	}
}

func TestEmptyRepository(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "empty")
	_, err := openStore(t, nil).Resolve(t.Context(), Repository{URL: repo.URL}, Revision{})
	if !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "no commits") {
		t.Errorf("got %v", err)
	}
}

func TestCommit(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	sha := repo.MustCommit(t, gitserver.Change{Message: "Raise the replicas\n\nBecause of the load.\n", Files: map[string]string{"a": "1"}})
	if err := errors.Join(repo.Tag("v1", sha, ""), repo.Tag("release", sha, "signed")); err != nil {
		t.Fatal(err)
	}
	s, r := openStore(t, nil), Repository{URL: repo.URL}
	if _, err := s.Refs(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	info, err := s.Commit(t.Context(), r, sha)
	if err != nil {
		t.Fatal(err)
	}
	if info.Author != "A Tester <tester@example.com>" || info.Message != "Raise the replicas\n\nBecause of the load." || strings.Join(info.Tags, " ") != "release v1" || time.Since(info.Date) > time.Hour {
		t.Errorf("got %+v", info)
	}
}

func TestChanged(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	first := repo.MustCommit(t, gitserver.Change{Files: map[string]string{"same/x": "1", "dir/gone": "1", "dir/sub/gone": "1", "file": "1", "turns": "1", "mode": "1"}, Links: map[string]string{"link": "file"}})
	second := repo.MustCommit(t, gitserver.Change{Files: map[string]string{"file": "2", "turns/into": "1", "dir2/new": "1"}, Executables: map[string]string{"mode": "1"},
		Links: map[string]string{"link": "turns"}, Delete: []string{"dir", "turns"}, Submodules: map[string]string{"sub": strings.Repeat("2", 40)}})
	s, r := openStore(t, nil), Repository{URL: repo.URL}
	got, err := s.Changed(t.Context(), r, first, second)
	want := "dir/gone dir/sub/gone dir2/new file link mode sub turns turns/into"
	if err != nil || strings.Join(got, " ") != want {
		t.Errorf("got %v, %v\nwant %s", got, err, want)
	}
	if got, err := s.Changed(t.Context(), r, first, first); err != nil || len(got) != 0 {
		t.Errorf("same commit: %v, %v", got, err)
	}
}

func TestLargeFile(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	sha := repo.Write(t, map[string]string{"large": strings.Repeat("0123456789abcdef", 5<<16), "small": "1"})
	files := mustTree(t, openStore(t, nil), Repository{URL: repo.URL}, sha)
	if _, err := files.Read(t.Context(), "large", 1<<20); !errors.Is(err, tree.ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
	if got := read(t, files, "small"); got != "1" {
		t.Errorf("after a large one: %q", got)
	}
	if data, err := files.Read(t.Context(), "large", -1); err != nil || len(data) != 5<<20 {
		t.Errorf("without limit: %d bytes, %v", len(data), err)
	}
	if _, err := files.Read(t.Context(), "small", 0); !errors.Is(err, tree.ErrTooLarge) {
		t.Errorf("limit 0: %v", err)
	}
}

func TestLinksOutOfTheRepositoryReadNothing(t *testing.T) {
	canary := filepath.Join(t.TempDir(), "canary")
	if err := os.WriteFile(canary, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	sha := repo.MustCommit(t, gitserver.Change{Files: map[string]string{"dir/x": "1"}, Links: map[string]string{
		"absolute": canary, "relative": "../../../../../../../../" + canary, "dir/chain": "../relative", "folder": "..", "dir/loop": "loop", "dir/in": "../dir/x",
	}})
	files := mustTree(t, openStore(t, nil), Repository{URL: repo.URL}, sha)
	for _, path := range []string{"absolute", "relative", "dir/chain", "folder/x", "dir/loop", "../x"} {
		data, err := tree.ReadFile(t.Context(), files, path, -1)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s reads %q, %v", path, data, err)
		}
		var escape *tree.EscapeError
		if path != "dir/loop" && !errors.As(err, &escape) {
			t.Errorf("%s: %v, want an EscapeError", path, err)
		}
	}
	if got := read(t, files, "dir/in"); got != "1" {
		t.Errorf("a link within: %q", got)
	}
}

func TestKeptCommitsOutliveForcePushAndRestart(t *testing.T) {
	for _, o := range []struct {
		name   string
		change func(*Options)
	}{{"whole", nil}, {"planned", planned}} {
		t.Run(o.name, func(t *testing.T) {
			server := gitserver.New(t, gitserver.Options{})
			repo := server.Repo(t, "config")
			old := repo.Write(t, map[string]string{"a": "old", "b": "same"})
			dir, r, want := t.TempDir(), Repository{URL: repo.URL}, []Want{{}}
			s := openStoreIn(t, dir, o.change)
			mustTree(t, s, r, old, want...)
			if err := s.Keep(t.Context(), r, "shop/web app", []string{old}); err != nil {
				t.Fatal(err)
			}
			now := repo.MustCommit(t, gitserver.Change{Orphan: true, Files: map[string]string{"a": "now"}})
			if err := repo.Expire(); err != nil {
				t.Fatal(err)
			}
			mustTree(t, s, r, now, want...)
			m, err := s.mirror(r)
			if err != nil {
				t.Fatal(err)
			}
			tidyNow(t, m)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			server.Misbehave(gitserver.Refuse)
			s = openStoreIn(t, dir, o.change)
			m, err = s.mirror(r)
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Tree(t.Context(), r, now, want)
			if err == nil {
				t.Error("a commit that nobody keeps is still there: the test proves nothing")
			}
			if !Unreachable(err) {
				t.Errorf("error: %v", err)
			}
			files := mustTree(t, s, r, old, want...)
			if got := read(t, files, "a") + read(t, files, "b"); got != "oldsame" {
				t.Errorf("kept commit reads %q", got)
			}
			if got := m.keepers.owners["shop/web app"]; len(got) != 1 || got[0] != old {
				t.Errorf("the owner keeps %v", got)
			}
		})
	}
}

func TestKeepReplacesWhatWasKept(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	var commits []string
	for i := range 3 {
		commits = append(commits, repo.Write(t, map[string]string{"a": fmt.Sprint(i)}))
	}
	never := strings.Repeat("f", 40) // not in the mirror, and never will be
	s, r := openStore(t, nil), Repository{URL: repo.URL}
	if failures := s.fetchEach(t.Context(), r, commits); len(failures) > 0 {
		t.Fatal(failures)
	}
	for _, keep := range [][]string{{commits[0], never}, {commits[1]}, {commits[1], commits[2], never}, {commits[1]}} {
		if err := s.Keep(t.Context(), r, "app", keep); err != nil {
			t.Fatal(err)
		}
	}
	m, err := s.mirror(r)
	if err != nil {
		t.Fatal(err)
	}
	tidyNow(t, m)
	refs, err := m.localRefs(t.Context())
	if err != nil || len(refs) != 1 || refs[0] != readyRefs+commits[1] {
		t.Errorf("refs %v, %v; want that of %s", refs, err, commits[1])
	}
}

func TestKeepersOutliveACut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keep")
	k, err := openKeepers(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		if err := k.set(fmt.Sprintf("owner %d\n", i%10), []string{fmt.Sprintf("%040x", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(k.set("owner 3\n", nil), k.set("last", []string{idA, idB})); err != nil {
		t.Fatal(err)
	}
	k.close()
	data, err := os.ReadFile(path)
	if err != nil || len(data) > 100<<10 {
		t.Fatalf("%d bytes, %v: the file only grows", len(data), err)
	}
	for name, test := range map[string]struct {
		cut, owners int
	}{"whole": {0, 10}, "cut": {1, 9}, "cut in an id": {50, 9}} {
		if err := os.WriteFile(path, data[:len(data)-test.cut], 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := openKeepers(path)
		if err != nil || len(k.owners) != test.owners || k.owners["owner 3\n"] != nil || k.owners["owner 7\n"][0] != fmt.Sprintf("%040x", 4997) {
			t.Errorf("%s: %d owners, %v", name, len(k.owners), err)
		}
	}
}

// tidyNow tidies a mirror as if it was full of packs and all commits out of use.
func tidyNow(t *testing.T, m *mirror) {
	t.Helper()
	m.mu.Lock()
	for commit := range m.ready {
		m.ready[commit] = time.Now().Add(-2 * readyLife)
	}
	m.mu.Unlock()
	m.disk.Lock()
	defer m.disk.Unlock()
	if err := m.dropUnused(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := m.repack(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// A push of a few small objects stands for ten thousand million paths: what it changed is not listed, and nothing ends by it.
func TestChangedOfNestedFolders(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "app")
	from := repo.Write(t, map[string]string{"x": "1"})
	to := repo.Nest(t, 10, 10)
	s := openStore(t, nil)
	r := Repository{URL: repo.URL}
	if changed, err := s.Changed(t.Context(), r, from, to); err == nil || !strings.Contains(err.Error(), "differ in more than") {
		t.Errorf("got %d paths and the error %v", len(changed), err)
	}
}
