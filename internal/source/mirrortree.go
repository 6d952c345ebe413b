// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

// commitTree is the tree.Tree of a ready commit. It answers from the mirror's objects alone.
type commitTree struct {
	mirror *mirror
	commit string
	root   string
	lfs    bool // pointers of Git LFS are shown as what they stand for
	// patience is what is left to wait for other servers.
	patience *patience
}

func (t *commitTree) Root() string { return t.root }

func (t *commitTree) Lookup(ctx context.Context, path string) (tree.Entry, error) {
	at, _, left, err := t.descend(ctx, path)
	if err == nil && left != "" {
		err = tree.ErrAbsent
	}
	if err != nil {
		return tree.Entry{}, err
	}
	return at, nil
}

// descend goes along path as far as there are folders. It returns the entry it ended at, that entry's path, and what
// of path is left: something is only if the entry is no folder.
func (t *commitTree) descend(ctx context.Context, path string) (at tree.Entry, done, left string, err error) {
	if err := t.mirror.checkOpen(); err != nil {
		return tree.Entry{}, "", "", err
	}
	at = tree.Entry{Mode: tree.Dir, ID: t.root, Size: -1}
	for path != "" && at.Mode == tree.Dir {
		name, rest, _ := strings.Cut(path, "/")
		entries, err := t.mirror.treeObject(ctx, at.ID, done)
		if err != nil {
			return tree.Entry{}, "", "", t.where(err)
		}
		i, ok := find(entries, name)
		if !ok {
			return tree.Entry{}, "", "", tree.ErrAbsent
		}
		at, done, path = entries[i], tree.Join(done, name), rest
	}
	return at, done, path, nil
}

func find(entries []tree.Entry, name string) (int, bool) {
	return slices.BinarySearchFunc(entries, name, func(e tree.Entry, name string) int { return strings.Compare(e.Name, name) })
}

func (t *commitTree) List(ctx context.Context, path string) ([]tree.Entry, error) {
	entry, err := t.Lookup(ctx, path)
	if err != nil {
		return nil, err
	}
	if entry.Mode != tree.Dir {
		return nil, tree.ErrAbsent
	}
	entries, err := t.mirror.treeObject(ctx, entry.ID, path)
	if err != nil {
		return nil, t.where(err)
	}
	return slices.Clone(entries), nil
}

func (t *commitTree) Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	entry, err := t.Lookup(ctx, path)
	if err != nil {
		return nil, err
	}
	if entry.Mode == tree.Dir || entry.Mode == tree.Submodule {
		return nil, tree.ErrAbsent
	}
	pointers := t.lfs && entry.Mode != tree.Link
	most := limit
	if pointers && limit >= 0 {
		most = max(limit, maxPointer) // a pointer is larger than small content
	}
	data, err := t.mirror.blob(ctx, entry.ID, path, most)
	if err != nil {
		return nil, t.where(err)
	}
	if pointers {
		return t.largeFile(ctx, path, data, limit)
	}
	return data, nil
}

// where names the commit in an error.
func (t *commitTree) where(err error) error {
	if errors.Is(err, tree.ErrTooLarge) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &fault.Error{Kind: fault.Retry, Op: "read", Thing: "commit " + t.commit[:min(12, len(t.commit))], Where: "repository " + t.mirror.remote.repo.String(), Err: err}
}

// maxFolder bounds what Git stores for one folder: room for half a million names.
const maxFolder = 32 << 20

func hugeFolder(path string) error {
	return fault.New(fault.Mistake, "list", strings.TrimSpace("folder "+path), "", "it holds more names than fit into "+byteCount(maxFolder), "spread its files over several folders")
}

// treeObject returns the entries of a folder. Callers do not change them.
func (m *mirror) treeObject(ctx context.Context, id, path string) ([]tree.Entry, error) {
	if known, ok := m.store.cache.get(cacheKey{m.key, id}); ok {
		if entries, ok := known.([]tree.Entry); ok {
			return entries, nil
		}
	}
	data, err := m.object(ctx, id, "tree", path, maxFolder)
	if errors.Is(err, tree.ErrTooLarge) {
		return nil, hugeFolder(path)
	}
	if err != nil {
		return nil, err
	}
	return m.keepTree(id, data)
}

