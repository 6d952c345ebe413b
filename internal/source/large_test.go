// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/test/gitserver"
)

// grow fills a repository with files in folders of a hundred, and adds commits of one file each.
func grow(tb testing.TB, repo *gitserver.Repo, files, commits int) {
	tb.Helper()
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir = repo.Dir
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	var problem bytes.Buffer
	cmd.Stderr = &problem
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	w := bufio.NewWriter(in)
	file := func(i, version int) {
		content := fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: file-%d}\ndata: {version: %q}\n", i, fmt.Sprint(version))
		_, _ = fmt.Fprintf(w, "M 100644 inline apps/app-%04d/file-%02d.yaml\ndata %d\n%s\n", i/100, i%100, len(content), content)
	}
	for c := range commits {
		_, _ = fmt.Fprintf(w, "commit refs/heads/main\ncommitter A Tester <tester@example.com> %d +0000\ndata 6\nchange\n", 1_700_000_000+c)
		if c > 0 {
			file(c*7919%files, c)
			continue
		}
		for i := range files {
			file(i, 0)
		}
	}
	_, _ = w.WriteString("done\n")
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	if err := in.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		tb.Fatal(err, problem.String())
	}
}

// clone times a clone by git itself.
func clone(b *testing.B, url string, options ...string) time.Duration {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "clone")
	start := time.Now()
	args := append(append([]string{"clone", "-q", "--bare"}, options...), url, dir)
	if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
		b.Fatal(err, string(out))
	}
	return time.Since(start)
}

// BenchmarkLargeRepository reads a repository of 100,000 files and 20,000 commits over HTTP. It reports
//
//   - first/clone: the first look at one folder's files, against `git clone --bare` with the same filter
//   - first/shallow: the same, against such a clone without history
//   - next-ms: what it takes to see a new commit and read its one changed file, besides the requests to the server
func BenchmarkLargeRepository(b *testing.B) {
	server := gitserver.New(b, gitserver.Options{})
	repo := server.Repo(b, "large")
	grow(b, repo, 100_000, 20_000)
	if err := repo.Expire(); err != nil { // packed as a host has it
		b.Fatal(err)
	}
	r := Repository{URL: repo.URL}
	var whole, shallow, first, next time.Duration // the least of all turns: what else runs on the machine only adds
	least := func(value *time.Duration, now time.Duration) {
		if *value == 0 || now < *value {
			*value = now
		}
	}
	for b.Loop() {
		least(&whole, clone(b, repo.URL, "--filter=blob:none"))
		least(&shallow, clone(b, repo.URL, "--filter=blob:none", "--depth=1"))
		var mu sync.Mutex
		var asking time.Duration
		s, err := NewStore(b.TempDir(), Options{Observe: func(q Request) {
			mu.Lock()
			defer mu.Unlock()
			asking += q.Took
		}})
		if err != nil {
			b.Fatal(err)
		}
		look := func() {
			commit, err := s.Refs(b.Context(), r)
			if err != nil {
				b.Fatal(err)
			}
			id, err := commit.Resolve(Revision{Name: "main"})
			if err != nil {
				b.Fatal(err)
			}
			files, err := s.Tree(b.Context(), r, id, []Want{{Path: "apps/app-0500"}})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := files.Read(b.Context(), "apps/app-0500/file-07.yaml", -1); err != nil {
				b.Fatal(err)
			}
		}
		start := time.Now()
		look()
		least(&first, time.Since(start))
		if _, err := repo.Commit(gitserver.Change{Files: map[string]string{"apps/app-0500/file-07.yaml": start.String()}}); err != nil {
			b.Fatal(err)
		}
		mu.Lock()
		asking = 0
		mu.Unlock()
		start = time.Now()
		look()
		mu.Lock()
		least(&next, time.Since(start)-asking)
		mu.Unlock()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(first.Seconds()/whole.Seconds(), "first/clone")
	b.ReportMetric(first.Seconds()/shallow.Seconds(), "first/shallow")
	b.ReportMetric(float64(next.Microseconds())/1000, "next-ms")
}

// gitCounter puts a git into the PATH that notes when each run of it begins and ends.
type gitCounter struct{ log string }

func newGitCounter(t *testing.T) *gitCounter {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := &gitCounter{filepath.Join(dir, "log")}
	script := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in *cat-file*) exec '%[1]s' \"$@\";; esac\necho + >>'%[2]s'\n'%[1]s' \"$@\"\ncode=$?\necho - >>'%[2]s'\nexit $code\n", git, c.log)
	if err := os.WriteFile(filepath.Join(dir, "git"), []byte(script), 0o700); err != nil { //nolint:gosec // it is to be run
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return c
}

// most returns the greatest number of runs at a time, and the number of all.
func (c *gitCounter) most(t *testing.T) (most, all int) {
	t.Helper()
	data, err := os.ReadFile(c.log)
	if err != nil {
		t.Fatal(err)
	}
	now := 0
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "+") {
			now++
			all++
			most = max(most, now)
			continue
		}
		now--
	}
	return most, all
}

// TestManyRepositoriesAreReadByFewProcesses opens 500 repositories at once (40 in short), at first and again
// after a restart.
func TestManyRepositoriesAreReadByFewProcesses(t *testing.T) {
	n := 40
	if os.Getenv("BOWLINE_SOAK") != "" {
		n = 500
	}
	root := t.TempDir()
	one, err := gitserver.Init(filepath.Join(root, "one.git"))
	if err != nil {
		t.Fatal(err)
	}
	commit, err := one.Commit(gitserver.Change{Files: map[string]string{"x": "x"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := os.Symlink(one.Dir, filepath.Join(root, fmt.Sprintf("repo-%d.git", i))); err != nil {
			t.Fatal(err)
		}
	}
	counter := newGitCounter(t)
	data := t.TempDir()
	for _, start := range []string{"the first start", "a restart"} {
		s := openStoreIn(t, data, func(o *Options) { o.AllowFile, o.Readers = true, 4 })
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				files, err := s.Tree(context.Background(), Repository{URL: fmt.Sprintf("file://%s/repo-%d.git", root, i)}, commit, []Want{{}})
				if err != nil {
					t.Errorf("repository %d: %v", i, err)
					return
				}
				if _, err := files.Read(context.Background(), "x", -1); err != nil {
					t.Errorf("repository %d: %v", i, err)
				}
			})
		}
		all.Wait()
		s.readers.mu.Lock()
		readers := len(s.readers.all)
		s.readers.mu.Unlock()
		most, runs := counter.most(t)
		if most > maxGits+maxLocalGits || readers > 4 {
			t.Errorf("%s: %d processes at a time and %d readers; want at most %d and 4", start, most, readers, maxGits+maxLocalGits)
		}
		if runs < n {
			t.Errorf("%s: only %d runs were counted for %d repositories", start, runs, n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
