// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
	"github.com/bowline-cd/bowline/test/gitserver"
)

func TestLFSFilesHaveTheirContent(t *testing.T) {
	for _, mode := range []struct {
		name   string
		change func(*Options)
	}{{"small", nil}, {"planned", planned}} {
		t.Run(mode.name, func(t *testing.T) {
			server := gitserver.New(t, gitserver.Options{Username: "me", Password: "hunter2", TLS: true})
			storage := &gitserver.LFS{}
			server.SetLFS(storage)
			repo := server.Repo(t, "group/config")
			large := strings.Repeat("large: content\n", 1000)
			pointer := storage.Add(large)
			commit := repo.MustCommit(t, gitserver.Change{
				Files: map[string]string{"apps/large.yaml": pointer, "apps/plain.yaml": "plain: 1\n", "short": storage.Add("x"), "none": storage.Add("")},
				Links: map[string]string{"link": "apps/large.yaml"},
			})
			s := openStore(t, mode.change)
			r := Repository{URL: repo.URL, Username: "me", Password: fault.NewSecret("hunter2"), CA: server.CA(), EnableLFS: true}
			files := mustTree(t, s, r, commit, Want{})
			for path, want := range map[string]string{"apps/large.yaml": large, "link": large, "apps/plain.yaml": "plain: 1\n", "short": "x", "none": ""} {
				if got := read(t, files, path); got != want {
					t.Errorf("%s has %d bytes, want %d", path, len(got), len(want))
				}
			}
			if data, err := files.Read(t.Context(), "short", 1); err != nil || string(data) != "x" {
				t.Errorf("content within a limit that the pointer exceeds: %q, %v", data, err)
			}
			if _, err := files.Read(t.Context(), "apps/large.yaml", 100); !errors.Is(err, tree.ErrTooLarge) {
				t.Errorf("content beyond the limit: %v", err)
			}
			if _, err := files.Read(t.Context(), "apps/plain.yaml", 3); !errors.Is(err, tree.ErrTooLarge) {
				t.Errorf("plain content beyond the limit: %v", err)
			}
			plain := r
			plain.EnableLFS = false
			without := mustTree(t, s, plain, commit, Want{})
			if got := read(t, without, "apps/large.yaml"); got != pointer {
				t.Errorf("without enableLfs: %.60q", got)
			}
			one, _ := files.Lookup(t.Context(), "apps/large.yaml")
			two, _ := without.Lookup(t.Context(), "apps/large.yaml")
			if one.ID != two.ID || one.ID == "" || one.Size == int64(len(pointer)) {
				t.Errorf("entries %+v and %+v, want the pointer's id and not its size", one, two)
			}
			checkLFSStore(t, s, server, r, commit, large)
		})
	}
}

// checkLFSStore checks that objects stay, are private, and are not believed without a look.
func checkLFSStore(t *testing.T, s *Store, server *gitserver.Server, r Repository, commit, large string) {
	t.Helper()
	path := filepath.Join(s.artifacts.folder(r), "blobs", gitserver.OID(large))
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("stored as %v, %v; want mode 0600", info, err)
	}
	again := func() string {
		s.cache.forget(r.Key())
		return read(t, mustTree(t, s, r, commit, Want{}), "apps/large.yaml")
	}
	server.ResetCounts()
	if got := again(); got != large || server.Counts().Other != 0 {
		t.Errorf("from the data folder: %d bytes, %d requests", len(got), server.Counts().Other)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("x", len(large))), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := again(); got != large {
		t.Errorf("after the stored object was damaged: %.40q", got)
	}
	if err := s.Forget(r); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was fetched with forgotten credentials is still there: %v", err)
	}
}

