// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/test/gitserver"
)

func TestHostileAddresses(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "owned")
	s := openStore(t, func(o *Options) { o.AllowFile = true })
	for _, address := range []string{
		"--upload-pack=touch " + marker, "--upload-pack=touch${IFS}" + marker, "-c", "-oProxyCommand=touch\t" + marker,
		"ssh://-oProxyCommand=touch%20" + marker + "/x", "ssh://git@-oProxyCommand=x/y", "ssh://-l@host/x", "ssh://%2doProxyCommand=x/y", "ssh://%2dl@host/x",
		"git@-oProxyCommand=x:y", "-oProxyCommand=x@host:y", "git@host:--upload-pack=x", "git@host:-x", "ssh://git@host/--upload-pack=x",
		"ssh://git@host:22%20-oProxyCommand=x/y", "ssh://git@host:-1/x", "ssh://git@ho`touch " + marker + "`st/x", "ssh://git@$(touch)/x", "ssh://git@host;touch/x", "ssh://git@ho'st/x",
		"ext::sh -c touch% " + marker, "EXT::sh", "ext::ssh://host/x", "fd::3", "https::https://host/x", "transport-helper::x", "file::/etc",
		"https://host/a%0d%0aAuthorization: x", "https://host/\r\nx", "https://host/%00", "https://host\x7f/x", "https://ho%0ast/x",
		"https://user:pass\nword@host/x", "git://host/x", "ftp://host/x", "rsync://host/x", "http+unix://x/y", "javascript:alert(1)", "data:,x",
		"file://host/etc", "file:relative", "file://../x", "../x", "/etc/passwd", "~/x", "C:/x", "\\\\host\\share", "https://", "https:///etc/passwd", "https:host", "//host/x",
		"https://host/mine/../theirs/x.git", "https://host/mine/%2e%2E/theirs/x", "https://host/mine/..%2ftheirs/x", "https://host/./theirs/x",
		"ssh://git@host/mine/../theirs/x", "git@host:mine/../theirs/x", "git@host:../theirs/x",
	} {
		_, err := s.Resolve(t.Context(), Repository{URL: address, KnownHosts: "x"}, Revision{})
		if !fault.Is(err, fault.Mistake) || Unreachable(err) {
			t.Errorf("%q: %v, want a mistake", address, err)
		}
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("a command of an address was run")
	}
}

func TestHostileHosts(t *testing.T) {
	s := openStore(t, nil)
	for _, address := range []string{
		"http://169.254.169.254/latest", "https://169.254.170.2/x", "ssh://git@169.254.169.254/x", "git@169.254.169.254:x", "http://[fe80::1]/x", "http://[::ffff:169.254.169.254]/x",
		"http://[64:ff9b::a9fe:a9fe]/x", "http://[fd00:ec2::254]/x", "http://168.63.129.16/x", "http://100.100.100.200/x", "http://0.0.0.0/x", "http://[::]/x", "http://224.0.0.1/x",
	} {
		for _, proxy := range []string{"", "http://127.0.0.1:1"} { // a proxy must not be asked for them either
			r := Repository{URL: address, KnownHosts: "x", Proxy: proxy}
			_, err := s.Refs(t.Context(), r)
			checkUnreachable(t, err, ProblemAddress, fault.Stalled)
			_, err = s.Tree(t.Context(), r, strings.Repeat("a", 40), nil)
			checkUnreachable(t, err, ProblemAddress, fault.Stalled)
		}
	}
	// Other ways to write the same numbers: curl, ssh and proxies make an address of them without looking them up.
	for _, address := range []string{"http://2852039166/x", "http://0xa9fea9fe/x", "http://169.254.43518/x", "http://0251.0376.0251.0376/x", "http://169.254.169.254./x", "git@2852039166:x"} {
		for _, proxy := range []string{"", "socks5://127.0.0.1:1"} {
			if _, err := s.Refs(t.Context(), Repository{URL: address, KnownHosts: "x", Proxy: proxy}); !fault.Is(err, fault.Mistake) || Unreachable(err) {
				t.Errorf("%s: %v", address, err)
			}
		}
	}
}

