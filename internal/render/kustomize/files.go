// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// home is where the source's own tree is mounted. It is no folder of the disk: a path that climbs out of it leads
// nowhere, and so is noticed.
const home = "/source"

// files is the file system that the library sees: Trees at mounts, and some files replaced. It is read-only.
//
// The library takes an error for absence in several places: the three names of a kustomization file are tried one after
// the other, and a resource is tried as a file before it is tried as a folder. So everything but absence is kept here,
// and stands above what the library makes of it.
type files struct {
	ctx      context.Context
	in       render.Input
	mounts   map[string]tree.Tree
	replaced map[string][]byte
	found    map[string]place
	contents map[string][]byte
	failure  error
}

// place is where a path leads.
type place struct {
	at    string // without links
	entry tree.Entry
	err   error
}

func newFiles(ctx context.Context, in render.Input) *files {
	return &files{
		ctx: ctx, in: in, mounts: map[string]tree.Tree{home: in.Tree}, replaced: map[string][]byte{},
		found: map[string]place{}, contents: map[string][]byte{},
	}
}

// mount shows a tree as the folder dir, which must not be there yet.
func (f *files) mount(dir string, t tree.Tree) { f.mounts[dir] = t }

// replace lays content over the file at a path. The folder must be free of links.
func (f *files) replace(p string, content []byte) { f.replaced[p] = content }

// mountOf returns the innermost mount that holds p, and p relative to it.
func (f *files) mountOf(p string) (dir, rel string, ok bool) {
	for dir = p; dir != "/" && dir != "."; dir = path.Dir(dir) {
		if _, ok := f.mounts[dir]; ok {
			return dir, strings.TrimPrefix(strings.TrimPrefix(p, dir), "/"), true
		}
	}
	return "", "", false
}

// resolve follows the links of a path. Everything but absence is remembered.
func (f *files) resolve(p string) place {
	p = filepath.Clean(p)
	if found, ok := f.found[p]; ok {
		return found
	}
	found := f.lookup(p)
	f.note(found.err)
	f.found[p] = found
	return found
}

func (f *files) lookup(p string) place {
	dir, rel, ok := f.mountOf(p)
	if !ok {
		return place{err: &tree.EscapeError{Link: p, Target: p}}
	}
	at, entry, err := tree.Resolve(f.ctx, f.mounts[dir], rel)
	if err != nil {
		return place{err: f.explained(dir, err)}
	}
	return place{at: strings.TrimSuffix(dir+"/"+at, "/"), entry: entry}
}

// explained gives a link's error the path as the user knows it.
func (f *files) explained(dir string, err error) error {
	var escape *tree.EscapeError
	if dir == home || !errors.As(err, &escape) {
		return err
	}
	return &tree.EscapeError{Link: f.display(dir + "/" + escape.Link), Target: escape.Target}
}

// note remembers the first error that is not absence.
func (f *files) note(err error) {
	if f.failure == nil && err != nil && !errors.Is(err, tree.ErrAbsent) {
		f.failure = err
	}
}

// display writes a path as the user knows it: relative to the repository.
func (f *files) display(p string) string {
	if p == home {
		return "."
	}
	return strings.TrimPrefix(p, home+"/")
}

// ReadFile returns the content of the file at a path.
func (f *files) ReadFile(p string) ([]byte, error) {
	p = filepath.Clean(p)
	if content, ok := f.replaced[p]; ok {
		return slices.Clone(content), nil
	}
	found := f.resolve(p)
	if found.err != nil {
		return nil, f.pathError("read", p, found.err)
	}
	if found.entry.Mode == tree.Dir || found.entry.Mode == tree.Submodule {
		return nil, f.pathError("read", p, errors.New("is a directory"))
	}
	content, ok := f.contents[found.at]
	if !ok {
		var err error
		if content, err = f.read(found.at); err != nil {
			f.note(err)
			return nil, f.pathError("read", p, err)
		}
		f.contents[found.at] = content
	}
	return slices.Clone(content), nil
}