func TestLFSObjectsThatCannotBeHad(t *testing.T) {
	const canary = "canary"
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	good := strings.Repeat("good", 100)
	oid := gitserver.OID(good)
	answer := func(format string) string { return strings.ReplaceAll(format, "OID", oid) }
	commit := repo.Write(t, map[string]string{
		"file": gitserver.Pointer(oid, len(good)), "short": gitserver.Pointer(oid, len(good)-1), "long": gitserver.Pointer(oid, len(good)+1), "huge": gitserver.Pointer(oid, 1<<40),
		"ext": strings.Replace(gitserver.Pointer(oid, len(good)), "oid", "ext-0-x sha256:"+oid+"\noid", 1),
	})
	s, r := openStore(t, nil), Repository{URL: repo.URL, EnableLFS: true}
	files := mustTree(t, s, r, commit, Want{})
	for _, tt := range []struct {
		reason, file string
		lfs          *gitserver.LFS
		kind         fault.Kind
		mentions     string
		unreachable  bool
	}{
		{"no such object", "file", &gitserver.LFS{}, fault.Stalled, "has no Git LFS object", false},
		{"no LFS at all", "file", nil, fault.Stalled, "no Git LFS", false},
		{"other content", "file", &gitserver.LFS{Objects: map[string]string{oid: strings.Repeat(canary, 100)[:len(good)]}}, fault.Stalled, "digest", true},
		{"more content", "file", &gitserver.LFS{Objects: map[string]string{oid: good + canary}}, fault.Mistake, "not of the size", false},
		{"less content", "file", &gitserver.LFS{Objects: map[string]string{oid: canary}}, fault.Stalled, "digest", true},
		{"a size that is too small", "short", &gitserver.LFS{Objects: map[string]string{oid: good}}, fault.Mistake, "not of the size", false},
		{"a size that is too large", "long", &gitserver.LFS{Objects: map[string]string{oid: good}}, fault.Mistake, "not of the size", false},
		{"more than the limit", "huge", &gitserver.LFS{Objects: map[string]string{oid: good}}, fault.Mistake, archiveSetting, false},
		{"extensions", "ext", &gitserver.LFS{Objects: map[string]string{oid: good}}, fault.Mistake, "extensions", false},
		{"no JSON", "file", &gitserver.LFS{Answer: canary}, fault.Stalled, "not the JSON", true},
		{"endless JSON", "file", &gitserver.LFS{Answer: "[" + strings.Repeat(" ", maxBatch) + "]"}, fault.Stalled, "larger than", true},
		{"about nothing", "file", &gitserver.LFS{Answer: "{}"}, fault.Stalled, "not about the object", true},
		{"no action", "file", &gitserver.LFS{Answer: answer(`{"objects":[{"oid":"OID"}]}`)}, fault.Stalled, "where the object is", true},
		{"an error of the server", "file", &gitserver.LFS{Answer: answer(`{"objects":[{"oid":"OID","error":{"code":403,"message":"` + canary + `"}}]}`)}, fault.Retry, "403", true},
		{"another transfer", "file", &gitserver.LFS{Answer: answer(`{"transfer":"ssh","objects":[{"oid":"OID"}]}`)}, fault.Stalled, "transfer", true},
		{"a file of the disk", "file", &gitserver.LFS{Objects: map[string]string{oid: good}, Href: func(string) string { return "file:///etc/passwd" }}, fault.Stalled, "", true},
		{"no address", "file", &gitserver.LFS{Objects: map[string]string{oid: good}, Href: func(string) string { return "/relative" }}, fault.Stalled, "none", true},
		{"a metadata service", "file", &gitserver.LFS{Objects: map[string]string{oid: good}, Href: func(string) string { return "http://169.254.169.254/latest" }}, fault.Stalled, "169.254.169.254", true},
		{"an address that answers nothing", "file", &gitserver.LFS{Objects: map[string]string{oid: good}, Href: func(string) string { return server.URL + lfsNowhere }}, fault.Stalled, "has no Git LFS object", false},
	} {
		server.SetLFS(tt.lfs)
		data, err := files.Read(t.Context(), tt.file, -1)
		if err == nil || errors.Is(err, tree.ErrAbsent) || !strings.Contains(fmt.Sprint(err), tt.mentions) {
			t.Errorf("%s: %.60q, %v; want an error that mentions %q", tt.reason, data, err, tt.mentions)
			continue
		}
		if !fault.Is(err, tt.kind) || Unreachable(err) != tt.unreachable {
			t.Errorf("%s: %v is of kind %s, unreachable %t; want %s, %t", tt.reason, err, fault.KindOf(err), Unreachable(err), tt.kind, tt.unreachable)
		}
		if !strings.Contains(err.Error(), "file "+tt.file) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v does not name the file, or shows what the server said", tt.reason, err)
		}
		if left, _ := filepath.Glob(filepath.Join(s.dir, "scratch", "*")); len(left) > 0 {
			t.Errorf("%s: left behind %q", tt.reason, left)
		}
		server.SetLFS(&gitserver.LFS{Objects: map[string]string{oid: good}})
		if tt.file == "file" {
			if got := read(t, files, "file"); got != good {
				t.Errorf("%s: %.40q after the server was mended", tt.reason, got)
			}
		}
		s.cache.forget(r.Key())
		if err := s.artifacts.forget(r); err != nil {
			t.Fatal(err)
		}
	}
}

