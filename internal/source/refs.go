// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
)

// Revision is what a user asks for.
type Revision struct {
	// Name is a branch, a tag, HEAD or "", a commit of 7 to 64 digits, refs/…, or a semver constraint on tags.
	Name string
	// TagPrefix limits a constraint to tags that begin with it; the version is what follows.
	TagPrefix string
	// Chart is the name of a chart, for a repository of charts: Name is a version or a constraint on versions then (see
	// Artifact). Without it Name is, for a repository of type oci, a tag, a digest or a constraint on tags.
	Chart string
	// PassCredentials is that of the Artifact.
	PassCredentials bool
}

func (r Revision) String() string {
	if r.Name == "" {
		return "HEAD"
	}
	return r.Name
}

// LogValue implements slog.LogValuer.
func (r Revision) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Refs is what a repository said its refs are.
type Refs struct {
	Repository Repository
	At         time.Time // when it was asked
	Head       string    // ref that HEAD points to; "" if unknown
	commits    map[string]string
	tags       map[string]string // refs of annotated tags, with the ids of the tag objects
}

// parsedRefs gathers refs while they are read.
type parsedRefs struct {
	head    string
	commits map[string]string
	tags    map[string]string
}

var (
	objectID = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	shortID  = regexp.MustCompile(`^[0-9a-fA-F]{7,63}$`)
)

// IsCommitID reports whether s is the whole id of a commit.
func IsCommitID(s string) bool { return objectID.MatchString(strings.ToLower(s)) }

const peeledMark = "^{}"

// add takes a ref; what an annotated tag points to (name^{}) wins over the tag object itself.
func (p *parsedRefs) add(id, name string) error {
	if !objectID.MatchString(id) || name == "" || control.MatchString(name) {
		return errPkt
	}
	if p.commits == nil {
		p.commits, p.tags = map[string]string{}, map[string]string{}
	}
	if base, ok := strings.CutSuffix(name, peeledMark); ok {
		if tag, ok := p.commits[base]; ok {
			p.tags[base] = tag
		}
		p.commits[base] = id
		return nil
	}
	if _, ok := p.commits[name]; ok {
		p.tags[name] = id
		return nil
	}
	p.commits[name] = id
	return nil
}

// parseLsRemote reads the output of `git ls-remote --symref`: "ref: refs/heads/main\tHEAD", "<id>\t<name>".
func parseLsRemote(out []byte) (parsedRefs, error) {
	var p parsedRefs
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		left, name, ok := strings.Cut(line, "\t")
		if !ok {
			return parsedRefs{}, fmt.Errorf("%w: %.80q", errPkt, line)
		}
		if target, symbolic := strings.CutPrefix(left, "ref: "); symbolic {
			if name == "HEAD" {
				p.head = target
			}
			continue
		}
		if err := p.add(left, name); err != nil {
			return parsedRefs{}, fmt.Errorf("%w: %.80q", err, line)
		}
	}
	return p, nil
}

// Resolve returns the commit of a revision: what these refs say it is, or for a whole commit id the id itself (not
// verified). A short id is only found if a ref points to it; Store.Resolve searches further.
// The error is a fault.Mistake around an *UnknownRevisionError.
func (r Refs) Resolve(revision Revision) (string, error) {
	name := revision.Name
	switch {
	case name == "" || name == "HEAD":
		return r.head()
	case strings.HasPrefix(name, "refs/"):
		if id, ok := r.commits[name]; ok {
			return id, nil
		}
		return "", r.unknown(name, "there is no such ref", "")
	case IsCommitID(name):
		return strings.ToLower(name), nil
	}
	if ref, ok := r.newest(revision); ok {
		return r.commits[ref], nil
	}
	if id, found, err := r.named(name); found {
		return id, err
	}
	if id, ok := r.tip(name); ok {
		return id, nil
	}
	return "", r.unknownName(revision)
}

func (r Refs) head() (string, error) {
	if id, ok := r.commits["HEAD"]; ok {
		return id, nil
	}
	if len(r.commits) == 0 {
		return "", r.unknown("HEAD", "the repository has no commits", "push a first commit")
	}
	if r.Head != "" {
		return "", r.unknown("HEAD", "the default branch "+strings.TrimPrefix(r.Head, "refs/heads/")+" does not exist",
			"set targetRevision to a branch that exists, or the repository's default branch")
	}
	return "", r.unknown("HEAD", "the repository has no default branch", "set targetRevision to a branch")
}

