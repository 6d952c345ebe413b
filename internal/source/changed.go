// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"fmt"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

// A commit that changes more than this, or changes more folders, is not listed: a few small folders that hold each other
// many times over stand for more paths than there is memory.
const (
	maxChanged        = 200_000
	maxChangedFolders = 100_000
	maxChangedPath    = 4 << 10 // PATH_MAX
)

// changes is what two commits are found to differ in.
type changes struct {
	paths   []string
	folders int
}

func (c *changes) tooMany(path string) error {
	if len(c.paths) <= maxChanged && c.folders <= maxChangedFolders && len(path) <= maxChangedPath {
		return nil
	}
	return fault.New(fault.Mistake, "compare", "the files", "", fmt.Sprintf("they differ in more than %d files or %d folders, or in paths of more than %d bytes", maxChanged, maxChangedFolders, maxChangedPath), "")
}

// changed adds the paths of files, links and submodules that differ between two folders. Equal ids are equal
// content, so only folders on the way to a difference are read: the cost is that of the change, not of the tree.
func (m *mirror) changed(ctx context.Context, from, to, path string, out *changes) error {
	if from == to {
		return nil
	}
	out.folders++
	if err := out.tooMany(path); err != nil {
		return err
	}
	before, err := m.entries(ctx, from, path)
	if err != nil {
		return err
	}
	after, err := m.entries(ctx, to, path)
	if err != nil {
		return err
	}
	for len(before) > 0 || len(after) > 0 {
		var old, now tree.Entry
		switch {
		case len(after) == 0 || len(before) > 0 && before[0].Name < after[0].Name:
			old, before = before[0], before[1:]
		case len(before) == 0 || after[0].Name < before[0].Name:
			now, after = after[0], after[1:]
		default:
			old, now, before, after = before[0], after[0], before[1:], after[1:]
		}
		if err := m.changedEntry(ctx, old, now, path, out); err != nil {
			return err
		}
	}
	return nil
}

func (m *mirror) entries(ctx context.Context, id, path string) ([]tree.Entry, error) {
	if id == "" {
		return nil, nil
	}
	return m.treeObject(ctx, id, path)
}

// changedEntry compares one name; the zero Entry means that there is none.
func (m *mirror) changedEntry(ctx context.Context, old, now tree.Entry, path string, out *changes) error {
	if old.ID == now.ID && old.Mode == now.Mode {
		return nil
	}
	at := tree.Join(path, cmp.Or(now.Name, old.Name))
	if isFile(old) || isFile(now) {
		out.paths = append(out.paths, at)
	}
	return m.changed(ctx, folderID(old), folderID(now), at, out)
}

func isFile(e tree.Entry) bool { return e.Mode != 0 && e.Mode != tree.Dir }

func folderID(e tree.Entry) string {
	if e.Mode == tree.Dir {
		return e.ID
	}
	return ""
}