const lfsNowhere = "/lfs-storage/none"

// spy is another host. It remembers what it was sent.
type spy struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
}

func newSpy(t *testing.T, content string) *spy {
	s := &spy{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.seen = append(s.seen, fmt.Sprint(r.Method, r.URL, r.Header))
		_, _ = io.WriteString(w, content)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *spy) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.seen, "\n")
}

func TestHostileLFSServerSendsToAnotherHost(t *testing.T) {
	const content = "content on another host"
	oid := gitserver.OID(content)
	server := gitserver.New(t, gitserver.Options{Username: "me", Password: "hunter2-lfs"})
	repo := server.Repo(t, "config")
	commit := repo.Write(t, map[string]string{"file": gitserver.Pointer(oid, len(content))})
	other := newSpy(t, content)
	server.SetLFS(&gitserver.LFS{Objects: map[string]string{oid: content}, Href: func(oid string) string { return other.URL + "/" + oid },
		Header: map[string]string{"X-Ticket": "ticket-1", "host": "evil.example", "Cookie": "a=b", "proxy-authorization": "x"}})
	r := Repository{URL: repo.URL, Username: "me", Password: fault.NewSecret("hunter2-lfs"), EnableLFS: true}
	s := openStore(t, nil)
	if got := read(t, mustTree(t, s, r, commit, Want{}), "file"); got != content {
		t.Errorf("file = %q", got)
	}
	seen := other.all()
	if !strings.Contains(seen, "ticket-1") {
		t.Errorf("the other host was not sent what the answer said:\n%s", seen)
	}
	for _, secret := range []string{"hunter2", "Authorization", "bWU6aHVudGVyMi1sZnM", "Cookie", "evil.example"} {
		if strings.Contains(seen, secret) {
			t.Errorf("the other host was sent %q:\n%s", secret, seen)
		}
	}
}

func TestHostileLFSConfig(t *testing.T) {
	const content = "content"
	oid := gitserver.OID(content)
	server := gitserver.New(t, gitserver.Options{Username: "me", Password: "hunter2-lfs"})
	server.SetLFS(&gitserver.LFS{Objects: map[string]string{oid: content}})
	other := newSpy(t, content)
	repo := server.Repo(t, "config")
	r := Repository{URL: repo.URL, Username: "me", Password: fault.NewSecret("hunter2-lfs"), EnableLFS: true}
	s := openStore(t, planned)
	for _, tt := range []struct{ reason, config, mentions string }{
		{"none", "", ""},
		{"the same host", "[lfs]\n\turl = " + server.URL + "/other/place/info/lfs\n", ""},
		{"another host", "[lfs]\nurl = " + other.URL + "\n", "another host"},
		{"the disk", "[lfs]\nurl = file:///etc\n", "not an https address"},
		{"an option", "[lfs]\nurl = --upload-pack=x\n", "not an https address"},
		{"a password for us", "[lfs]\nurl = " + strings.Replace(other.URL, "://", "://me:x@", 1) + "\n", "another host"},
		{"a file that is none", "[lfs\n", lfsconfig},
	} {
		files := map[string]string{"file": gitserver.Pointer(oid, len(content))}
		if tt.config != "" {
			files[lfsconfig] = tt.config
		}
		commit := repo.Write(t, files)
		data, err := mustTree(t, s, r, commit, Want{Path: "file"}).Read(t.Context(), "file", -1)
		if tt.mentions == "" && (err != nil || string(data) != content) || tt.mentions != "" && (err == nil || !strings.Contains(err.Error(), tt.mentions)) {
			t.Errorf("%s: %q, %v; want an error that mentions %q", tt.reason, data, err, tt.mentions)
		}
		if strings.Contains(fmt.Sprint(err), "hunter2") {
			t.Errorf("%s: the password shows in %v", tt.reason, err)
		}
	}
	if seen := other.all(); seen != "" {
		t.Errorf("another host was asked:\n%s", seen)
	}
}