func (m *mirror) keepTree(id string, data []byte) ([]tree.Entry, error) {
	entries, err := parseTree(data, len(id)/2)
	if err != nil {
		return nil, fmt.Errorf("tree %s: %w", id, err)
	}
	m.store.cache.put(cacheKey{m.key, id}, entries, 2*len(data)+len(entries)*64)
	return entries, nil
}

// treeObjects returns the entries of several folders with few questions to a reader.
func (m *mirror) treeObjects(ctx context.Context, ids []string) (map[string][]tree.Entry, error) {
	out := make(map[string][]tree.Entry, len(ids))
	var ask []string
	for _, id := range ids {
		if known, ok := m.store.cache.get(cacheKey{m.key, id}); ok {
			if entries, ok := known.([]tree.Entry); ok {
				out[id] = entries
				continue
			}
		}
		ask = append(ask, id)
	}
	if len(ask) == 0 {
		return out, nil
	}
	objects, err := m.store.readers.read(ctx, m.readerDir(), ask, true, maxFolder)
	if err != nil {
		return nil, err
	}
	for i, o := range objects {
		if o.kind != "tree" {
			return nil, m.lost(ask[i], "", true)
		}
		if o.size > maxFolder {
			return nil, hugeFolder("")
		}
		if out[ask[i]], err = m.keepTree(ask[i], o.data); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (m *mirror) blob(ctx context.Context, id, path string, limit int64) ([]byte, error) {
	key := cacheKey{m.key, id}
	if known, ok := m.store.cache.get(key); ok {
		if data, ok := known.([]byte); ok {
			if limit >= 0 && int64(len(data)) > limit {
				return nil, tree.ErrTooLarge
			}
			return slices.Clone(data), nil
		}
	}
	data, err := m.object(ctx, id, "blob", path, limit)
	if err != nil {
		return nil, err
	}
	m.store.cache.put(key, slices.Clone(data), len(data))
	return data, nil
}

// object reads one object of a kind. path is where it stands, for the error if it is missing.
func (m *mirror) object(ctx context.Context, id, kind, path string, limit int64) ([]byte, error) {
	objects, err := m.store.readers.read(ctx, m.readerDir(), []string{id}, true, limit)
	if err != nil {
		if open := m.checkOpen(); open != nil {
			return nil, open
		}
		return nil, err
	}
	switch o := objects[0]; {
	case o.kind == "":
		return nil, m.lost(id, path, kind != "blob")
	case o.kind != kind:
		return nil, fmt.Errorf("%w: %s is a %s, not a %s", errObject, id, o.kind, kind)
	case o.data == nil:
		return nil, tree.ErrTooLarge
	default:
		return o.data, nil
	}
}

// lost makes the error for an object that is not in the mirror. If a fetch should have brought it, the mirror is
// replaced before the next one.
func (m *mirror) lost(id, path string, always bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.forgotten {
		return errors.New("the mirror was removed")
	}
	if always || m.mode == modeAll {
		m.broken = true
	}
	return &MissingError{Path: path, ID: id}
}

// readCommit returns a ready commit.
func (m *mirror) readCommit(ctx context.Context, commit string) (parsedCommit, error) {
	key := cacheKey{m.key, commit}
	if known, ok := m.store.cache.get(key); ok {
		if parsed, ok := known.(parsedCommit); ok {
			return parsed, nil
		}
	}
	data, err := m.object(ctx, commit, "commit", "", maxCommit)
	if err != nil {
		return parsedCommit{}, err
	}
	parsed, err := parseCommit(data)
	if err == nil {
		m.store.cache.put(key, parsed, len(data))
	}
	return parsed, err
}

// maxCommit bounds a commit object: its message goes into status and API answers.
const maxCommit = 1 << 20
