// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Restoration is what a new commit is to give back: the content that some paths had at an earlier commit. All else stays as
// the branch has it, so that it can conflict with nothing.
type Restoration struct {
	// Branch is built upon; "" is the default branch.
	Branch string
	// From is the commit whose content comes back.
	From string
	// Concerns says which of the paths that differ come back.
	Concerns func(path string) bool
	// Message is the message of the commit, Author the name of who makes it.
	Message func(paths []string) string
	Author  string
}

// Restored is a commit that was made and is in the mirror only.
type Restored struct {
	Commit, Parent string
	Branch         string // that was built upon
	Paths          []string
}

// authorEmail stands where Git wants an address; nobody reads mail there.
const authorEmail = "bowline@localhost"

// Restore makes a commit on top of a branch, without a checkout. It is a fault.Mistake if the revision is no branch, or if
// nothing of what is concerned differs.
func (s *Store) Restore(ctx context.Context, r Repository, want Restoration) (Restored, error) {
	m, err := s.mirror(r)
	if err != nil {
		return Restored{}, err
	}
	refs, err := s.Refs(ctx, r)
	if err != nil {
		return Restored{}, err
	}
	done := Restored{}
	if done.Branch, done.Parent, err = refs.branch(want.Branch); err != nil {
		return Restored{}, err
	}
	changed, err := s.Changed(ctx, r, want.From, done.Parent)
	if err != nil {
		return Restored{}, err
	}
	for _, path := range changed {
		if want.Concerns(path) {
			done.Paths = append(done.Paths, path)
		}
	}
	if len(done.Paths) == 0 {
		return Restored{}, fault.New(fault.Mistake, "revert", "branch "+done.Branch+" of "+r.String(), "", "nothing that it read differs there from commit "+want.From,
			"what changed is not in this branch: compare with `bowline app diff`")
	}
	done.Commit, err = m.restore(ctx, want, done)
	return done, err
}

// branch finds a branch by its name, or the default branch, and its commit.
func (r Refs) branch(name string) (branch, commit string, err error) {
	name = strings.TrimPrefix(name, "refs/heads/")
	if name == "" || name == "HEAD" {
		name = strings.TrimPrefix(r.Head, "refs/heads/")
	}
	if commit, ok := r.commits["refs/heads/"+name]; ok {
		return name, commit, nil
	}
	return "", "", fault.New(fault.Mistake, "write to", fmt.Sprintf("revision %q of %s", name, r.Repository), "", "it is no branch, and a commit can be made on a branch only",
		"change what the Application names as its targetRevision, or roll back without a revert")
}

