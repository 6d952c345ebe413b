// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

const (
	maxModuleDepth = 8   // submodules within submodules
	maxModules     = 100 // submodules opened for one tree, those within others included
)

// TreeOption says how Store.Tree shows a commit.
type TreeOption func(*treeOptions)

type treeOptions struct {
	open   func(url string) (Repository, error)
	depth  int           // submodules above this tree
	opened *atomic.Int32 // submodules opened for the whole tree
}

// WithSubmodules shows submodules as folders with the files of the commits that they are pinned to. Each is fetched at
// the first look into it. open says how to read the repository of a submodule, whose address is written in .gitmodules
// by whoever may push to the repository above: open has to check that the project permits it. Relative addresses are
// made whole before.
//
// The folder's id is the pinned commit, and the Tree is a tree.Mounted. A submodule without an address, with an address
// that is not allowed, or one that cannot be fetched, is an error for what lies below it and for nothing else.
func WithSubmodules(open func(url string) (Repository, error)) TreeOption {
	return func(o *treeOptions) { o.open, o.opened = open, new(atomic.Int32) }
}

// moduleTree is the tree of a commit with its submodules as folders.
type moduleTree struct {
	*commitTree
	store   *Store
	repo    Repository
	want    []Want
	options treeOptions

	mu      sync.Mutex
	modules map[string]*module // by path
}

// module is a submodule that somebody looked into.
type module struct {
	turn  chan struct{} // holds a token while somebody opens it
	files *moduleTree   // nil until it could be opened; guarded by turn
}

func (s *Store) moduleTree(ctx context.Context, r Repository, commit string, want []Want, o treeOptions) (*moduleTree, error) {
	inner, err := s.commitTree(ctx, r, commit, append(slices.Clone(want), Want{Path: gitmodules}))
	if err != nil {
		return nil, err
	}
	return &moduleTree{commitTree: inner, store: s, repo: r, want: want, options: o, modules: map[string]*module{}}, nil
}

// Lookup implements tree.Tree.
func (t *moduleTree) Lookup(ctx context.Context, path string) (tree.Entry, error) {
	entry, at, left, err := t.descend(ctx, path)
	switch {
	case err != nil:
		return tree.Entry{}, err
	case entry.Mode == tree.Submodule && left == "":
		return asFolder(entry), nil
	case left == "":
		return entry, nil
	case entry.Mode != tree.Submodule:
		return tree.Entry{}, tree.ErrAbsent
	}
	files, err := t.module(ctx, at, entry.ID)
	if err != nil {
		return tree.Entry{}, err
	}
	entry, err = files.Lookup(ctx, left)
	return entry, outside(err, at)
}

// List implements tree.Tree.
func (t *moduleTree) List(ctx context.Context, path string) ([]tree.Entry, error) {
	entry, at, left, err := t.descend(ctx, path)
	if err != nil {
		return nil, err
	}
	if entry.Mode == tree.Submodule {
		files, err := t.module(ctx, at, entry.ID)
		if err != nil {
			return nil, err
		}
		entries, err := files.List(ctx, left)
		return entries, outside(err, at)
	}
	entries, err := t.commitTree.List(ctx, path)
	for i, e := range entries {
		if e.Mode == tree.Submodule {
			entries[i] = asFolder(e)
		}
	}
	return entries, err
}

// Read implements tree.Tree.
func (t *moduleTree) Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	entry, at, left, err := t.descend(ctx, path)
	if err != nil {
		return nil, err
	}
	if entry.Mode != tree.Submodule || left == "" {
		return t.commitTree.Read(ctx, path, limit)
	}
	files, err := t.module(ctx, at, entry.ID)
	if err != nil {
		return nil, err
	}
	data, err := files.Read(ctx, left, limit)
	return data, outside(err, at)
}

