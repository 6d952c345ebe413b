// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// isolate takes everything out of the environment that chooses a server.
func isolate(t *testing.T) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	for _, name := range []string{"SERVER", "AUTH_TOKEN", "OPTS", "CONFIG_DIR", "CONFIG"} {
		t.Setenv("BOWLINE_"+name, "")
		t.Setenv("ARGOCD_"+name, "")
	}
	t.Setenv("XDG_CONFIG_HOME", "")
}

// parsed is a session after a command line.
func parsed(t *testing.T, args ...string) *session.Session {
	t.Helper()
	s := &session.Session{Now: time.Now}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	s.BindServer(flags)
	s.BindCluster(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhereCommandsGo(t *testing.T) {
	const file = "current-context: a\ncontexts: [{name: a, server: a.example.com, user: a}, {name: core, server: kubernetes, user: core}]\n" +
		"servers: [{server: a.example.com}, {server: kubernetes, core: true}]\nusers: [{name: a, auth-token: t}]\n"
	for name, tt := range map[string]struct {
		contexts bool
		env      map[string]string
		args     []string
		remote   bool
	}{
		"nothing is known":               {},
		"a context":                      {contexts: true, remote: true},
		"a context, and --core":          {contexts: true, args: []string{"--core"}},
		"a context, and a kubeconfig":    {contexts: true, args: []string{"--kubeconfig", "x"}},
		"a context without a server":     {contexts: true, args: []string{"--argocd-context", "core"}},
		"a server":                       {args: []string{"--server", "b.example.com"}, remote: true},
		"a server wins over kubeconfigs": {args: []string{"--server", "b.example.com", "--kubeconfig", "x"}, remote: true},
		"Argo CD's variable":             {env: map[string]string{"ARGOCD_SERVER": "b.example.com"}, remote: true},
		"our variable":                   {env: map[string]string{"BOWLINE_SERVER": "b.example.com"}, remote: true},
		"options in a variable":          {env: map[string]string{"ARGOCD_OPTS": "--grpc-web --server b.example.com --plaintext --of-another-version"}, remote: true},
		"a flag wins over a variable":    {env: map[string]string{"ARGOCD_OPTS": "--core"}, args: []string{"--core=false", "--server", "b"}, remote: true},
	} {
		t.Run(name, func(t *testing.T) {
			isolate(t)
			if tt.contexts {
				dir := t.TempDir()
				t.Setenv("BOWLINE_CONFIG_DIR", dir)
				if err := os.WriteFile(filepath.Join(dir, "config"), []byte(file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for key, value := range tt.env {
				t.Setenv(key, value)
			}
			remote, err := parsed(t, tt.args...).Remote()
			if err != nil || remote != tt.remote {
				t.Errorf("got %t, %v, want %t", remote, err, tt.remote)
			}
		})
	}
}

func TestNamesLeaveTheControlNamespaceToTheServer(t *testing.T) {
	isolate(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "argocd/web"},
		{[]string{"--server", "b"}, "web"},
		{[]string{"--server", "b", "-n", "cd"}, "cd/web"},
	} {
		if got := parsed(t, tt.args...).Qualified("web"); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.args, got, tt.want)
		}
	}
}

func TestTheTokenOfTheContextIsShown(t *testing.T) {
	isolate(t)
	shown := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown = r.Header.Get("Authorization") + " " + r.Header.Get("X-Way")
		_, _ = w.Write([]byte(`{}`))
	}))
	t.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	t.Setenv("ARGOCD_CONFIG_DIR", t.TempDir())
	config := filepath.Join(os.Getenv("ARGOCD_CONFIG_DIR"), "config")
	text := "current-context: a\ncontexts: [{name: a, server: '" + address + "', user: a}]\nservers: [{server: '" + address + "', plain-text: true}]\nusers: [{name: a, auth-token: kept}]\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ want, args string }{
		{"Bearer kept ", ""}, {"Bearer given ", "--auth-token=given"}, {"Bearer kept east", "--header=X-Way: east"}, {"Bearer kept ", "--server=" + address},
	} {
		s := parsed(t, strings.FieldsFunc(tt.args, func(r rune) bool { return r == '\n' })...)
		services, err := s.Services(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := services.Projects.List(t.Context(), &project.ProjectQuery{}); err != nil || shown != tt.want {
			t.Errorf("%s: showed %q, %v, want %q", tt.args, shown, err, tt.want)
		}
	}
}

func TestBrokenOptionsOfTheEnvironmentAreSaid(t *testing.T) {
	for _, opts := range []string{"stray", "--server 'open", "--insecure=perhaps"} {
		isolate(t)
		t.Setenv("BOWLINE_OPTS", opts)
		if _, err := parsed(t).Services(t.Context()); !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "BOWLINE_OPTS") {
			t.Errorf("%s: got %v", opts, err)
		}
	}
}
