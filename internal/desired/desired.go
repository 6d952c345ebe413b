// SPDX-License-Identifier: Apache-2.0

// Package desired goes from an Application to what its sources ask for: the source set, the rendered manifests, and
// the objects as they are to be in the cluster.
//
// The words of this room:
//
//   - Source set: every source of an application with the commit it was resolved to. It never changes; a newer commit
//     makes a new one.
//   - State: the objects an application asks for at one source set.
//   - Remote: what a render turns out to need from elsewhere (a repository, a chart, a file). It is resolved, pinned and
//     part of the source set; then the render is done again, until nothing more is needed.
//   - Mount: one tree that a render reads from: the source's own, that of a ref ($values), or a remote's.
//   - Memo: what was rendered is kept with its read sets and all else that went into it; a newer commit that changes
//     nothing of that gives the same output without rendering, under the newer commit's name.
//   - Volatile: a field whose value comes from a function that answers differently each time. It never makes a difference
//     by itself.
//   - Unreachable: the repository did not answer. The last resolved State stands then, under its own revision's name.
//   - Target: the facts about project, cluster and settings that turn manifests into objects.
//
// The controller, previews and the command line go through this room, so they cannot disagree.
package desired

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// Repo names a repository as an application of one project sees it: which credentials apply depends on both.
type Repo struct {
	URL     string
	Project string
}

// Kind is how a source is fetched.
type Kind string

// The kinds.
const (
	KindGit   Kind = ""
	KindChart Kind = "chart" // of an HTTP or OCI Helm repository
	KindOCI   Kind = "oci"
	KindFile  Kind = "file" // at an http or https address
)

// Commit is one source of a source set, or one of the remotes that its renders asked for. Commits are comparable.
type Commit struct {
	Repo     Repo
	Kind     Kind
	Chart    string // the chart's name, for KindChart
	Revision string // as the spec or the need asks
	ID       string // what it was resolved to, as status shows it: a commit, a chart's version, an OCI digest
	Digest   string // of an artifact's content; "" for Git, where ID is one
	// PassCredentials lets the credentials of a chart repository go to the other hosts that its index names.
	PassCredentials bool
}

// Wanted returns the commit as it is asked for, before it is resolved.
func (c Commit) Wanted() Commit {
	c.ID, c.Digest = "", ""
	return c
}

// sameContent reports whether two commits are of the same files for certain.
func (c Commit) sameContent(o Commit) bool {
	if c.Kind == KindGit || c.Digest == "" {
		return c.Kind == o.Kind && c.ID == o.ID && c.Repo.URL == o.Repo.URL && c.Chart == o.Chart && c.Digest == o.Digest
	}
	return c.Kind == o.Kind && c.Digest == o.Digest
}

// Sources fetches. Errors that only say that a repository did not answer satisfy errors.Is(err, ErrUnreachable). An error
// of a Tree that was not fetched whole has a method MissingPath, which names what to ask for as well.
type Sources interface {
	// Resolve fills in ID and Digest of what is wanted; a Revision of "" means HEAD, or the newest version. tagPrefix
	// narrows which Git tags a semver constraint is about. The address of a chart repository may be its name (@name,
	// alias:name): then it is for Resolve to ask whether the project permits the repository.
	Resolve(ctx context.Context, wanted Commit, tagPrefix string) (Commit, error)
	// Tree returns the tree of a commit; paths are the files and folders that a render will read, as far as is known.
	Tree(ctx context.Context, commit Commit, paths []string) (tree.Tree, error)
	// Verify returns an error if the commit's project wants signatures that the commit, or the tag that it was resolved by,
	// does not have. tagPrefix is that of Resolve.
	Verify(ctx context.Context, commit Commit, tagPrefix string) error
}

// Renderer turns a tree into manifests, or says what it needs besides.
type Renderer interface {
	Render(ctx context.Context, in render.Input) (render.Output, error)
}

