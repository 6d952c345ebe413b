// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bowline-cd/bowline/test/gitserver"
)

// repo create|commit|write|link|rm|branch|delete-branch|tag|open|expire ... [repo=NAME] [branch=BRANCH]
func repo(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	opts, args := options(args, "repo", "branch", "message", "as")
	if len(args) == 0 {
		ts.Fatalf("usage: repo create|commit|write|link|rm|branch|delete-branch|tag|open|expire ... [repo=NAME] [branch=BRANCH]")
	}
	verb, args := args[0], args[1:]
	if verb == "create" {
		s.createRepo(ts, strings.Join(args, ""))
		return
	}
	r := s.repo(ts, opts["repo"])
	change := gitserver.Change{Branch: opts["branch"], Message: opts["message"], Files: map[string]string{}, Links: map[string]string{}}
	switch {
	case verb == "commit" && (len(args) == 1 || len(args) == 2):
		// The path becomes exactly what the folder holds.
		to := path.Clean(strings.Join(args[1:], ""))
		change.Delete = existing(r, change.Branch, to)
		change.Files = folder(ts, args[0], to)
	case verb == "write" && len(args) == 2:
		change.Files[args[0]] = expand(ts, ts.ReadFile(args[1]))
	case verb == "link" && len(args) == 2:
		change.Links[args[0]] = args[1]
	case verb == "rm" && len(args) > 0:
		change.Delete = args
	case verb == "branch" && len(args) == 2:
		ts.Check(r.Point("refs/heads/"+args[0], args[1]))
		return
	case verb == "delete-branch" && len(args) == 1:
		ts.Check(r.Remove("refs/heads/" + args[0]))
		return
	case verb == "tag" && len(args) == 2:
		ts.Check(r.Tag(args[0], args[1], ""))
		return
	case verb == "open" && len(args) == 0:
		ts.Check(r.Configure("http.receivepack", "true"))
		return
	case verb == "expire":
		ts.Check(r.Expire())
		return
	default:
		ts.Fatalf("repo %s %v: no such verb, or not its arguments", verb, args)
	}
	commit, err := r.Commit(change)
	ts.Check(err)
	ts.Setenv("PREV", ts.Getenv("HEAD"))
	ts.Setenv("HEAD", commit)
	if opts["as"] != "" {
		ts.Setenv(opts["as"], commit)
	}
}

// createRepo makes a repository; its address is REPO for the first, and REPO_NAME for each.
func (s *story) createRepo(ts *testscript.TestScript, name string) {
	name = cmp.Or(name, "infra")
	r, err := s.git.Create(name)
	ts.Check(err)
	if len(s.repos) == 0 {
		ts.Setenv("REPO", r.URL)
		s.repos[""] = r
	}
	s.repos[name] = r
	ts.Setenv("REPO_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_")), r.URL)
}

func (s *story) repo(ts *testscript.TestScript, name string) *gitserver.Repo {
	r := s.repos[name]
	if r == nil {
		ts.Fatalf("there is no repository %q: `repo create` makes one", name)
	}
	return r
}

// existing returns what is to be removed so that a path holds nothing, if the branch has it.
func existing(r *gitserver.Repo, branch, at string) []string {
	if _, err := r.Head(cmp.Or(branch, "main")); err != nil {
		return nil
	}
	if at == "." {
		return []string{""}
	}
	return []string{at}
}

// folder reads the files of a folder, variables replaced.
func folder(ts *testscript.TestScript, dir, to string) map[string]string {
	root := ts.MkAbs(dir)
	files := map[string]string{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		files[path.Join(to, filepath.ToSlash(relative))] = expand(ts, string(text))
		return err
	})
	ts.Check(err)
	return files
}

var troubles = map[string]gitserver.Trouble{
	"refuse": gitserver.Refuse, "fail": gitserver.Fail, "hang": gitserver.Hang, "hang-fetch": gitserver.HangFetch,
	"half-fetch": gitserver.HalfFetch, "half-refs": gitserver.HalfRefs, "wrong-account": gitserver.WrongAccount,
	"gone": gitserver.Gone, "overloaded": gitserver.Overloaded, "none": gitserver.None,
}

// git TROUBLE makes the story's Git server misbehave until `git none`; git account chooses who may read; git reset, git
// counts and git requests are about requests.
func git(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: git TROUBLE, git account USER PASSWORD, git reset, git counts or git requests COUNT [repo=NAME]")
	}
	s, verb := of(ts), args[0]
	if trouble, ok := troubles[verb]; ok {
		s.git.Misbehave(trouble)
		return
	}
	switch verb {
	case "account":
		if len(args) != 3 {
			ts.Fatalf("usage: git account USER PASSWORD")
		}
		s.git.SetAccount(args[1], args[2])
	case "requests":
		s.requests(ts, args[1:])
	case "reset":
		s.git.ResetCounts()
	case "counts":
		c := s.git.Counts()
		_, err := fmt.Fprintf(ts.Stdout(), "advertise=%d ls-refs=%d fetch=%d other=%d\n", c.Advertise, c.LsRefs, c.Fetch, c.Other)
		ts.Check(err)
	default:
		ts.Fatalf("git %s: neither a trouble nor a verb", verb)
	}
}

// requests counts what the Git server was asked since its start or the last reset, about one repository if one is named.
func (s *story) requests(ts *testscript.TestScript, args []string) {
	opts, args := options(args, "repo")
	if len(args) != 1 {
		ts.Fatalf("usage: git requests COUNT [repo=NAME]")
	}
	var found []string
	for _, line := range s.git.Log() {
		if opts["repo"] == "" || strings.Contains(line, " /"+opts["repo"]+".git/") {
			found = append(found, line)
		}
	}
	ok, err := enough(args[0], len(found))
	ts.Check(err)
	if !ok {
		ts.Fatalf("%d requests, want %s:\n%s", len(found), args[0], strings.Join(found, "\n"))
	}
}