// Mount implements tree.Mounted. It opens no submodule.
func (t *moduleTree) Mount(ctx context.Context, path string) (at, id string, ok bool, err error) {
	entry, at, _, err := t.descend(ctx, path)
	if errors.Is(err, tree.ErrAbsent) {
		return "", "", false, nil
	}
	if err != nil || entry.Mode != tree.Submodule {
		return "", "", false, err
	}
	return at, entry.ID, true, nil
}

func asFolder(e tree.Entry) tree.Entry {
	return tree.Entry{Name: e.Name, Mode: tree.Dir, ID: e.ID, Size: -1}
}

// module returns the files of the submodule at a path. Only success is remembered: what failed is tried again by the
// next look.
func (t *moduleTree) module(ctx context.Context, at, commit string) (*moduleTree, error) {
	t.mu.Lock()
	m, ok := t.modules[at]
	if !ok {
		m = &module{turn: make(chan struct{}, 1)}
		t.modules[at] = m
	}
	t.mu.Unlock()
	var files *moduleTree
	err := t.patience.wait(ctx, t.repo, func(ctx context.Context) (err error) {
		files, err = t.opened(ctx, m, at, commit)
		return err
	})
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, &fault.Error{Kind: fault.KindOf(err), Op: "read", Thing: "submodule " + at, Where: "repository " + t.repo.String(), Err: err}
	}
	return files, nil
}