// Cache keeps renders beyond the life of the process, so that a restart renders nothing again. Losing it costs time only.
// What it is handed holds Secrets.
type Cache interface {
	// Load returns what was saved last under a key; nil if there is nothing that can be trusted.
	Load(key string) ([]byte, error)
	// Save replaces what is kept under a key; nil data removes it.
	Save(key string, data []byte) error
}

// State is what an application asks for at one source set.
type State struct {
	Commits []Commit // one for each source
	// Remotes are what the renders turned out to need besides, sorted, with what each was resolved to.
	Remotes []Commit
	// Types are the tools, one for each source; "" for one that is there only for others to read from.
	Types   []v1alpha1.ApplicationSourceType
	Objects []Object
	// Digest is equal when every object is: the "rendered digest" that rules about newer commits go by.
	Digest object.Digest
	// Inputs is equal when the objects are made from the same: equal for two commits that differ only in what no render
	// reads.
	Inputs   object.Digest
	Warnings []v1alpha1.ApplicationCondition
	made     []rendered // what it was made of, for Explain
}

// Revision returns what status calls the revision: one for an application with spec.source, a list for one with
// spec.sources, were it a list of one. Of the two the one that is not meant is empty.
func (s *State) Revision(several bool) (revision string, revisions []string) {
	if several {
		return "", idsOf(s.Commits)
	}
	if len(s.Commits) == 1 {
		return s.Commits[0].ID, nil
	}
	return "", nil
}

// Find returns the object with a key.
func (s *State) Find(key object.Key) (Object, bool) {
	i := slices.IndexFunc(s.Objects, func(o Object) bool { return o.Key == key })
	if i < 0 {
		return Object{}, false
	}
	return s.Objects[i], true
}

// Object is one object as it is to be: marked, with its namespace.
type Object struct {
	Key     object.Key
	Version string // API version without the group
	Digest  object.Digest
	Origin  object.Origin
	// Volatile are the JSON pointers of the fields that a render from the same inputs may give another value; "" is the
	// whole object.
	Volatile []string
	// Refused says why the project does not permit the object; it is neither applied nor compared.
	Refused error
	// Hook says that it is made in each sync for what it does, and Aside that it takes no part in any: neither is compared.
	Hook, Aside bool
	// Wave is its place in the order of a sync.
	Wave int
	// The manifest is shared with the render it comes from; what the application adds to it is added when it is decoded.
	manifest []byte
	placed   *placement
}

// placement is what an application adds to every manifest.
type placement struct {
	tracker   object.Tracker
	instance  string
	namespace string // the destination's
}

// put gives an object its namespace and its mark.
func (p *placement) put(u *unstructured.Unstructured, namespace string) {
	u.SetNamespace(namespace)
	p.tracker.Mark(u, p.instance, p.namespace)
}

// GVK returns group, version and kind.
func (o Object) GVK() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: o.Key.Group, Version: o.Version, Kind: o.Key.Kind}
}

// Decode returns a fresh copy of the object's content.
func (o Object) Decode() *unstructured.Unstructured {
	u := o.Rendered()
	o.placed.put(u, o.Key.Namespace)
	return u
}

// Rendered returns a fresh copy of the object as its source gave it: without namespace and mark, if it has none.
func (o Object) Rendered() *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(o.manifest); err != nil {
		panic(fmt.Sprintf("desired: %s was encoded by this room and does not decode: %v", o.Key, err))
	}
	return u
}

// SourcesOf returns the sources of an application: sources when there are any, else source.
func SourcesOf(app *v1alpha1.Application) []v1alpha1.ApplicationSource {
	if len(app.Spec.Sources) > 0 {
		return app.Spec.Sources
	}
	if app.Spec.Source != nil {
		return []v1alpha1.ApplicationSource{*app.Spec.Source}
	}
	return nil
}

// ProjectOf returns the name of an application's project; empty means default.
func ProjectOf(app *v1alpha1.Application) string {
	if app.Spec.Project == "" {
		return v1alpha1.DefaultAppProjectName
	}
	return app.Spec.Project
}
