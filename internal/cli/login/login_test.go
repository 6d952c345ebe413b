// SPDX-License-Identifier: Apache-2.0

package login_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/internal/cli/contexts"
	"github.com/bowline-cd/bowline/internal/cli/login"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// token is one that says who it is of, and nothing that a client could check.
func token(account string) string {
	text := base64.RawURLEncoding.EncodeToString
	return text([]byte(`{"alg":"HS256"}`)) + "." + text([]byte(`{"iss":"argocd","sub":"`+account+`:login"}`)) + "." + text([]byte("x"))
}

// server knows admin with a password, and counts the sessions that end.
type server struct{ ended int }

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	known := r.Header.Get("Authorization") == "Bearer "+token("admin")
	switch r.Method + " " + r.URL.Path {
	case "POST /api/v1/session":
		asked := struct{ Username, Password string }{}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Password != "s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"code":16,"message":"Invalid username or password"}`))
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"token": token(asked.Username)})
	case "GET /api/v1/session/userinfo":
		_ = json.NewEncoder(w).Encode(map[string]any{"loggedIn": known})
	case "DELETE /api/v1/session":
		s.ended++
		_, _ = w.Write([]byte(`{}`))
	default:
		http.NotFound(w, r)
	}
}

// shell runs commands of one home.
type shell struct {
	t               *testing.T
	config, address string
}

func start(t *testing.T) (*server, *shell) {
	t.Helper()
	s := &server{}
	listening := httptest.NewServer(s)
	t.Cleanup(listening.Close)
	for _, name := range []string{"SERVER", "AUTH_TOKEN", "OPTS"} {
		t.Setenv("BOWLINE_"+name, "")
		t.Setenv("ARGOCD_"+name, "")
	}
	return s, &shell{t, filepath.Join(t.TempDir(), "config"), strings.TrimPrefix(listening.URL, "http://")}
}

func (s *shell) run(stdin string, args ...string) (string, error) {
	var out bytes.Buffer
	state := &session.Session{Now: time.Now}
	root := &cobra.Command{Use: "bowline", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(login.NewCmd(state), login.NewReloginCmd(state), login.NewLogoutCmd(state), login.NewContextCmd(state), login.NewConfigureCmd(state))
	state.BindServer(root.PersistentFlags())
	root.SetArgs(append(args, "--config", s.config))
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&bytes.Buffer{})
	err := root.ExecuteContext(s.t.Context())
	return out.String(), err
}

func (s *shell) current() contexts.Context {
	s.t.Helper()
	file, err := contexts.Read(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	c, _, err := file.Find("")
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func TestLoginAsksForWhatIsMissing(t *testing.T) {
	_, sh := start(t)
	out, err := sh.run("admin\ns3cret\n", "login", sh.address, "--plaintext")
	if err != nil || !strings.Contains(out, "'admin:login' logged in successfully") {
		t.Fatalf("%v\n%s", err, out)
	}
	if c := sh.current(); c.User.AuthToken != token("admin") || !c.Server.PlainText || c.Name != sh.address {
		t.Errorf("kept %+v", c)
	}
}

func TestLoginRefused(t *testing.T) {
	_, sh := start(t)
	_, err := sh.run("", "login", sh.address, "--plaintext", "--username", "admin", "--password", "wrong")
	if !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "Invalid username or password") || strings.Contains(err.Error(), "bowline login") {
		t.Errorf("got %v", err)
	}
	if _, err := sh.run("", "login", sh.address, "--plaintext", "--auth-token", "foreign"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a foreign token gives %v", err)
	}
	if c := sh.current(); c.Name != "" {
		t.Errorf("kept %+v", c)
	}
}

func TestALifeOfContexts(t *testing.T) {
	s, sh := start(t)
	for _, step := range []struct {
		stdin, args, says string
	}{
		{"", "login " + sh.address + " --plaintext --auth-token " + token("admin") + " --name work", "Context 'work' updated"},
		{"s3cret\n", "relogin", "Relogging in as 'admin'"},
		{"", "login --core", "Context 'kubernetes' updated"},
		{"", "context -", ""}, // none was chosen before
		{"", "context work", "Switched to context 'work'"},
		{"", "context -", "Switched to context 'kubernetes'"},
		{"", "context work", "Switched to context 'work'"},
		{"", "configure --prompts-enabled", "prompts-enabled: true"},
		{"n\n", "logout", ""},
		{"", "logout --prompts-enabled=false", "Logged out from 'work'"},
		{"", "context work --delete", "Context 'work' deleted"},
	} {
		out, err := sh.run(step.stdin, strings.Fields(step.args)...)
		if step.says == "" {
			if out != "" {
				t.Errorf("%s: says %s", step.args, out)
			}
			continue
		}
		if err != nil || !strings.Contains(out, step.says) {
			t.Errorf("%s: %v\n%s", step.args, err, out)
		}
	}
	if s.ended != 1 {
		t.Errorf("%d sessions were ended at the server, want 1", s.ended)
	}
	if out, err := sh.run("", "context"); err != nil || out != "CURRENT  NAME        SERVER\n         kubernetes  kubernetes\n" {
		t.Errorf("%v\n%s", err, out)
	}
}
