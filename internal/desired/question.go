// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// question is what an application asks of its sources.
type question struct {
	id      string
	project string
	spec    object.Digest // of the sources and the project
	sources []v1alpha1.ApplicationSource
	wanted  []Commit       // one for each source, not resolved yet
	refs    map[string]int // the source that each ref names
	// The two below are guarded by the Engine's lock. While one of them is true nobody can say that a newer commit
	// leaves the application's State as it is.
	running bool
	failed  bool
}

func newQuestion(id, project string, sources []v1alpha1.ApplicationSource) *question {
	q := &question{id: id, project: project, sources: sources, spec: object.DigestOf([]any{sources, project})}
	for i, s := range sources {
		q.wanted = append(q.wanted, WantedOf(s, project))
		if s.Ref != "" {
			if q.refs == nil {
				q.refs = map[string]int{}
			}
			q.refs[s.Ref] = i
		}
	}
	return q
}

// WantedOf returns what a source of an application of a project asks for: a Commit that is not resolved yet.
func WantedOf(s v1alpha1.ApplicationSource, project string) Commit {
	c := Commit{Repo: Repo{URL: s.RepoURL, Project: project}, Chart: s.Chart, Revision: s.TargetRevision}
	switch {
	case s.Chart != "":
		c.Kind = KindChart
		c.PassCredentials = s.Helm != nil && s.Helm.PassCredentials
	case strings.HasPrefix(s.RepoURL, "oci://"):
		c.Kind = KindOCI
	}
	return c
}

// refName is what a ref may be, as in Argo CD.
var refName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// check finds what is wrong with the sources by themselves.
func (q *question) check() error {
	if len(q.sources) == 0 {
		return fault.New(fault.Mistake, "read", "the application", "spec.source", "it names no source", "set spec.source.repoURL and spec.source.path")
	}
	for i, s := range q.sources {
		where := q.where(i) + ".ref"
		switch {
		case s.Ref == "":
		case !refName.MatchString(s.Ref):
			return fault.New(fault.Mistake, "read", fmt.Sprintf("ref %q", s.Ref), where, "a ref is made of letters, digits, - and _ only", "choose another name")
		case s.Chart != "":
			return fault.New(fault.Mistake, "read", fmt.Sprintf("ref %q", s.Ref), where, "a source that is a chart cannot be a ref", "put the files into a Git repository of their own source")
		case q.refs[s.Ref] != i:
			return fault.New(fault.Mistake, "read", fmt.Sprintf("ref %q", s.Ref), where, "another source has the same ref", "give each source a ref of its own")
		}
	}
	return nil
}

// where names a source for error texts.
func (q *question) where(i int) string {
	if len(q.sources) == 1 {
		return "spec.source"
	}
	return fmt.Sprintf("spec.sources[%d]", i)
}

// refOnly reports whether a source is there only for others to read from.
func (q *question) refOnly(i int) bool {
	s := q.sources[i]
	return s.Ref != "" && s.Path == "" && s.Chart == ""
}

func (q *question) follows(match func(Commit) bool) bool {
	for _, c := range q.wanted {
		if match(c) {
			return true
		}
	}
	return false
}
