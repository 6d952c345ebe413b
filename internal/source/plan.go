// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/tree"
)

// count returns the number of files and links of a commit, or some number above limit if there are more.
func (m *mirror) count(ctx context.Context, commit string, limit int) (int, error) {
	parsed, err := m.readCommit(ctx, commit)
	if err != nil {
		return 0, err
	}
	n := 0
	err = m.walk(ctx, []string{parsed.tree}, func(tree.Entry) bool {
		n++
		return n <= limit
	})
	return n, err
}

// walk visits every file and link below some folders, level by level, until visit returns false.
func (m *mirror) walk(ctx context.Context, folders []string, visit func(tree.Entry) bool) error {
	seen := map[string]bool{}
	for len(folders) > 0 {
		level, err := m.treeObjects(ctx, folders)
		if err != nil {
			return err
		}
		var below []string
		for _, id := range folders {
			for _, e := range level[id] {
				switch {
				case e.Mode == tree.Submodule:
				case e.Mode == tree.Dir:
					if !seen[e.ID] {
						seen[e.ID] = true
						below = append(below, e.ID)
					}
				case !visit(e):
					return nil
				}
			}
		}
		folders = below
	}
	return nil
}

// missingBlobs adds to ids the blobs of wants at a commit that are not in the mirror.
func (m *mirror) missingBlobs(ctx context.Context, commit string, wants []Want, ids map[string]bool) error {
	parsed, err := m.readCommit(ctx, commit)
	if err != nil {
		return err
	}
	t := &commitTree{mirror: m, commit: commit, root: parsed.tree}
	single := map[string]bool{}
	for _, w := range wants {
		if err := m.missingOf(ctx, t, w, single, ids); err != nil {
			return err
		}
	}
	return m.addMissing(ctx, single, ids)
}

// missingOf handles one want. Single files go to single, to be asked for together; folders are done at once.
// A want that is absent at this commit wants nothing.
func (m *mirror) missingOf(ctx context.Context, t *commitTree, w Want, single, ids map[string]bool) error {
	clean, ok := tree.Clean(w.Path)
	if !ok {
		return nil
	}
	entry, err := m.reach(ctx, t, clean)
	if err != nil || entry.Mode == 0 {
		return err
	}
	switch {
	case entry.Mode == tree.Submodule:
		return nil
	case entry.Mode != tree.Dir:
		single[entry.ID] = true
		return nil
	case w.Files:
		entries, err := m.treeObject(ctx, entry.ID, clean)
		for _, e := range entries {
			if e.Mode != tree.Dir && e.Mode != tree.Submodule {
				single[e.ID] = true
			}
		}
		return err
	}
	return m.missingBelow(ctx, entry.ID, ids)
}

// reach returns the entry at a path, the zero Entry if there is none. Links on the way are wanted too: whoever
// follows them needs to read them.
func (m *mirror) reach(ctx context.Context, t *commitTree, path string) (tree.Entry, error) {
	at := tree.Entry{Mode: tree.Dir, ID: t.root}
	for path != "" {
		name, rest, _ := strings.Cut(path, "/")
		entries, err := m.treeObject(ctx, at.ID, path)
		if err != nil {
			return tree.Entry{}, err
		}
		i, ok := find(entries, name)
		if !ok {
			return tree.Entry{}, nil
		}
		if at, path = entries[i], rest; at.Mode == tree.Dir {
			continue
		}
		if path == "" || at.Mode == tree.Link {
			return at, nil
		}
		return tree.Entry{}, nil
	}
	return at, nil
}

// missingBelow adds the missing blobs below a folder, and notes folders that miss nothing: the next commit shares
// most of them.
func (m *mirror) missingBelow(ctx context.Context, folder string, ids map[string]bool) error {
	m.mu.Lock()
	done := m.complete[folder]
	m.mu.Unlock()
	if done {
		return nil
	}
	blobs := map[string]bool{}
	if err := m.walk(ctx, []string{folder}, func(e tree.Entry) bool { blobs[e.ID] = true; return true }); err != nil {
		return err
	}
	before := len(ids)
	if err := m.addMissing(ctx, blobs, ids); err != nil {
		return err
	}
	missing := len(ids) > before
	for id := range blobs {
		missing = missing || ids[id]
	}
	if !missing {
		m.mu.Lock()
		if len(m.complete) > maxComplete {
			clear(m.complete)
		}
		m.complete[folder] = true
		m.mu.Unlock()
	}
	return nil
}

// maxComplete bounds the memory of folders that miss nothing.
const maxComplete = 50_000

func (m *mirror) addMissing(ctx context.Context, blobs, ids map[string]bool) error {
	if len(blobs) == 0 {
		return nil
	}
	ask := slices.Collect(maps.Keys(blobs))
	answers, err := m.store.readers.read(ctx, m.readerDir(), ask, false, 0)
	if err != nil {
		return err
	}
	for i, o := range answers {
		if o.kind == "" {
			ids[ask[i]] = true
		}
	}
	return nil
}
