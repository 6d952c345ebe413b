// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

const kubeconfig = `apiVersion: v1
kind: Config
current-context: east
clusters:
- {name: east, cluster: {server: https://east.example.com}}
- {name: west, cluster: {server: https://west.example.com}}
contexts:
- {name: east, context: {cluster: east, user: me}}
- {name: west, context: {cluster: west, user: me}}
users:
- {name: me, user: {token: t}}
`

func TestConfigFollowsTheFlags(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ reason, env, flag, context, want string }{
		{"the flag, and its current context", "", path, "", "https://east.example.com"},
		{"a context by name", "", path, "west", "https://west.example.com"},
		{"the environment without a flag", path, "", "", "https://east.example.com"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			t.Setenv("KUBECONFIG", tt.env)
			config, err := (&session.Session{Kubeconfig: tt.flag, Context: tt.context}).Config()
			if err != nil || config.Host != tt.want {
				t.Errorf("got %v, %v, want %s", config, err, tt.want)
			}
		})
	}
}

func TestConfigSaysWhatToDoWithoutACluster(t *testing.T) {
	for _, s := range []session.Session{
		{Kubeconfig: filepath.Join(t.TempDir(), "absent")},
		{Kubeconfig: "session_test.go"},
	} {
		_, err := s.Config()
		if !fault.Is(err, fault.Stalled) || !strings.Contains(err.Error(), "--kubeconfig") {
			t.Errorf("%s: got %v", s.Kubeconfig, err)
		}
	}
}

func TestQualified(t *testing.T) {
	tests := []struct{ control, app, name, want string }{
		{"argocd", "", "web", "argocd/web"},
		{"argocd", "team", "web", "team/web"},
		{"argocd", "team", "other/web", "other/web"},
	}
	for _, tt := range tests {
		s := session.Session{Namespace: tt.control, AppNamespace: tt.app}
		if got := s.Qualified(tt.name); got != tt.want {
			t.Errorf("Qualified(%s) = %s, want %s", tt.name, got, tt.want)
		}
	}
}
