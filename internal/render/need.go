// SPDX-License-Identifier: Apache-2.0

package render

import (
	"strings"

	"github.com/bowline-cd/bowline/internal/tree"
)

// NeedKind is what kind of thing lies elsewhere.
type NeedKind string

// The kinds.
const (
	// NeedGit is a repository at a revision: a remote base of Kustomize. Its Remote is the tree of the commit.
	NeedGit NeedKind = "git"
	// NeedChart is a chart of an HTTP or OCI repository. Its Remote is the unpacked archive, with Chart.yaml at the root.
	NeedChart NeedKind = "chart"
	// NeedFile is a file at an http or https address. Its Remote is a tree of one file named FileName.
	NeedFile NeedKind = "file"
)

// FileName is the name of the only file in the Remote of a NeedFile.
const FileName = "file"

// Need is something that lies elsewhere. It is comparable but for Where, which says who asks; see Key.
type Need struct {
	Kind NeedKind
	// URL is the address: of the repository for NeedGit and NeedChart (oci://host/path for OCI), of the file for NeedFile.
	URL string
	// Chart is the name of the chart, for NeedChart.
	Chart string
	// Revision is a branch, tag, commit or semver constraint ("" means HEAD) for NeedGit, a version or constraint for
	// NeedChart ("" means the newest), "" for NeedFile.
	Revision string
	// PassCredentials lets the credentials of a chart repository go to the other hosts that its index names. The source
	// decides it: what a render says of it does not count.
	PassCredentials bool
	// Where names the file, and line if it is known, or the field that asks for it.
	Where string
}

// Key is equal for needs of the same thing.
func (n Need) Key() string {
	return strings.Join([]string{string(n.Kind), n.URL, n.Chart, n.Revision}, "\x00")
}

// String names the thing for people.
func (n Need) String() string {
	s := n.URL
	if n.Chart != "" {
		s = "chart " + n.Chart + " of " + s
	}
	if n.Revision != "" {
		s += " at " + n.Revision
	}
	return s
}

// RepositoryName returns the name that stands for the address of a chart repository in a chart's dependencies: @name or
// alias:name (https://helm.sh/docs/helm/helm_dependency/). ok is false for an address.
func RepositoryName(url string) (name string, ok bool) {
	for _, prefix := range []string{"@", "alias:"} {
		if name, ok := strings.CutPrefix(url, prefix); ok {
			return name, true
		}
	}
	return "", false
}

// Remote is what a Need was resolved to.
type Remote struct {
	Need Need
	// Pin is the commit, or the digest of the archive or file.
	Pin  string
	Tree tree.Tree
}

// Remote returns what a need was resolved to; ok is false if it was not yet.
func (in Input) Remote(n Need) (r Remote, ok bool) {
	key := n.Key()
	for _, r := range in.Remotes {
		if r.Need.Key() == key {
			return r, true
		}
	}
	return Remote{}, false
}
