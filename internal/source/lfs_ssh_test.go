// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/test/gitserver"
)

func TestLFSOverSSH(t *testing.T) {
	const content, ticket = "content over SSH", "RemoteAuth hunter2-ticket"
	oid := gitserver.OID(content)
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "a group/config")
	commit := repo.Write(t, map[string]string{"file": gitserver.Pointer(oid, len(content)), "plain": "plain"})
	var mu sync.Mutex
	var seen []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r.URL.Path+" "+r.Header.Get("Authorization"))
		if strings.HasSuffix(r.URL.Path, "/objects/batch") {
			_, _ = fmt.Fprintf(w, `{"objects":[{"oid":%q,"actions":{"download":{"href":"http://%s/object"}}}]}`, oid, r.Host)
			return
		}
		_, _ = io.WriteString(w, content)
	}))
	t.Cleanup(api.Close)
	for _, tt := range []struct {
		reason   string
		answer   func(string) string
		mentions string
	}{
		{"granted", func(path string) string {
			if path != "'/a group/config.git'" {
				t.Errorf("asked for %q", path)
			}
			return fmt.Sprintf(`{"href":%q,"header":{"Authorization":%q}}`, api.URL+"/lfs/", ticket)
		}, ""},
		{"a host that does not know it", nil, "lfs.url"},
		{"no JSON", func(string) string { return ticket }, "not the JSON"},
		{"no encryption", func(string) string { return `{"href":"http://example.com/hunter2-path"}` }, "without encryption"},
		{"the disk", func(string) string { return `{"href":"file:///etc"}` }, "no https address"},
		{"a metadata service", func(string) string { return `{"href":"https://169.254.169.254/"}` }, "169.254.169.254"},
	} {
		over := gitserver.NewSSH(t, server.Root())
		over.LFS = tt.answer
		r := Repository{URL: over.URL + "/a%20group/config.git", KnownHosts: over.KnownHosts, SSHPrivateKey: fault.NewSecret(over.ClientKey),
			Username: "me", Password: fault.NewSecret("hunter2-password"), EnableLFS: true}
		files := mustTree(t, openStore(t, nil), r, commit, Want{})
		if got := read(t, files, "plain"); got != "plain" {
			t.Errorf("%s: plain = %q", tt.reason, got)
		}
		data, err := files.Read(t.Context(), "file", -1)
		if tt.mentions == "" && (err != nil || string(data) != content) || tt.mentions != "" && (err == nil || !strings.Contains(err.Error(), tt.mentions)) {
			t.Errorf("%s: %q, %v; want an error that mentions %q", tt.reason, data, err, tt.mentions)
		}
		if strings.Contains(fmt.Sprint(err), "hunter2") {
			t.Errorf("%s: a secret shows in %v", tt.reason, err)
		}
	}
	if got := strings.Join(seen, ", "); got != "/lfs/objects/batch "+ticket+", /object " {
		t.Errorf("the API was asked %q", got)
	}
}

func TestLFSEndpoint(t *testing.T) {
	for _, tt := range []struct{ url, base, configured, want string }{
		{"https://host/a/b.git", "https://host/a/b.git", "", "https://host/a/b.git/info/lfs"},
		{"https://host/a/b", "https://host/a/b", "", "https://host/a/b.git/info/lfs"},
		{"https://host/a/b/", "https://host/moved/b", "", "https://host/moved/b.git/info/lfs"},
		{"git@host:a/b.git", "", "", ""},
		{"git@host:a/b.git", "", "https://host/lfs", "https://host/lfs"},
		{"git@host:a/b.git", "", "http://host/lfs", ""},
		{"git@host:a/b.git", "", "https://other/lfs", ""},
		{"https://host/a", "https://host/a", "https://host:8443/lfs", ""},
		{"https://host/a", "https://host/a", "http://host/lfs", ""},
	} {
		e, err := parseEndpoint(tt.url, false)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := lfsEndpoint(e, tt.base, tt.configured); got != tt.want || (err == nil) != (tt.want != "" || tt.configured == "") {
			t.Errorf("%s with %q: %q, %v; want %q", tt.url, tt.configured, got, err, tt.want)
		}
	}
}

func TestSSHTarget(t *testing.T) {
	for address, want := range map[string]string{
		"git@host:group/app.git": "[git@host] group/app.git", "ssh://git@host:2222/group/app.git": "[-p 2222 git@host] /group/app.git", "ssh://host/~me/app": "[host] ~me/app",
		"git@host:it's; touch x": "", "ssh://git@host/it's%3Btouch%20x": `[git@host] '/it'\''s;touch x'`, "ssh://git@[::1]/a": "[git@::1] /a",
	} {
		e, err := parseEndpoint(address, false)
		if err != nil {
			if want != "" {
				t.Error(err)
			}
			continue
		}
		target, path := sshTarget(e)
		if got := fmt.Sprint(target, " ", path); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
