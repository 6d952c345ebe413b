// SPDX-License-Identifier: Apache-2.0

package gitserver_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/test/gitserver"
)

func git(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_TERMINAL_PROMPT=0")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestCloneSeesWhatWasCommitted(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "team/config")
	repo.Write(t, map[string]string{"apps/a.yaml": "a: 1\n", "b \"odd\" name": "b"})
	sha := repo.MustCommit(t, gitserver.Change{Files: map[string]string{"apps/a.yaml": "a: 2\n"},
		Links: map[string]string{"link": "apps/a.yaml"}, Executables: map[string]string{"run": "#!/bin/sh\n"}, Delete: []string{"b \"odd\" name"}})
	dir := filepath.Join(t.TempDir(), "clone")
	if out, err := git(t, ".", "clone", "-q", repo.URL, dir); err != nil {
		t.Fatal(out)
	}
	if out, _ := git(t, dir, "rev-parse", "HEAD"); strings.TrimSpace(out) != sha {
		t.Errorf("HEAD is %s, want %s", out, sha)
	}
	if out, _ := git(t, dir, "ls-files", "-s"); strings.Count(out, "\n") != 3 || !strings.Contains(out, "120000") || !strings.Contains(out, "100755") {
		t.Errorf("files:\n%s", out)
	}
	if c := server.Counts(); c.Fetch != 1 || c.LsRefs != 1 || c.Advertise != 1 {
		t.Errorf("counts: %+v\n%s", c, strings.Join(server.Log(), "\n"))
	}
}

func TestTroubles(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	repo.Write(t, map[string]string{"a": strings.Repeat("some content\n", 1000)})
	for trouble, want := range map[gitserver.Trouble]string{
		gitserver.Refuse: "onnect", gitserver.Fail: "500", gitserver.HalfFetch: "early EOF", gitserver.HalfRefs: "unable to access",
		gitserver.WrongAccount: "could not read Username", gitserver.Gone: "not found", gitserver.Overloaded: "429",
	} {
		server.Misbehave(trouble)
		out, err := git(t, ".", "clone", "-q", repo.URL, filepath.Join(t.TempDir(), "clone"))
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("trouble %d: %v, %s; want %q in it", trouble, err, out, want)
		}
		server.Misbehave(gitserver.None)
		if out, err := git(t, ".", "ls-remote", repo.URL); err != nil {
			t.Errorf("after trouble %d: %s", trouble, out)
		}
	}
}

func TestSSH(t *testing.T) {
	root := t.TempDir()
	repo, err := gitserver.Init(filepath.Join(root, "config.git"))
	if err != nil {
		t.Fatal(err)
	}
	sha := repo.Write(t, map[string]string{"a": "1"})
	server := gitserver.NewSSH(t, root)
	dir := t.TempDir()
	key, hosts := filepath.Join(dir, "key"), filepath.Join(dir, "hosts")
	if err := os.WriteFile(key, []byte(server.ClientKey), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(hosts, []byte(server.KnownHosts), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_SSH_COMMAND", "ssh -F none -i "+key+" -o UserKnownHostsFile="+hosts+" -o StrictHostKeyChecking=yes -o BatchMode=yes")
	out, err := git(t, ".", "ls-remote", server.URL+"/config.git", "HEAD")
	if err != nil || !strings.HasPrefix(out, sha) {
		t.Errorf("ls-remote: %v, %s", err, out)
	}
}