// opened returns the files of a submodule, which it opens at first. That goes on when nobody waits any more.
func (t *moduleTree) opened(ctx context.Context, m *module, at, commit string) (*moduleTree, error) {
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if files := m.files; files != nil || t.store.base.Err() != nil {
		<-m.turn
		return files, context.Cause(t.store.base)
	}
	type answer struct {
		files *moduleTree
		err   error
	}
	done := make(chan answer, 1)
	t.store.work.Go(func() {
		defer func() { <-m.turn }()
		files, err := t.open(t.store.base, at, commit)
		m.files = files
		done <- answer{files, err}
	})
	select {
	case a := <-done:
		return a.files, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// open fetches the commit of a submodule, with what of the plan lies in it.
func (t *moduleTree) open(ctx context.Context, at, commit string) (*moduleTree, error) {
	if t.options.depth >= maxModuleDepth {
		return nil, fault.New(fault.Mistake, "", "", "", fmt.Sprintf("submodules lie in each other deeper than %d", maxModuleDepth), "take this one out")
	}
	if t.options.opened.Add(1) > maxModules {
		t.options.opened.Add(-1)
		return nil, fault.New(fault.Mistake, "", "", "", fmt.Sprintf("the tree has more than %d submodules", maxModules), "read fewer of them from one source")
	}
	files, err := t.fetchModule(ctx, at, commit)
	if err != nil {
		t.options.opened.Add(-1)
	}
	return files, err
}

func (t *moduleTree) fetchModule(ctx context.Context, at, commit string) (*moduleTree, error) {
	address, err := t.address(ctx, at)
	if err != nil {
		return nil, err
	}
	r, err := t.options.open(address)
	if err != nil {
		return nil, err
	}
	if r.URL != address && canonicalURL(r.URL) != canonicalURL(address) {
		return nil, fault.New(fault.Bug, "", "", "", "its repository was opened as "+r.String(), "")
	}
	below := t.options
	below.depth++
	files, err := t.store.moduleTree(ctx, r, commit, wantBelow(t.want, at), below)
	if err == nil {
		files.patience = t.patience
		t.mirror.noteModule(files.mirror.key)
	}
	return files, err
}

// address returns the checked address of the submodule at a path. Only a repository on the local disk may have
// submodules there: whoever writes .gitmodules elsewhere must not choose what of our disk is read.
func (t *moduleTree) address(ctx context.Context, at string) (string, error) {
	modules, err := t.readGitmodules(ctx)
	if err != nil {
		return "", err
	}
	url, ok := modules[at]
	if !ok || url == "" {
		return "", fault.New(fault.Mistake, "", "", gitmodules, "no section has this path and an url", "add the submodule to "+gitmodules+", or remove it from the commit")
	}
	if isRelativeURL(url) {
		if url, err = resolveURL(t.repo.URL, url); err != nil {
			return "", fault.New(fault.Mistake, "", "", gitmodules, err.Error(), "write the whole address")
		}
	}
	onDisk := t.mirror.remote.endpoint.scheme == "file"
	if _, err := parseEndpoint(url, onDisk && t.store.options.AllowFile); err != nil {
		return "", err
	}
	return url, nil
}

const (
	gitmodules    = ".gitmodules"
	maxGitmodules = 1 << 20
)

// readGitmodules returns the addresses of submodules by path. A link in the place of the file is refused, as git does:
// it could lead to a file that the commit does not hold.
func (t *moduleTree) readGitmodules(ctx context.Context) (map[string]string, error) {
	entry, err := t.commitTree.Lookup(ctx, gitmodules)
	switch {
	case errors.Is(err, tree.ErrAbsent):
		return nil, fault.New(fault.Mistake, "", "", "", "the commit has submodules but no file "+gitmodules, "add it, or remove the submodules from the commit")
	case err != nil:
		return nil, err
	case entry.Mode != tree.File && entry.Mode != tree.Executable:
		return nil, fault.New(fault.Mistake, "", "", gitmodules, "it is not a regular file", "replace it by one")
	}
	data, err := t.commitTree.Read(ctx, gitmodules, maxGitmodules)
	if errors.Is(err, tree.ErrTooLarge) {
		return nil, fault.New(fault.Mistake, "", "", gitmodules, "the file is larger than 1 MiB", "make it smaller")
	}
	if err != nil {
		return nil, err
	}
	modules, err := parseGitmodules(data)
	if err != nil {
		return nil, fault.New(fault.Mistake, "", "", gitmodules, err.Error(), "correct the file")
	}
	return modules, nil
}

// wantBelow is what of a plan lies in the folder at a path.
func wantBelow(want []Want, at string) []Want {
	var out []Want
	for _, w := range want {
		path, ok := tree.Clean(w.Path)
		switch rest, below := strings.CutPrefix(path, at+"/"); {
		case !ok:
		case below:
			out = append(out, Want{Path: rest, Files: w.Files})
		case path == at:
			out = append(out, Want{Files: w.Files})
		case !w.Files && (path == "" || strings.HasPrefix(at, path+"/")):
			out = append(out, Want{})
		}
	}
	return out
}

// outside gives what is missing in a submodule the path that it has in the tree above, under which it is to be
// asked for.
func outside(err error, at string) error {
	var missing *MissingError
	if !errors.As(err, &missing) {
		return err
	}
	return &fault.Error{Kind: fault.KindOf(err), Op: "read", Thing: "submodule " + at, Err: &MissingError{Path: tree.Join(at, missing.Path), ID: missing.ID}}
}

// moduleLife is how long the mirror of a submodule is kept for the repository above after somebody looked into it.
const moduleLife = 24 * time.Hour

func (m *mirror) noteModule(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.modules[key] = m.store.clock.Now()
}

// addModules adds the mirrors of submodules to those that stay, by key and by folder. The caller holds mu.
func (s *Store) addModules(keys, folders map[string]bool) {
	todo := slices.Collect(maps.Keys(keys))
	for len(todo) > 0 {
		above, ok := s.mirrors[todo[0]]
		todo = todo[1:]
		if !ok {
			continue
		}
		above.mu.Lock()
		for key, used := range above.modules {
			below, open := s.mirrors[key]
			if !open || s.clock.Since(used) > moduleLife {
				delete(above.modules, key)
				continue
			}
			if !keys[key] {
				keys[key], folders[filepath.Base(below.dir)] = true, true
				todo = append(todo, key)
			}
		}
		above.mu.Unlock()
	}
}