// A tenant names another tenant's mirror as its repository.
func TestHostileFileAddresses(t *testing.T) {
	repo, err := gitserver.Init(filepath.Join(t.TempDir(), "config.git"))
	if err != nil {
		t.Fatal(err)
	}
	sha := repo.Write(t, map[string]string{"a": "canary"})
	dir := t.TempDir()
	s := openStoreIn(t, dir, func(o *Options) { o.AllowFile = true })
	owner := Repository{URL: "file://" + repo.Dir, Project: "owner"}
	mustTree(t, s, owner, sha)
	m, err := s.mirror(owner)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(m.gitDir(), link); err != nil {
		t.Fatal(err)
	}
	escaped := strings.NewReplacer("m", "%6d", "g", "%67").Replace(m.gitDir())
	for _, address := range []string{
		"file://" + m.gitDir(), "file://" + m.readerDir(), "FILE://" + m.gitDir(), "file://" + escaped, "file://" + link, "file:///proc/self/root" + m.gitDir(),
		"file://" + filepath.Dir(dir) + "/x/../" + filepath.Base(dir) + "/mirrors/" + filepath.Base(m.dir) + "/git", "file://" + dir + "/%2e/mirrors/" + filepath.Base(m.dir) + "/git",
		"file://" + strings.ReplaceAll(escaped, "%", "%25"), "file://" + filepath.Dir(dir) + "/x/%252e%252e/" + filepath.Base(dir) + "/mirrors/" + filepath.Base(m.dir) + "/git",
	} {
		commit, err := s.Resolve(t.Context(), Repository{URL: address, Project: "thief"}, Revision{Name: readyRefs + sha})
		if err == nil {
			t.Errorf("%s resolves to %s", address, commit)
		}
		if files, err := s.Tree(t.Context(), Repository{URL: address, Project: "thief"}, sha, nil); err == nil {
			t.Errorf("%s reads %q", address, read(t, files, "a"))
		}
	}
	closed := openStore(t, nil)
	if _, err := closed.Refs(t.Context(), Repository{URL: "file://" + repo.Dir}); !fault.Is(err, fault.Mistake) {
		t.Errorf("a file address without leave: %v", err)
	}
}

// echo answers every request with all that it was told, wherever a client might repeat it.
func echo(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		told := r.Header.Get("Authorization")
		_, encoded, _ := strings.Cut(told, " ")
		plain, _ := base64.StdEncoding.DecodeString(encoded)
		text := fmt.Sprintf("you said %s which is %s", told, plain)
		switch {
		case status == 0: // a status line of our own
			connection, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(connection, "HTTP/1.1 401 "+text+"\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n")
				_ = connection.Close()
			}
		case status == 1: // nothing that is HTTP
			connection, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(connection, text+"\r\n\r\n")
				_ = connection.Close()
			}
		case status == http.StatusFound:
			w.Header().Set("Location", "http://127.0.0.2:1/"+encoded+"?"+encoded)
			w.WriteHeader(status)
		case status == http.StatusOK && strings.HasSuffix(r.URL.Path, "/info/refs"):
			w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			_, _ = io.WriteString(w, pktLine("# service=git-upload-pack\n")+flushPkt+pktLine("version 2\n")+pktLine("ls-refs\n")+pktLine("fetch=shallow\n")+flushPkt)
		case status == http.StatusOK:
			w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
			_, _ = io.WriteString(w, pktLine("ERR "+text))
		default:
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("WWW-Authenticate", `Basic realm="`+text+`"`)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}
	}
}

