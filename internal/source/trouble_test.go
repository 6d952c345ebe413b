// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// checkUnreachable checks that an error says that the repository could not be asked, and why, with the address and a fix.
func checkUnreachable(t *testing.T, err error, problem Problem, kind fault.Kind) {
	t.Helper()
	var u *UnreachableError
	if !errors.As(err, &u) || u.Problem != problem || fault.KindOf(err) != kind || !Unreachable(err) {
		t.Errorf("got %v (%v), want problem %q of kind %s", err, fault.KindOf(err), problem, kind)
		return
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Fix == "" || !strings.HasPrefix(f.Thing, "repository ") {
		t.Errorf("%v names no repository or no fix", err)
	}
}

func TestTroublesAreToldApartAndPass(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	sha := repo.Write(t, map[string]string{"a": strings.Repeat("content\n", 1000)})
	for name, test := range map[string]struct {
		trouble gitserver.Trouble
		problem Problem
		kind    fault.Kind
	}{
		"refused":    {gitserver.Refuse, ProblemNetwork, fault.Retry},
		"500":        {gitserver.Fail, ProblemServer, fault.Retry},
		"429":        {gitserver.Overloaded, ProblemServer, fault.Retry},
		"404":        {gitserver.Gone, ProblemNotFound, fault.Stalled},
		"password":   {gitserver.WrongAccount, ProblemAuth, fault.Stalled},
		"half refs":  {gitserver.HalfRefs, ProblemBrokenOff, fault.Retry},
		"hangs":      {gitserver.Hang, ProblemTimeout, fault.Retry},
		"half fetch": {gitserver.HalfFetch, ProblemBrokenOff, fault.Retry},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, func(o *Options) {
				if test.trouble == gitserver.Hang {
					o.RefsTimeout = 200 * time.Millisecond
				}
			})
			r := Repository{URL: repo.URL}
			server.Misbehave(test.trouble)
			if test.trouble != gitserver.HalfFetch {
				_, err := s.Refs(t.Context(), r)
				checkUnreachable(t, err, test.problem, test.kind)
			}
			if test.trouble != gitserver.HalfRefs && test.trouble != gitserver.Hang {
				_, err := s.Tree(t.Context(), r, sha, []Want{{}})
				checkUnreachable(t, err, test.problem, test.kind)
			}
			server.Misbehave(gitserver.None)
			if test.trouble == gitserver.Hang {
				return // with so little patience even a good answer may be late
			}
			if _, err := s.Refs(t.Context(), r); err != nil {
				t.Errorf("after it: %v", err)
			}
			read(t, mustTree(t, s, r, sha), "a")
		})
	}
}

func TestFetchThatHangsEnds(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	sha := repo.Write(t, map[string]string{"a": "1"})
	s := openStore(t, func(o *Options) { o.FetchTimeout = 300 * time.Millisecond })
	server.Misbehave(gitserver.HangFetch)
	_, err := s.Tree(t.Context(), Repository{URL: repo.URL}, sha, nil)
	checkUnreachable(t, err, ProblemTimeout, fault.Retry)
}

func TestHalfAFetchLeavesNothing(t *testing.T) {
	for _, o := range []struct {
		name   string
		change func(*Options)
	}{{"whole", nil}, {"planned", planned}} {
		t.Run(o.name, func(t *testing.T) {
			server := gitserver.New(t, gitserver.Options{})
			repo := server.Repo(t, "config")
			first := repo.Write(t, map[string]string{"a": "1", "b": strings.Repeat("first\n", 2000)})
			s, r := openStore(t, o.change), Repository{URL: repo.URL}
			want := Want{}
			files := mustTree(t, s, r, first, want)
			second := repo.Write(t, map[string]string{"a": "2", "b": strings.Repeat("second\n", 2000)})
			server.Misbehave(gitserver.HalfFetch)
			for range 3 {
				if _, err := s.Tree(t.Context(), r, second, []Want{want}); !Unreachable(err) {
					t.Fatalf("got %v", err)
				}
			}
			if got := read(t, files, "a"); got != "1" {
				t.Errorf("the old commit reads %q", got)
			}
			m, err := s.mirror(r)
			if err != nil {
				t.Fatal(err)
			}
			if left, _ := filepath.Glob(filepath.Join(m.gitDir(), "objects", "pack", "tmp_*")); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			server.Misbehave(gitserver.None)
			files = mustTree(t, s, r, second, want)
			if got := read(t, files, "a") + read(t, files, "b")[:7]; got != "2second\n" {
				t.Errorf("after it: %q", got)
			}
		})
	}
}

