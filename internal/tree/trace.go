// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
)

// ReadSet is what a reader saw of a Tree. The zero value is empty.
type ReadSet struct {
	// Paths holds every path looked at with the id of what was there, or "" where there was nothing.
	// A folder is here only if something depended on all that is below it: a mount, of which nothing but this is noted.
	Paths map[string]string
	// Lists holds every folder that was listed, with the id it had: a name added or removed there changes it.
	Lists map[string]string
}

// Holds reports whether t shows a reader the same as the tree the set was read from.
func (s ReadSet) Holds(ctx context.Context, t Tree) (bool, error) {
	for _, seen := range []map[string]string{s.Paths, s.Lists} {
		for p, id := range seen {
			now, err := idAt(ctx, t, p)
			if err != nil {
				return false, err
			}
			if now != id {
				return false, nil
			}
		}
	}
	return true, nil
}

func idAt(ctx context.Context, t Tree, p string) (string, error) {
	e, err := t.Lookup(ctx, p)
	if errors.Is(err, ErrAbsent) {
		return "", nil
	}
	return e.ID, err
}

// Touched reports whether a change of the file at p, as a tree diff names it, can concern the reader.
func (s ReadSet) Touched(p string) bool {
	for _, at := range ancestors(p) {
		if _, ok := s.Lists[at]; ok {
			return true
		}
		if _, ok := s.Paths[at]; ok {
			return true
		}
	}
	return false
}

// Roots returns the paths of the set under which a change concerns the reader, sorted, without those that lie
// below another one.
func (s ReadSet) Roots() []string {
	all := slices.Sorted(maps.Keys(s.Lists))
	all = append(all, slices.Sorted(maps.Keys(s.Paths))...)
	slices.Sort(all)
	roots := make([]string, 0, len(all))
	for _, p := range all {
		if n := len(roots); n > 0 && (roots[n-1] == "" || roots[n-1] == p || strings.HasPrefix(p, roots[n-1]+"/")) {
			continue
		}
		roots = append(roots, p)
	}
	return roots
}

// ancestors returns p and every folder above it, the root ("") last.
func ancestors(p string) []string {
	out := []string{p}
	for p != "" {
		i := strings.LastIndexByte(p, '/')
		if i < 0 {
			p = ""
		} else {
			p = p[:i]
		}
		out = append(out, p)
	}
	return out
}

// Tracer is a Tree that remembers what was read through it. It is safe for concurrent use.
type Tracer struct {
	tree Tree
	mu   sync.Mutex
	set  ReadSet
}

// Trace returns a Tracer over t.
func Trace(t Tree) *Tracer {
	return &Tracer{tree: t, set: ReadSet{Paths: map[string]string{}, Lists: map[string]string{}}}
}

// ReadSet returns a copy of what was read so far.
func (t *Tracer) ReadSet() ReadSet {
	t.mu.Lock()
	defer t.mu.Unlock()
	return ReadSet{Paths: maps.Clone(t.set.Paths), Lists: maps.Clone(t.set.Lists)}
}

// Root returns the id of the traced tree. It is not recorded: it names all content at once, and whoever makes
// an output depend on it makes every commit a new one.
func (t *Tracer) Root() string { return t.tree.Root() }

// Lookup implements Tree. A folder's id is not recorded: that it is a folder is seen from what is read in it,
// and its id would make the reader depend on everything below.
func (t *Tracer) Lookup(ctx context.Context, p string) (Entry, error) {
	if inside, err := t.noteMount(ctx, p); err != nil {
		return Entry{}, err
	} else if inside {
		return t.tree.Lookup(ctx, p)
	}
	e, err := t.tree.Lookup(ctx, p)
	switch {
	case errors.Is(err, ErrAbsent):
		t.note(t.set.Paths, p, "")
	case err == nil && e.Mode != Dir:
		t.note(t.set.Paths, p, e.ID)
	}
	return e, err
}

// List implements Tree.
func (t *Tracer) List(ctx context.Context, p string) ([]Entry, error) {
	if inside, err := t.noteMount(ctx, p); err != nil {
		return nil, err
	} else if inside {
		return t.tree.List(ctx, p)
	}
	entries, err := t.tree.List(ctx, p)
	if errors.Is(err, ErrAbsent) {
		t.note(t.set.Paths, p, "")
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	dir, err := t.tree.Lookup(ctx, p)
	if err != nil {
		return nil, err
	}
	t.note(t.set.Lists, p, dir.ID)
	return entries, nil
}

// Read implements Tree.
func (t *Tracer) Read(ctx context.Context, p string, limit int64) ([]byte, error) {
	if _, err := t.Lookup(ctx, p); err != nil {
		return nil, err
	}
	return t.tree.Read(ctx, p, limit)
}

// noteMount reports whether p is in a mount, and notes the mount. A change of what is mounted is told of as one of the
// mount itself, so single files below it would not be found again.
func (t *Tracer) noteMount(ctx context.Context, p string) (bool, error) {
	mounted, ok := t.tree.(Mounted)
	if !ok {
		return false, nil
	}
	at, id, inside, err := mounted.Mount(ctx, p)
	if inside {
		t.note(t.set.Paths, at, id)
	}
	return inside, err
}

func (t *Tracer) note(set map[string]string, p, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	set[p] = id
}