// named finds a branch or tag of that name; found is true with an error if both exist.
func (r Refs) named(name string) (id string, found bool, err error) {
	branch, isBranch := r.commits["refs/heads/"+name]
	tag, isTag := r.commits["refs/tags/"+name]
	switch {
	case isBranch && isTag:
		return "", true, r.unknown(name, "there is a branch and a tag of this name",
			"write refs/heads/"+name+" for the branch or refs/tags/"+name+" for the tag")
	case isBranch:
		return branch, true, nil
	case isTag:
		return tag, true, nil
	}
	return "", false, nil
}

// newest finds the ref of the highest tag that satisfies a constraint. What parses as a version is a name, not a constraint
// ("1.2" and "v1" are tags or branches), as in Argo CD; and a constraint that tags satisfy wins over a branch of its name.
func (r Refs) newest(revision Revision) (string, bool) {
	constraint := constraintOf(revision.Name)
	if constraint == nil {
		return "", false
	}
	var best *semver.Version
	ref := ""
	for name := range r.commits {
		tag, ok := strings.CutPrefix(name, "refs/tags/"+revision.TagPrefix)
		if !ok {
			continue
		}
		version, err := semver.NewVersion(tag)
		if err != nil || !constraint.Check(version) {
			continue
		}
		// Equal versions under two names ("v1.0.0", "1.0.0") must not depend on the order of a map.
		if order := compareVersions(version, best); order > 0 || order == 0 && version.Original() > best.Original() {
			best, ref = version, name
		}
	}
	return ref, best != nil
}

func compareVersions(a, b *semver.Version) int {
	if b == nil {
		return 1
	}
	return a.Compare(b)
}

func constraintOf(name string) *semver.Constraints {
	if _, err := semver.NewVersion(name); err == nil {
		return nil
	}
	constraint, err := semver.NewConstraint(name)
	if err != nil {
		return nil
	}
	return constraint
}

// tagOf returns the ref of the annotated tag that a revision stands for, and the id of the tag object; ok is false if
// it stands for something else.
func (r Refs) tagOf(revision Revision) (ref, id string, ok bool) {
	name := revision.Name
	switch {
	case name == "", name == "HEAD", IsCommitID(name):
		return "", "", false
	case strings.HasPrefix(name, "refs/"):
		ref = name
	default:
		if ref, ok = r.newest(revision); !ok {
			if _, branch := r.commits["refs/heads/"+name]; !branch {
				ref = "refs/tags/" + name
			}
		}
	}
	id, ok = r.tags[ref]
	return ref, id, ok
}

// tip finds the only commit that a ref points to and whose id begins with a short id.
func (r Refs) tip(name string) (string, bool) {
	if !shortID.MatchString(name) {
		return "", false
	}
	found := ""
	for _, id := range r.commits {
		if strings.HasPrefix(id, strings.ToLower(name)) && id != found {
			if found != "" {
				return "", false
			}
			found = id
		}
	}
	return found, found != ""
}

// Tags returns the names of the tags that point to a commit, sorted.
func (r Refs) Tags(commit string) []string {
	var out []string
	for name, id := range r.commits {
		if tag, ok := strings.CutPrefix(name, "refs/tags/"); ok && id == commit {
			out = append(out, tag)
		}
	}
	slices.Sort(out)
	return out
}

func (r Refs) unknown(revision, detail, fix string) error {
	if fix == "" {
		fix = "set targetRevision to a branch, tag or commit that exists"
	}
	return unknownRevision(r.Repository, revision, detail, fix)
}

func (r Refs) unknownName(revision Revision) error {
	if constraintOf(revision.Name) != nil {
		detail := "no tag satisfies this constraint"
		if revision.TagPrefix != "" {
			detail = "no tag that begins with " + revision.TagPrefix + " satisfies this constraint"
		}
		return r.unknown(revision.Name, detail, "push such a tag, or widen the constraint")
	}
	return r.unknown(revision.Name, "there is no branch, tag or commit of this name", "")
}