// A server sends back what it was told; nobody else may read it.
func TestHostileServersEchoCredentials(t *testing.T) {
	host := newTokenHost(t)
	app := []string{"githubAppID", "4711", "githubAppInstallationID", "77", "githubAppPrivateKey", pkcs1(), "githubAppEnterpriseBaseUrl", host.URL + "/api/v3"}
	basic := base64.StdEncoding.EncodeToString([]byte("robot:canary/pass word"))
	issued := base64.StdEncoding.EncodeToString([]byte("x-access-token:"))
	if !strings.HasPrefix(base64.StdEncoding.EncodeToString([]byte("x-access-token:token-1")), issued) {
		t.Fatal("this is not how tokens are sent")
	}
	for _, status := range []int{0, 1, 200, 302, 400, 401, 403, 404, 500} {
		server := httptest.NewServer(echo(status))
		for name, keys := range map[string][]string{
			"password": {"username", "robot", "password", "canary/pass word"}, "bearer": {"bearerToken", "canary-bearer"}, "app": app,
		} {
			t.Run(fmt.Sprint(status, " ", name), func(t *testing.T) {
				var log bytes.Buffer
				s := openStore(t, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
				s.tokens = newTokens(host.clock, host.client)
				r := repositoryOf(t, server.URL+"/acme/x", KindGit, keys)
				_, refsErr := s.Refs(t.Context(), r)
				_, treeErr := s.Tree(t.Context(), r, strings.Repeat("a", 40), nil)
				if refsErr == nil || treeErr == nil {
					t.Fatalf("refs: %v, fetch: %v", refsErr, treeErr)
				}
				text := fmt.Sprintf("%v %+v %v %+v %s", refsErr, refsErr, treeErr, treeErr, log.String())
				for _, secret := range []string{"canary", basic, issued, "token-"} {
					if strings.Contains(text, secret) {
						t.Errorf("tells %s: %s", secret, text)
					}
				}
			})
		}
		server.Close()
	}
}

// A server sends git elsewhere once it has the credentials: at the fetch, which is not asked in process.
func TestHostileRedirectsGetNoCredentials(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{Username: "u", Password: "topsecret"})
	repo := server.Repo(t, "config")
	sha := repo.Write(t, map[string]string{"a": "1"})
	var mu sync.Mutex
	var stolen []string
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		stolen = append(stolen, r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization"))
	}))
	defer thief.Close()
	for _, at := range []string{"/info/refs", "/git-upload-pack"} {
		for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, at) {
					http.Redirect(w, r, thief.URL+r.URL.Path, status)
					return
				}
				forward(w, r, server.URL)
			}))
			s := openStore(t, nil)
			r := Repository{URL: front.URL + "/config.git", Username: "u", Password: fault.NewSecret("topsecret")}
			_, refsErr := s.Refs(t.Context(), r)
			_, treeErr := s.Tree(t.Context(), r, sha, nil)
			for _, err := range []error{refsErr, treeErr} {
				checkUnreachable(t, err, ProblemRedirect, fault.Stalled)
				if strings.Contains(fmt.Sprint(err), "topsecret") {
					t.Errorf("tells the password: %v", err)
				}
			}
			front.Close()
		}
	}
	if len(stolen) > 0 {
		t.Errorf("another host was asked: %q", stolen)
	}
}

func forward(w http.ResponseWriter, r *http.Request, base string) {
	out, err := http.NewRequestWithContext(r.Context(), r.Method, base+r.URL.RequestURI(), r.Body)
	if err != nil {
		return
	}
	out.Header = r.Header.Clone()
	answer, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		return
	}
	defer answer.Body.Close()
	w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}