// restore makes the commit with an index of its own, and lets it be read like one that was fetched.
func (m *mirror) restore(ctx context.Context, want Restoration, done Restored) (string, error) {
	m.disk.Lock()
	defer m.disk.Unlock()
	scratch, err := os.MkdirTemp(m.dir, "index-")
	if err != nil {
		return "", m.storeError(err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	env := []string{
		"GIT_INDEX_FILE=" + filepath.Join(scratch, "index"), "GIT_AUTHOR_NAME=" + want.Author, "GIT_AUTHOR_EMAIL=" + authorEmail,
		"GIT_COMMITTER_NAME=" + want.Author, "GIT_COMMITTER_EMAIL=" + authorEmail,
	}
	lines, err := m.indexLines(ctx, want.From, done.Paths)
	if err != nil {
		return "", err
	}
	tree := ""
	for _, step := range []struct {
		args  []string
		stdin []byte
	}{
		{[]string{"read-tree", done.Parent}, nil},
		{[]string{"update-index", "-z", "--index-info"}, lines},
		{[]string{"write-tree", "--missing-ok"}, nil},
	} {
		if tree, err = m.write(ctx, env, step.stdin, step.args...); err != nil {
			return "", err
		}
	}
	commit, err := m.write(ctx, env, []byte(want.Message(done.Paths)), "commit-tree", tree, "-p", done.Parent)
	if err != nil {
		return "", err
	}
	if _, err := m.write(ctx, nil, nil, "update-ref", readyRefs+commit, commit); err != nil {
		return "", err
	}
	m.store.readers.forget(m.readerDir()) // they may not see what is new
	return commit, m.becomeReady([]string{commit}, nil)
}

// indexLines says for `git update-index --index-info` what each path was at a commit; mode 0 takes it away.
func (m *mirror) indexLines(ctx context.Context, commit string, paths []string) ([]byte, error) {
	listed, err := m.write(ctx, nil, nil, "ls-tree", "-r", "-z", "--full-tree", commit)
	if err != nil {
		return nil, err
	}
	then := map[string]string{}
	for line := range strings.SplitSeq(listed, "\x00") {
		about, path, ok := strings.Cut(line, "\t")
		fields := strings.Fields(about)
		if ok && len(fields) == 3 {
			then[path] = fields[0] + " " + fields[2]
		}
	}
	var out bytes.Buffer
	for _, path := range paths {
		entry, there := then[path]
		if !there {
			entry = "0 " + strings.Repeat("0", len(commit))
		}
		fmt.Fprintf(&out, "%s\t%s\x00", entry, path)
	}
	return out.Bytes(), nil
}

// write runs git in the mirror with more environment, and returns what it says.
func (m *mirror) write(ctx context.Context, env []string, stdin []byte, args ...string) (string, error) {
	o := run(ctx, command{dir: m.gitDir(), args: args, env: append(localEnv(m.store.home), env...), stdin: stdin})
	if o.err != nil {
		return "", m.localError("write a commit into the mirror of", o)
	}
	return strings.TrimSpace(string(o.stdout)), nil
}

// CheckBranch returns a fault.Mistake for what Git takes for no name of a branch
// (https://git-scm.com/docs/git-check-ref-format), or for an option.
func CheckBranch(name string) error {
	cause := ""
	switch {
	case name == "", name == "@", name == "HEAD":
		cause = "it means something else"
	case strings.HasPrefix(name, "-"):
		cause = "it begins with -"
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\`, r) }):
		cause = "it has a character that no branch may have"
	case strings.Contains(name, ".."), strings.Contains(name, "@{"), strings.HasSuffix(name, "."):
		cause = "it has dots or an @ where no branch may have them"
	}
	for part := range strings.SplitSeq(name, "/") {
		if cause == "" && (part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock")) {
			cause = fmt.Sprintf("%q can be no part of it", part)
		}
	}
	if cause == "" {
		return nil
	}
	return fault.New(fault.Mistake, "push to", fmt.Sprintf("branch %q", name), "", cause, "choose another name")
}

// Push makes a commit of the mirror the newest one of a branch, which is made if there is none of the name. It forces
// nothing: if the branch has gone on meanwhile the error is a fault.Retry, and if the server does not take it a
// fault.Forbidden.
func (s *Store) Push(ctx context.Context, r Repository, commit, branch string) error {
	if err := CheckBranch(branch); err != nil {
		return err
	}
	m, err := s.mirror(r)
	if err != nil {
		return err
	}
	m.disk.Lock()
	defer m.disk.Unlock()
	o, err := s.talkTo(ctx, m.remote, m.base(), command{dir: m.gitDir(), args: []string{
		"push", "--quiet", "--no-verify", "--no-signed", "--end-of-options", "origin", commit + ":refs/heads/" + branch,
	}})
	if err != nil {
		return err
	}
	return m.pushError(o, branch)
}

func (m *mirror) pushError(o outcome, branch string) error {
	thing := "branch " + branch + " of " + m.remote.repo.String()
	says := "git says: " + brief(o.stderr)
	var exit *exec.ExitError
	switch {
	case o.err == nil:
		return nil
	case !errors.As(o.err, &exit):
		return unreachable("push to", m.remote.repo, ProblemStore, o.err.Error())
	case strings.Contains(o.stderr, "fetch first"), strings.Contains(o.stderr, "non-fast-forward"), strings.Contains(o.stderr, "cannot lock ref"):
		return fault.New(fault.Retry, "push to", thing, "", "it has gone on meanwhile", "try again, or push to another branch")
	case strings.Contains(o.stderr, "remote rejected"), strings.Contains(o.stderr, "pre-receive hook declined"):
		return fault.New(fault.Forbidden, "push to", thing, "", says, "push to another branch with --branch, and have it merged")
	case diagnose(o.stderr) == ProblemAuth:
		return fault.New(fault.Forbidden, "push to", thing, "", says,
			"give an account that may write in a Secret labelled argocd.argoproj.io/secret-type: repository-write for this address")
	}
	return unreachable("push to", m.remote.repo, diagnose(o.stderr), brief(o.stderr))
}
