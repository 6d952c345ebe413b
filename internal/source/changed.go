// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"

	"github.com/bowline-cd/bowline/internal/tree"
)

// changed adds the paths of files, links and submodules that differ between two folders. Equal ids are equal
// content, so only folders on the way to a difference are read: the cost is that of the change, not of the tree.
func (m *mirror) changed(ctx context.Context, from, to, path string, out *[]string) error {
	if from == to {
		return nil
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
func (m *mirror) changedEntry(ctx context.Context, old, now tree.Entry, path string, out *[]string) error {
	if old.ID == now.ID && old.Mode == now.Mode {
		return nil
	}
	at := tree.Join(path, cmp.Or(now.Name, old.Name))
	if isFile(old) || isFile(now) {
		*out = append(*out, at)
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
