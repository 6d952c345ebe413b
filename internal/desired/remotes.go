// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
)

// A remote is what a render turns out to need: another repository, a chart, a file. It is resolved once for a source set
// and stays pinned with it, until one of the application's own commits moves, somebody asks for a fresh answer, or the
// remote itself is said to have moved.

// wantedOf returns what a need asks for.
func wantedOf(n render.Need, project string) Commit {
	c := Commit{Repo: Repo{URL: n.URL, Project: project}, Chart: n.Chart, Revision: n.Revision, PassCredentials: n.PassCredentials}
	switch n.Kind {
	case render.NeedChart:
		c.Kind = KindChart
	case render.NeedFile:
		c.Kind = KindFile
	}
	return c
}

// needOf returns the need that a remote answers.
func needOf(c Commit) render.Need {
	n := render.Need{Kind: render.NeedGit, URL: c.Repo.URL, Chart: c.Chart, Revision: c.Revision, PassCredentials: c.PassCredentials}
	switch c.Kind {
	case KindChart:
		n.Kind = render.NeedChart
	case KindFile:
		n.Kind = render.NeedFile
	}
	return n
}

// need returns the need that a remote answers, with who asks.
func (m *mount) need() render.Need {
	n := needOf(m.commit)
	n.Where = m.where
	return n
}

// asRemote returns the remote as a render gets it.
func (r *reading) asRemote() render.Remote {
	pin := r.commit.Digest
	if pin == "" {
		pin = r.commit.ID
	}
	return render.Remote{Need: r.need, Pin: pin, Tree: r.tracer}
}

var (
	exactCommit  = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)
	exactVersion = regexp.MustCompile(`^v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?$`)
)

// exact reports whether what is wanted is the same thing at all times.
func exact(wanted Commit) bool {
	switch wanted.Kind {
	case KindGit:
		return exactCommit.MatchString(wanted.Revision)
	case KindChart:
		return exactVersion.MatchString(wanted.Revision)
	case KindOCI:
		return strings.HasPrefix(wanted.Revision, "sha256:")
	default:
		return false
	}
}

// pinned is a source set of the past with what its renders needed.
type pinned struct {
	Commits []string `json:"commits"` // the ids
	Remotes []Commit `json:"remotes"`
}

// maxPast bounds how many source sets of an application with remotes are known: as many as its history has by default.
const maxPast = 10

// pin resolves a remote, once for an answer.
func (a *answer) pin(ctx context.Context, n render.Need) (Commit, error) {
	if err := a.permit(n); err != nil {
		return Commit{}, err
	}
	wanted := wantedOf(n, a.q.project)
	if c, ok := a.pins[wanted]; ok {
		return c, nil
	}
	c, err := a.sources.Resolve(ctx, wanted, "")
	if err != nil {
		return Commit{}, askedBy(n, "resolve", err)
	}
	a.pins[wanted] = c
	a.resolved = append(a.resolved, wanted)
	return c, nil
}

// unpin gives up a pin of the past that cannot be read any more, as after a forced push, and reports whether it did. One
// that was resolved just now is what there is, and whoever looks back wants what was then.
func (a *answer) unpin(c Commit, err error) bool {
	if !a.keeps || exact(c) || errors.Is(err, ErrUnreachable) || slices.Contains(a.resolved, c.Wanted()) {
		return false
	}
	delete(a.pins, c.Wanted())
	return true
}

// permit asks the project whether a render may read from where it wants to.
func (a *answer) permit(n render.Need) error {
	if _, named := render.RepositoryName(n.URL); named && n.Kind == render.NeedChart {
		return nil // whoever knows the address asks the project
	}
	if a.target.PermitSource == nil {
		return askedBy(n, "read", fault.New(fault.Forbidden, "read", fault.RedactURL(n.URL), "", "nothing outside of the application's own sources is permitted here", ""))
	}
	if err := a.target.PermitSource(n.URL); err != nil {
		return askedBy(n, "read", err)
	}
	return nil
}

// askedBy adds to an error what is needed and who asks.
func askedBy(n render.Need, op string, err error) error {
	n.URL = fault.RedactURL(n.URL)
	return &fault.Error{Kind: fault.KindOf(err), Op: op, Thing: n.String(), Where: n.Where, Err: err}
}

// recall fills in the pins that are known: those of the same source set, or of the last one as far as they are exact.
// Whether the project permits a repository that only has a name is found out by resolving it: those are recalled only if
// the project is the same.
func (a *answer) recall(keep, sameTarget bool, known []Commit) {
	for _, c := range known {
		_, named := render.RepositoryName(c.Repo.URL)
		if (keep || exact(c)) && (sameTarget || !named) {
			a.pins[c.Wanted()] = c
		}
	}
}

// remotesOf lists the remotes of renders, each once, sorted.
func remotesOf(sources []rendered) []Commit {
	var out []Commit
	for i := range sources {
		for _, m := range sources[i].mounts {
			if m.role == remote {
				out = append(out, m.commit)
			}
		}
	}
	return sortedCommits(out)
}

// sortedCommits sorts commits and drops repeated ones.
func sortedCommits(list []Commit) []Commit {
	slices.SortFunc(list, func(a, b Commit) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return slices.Compact(list)
}

// idsOf returns the ids of commits.
func idsOf(commits []Commit) []string {
	ids := make([]string, len(commits))
	for i, c := range commits {
		ids[i] = c.ID
	}
	return ids
}

// Pinned returns what a way back to the last source sets of an application needs besides their own commits, sorted. Of one
// that was not answered yet it is what the process before this one knew.
func (e *Engine) Pinned(id string) []Commit {
	var all []Commit
	var past []pinned
	if known := e.known(id); known != nil {
		all, past = slices.Clone(known.state.Remotes), known.past
	} else if r, err := e.loadRecord(id); err == nil && r != nil {
		all, past = r.Remotes, r.Past
	}
	for _, p := range past {
		all = append(all, p.Remotes...)
	}
	return sortedCommits(all)
}
