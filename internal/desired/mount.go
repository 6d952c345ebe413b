// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// mount is one tree that a render read from, and what it saw there.
type mount struct {
	// role is "" for the source's own tree, "$" and the ref for that of another source, and remote for what was needed.
	role   string
	commit Commit
	where  string // who asks, for a remote
	reads  reads
}

// remote is the role of a tree that a render asked for.
const remote = "remote"

// name says which tree it is, for people.
func (m *mount) name() string {
	switch m.role {
	case "":
		return ""
	case remote:
		return redacted(needOf(m.commit))
	default:
		return m.role
	}
}

// reading is a mount while a render reads from it.
type reading struct {
	mount
	need   render.Need // of a remote
	paths  []string    // asked for so far
	tree   *watchedTree
	tracer *tree.Tracer
}

// open has the tree fetched, and forgets what was read before.
func (r *reading) open(ctx context.Context, sources Sources) error {
	t, err := sources.Tree(ctx, r.commit, r.paths)
	if err != nil {
		return err
	}
	r.tree = &watchedTree{Tree: t}
	r.tracer = tree.Trace(r.tree)
	return nil
}

// rewind forgets what was read.
func (r *reading) rewind() { r.tracer = tree.Trace(r.tree) }

// more adds what was missing to the paths to ask for; ok is false if nothing new was.
func (r *reading) more(missing []string, fetches int) (ok bool) {
	for _, p := range missing {
		p = widened(p, fetches)
		if !slices.ContainsFunc(r.paths, func(asked string) bool { return within(asked, p) }) {
			r.paths, ok = append(r.paths, p), true
		}
	}
	return ok
}

// widened returns what to ask for when a file is missing: the file, then its folder, and the folders above the more often
// something was missing before, for links and bases may lead through many files one by one. The whole repository comes
// last: it may be very large.
func widened(p string, fetches int) string {
	for range (fetches + 1) / 2 {
		up, ok := parent(p)
		if !ok || up == "" && fetches < maxFetches/2 {
			break
		}
		p = up
	}
	return p
}

// done returns what is remembered of it.
func (r *reading) done() mount {
	r.reads = readsOf(r.tracer.ReadSet())
	return r.mount
}

// watchedTree notes what of a Tree could not be read, whatever becomes of the error on its way through a worker and a
// tool: a render that met it is not to be trusted.
type watchedTree struct {
	tree.Tree
	mu      sync.Mutex
	missing []string // what was not fetched
	failure error    // the first error that was met
}

func (t *watchedTree) note(err error) {
	if err == nil || errors.Is(err, tree.ErrAbsent) || errors.Is(err, tree.ErrTooLarge) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var missing interface{ MissingPath() string }
	if errors.As(err, &missing) {
		t.missing = append(t.missing, missing.MissingPath())
	}
	if t.failure == nil {
		t.failure = err
	}
}

// met returns what was noted, and forgets it.
func (t *watchedTree) met() (missing []string, failure error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	missing, failure = t.missing, t.failure
	t.missing, t.failure = nil, nil
	return missing, failure
}

func (t *watchedTree) Lookup(ctx context.Context, p string) (tree.Entry, error) {
	e, err := t.Tree.Lookup(ctx, p)
	t.note(err)
	return e, err
}

func (t *watchedTree) List(ctx context.Context, p string) ([]tree.Entry, error) {
	entries, err := t.Tree.List(ctx, p)
	t.note(err)
	return entries, err
}

func (t *watchedTree) Read(ctx context.Context, p string, limit int64) ([]byte, error) {
	data, err := t.Tree.Read(ctx, p, limit)
	t.note(err)
	return data, err
}

// planned are the paths that a source is known to read before it is rendered: in its own tree for a ref of "", else in
// that of the ref.
func planned(in render.Input, ref string) []string {
	var paths []string
	own, _ := tree.Clean(in.Source.Path) // a path that climbs out is refused by render
	if ref == "" && in.Source.Plugin != nil {
		return []string{""} // plugins get the whole repository
	}
	if ref == "" {
		paths = append(paths, own)
	}
	if in.Source.Helm == nil {
		return paths
	}
	files := slices.Clone(in.Source.Helm.ValueFiles)
	for _, f := range in.Source.Helm.FileParameters {
		files = append(files, f.Path)
	}
	for _, file := range files {
		if p, ok := plannedFile(file, own, ref); ok && !slices.ContainsFunc(paths, func(asked string) bool { return within(asked, p) }) {
			paths = append(paths, p)
		}
	}
	return paths
}

// plannedFile returns where a value file lies in the tree of a ref; ok is false if it lies elsewhere. What is not known
// before (globs, variables) is cut off: then it is the folder.
func plannedFile(file, own, ref string) (p string, ok bool) {
	if name, rest, found := strings.Cut(strings.TrimPrefix(file, "$"), "/"); strings.HasPrefix(file, "$") {
		if ref == "" || name != ref || !found {
			return "", false
		}
		file = "/" + rest
	} else if ref != "" || strings.Contains(file, "://") {
		return "", false
	}
	if i := strings.IndexAny(file, "*?[{$"); i >= 0 {
		file = file[:strings.LastIndexByte(file[:i], '/')+1]
	}
	if !strings.HasPrefix(file, "/") {
		file = own + "/" + file
	}
	p, ok = tree.Clean(file)
	return p, ok && p != "" // the whole repository is no plan
}
