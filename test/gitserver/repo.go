// SPDX-License-Identifier: Apache-2.0

package gitserver

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Repo is a bare repository of a Server.
type Repo struct {
	Dir string
	URL string
}

// Create makes an empty repository at root/name.git with the default branch main, served at URL/name.git.
func (s *Server) Create(name string) (*Repo, error) {
	dir := filepath.Join(s.options.Root, filepath.FromSlash(name)+".git")
	r, err := Init(dir)
	if err != nil {
		return nil, err
	}
	r.URL = s.URL + "/" + name + ".git"
	return r, nil
}

// Repo is Create for tests.
func (s *Server) Repo(t testing.TB, name string) *Repo {
	t.Helper()
	r, err := s.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Init makes an empty bare repository that allows filters, as the large hosts do.
func Init(dir string) (*Repo, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	r := &Repo{Dir: dir}
	if _, err := r.git(nil, "init", "-q", "--bare", "-b", "main", "."); err != nil {
		return nil, err
	}
	for _, setting := range [][2]string{{"uploadpack.allowFilter", "true"}, {"gc.auto", "0"}} {
		if err := r.Configure(setting[0], setting[1]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Configure sets a setting of the repository.
func (r *Repo) Configure(name, value string) error {
	_, err := r.git(nil, "config", name, value)
	return err
}

// Change is what a commit changes.
type Change struct {
	Branch      string            // main if empty
	Message     string            // "change" if empty
	Author      string            // "A Tester <tester@example.com>" if empty
	At          time.Time         // now if zero
	Files       map[string]string // path to content
	Executables map[string]string // path to content
	Links       map[string]string // path to target
	Submodules  map[string]string // path to commit
	Delete      []string          // files or folders
	Orphan      bool              // start without parent and files
	From        string            // commit or branch to start from, instead of the branch itself
}

// Commit makes a commit, moves the branch to it and returns its id.
func (r *Repo) Commit(c Change) (string, error) {
	if c.Branch == "" {
		c.Branch = "main"
	}
	ref := "refs/heads/" + c.Branch
	stream, err := r.stream(c, ref)
	if err != nil {
		return "", err
	}
	if _, err := r.git(stream, "fast-import", "--quiet", "--force"); err != nil {
		return "", err
	}
	return r.Head(c.Branch)
}

// stream writes the change in the language of git fast-import.
func (r *Repo) stream(c Change, ref string) ([]byte, error) {
	var b bytes.Buffer
	message := c.Message
	if message == "" {
		message = "change"
	}
	if c.Orphan {
		fmt.Fprintf(&b, "reset %s\n", ref)
	}
	at := c.At
	if at.IsZero() {
		at = time.Now()
	}
	fmt.Fprintf(&b, "commit %s\ncommitter %s %d +0000\ndata %d\n%s\n", ref, cmp.Or(c.Author, "A Tester <tester@example.com>"), at.Unix(), len(message), message)
	parent := c.From
	if parent == "" && !c.Orphan && r.has(ref) {
		parent = ref
	}
	if parent != "" {
		commit, err := r.git(nil, "rev-parse", "--verify", "--end-of-options", parent+"^{commit}")
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "from %s\n", commit)
	}
	for _, path := range c.Delete {
		fmt.Fprintf(&b, "D %q\n", path)
	}
	for _, set := range []struct {
		mode  string
		paths map[string]string
	}{{"100644", c.Files}, {"100755", c.Executables}, {"120000", c.Links}} {
		for _, path := range slices.Sorted(maps.Keys(set.paths)) {
			content := set.paths[path]
			fmt.Fprintf(&b, "M %s inline %q\ndata %d\n%s\n", set.mode, path, len(content), content)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(c.Submodules)) {
		fmt.Fprintf(&b, "M 160000 %s %q\n", c.Submodules[path], path)
	}
	b.WriteString("done\n")
	return b.Bytes(), nil
}

// MustCommit is Commit for tests.
func (r *Repo) MustCommit(t testing.TB, c Change) string {
	t.Helper()
	sha, err := r.Commit(c)
	if err != nil {
		t.Fatal(err)
	}
	return sha
}

// Write commits files to main.
func (r *Repo) Write(t testing.TB, files map[string]string) string {
	t.Helper()
	return r.MustCommit(t, Change{Files: files})
}

// Head returns the commit of a branch.
func (r *Repo) Head(branch string) (string, error) {
	return r.git(nil, "rev-parse", "--verify", "refs/heads/"+branch+"^{commit}")
}

// Point sets a ref ("refs/heads/main") to a commit, whatever it was: a force push.
func (r *Repo) Point(ref, commit string) error {
	_, err := r.git(nil, "update-ref", ref, commit)
	return err
}

// Remove deletes a ref: a branch or tag that is gone.
func (r *Repo) Remove(ref string) error {
	_, err := r.git(nil, "update-ref", "-d", ref)
	return err
}

// Tag makes a lightweight tag, or an annotated one if message is not empty.
func (r *Repo) Tag(name, commit, message string) error {
	args := []string{"tag", "--force", name, commit}
	if message != "" {
		args = []string{"-c", "user.name=A Tester", "-c", "user.email=tester@example.com", "tag", "--force", "-a", "-m", message, name, commit}
	}
	_, err := r.git(nil, args...)
	return err
}

// Nest makes a commit of folders that hold each other: depth levels of width names, all of one level the same folder, around
// one file. It moves the branch main to it and returns its id.
func (r *Repo) Nest(t testing.TB, depth, width int) string {
	t.Helper()
	must := func(stdin string, args ...string) string {
		out, err := r.git([]byte(stdin), args...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	entry := "100644 blob " + must("", "hash-object", "-w", "--stdin")
	for range depth {
		var names strings.Builder
		for n := range width {
			fmt.Fprintf(&names, "%s\tn%02d\n", entry, n)
		}
		entry = "040000 tree " + must(names.String(), "mktree")
	}
	commit := must("", "-c", "user.name=n", "-c", "user.email=n@example.com", "commit-tree", "-m", "nest", strings.TrimPrefix(entry, "040000 tree "))
	if err := r.Point("refs/heads/main", commit); err != nil {
		t.Fatal(err)
	}
	return commit
}

// Expire removes every object that no ref reaches, as a host does some time after a force push.
func (r *Repo) Expire() error {
	if _, err := r.git(nil, "repack", "-q", "-a", "-d"); err != nil {
		return err
	}
	_, err := r.git(nil, "prune", "--expire=now")
	return err
}

func (r *Repo) has(ref string) bool {
	_, err := r.git(nil, "rev-parse", "--verify", "--quiet", ref)
	return err == nil
}

// git runs git in the repository and returns its trimmed output.
func (r *Repo) git(stdin []byte, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = r.Dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_TERMINAL_PROMPT=0")
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.WaitDelay = 10 * time.Second
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(problem.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// Log returns the commits of a branch, the oldest first.
func (r *Repo) Log(branch string) ([]string, error) {
	out, err := r.git(nil, "rev-list", "--reverse", "--end-of-options", "refs/heads/"+branch)
	return strings.Fields(out), err
}
