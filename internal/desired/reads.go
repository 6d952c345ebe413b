// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/tree"
)

// reads is a read set as it is remembered: sorted, so that what lies below a folder follows it, and without maps.
type reads []seen

// seen is one thing that a render saw of a tree.
type seen struct {
	path string
	id   string // of the content; "" means that there was nothing
	list bool   // path is a folder whose names were listed
}

// readsOf packs a read set. All its texts share one piece of memory.
func readsOf(set tree.ReadSet) reads {
	out := make(reads, 0, len(set.Paths)+len(set.Lists))
	for p, id := range set.Paths {
		out = append(out, seen{path: p, id: id})
	}
	for p, id := range set.Lists {
		out = append(out, seen{path: p, id: id, list: true})
	}
	slices.SortFunc(out, func(a, b seen) int {
		if c := comparePaths(a.path, b.path); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
	var text strings.Builder
	for _, s := range out {
		text.WriteString(s.path)
		text.WriteString(s.id)
	}
	all, at := text.String(), 0
	cut := func(s string) string {
		at += len(s)
		return all[at-len(s) : at]
	}
	for i, s := range out {
		out[i].path, out[i].id = cut(s.path), cut(s.id)
	}
	return out
}

// comparePaths orders paths as strings in which "/" comes before everything else: a folder is followed by all below it.
func comparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		x, y := a[i], b[i]
		switch {
		case x == y:
		case x == '/':
			return -1
		case y == '/':
			return 1
		case x < y:
			return -1
		default:
			return 1
		}
	}
	return len(a) - len(b)
}

// differs returns a path at which a tree shows something else than what was seen; ok is false if there is none.
func (r reads) differs(ctx context.Context, t tree.Tree) (path string, ok bool, err error) {
	for _, s := range r {
		entry, err := t.Lookup(ctx, s.path)
		if err != nil && !errors.Is(err, tree.ErrAbsent) {
			return "", false, err
		}
		if entry.ID != s.id {
			return s.path, true, nil
		}
	}
	return "", false, nil
}

// roots returns the paths under which a change concerns the reader, sorted, without those that lie below another one.
func (r reads) roots() []string {
	var out []string
	for _, s := range r {
		if n := len(out); n == 0 || !within(out[n-1], s.path) {
			out = append(out, s.path)
		}
	}
	return out
}

// within reports whether a path is a folder's or lies below it.
func within(dir, p string) bool {
	return dir == "" || p == dir || strings.HasPrefix(p, dir) && p[len(dir)] == '/'
}

// touched reports whether a change of the file at p concerns the reader.
func (r reads) touched(p string) bool {
	for at, more := p, true; more; at, more = parent(at) {
		if _, found := slices.BinarySearchFunc(r, at, func(s seen, p string) int { return comparePaths(s.path, p) }); found {
			return true
		}
	}
	return false
}
