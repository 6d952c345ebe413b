// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"sort"
	"strings"

	"github.com/bowline-cd/bowline/internal/tree"
)

// archiveTree is the tree of an unpacked archive. What it lists was made from an archive whose digest was right, in
// this process; what it reads has to have the sum that was found then.
type archiveTree struct {
	pack    *os.File // stays readable when the file is removed; closed when nobody holds the tree any more
	entries []packed // in the order of the paths' bytes
	root    string
	// damaged is told that the pack does not hold what it should.
	damaged func()
}

// newArchiveTree gives folders their sums, each made of what it lists.
func newArchiveTree(pack *os.File, entries []packed, damaged func()) *archiveTree {
	t := &archiveTree{pack: pack, entries: entries, damaged: damaged}
	root := t.seal("")
	t.root = hex.EncodeToString(root[:])
	return t
}

func (t *archiveTree) seal(dir string) [sha256.Size]byte {
	hash := sha256.New()
	for i := range t.children(dir) {
		e := &t.entries[i]
		if e.mode == tree.Dir {
			e.sum = t.seal(e.path)
		}
		_, _ = io.WriteString(hash, baseName(e.path)+"\x00"+string(rune('0'+e.mode)))
		_, _ = hash.Write(e.sum[:])
	}
	return [sha256.Size]byte(hash.Sum(nil))
}

// from returns the place of the first path that is not before p.
func (t *archiveTree) from(p string) int {
	return sort.Search(len(t.entries), func(i int) bool { return t.entries[i].path >= p })
}

// children iterates over the places of what a folder lists. What lies below a subfolder stands together in the order of
// the bytes and is jumped over.
func (t *archiveTree) children(dir string) func(func(int) bool) {
	prefix := ""
	if dir != "" {
		prefix = dir + "/"
	}
	return func(yield func(int) bool) {
		for i := t.from(prefix); i < len(t.entries) && strings.HasPrefix(t.entries[i].path, prefix); {
			name, _, deeper := strings.Cut(t.entries[i].path[len(prefix):], "/")
			if deeper {
				i = t.from(prefix + name + "0") // "0" follows "/"
				continue
			}
			if !yield(i) {
				return
			}
			i++
		}
	}
}

func baseName(p string) string { return p[strings.LastIndexByte(p, '/')+1:] }

func (e packed) entry() tree.Entry {
	out := tree.Entry{Name: baseName(e.path), Mode: e.mode, ID: hex.EncodeToString(e.sum[:]), Size: e.size}
	if e.mode == tree.Dir {
		out.Size = -1
	}
	return out
}

func (t *archiveTree) find(p string) (packed, bool) {
	i := t.from(p)
	if i == len(t.entries) || t.entries[i].path != p {
		return packed{}, false
	}
	return t.entries[i], true
}

// Root implements tree.Tree.
func (t *archiveTree) Root() string { return t.root }

// Lookup implements tree.Tree.
func (t *archiveTree) Lookup(_ context.Context, p string) (tree.Entry, error) {
	if p == "" {
		return tree.Entry{Mode: tree.Dir, ID: t.root, Size: -1}, nil
	}
	e, ok := t.find(p)
	if !ok {
		return tree.Entry{}, tree.ErrAbsent
	}
	return e.entry(), nil
}

// List implements tree.Tree.
func (t *archiveTree) List(_ context.Context, p string) ([]tree.Entry, error) {
	if e, ok := t.find(p); p != "" && (!ok || e.mode != tree.Dir) {
		return nil, tree.ErrAbsent
	}
	var out []tree.Entry
	for i := range t.children(p) {
		out = append(out, t.entries[i].entry())
	}
	// "a-b" stands before "a/…" but after "a", so the children are in the order of their names already.
	return out, nil
}

// Read implements tree.Tree. Content that is not what was unpacked is a *MissingError: asking for the tree again makes
// it anew.
func (t *archiveTree) Read(ctx context.Context, p string, limit int64) ([]byte, error) {
	e, ok := t.find(p)
	if !ok || e.mode == tree.Dir {
		return nil, tree.ErrAbsent
	}
	if limit >= 0 && e.size > limit {
		return nil, tree.ErrTooLarge
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	content := make([]byte, e.size)
	if _, err := t.pack.ReadAt(content, e.offset); err != nil && e.size > 0 || sha256.Sum256(content) != e.sum {
		t.damaged()
		return nil, &MissingError{Path: p, ID: hex.EncodeToString(e.sum[:])}
	}
	return content, nil
}