func TestLFSIsKeptFromOthers(t *testing.T) {
	const content = "secret of the first"
	server := gitserver.New(t, gitserver.Options{})
	storage := &gitserver.LFS{}
	server.SetLFS(storage)
	repo := server.Repo(t, "config")
	commit := repo.Write(t, map[string]string{"file": storage.Add(content)})
	s := openStore(t, nil)
	if got := read(t, mustTree(t, s, Repository{URL: repo.URL, EnableLFS: true}, commit, Want{}), "file"); got != content {
		t.Fatalf("file = %q", got)
	}
	storage.Objects = nil // the server shows it to nobody else
	thief := server.Repo(t, "thief")
	stolen := thief.Write(t, map[string]string{"file": gitserver.Pointer(gitserver.OID(content), len(content))})
	if data, err := mustTree(t, s, Repository{URL: thief.URL, EnableLFS: true}, stolen, Want{}).Read(t.Context(), "file", -1); err == nil {
		t.Errorf("another repository reads %q by its oid", data)
	}
}

func TestParsePointer(t *testing.T) {
	oid := strings.Repeat("0123456789abcdef", 4)
	good := gitserver.Pointer(oid, 12)
	for text, want := range map[string]bool{
		good: true, strings.Replace(good, "git-lfs.github", "hawser.github", 1): true, strings.Replace(good, "oid", "ext-0-a x\noid", 1): true,
		"": false, good + "\n": false, strings.TrimSuffix(good, "\n"): false, " " + good: false, strings.ToUpper(good): false,
		strings.Replace(good, "size 12", "size -1", 1): false, strings.Replace(good, "size 12", "size 012", 1): false, strings.Replace(good, "size 12", "", 1): false,
		strings.Replace(good, "sha256", "sha1", 1): false, strings.Replace(good, oid, oid[1:], 1): false, strings.Replace(good, oid, "../"+oid[3:], 1): false,
		strings.Replace(good, "size 12", "size 12\nsize 12", 1): false, strings.ReplaceAll(good, "\n", "\r\n"): false,
		good + "x-" + strings.Repeat("x", 1000) + " y\n": false, strings.Replace(good, "v1", "v2", 1): false,
	} {
		p, ok := parsePointer([]byte(text))
		if ok != want || ok && (p.oid != oid || p.size != 12) {
			t.Errorf("%q: %+v, %t; want %t", text, p, ok, want)
		}
	}
}

func FuzzPointer(f *testing.F) {
	f.Add([]byte(gitserver.Pointer(strings.Repeat("a", 64), 12)), []byte(`{"objects":[{"oid":"a","actions":{"download":{"href":"https://x","header":{"a":"b"}}}}]}`))
	f.Fuzz(func(t *testing.T, pointer, answer []byte) {
		p, ok := parsePointer(pointer)
		if ok && (!lfsOID.MatchString(p.oid) || p.size < 0) {
			t.Errorf("%q gives %+v", pointer, p)
		}
		if _, err := parseBatch(answer, p); err == nil && !strings.Contains(string(answer), "href") && !strings.Contains(strings.ToLower(string(answer)), "download") {
			t.Errorf("%q is taken for an answer", answer)
		}
		if grant, err := parseGrant(answer); err == nil && !strings.HasPrefix(strings.ToLower(grant.Href), "http") {
			t.Errorf("%q is taken for a grant", answer)
		}
	})
}
