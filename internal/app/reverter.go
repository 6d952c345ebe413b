// SPDX-License-Identifier: Apache-2.0

package app

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	authentication "k8s.io/api/authentication/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/app/rollback"
	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/source"
)

// reverter takes back in Git what changed an application, in this process, with the controller's own rooms.
func reverter(ctx context.Context, req rollback.Revert) (rollback.Reverted, error) {
	kube, err := req.Session.Config()
	if err != nil {
		return rollback.Reverted{}, err
	}
	namespace := req.Session.Namespace
	name, err := served("revert", req.Name, namespace)
	if err != nil {
		return rollback.Reverted{}, err
	}
	dir, err := os.MkdirTemp("", "bowline-revert-")
	if err != nil {
		return rollback.Reverted{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p, err := newPreview(ctx, tuned(kube), namespace, dir, "")
	if err != nil {
		return rollback.Reverted{}, err
	}
	defer p.close()
	p.sources.current = func() *configuration.Snapshot {
		s := *p.settings.Current()
		s.Credentials = s.Credentials.Writing()
		return &s
	}
	r := revert{preview: p, req: req, name: name, app: &v1alpha1.Application{}}
	if err := get(ctx, p.client, r.app, namespace, name, "application"); err != nil {
		return rollback.Reverted{}, err
	}
	return r.run(ctx)
}

// revert is one request on its way.
type revert struct {
	*preview
	req   rollback.Revert
	name  string
	app   *v1alpha1.Application
	entry v1alpha1.RevisionHistory
	then  []string       // revisions of the entry
	now   *desired.State // what the sources ask for now
	was   *desired.State // what they asked for at the entry
	at    []int          // sources whose commit is another one now, all of one repository and branch
}

func (r *revert) run(ctx context.Context) (rollback.Reverted, error) {
	if r.req.Branch != "" {
		if err := source.CheckBranch(r.req.Branch); err != nil {
			return rollback.Reverted{}, err
		}
	}
	if err := r.compare(ctx); err != nil {
		return rollback.Reverted{}, err
	}
	first := r.now.Commits[r.at[0]]
	repo, err := r.sources.repository(first)
	if err != nil {
		return rollback.Reverted{}, err
	}
	by := r.whoami(ctx)
	made, err := r.store.Restore(ctx, repo, source.Restoration{
		Branch: first.Revision, From: r.then[r.at[0]], Author: cmp.Or(by, "Bowline"),
		Concerns: func(path string) bool { return r.now.Touches(first.Repo, path) || r.was.Touches(first.Repo, path) },
		Message:  func(paths []string) string { return r.message(paths, by) },
	})
	if err != nil {
		return rollback.Reverted{}, err
	}
	if err := r.verify(ctx, made.Commit); err != nil {
		return rollback.Reverted{}, err
	}
	out := rollback.Reverted{Repo: repo.String(), Branch: cmp.Or(r.req.Branch, made.Branch), Onto: made.Branch, Commit: made.Commit, Paths: made.Paths, Entry: r.entry.ID}
	if r.req.DryRun {
		return out, nil
	}
	out.Pushed = true
	return out, r.store.Push(ctx, repo, made.Commit, out.Branch)
}

func (r *revert) refuse(cause, fix string) error {
	return fault.New(fault.Mistake, "revert", "application "+r.app.Namespace+"/"+r.name, "", cause, fix)
}

// compare finds out what the sources ask for now and at the entry, and in which repository they differ.
func (r *revert) compare(ctx context.Context) (err error) {
	if r.entry, err = client.RollbackTarget(r.app, r.req.ID); err != nil {
		return err
	}
	sources, before := desired.SourcesOf(r.app), []v1alpha1.ApplicationSource(r.entry.Sources)
	r.then = r.entry.Revisions
	if len(before) == 0 {
		before, r.then = []v1alpha1.ApplicationSource{r.entry.Source}, []string{r.entry.Revision}
	}
	if object.DigestOf(sources) != object.DigestOf(before) || len(r.then) != len(sources) {
		return r.refuse(fmt.Sprintf("its sources in the spec are not those of entry %d of its history", r.entry.ID),
			"take that back where the Application is written, or roll back without --revert")
	}
	if r.now, err = r.desired(ctx, r.name, nil); err != nil {
		return err
	}
	if r.was, err = r.desired(ctx, r.name, r.then); err != nil {
		return err
	}
	return r.locate()
}

// locate finds the one branch of one repository in which the sources differ.
func (r *revert) locate() error {
	for i, c := range r.now.Commits {
		if c.ID == r.then[i] {
			continue
		}
		if c.Kind != desired.KindGit {
			return r.refuse(fmt.Sprintf("source %s is no Git repository: its version came from a registry", fault.RedactURL(c.Repo.URL)),
				"name the earlier version as its targetRevision, or roll back without --revert")
		}
		if len(r.at) > 0 {
			if o := r.now.Commits[r.at[0]]; o.Repo != c.Repo || o.Revision != c.Revision || r.then[r.at[0]] != r.then[i] {
				return r.refuse("its sources changed in several places, and one commit cannot take that back", "revert in each of them by hand, or roll back without --revert")
			}
		}
		r.at = append(r.at, i)
	}
	if len(r.at) == 0 {
		return r.refuse(fmt.Sprintf("its sources are at the commits of entry %d of its history", r.entry.ID), "name another entry of `bowline app history`")
	}
	return nil
}

// verify renders the commit before anybody else sees it: it has to give what was deployed.
func (r *revert) verify(ctx context.Context, commit string) error {
	revisions := make([]string, len(r.now.Commits))
	for i, c := range r.now.Commits {
		revisions[i] = c.ID
		if slices.Contains(r.at, i) {
			revisions[i] = commit
		}
	}
	made, err := r.desired(ctx, r.name, revisions)
	if err != nil {
		return err
	}
	if made.Digest != r.was.Digest {
		return r.refuse(fmt.Sprintf("with its files given back it would not render what entry %d of its history does", r.entry.ID),
			"something it needs from elsewhere has changed: roll back without --revert")
	}
	return nil
}

// message is that of the commit.
func (r *revert) message(paths []string, by string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Revert %s to %s\n\nGives back what application %s/%s read at commit %s (entry %d of its history):\n\n",
		r.name, shortID(r.then[r.at[0]]), r.app.Namespace, r.name, r.then[r.at[0]], r.entry.ID)
	for _, path := range paths {
		fmt.Fprintf(&b, "    %s\n", path)
	}
	if r.req.Reason != "" {
		fmt.Fprintf(&b, "\nReason: %s\n", r.req.Reason)
	}
	if by != "" {
		fmt.Fprintf(&b, "\nRequested-by: %s\n", by)
	}
	return b.String()
}

func shortID(commit string) string { return commit[:min(len(commit), 7)] }

// whoami returns the name by which the API server knows this client; "" if it does not say.
func (p *preview) whoami(ctx context.Context) string {
	review := &authentication.SelfSubjectReview{}
	if err := p.client.Create(ctx, review); err != nil {
		return ""
	}
	return review.Status.UserInfo.Username
}