// watchProcesses reads arguments and environment of every process there is until stop is called, which returns them. It
// reports once it has seen a child of git that talks to a server.
func watchProcesses(helper string) (seen <-chan struct{}, stop func() string) {
	found, quit, done := make(chan struct{}), make(chan struct{}), make(chan string)
	go func() {
		var all strings.Builder
		var told bool
		for {
			commands, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, path := range commands {
				line, _ := os.ReadFile(path)
				environment, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "environ"))
				ours := strings.Contains(string(environment), "GIT_CONFIG_NOSYSTEM=1") && !strings.Contains(string(environment), "GATEWAY_INTERFACE=") // not the server's
				if pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path))); pid == os.Getpid() || !ours {
					continue
				}
				all.Write(line)
				all.Write(environment)
				if !told && strings.Contains(string(line), helper) {
					told = true
					close(found)
				}
			}
			select {
			case <-quit:
				done <- all.String()
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return found, func() string { close(quit); return <-done }
}

// While git talks to a server no process shows a secret in its arguments or its environment, and none gets ours.
func TestHostileEyesOnProcesses(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("no /proc to look into")
	}
	t.Setenv("BOWLINE_CANARY", "canary-environment")
	host := newTokenHost(t)
	server := gitserver.New(t, gitserver.Options{Username: "x-access-token", Password: "token-1", Token: "canary-bearer"})
	repo := server.Repo(t, "config")
	sha := repo.Write(t, map[string]string{"a": "1"})
	app := []string{"githubAppID", "4711", "githubAppInstallationID", "77", "githubAppPrivateKey", pkcs1(), "githubAppEnterpriseBaseUrl", host.URL + "/api/v3"}
	for name, keys := range map[string][]string{
		"password": {"username", "x-access-token", "password", "token-1"}, "bearer": {"bearerToken", "canary-bearer"}, "app": app,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openStoreIn(t, dir, func(o *Options) { o.FetchTimeout = time.Minute })
			s.tokens = newTokens(host.clock, host.client)
			r := repositoryOf(t, repo.URL, KindGit, keys)
			server.Misbehave(gitserver.HangFetch)
			seen, stop := watchProcesses("remote-http")
			failed := make(chan error)
			go func() {
				_, err := s.Tree(t.Context(), r, sha, nil)
				failed <- err
			}()
			select {
			case <-seen:
			case err := <-failed:
				t.Fatal(err)
			}
			server.Misbehave(gitserver.None)
			<-failed
			checkText(t, stop(), "canary", "token-1", base64.StdEncoding.EncodeToString([]byte("x-access-token:token-1")), "PRIVATE KEY")
			if left, _ := filepath.Glob(filepath.Join(dir, "scratch", "*")); len(left) > 0 {
				t.Errorf("files left: %v", left)
			}
			checkNoFileHolds(t, dir, "canary", "token-1", base64.StdEncoding.EncodeToString([]byte("x-access-token:token-1")))
		})
	}
}

func checkText(t *testing.T, text string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("%q shows in\n%s", secret, strings.ReplaceAll(text, "\x00", " "))
		}
	}
}

func TestHostileEyesOnSSH(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("no /proc to look into")
	}
	t.Setenv("BOWLINE_CANARY", "canary-environment")
	listener, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	key, err := gitserver.NewClientKey()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := openStoreIn(t, dir, nil)
	ctx, cancel := context.WithCancel(t.Context())
	seen, stop := watchProcesses("git-upload-pack")
	failed := make(chan error)
	go func() {
		_, err := s.Refs(ctx, Repository{URL: "ssh://git@" + listener.Addr().String() + "/x", SSHPrivateKey: fault.NewSecret(key), KnownHosts: "canary-host ssh-ed25519 A"})
		failed <- err
	}()
	select {
	case <-seen:
	case err := <-failed:
		t.Fatal(err)
	}
	cancel()
	<-failed
	lines := strings.Split(strings.TrimSpace(key), "\n")
	checkText(t, stop(), "canary", "PRIVATE KEY", lines[1], lines[len(lines)-2])
	waitFor(t, func() bool {
		left, err := filepath.Glob(filepath.Join(dir, "scratch", "*"))
		return err == nil && len(left) == 0
	})
}