func TestCancelledFetchEndsAndLeavesNoLock(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	first := repo.Write(t, map[string]string{"a": "1"})
	s, r := openStore(t, nil), Repository{URL: repo.URL}
	mustTree(t, s, r, first)
	second := repo.Write(t, map[string]string{"a": "2"})
	server.Misbehave(gitserver.HangFetch)
	server.ResetCounts()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := s.Tree(ctx, r, second, nil)
		done <- err
	}()
	waitFor(t, func() bool { return server.Counts().Fetch == 1 })
	// As a git killed at the wrong moment leaves it.
	m, err := s.mirror(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(m.gitDir(), "shallow.lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	server.Misbehave(gitserver.None)
	if got := read(t, mustTree(t, s, r, second), "a"); got != "2" {
		t.Errorf("after it: %q", got)
	}
}

// waitFor waits for a condition; the test's own deadline ends a wait in vain.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	never := time.After(2 * time.Minute) // only a defect takes so long
	for !condition() {
		select {
		case <-never:
			t.Fatal("the condition never came")
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func TestKilledReadersAreReplaced(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	content := map[string]string{}
	for i := range 50 {
		content[fmt.Sprintf("f%d", i)] = strings.Repeat(fmt.Sprint(i, " "), 20_000)
	}
	sha := repo.Write(t, content)
	s, r := openStore(t, func(o *Options) { o.CacheBytes = 1 }), Repository{URL: repo.URL}
	files := mustTree(t, s, r, sha)
	stop := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			s.readers.mu.Lock()
			for reader := range s.readers.all {
				_ = syscall.Kill(reader.cmd.Process.Pid, syscall.SIGKILL)
				break
			}
			s.readers.mu.Unlock()
		}
	})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for path, want := range content {
				data, err := files.Read(t.Context(), path, -1)
				if err != nil && (!errors.Is(err, errReader) || errors.Is(err, tree.ErrAbsent)) {
					t.Errorf("%s: %v", path, err)
				}
				if err == nil && string(data) != want {
					t.Errorf("%s reads %d bytes that are not its own", path, len(data))
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	killer.Wait()
	s.readers.mu.Lock()
	for reader := range s.readers.all {
		_ = syscall.Kill(reader.cmd.Process.Pid, syscall.SIGKILL)
	}
	s.readers.mu.Unlock()
	read(t, files, "f1")
}

func TestManyRepositoriesShareFewReaders(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	s := openStore(t, func(o *Options) { o.Readers, o.CacheBytes = 2, 1 })
	var wg sync.WaitGroup
	for i := range 6 {
		repo := server.Repo(t, fmt.Sprint("r", i))
		sha := repo.Write(t, map[string]string{"a": fmt.Sprint(i)})
		files := mustTree(t, s, Repository{URL: repo.URL}, sha)
		wg.Go(func() {
			for range 20 {
				if got := read(t, files, "a"); got != fmt.Sprint(i) {
					t.Errorf("repository %d reads %q", i, got)
				}
			}
		})
	}
	wg.Wait()
	s.readers.mu.Lock()
	defer s.readers.mu.Unlock()
	if n := len(s.readers.all); n > 2 {
		t.Errorf("%d readers, want at most 2", n)
	}
}

func TestLostObjectsAreMissingAndFetchedAgain(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	sha := repo.Write(t, map[string]string{"dir/a": "1"})
	s, r := openStore(t, nil), Repository{URL: repo.URL}
	files := mustTree(t, s, r, sha)
	m, err := s.mirror(r)
	if err != nil {
		t.Fatal(err)
	}
	packs, err := filepath.Glob(filepath.Join(m.gitDir(), "objects", "pack", "*"))
	if err != nil || len(packs) == 0 {
		t.Fatal("no packs", err)
	}
	for _, pack := range packs {
		if err := os.Remove(pack); err != nil {
			t.Fatal(err)
		}
	}
	s.readers.forget(m.readerDir())
	s.cache.forget(m.key)
	_, err = files.Read(t.Context(), "dir/a", -1)
	var missing *MissingError
	if !errors.As(err, &missing) || errors.Is(err, tree.ErrAbsent) {
		t.Fatalf("got %v, want a MissingError", err)
	}
	if got := read(t, mustTree(t, s, r, sha), "dir/a"); got != "1" {
		t.Errorf("fetched again: %q", got)
	}
}

func TestDamagedMirrorIsReplacedAtTheNextFetch(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	first := repo.Write(t, map[string]string{"a": "1", "b": "same"})
	dir, r := t.TempDir(), Repository{URL: repo.URL}
	s := openStoreIn(t, dir, nil)
	mustTree(t, s, r, first)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	packs, err := filepath.Glob(filepath.Join(dir, "mirrors", "*", "git", "objects", "pack", "*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatal("packs:", packs, err)
	}
	if err := os.Chmod(packs[0], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(packs[0], 20); err != nil {
		t.Fatal(err)
	}
	s = openStoreIn(t, dir, nil)
	second := repo.Write(t, map[string]string{"a": "2"})
	files := mustTree(t, s, r, second)
	if got := read(t, files, "a") + read(t, files, "b"); got != "2same" {
		t.Errorf("got %q", got)
	}
}

func TestOfflineAfterRestart(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	sha := repo.Write(t, map[string]string{"apps/a": "1"})
	for _, o := range []func(*Options){nil, planned} {
		dir, r := t.TempDir(), Repository{URL: repo.URL}
		s := openStoreIn(t, dir, o)
		mustTree(t, s, r, sha, Want{Path: "apps"})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		server.Misbehave(gitserver.Refuse)
		s = openStoreIn(t, dir, o)
		if got := read(t, mustTree(t, s, r, sha, Want{Path: "apps"}), "apps/a"); got != "1" {
			t.Errorf("got %q", got)
		}
		_, err := s.Resolve(t.Context(), r, Revision{Name: "main"})
		checkUnreachable(t, err, ProblemNetwork, fault.Retry)
		server.Misbehave(gitserver.None)
	}
}

func TestAddresses(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "owned")
	s := openStore(t, nil)
	for _, url := range []string{
		"", "--upload-pack=touch " + marker, "-oProxyCommand=touch " + marker, "ext::sh -c touch% " + marker, "ext::https://x/y", "fd::17",
		"ssh://-oProxyCommand=touch " + marker + "/x", "ssh://-oProxyCommand=x/y", "-x@host:path", "git@-oProxyCommand=x:path", "git@host:-path", "ssh://host/-path",
		"https://host/a\nb", "https://host/%0aHost: evil", "file:///etc", "/etc", "./x", "git://host/x", "ftp://host/x", "host/x", "C:\\x", "https:///x", "https://ho st/x",
	} {
		_, err := s.Resolve(t.Context(), Repository{URL: url, KnownHosts: "x"}, Revision{})
		if !fault.Is(err, fault.Mistake) || Unreachable(err) {
			t.Errorf("%q: %v, want a mistake", url, err)
		}
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("a command of an address was run")
	}
	for _, url := range []string{"https://Host.example:8443/a/b.git", "http://127.0.0.1/x", "ssh://git@host:22/x", "git@host:x/y.git", "https://[::1]/x", "https://user:pw@host/x", "ssh://host/~/x"} {
		if _, err := parseEndpoint(url, false); err != nil {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := s.Refs(t.Context(), Repository{URL: "http://169.254.169.254/latest"}); err == nil {
		t.Error("the metadata service was asked")
	} else {
		checkUnreachable(t, err, ProblemAddress, fault.Stalled)
	}
}

func TestForbiddenAddressesAreNotFetchedFrom(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	sha := repo.Write(t, map[string]string{"a": "1"})
	s := openStore(t, func(o *Options) { o.RefuseAddress = func(a netip.Addr) bool { return a.IsLoopback() } })
	for _, host := range []string{"127.0.0.1", "localhost"} {
		r := Repository{URL: strings.Replace(repo.URL, "127.0.0.1", host, 1)}
		_, err := s.Refs(t.Context(), r)
		checkUnreachable(t, err, ProblemAddress, fault.Stalled)
		_, err = s.Tree(t.Context(), r, sha, nil)
		checkUnreachable(t, err, ProblemAddress, fault.Stalled)
	}
	if c := server.Counts(); c.Advertise+c.LsRefs+c.Fetch > 0 {
		t.Errorf("asked all the same: %+v", c)
	}
}

func TestRedirects(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	sha := repo.Write(t, map[string]string{"a": "1"})
	var asked []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/moved"):
			http.Redirect(w, r, "/config.git"+strings.TrimPrefix(r.URL.Path, "/moved")+"?"+r.URL.RawQuery, http.StatusMovedPermanently)
		case strings.HasPrefix(r.URL.Path, "/away"):
			http.Redirect(w, r, elsewhere.URL+"/x/info/refs", http.StatusFound)
		default:
			r.URL.Scheme, r.URL.Host, r.RequestURI = "http", strings.TrimPrefix(server.URL, "http://"), ""
			answer, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				return
			}
			defer answer.Body.Close()
			w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
			w.WriteHeader(answer.StatusCode)
			_, _ = answer.Body.Read(nil)
			buffer := make([]byte, 32<<10)
			for {
				n, err := answer.Body.Read(buffer)
				_, _ = w.Write(buffer[:n])
				if err != nil {
					return
				}
			}
		}
	}))
	defer front.Close()
	s := openStore(t, nil)
	moved := Repository{URL: front.URL + "/moved"}
	if commit, err := s.Resolve(t.Context(), moved, Revision{Name: "main"}); err != nil || commit != sha {
		t.Fatalf("within the host: %s, %v", commit, err)
	}
	read(t, mustTree(t, s, moved, sha), "a")
	_, err := s.Refs(t.Context(), Repository{URL: front.URL + "/away", Username: "u", Password: fault.NewSecret("topsecret")})
	checkUnreachable(t, err, ProblemRedirect, fault.Stalled)
	if len(asked) > 0 {
		t.Errorf("the other host was asked, with %q", asked)
	}
	if strings.Contains(fmt.Sprint(err), "topsecret") {
		t.Errorf("the error tells the password: %v", err)
	}
}

func TestFileAddresses(t *testing.T) {
	repo, err := gitserver.Init(filepath.Join(t.TempDir(), "config.git"))
	if err != nil {
		t.Fatal(err)
	}
	sha := repo.Write(t, map[string]string{"a": "1"})
	dir := t.TempDir()
	s := openStoreIn(t, dir, func(o *Options) { o.AllowFile = true })
	r := Repository{URL: "file://" + repo.Dir}
	commit, err := s.Resolve(t.Context(), r, Revision{Name: "main"})
	if err != nil || commit != sha {
		t.Fatalf("resolve: %s, %v", commit, err)
	}
	if got := read(t, mustTree(t, s, r, sha), "a"); got != "1" {
		t.Errorf("got %q", got)
	}
	m, err := s.mirror(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Refs(t.Context(), Repository{URL: "file://" + m.gitDir()}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a mirror as a repository: %v", err)
	}
	_, err = s.Refs(t.Context(), Repository{URL: "file:///nowhere/x"})
	checkUnreachable(t, err, ProblemNotFound, fault.Stalled)
}
