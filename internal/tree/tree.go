// SPDX-License-Identifier: Apache-2.0

// Package tree is a read-only view of the files of one commit or archive.
//
// The words of this room:
//
//   - Tree: files, folders, links and submodules under one root, addressed by slash-separated paths relative
//     to the root ("" is the root itself). A Tree never changes: its ID names its content.
//   - Entry: one name in a folder, with its mode and the id of its content (for Git: the object id).
//   - Absent: a fact. There is nothing at that path in this Tree (ErrAbsent).
//   - Missing: an error. There is something at that path, but its content could not be had (a Git object that
//     was not fetched, a store that does not answer). A missing file is never an absent one.
//   - Mount: another Tree, shown as a folder of this one (a submodule). The folder's id fixes all that is below it.
//   - Read set: what a reader saw, path by path, as content ids and absences. If it still holds in another
//     Tree, whatever was computed from it still holds.
package tree

import (
	"context"
	"errors"
	"path"
	"strings"
)

// ErrAbsent says that there is nothing at a path: a fact about the Tree, not a failure.
var ErrAbsent = errors.New("no such file or directory in this tree")

// Mode is what an Entry is.
type Mode uint8

// The modes, as Git has them.
const (
	File Mode = iota + 1
	Executable
	Dir
	Link
	Submodule
)

// Entry is one name in a folder.
type Entry struct {
	Name string // base name; "" for the root
	Mode Mode
	ID   string // id of the content; equal ids mean equal content
	Size int64  // bytes, for File, Executable and Link; -1 if not known without reading
}

// Tree is a read-only tree of files. Implementations do not follow links: an intermediate path component that
// is a link is reported as ErrAbsent; Resolve follows links. They are safe for concurrent use.
type Tree interface {
	// Root returns the id of the whole tree.
	Root() string
	// Lookup returns the entry at path, or ErrAbsent, or an error if the tree could not be read.
	Lookup(ctx context.Context, path string) (Entry, error)
	// List returns the entries of the folder at path, sorted by name; ErrAbsent if there is no folder at path.
	List(ctx context.Context, path string) ([]Entry, error)
	// Read returns the content of the file or link at path; ErrAbsent if there is no file at path. Callers that
	// want a limit check Lookup's Size first; limit < 0 means none, and content larger than it is ErrTooLarge.
	Read(ctx context.Context, path string, limit int64) ([]byte, error)
}

// Mounted is a Tree that shows other trees as folders of its own, as a commit does with its submodules.
type Mounted interface {
	Tree
	// Mount returns the folder at or above path that is a mount, the outermost if there are several, and its id, which
	// names everything below it; ok is false if path is in no mount.
	Mount(ctx context.Context, path string) (at, id string, ok bool, err error)
}

// ErrTooLarge says that a file is larger than the caller's limit.
var ErrTooLarge = errors.New("file is too large")

// Clean brings a path into the form Trees use: relative, no "." or "..", no trailing slash; "" is the root.
// A path that climbs out of the root gives ok false.
func Clean(p string) (cleaned string, ok bool) {
	cleaned = path.Clean(strings.TrimLeft(p, "/"))
	if cleaned == "." {
		return "", true
	}
	if cleaned == ".." || strings.HasPrefix(cleaned, "../") {
		return "", false
	}
	return cleaned, true
}

// Join joins a folder and a name.
func Join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