// read reads a file of a tree within the limits.
func (f *files) read(at string) ([]byte, error) {
	limits := f.in.Limits
	if len(f.contents) >= limits.Files {
		return nil, f.in.Exceeded(fmt.Sprintf("it reads more than %d files", limits.Files), render.SettingFiles)
	}
	dir, rel, _ := f.mountOf(at)
	content, err := f.mounts[dir].Read(f.ctx, rel, limits.FileBytes)
	if errors.Is(err, tree.ErrTooLarge) {
		return nil, &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "file " + f.display(at), Err: err,
			Fix: "keep files below " + render.Size(limits.FileBytes)}
	}
	return content, err
}

func (f *files) pathError(op, p string, err error) error {
	if errors.Is(err, tree.ErrAbsent) {
		err = fs.ErrNotExist
	}
	return &fs.PathError{Op: op, Path: f.display(p), Err: err}
}

// CleanedAbs splits a path into a folder without links and a file, which is "" if the path leads to a folder.
func (f *files) CleanedAbs(p string) (filesys.ConfirmedDir, string, error) {
	p = filepath.Clean(p)
	if _, ok := f.replaced[p]; ok {
		return filesys.ConfirmedDir(path.Dir(p)), path.Base(p), nil
	}
	found := f.resolve(p)
	switch {
	case found.err != nil:
		return "", "", f.pathError("find", p, found.err)
	case found.entry.Mode == tree.Dir:
		return filesys.ConfirmedDir(found.at), "", nil
	}
	return filesys.ConfirmedDir(path.Dir(found.at)), path.Base(found.at), nil
}

// IsDir reports whether a path leads to a folder.
func (f *files) IsDir(p string) bool {
	found := f.resolve(p)
	return found.err == nil && found.entry.Mode == tree.Dir
}

// Exists reports whether a path leads to a file or folder.
func (f *files) Exists(p string) bool {
	_, ok := f.replaced[filepath.Clean(p)]
	return ok || f.resolve(p).err == nil
}

// isFile reports whether a path leads to a file.
func (f *files) isFile(p string) bool {
	if _, ok := f.replaced[filepath.Clean(p)]; ok {
		return true
	}
	found := f.resolve(p)
	return found.err == nil && (found.entry.Mode == tree.File || found.entry.Mode == tree.Executable)
}

// ReadDir returns the names in the folder at a path, sorted, mounts included.
func (f *files) ReadDir(p string) ([]string, error) {
	found := f.resolve(p)
	if found.err != nil {
		return nil, f.pathError("list", p, found.err)
	}
	dir, rel, _ := f.mountOf(found.at)
	entries, err := f.mounts[dir].List(f.ctx, rel)
	if err != nil {
		f.note(err)
		return nil, f.pathError("list", p, err)
	}
	names := map[string]bool{}
	for _, entry := range entries {
		names[entry.Name] = true
	}
	for at := range f.mounts {
		if path.Dir(at) == found.at {
			names[path.Base(at)] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// What follows is part of filesys.FileSystem but is not called by a build of the library version in use. It fails, and
// the render with it, rather than to give half an answer.

// Glob is refused.
func (f *files) Glob(pattern string) ([]string, error) { return nil, f.refuse("search for " + pattern) }

// Walk is refused.
func (f *files) Walk(p string, _ filepath.WalkFunc) error { return f.refuse("walk through " + p) }

// Create is refused.
func (f *files) Create(p string) (filesys.File, error) { return nil, f.refuse("create " + p) }

// Open is refused.
func (f *files) Open(p string) (filesys.File, error) { return nil, f.refuse("open " + p) }

// Mkdir is refused.
func (f *files) Mkdir(p string) error { return f.refuse("create " + p) }

// MkdirAll is refused.
func (f *files) MkdirAll(p string) error { return f.refuse("create " + p) }

// RemoveAll is refused.
func (f *files) RemoveAll(p string) error { return f.refuse("remove " + p) }

// WriteFile is refused.
func (f *files) WriteFile(p string, _ []byte) error { return f.refuse("write " + p) }

func (f *files) refuse(op string) error {
	err := fault.New(fault.Bug, op, "", "", "the files of a source are read-only", "report it")
	f.note(err)
	return err
}
