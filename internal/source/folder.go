// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"crypto/sha1" //nolint:gosec // what Git uses
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/tree"
)

// Folder is a folder of the local disk as a tree, for previews of what is not committed yet. Nothing outside of it is
// read, whatever links say, and Git's own folder is left out. Ids are those that Git would give, so that they can be
// compared with a commit's.
type Folder struct{ root *os.Root }

// OpenFolder opens a folder. Close it after use.
func OpenFolder(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{root}, nil
}

// RepositoryOf returns the folder at or above dir that holds .git, and dir's path in it. Outside of a repository the
// current folder is the root if dir lies in it, else dir itself.
func RepositoryOf(dir string) (root, within string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			rel, err := filepath.Rel(at, dir)
			return at, filepath.ToSlash(rel), err
		}
		if at == filepath.Dir(at) {
			return noRepository(dir)
		}
	}
}

func noRepository(dir string) (root, below string, err error) {
	current, err := os.Getwd()
	if err != nil {
		return "", "", err
	}
	if current, err = filepath.EvalSymlinks(current); err != nil {
		return "", "", err
	}
	if within(dir, current) {
		rel, err := filepath.Rel(current, dir)
		return current, filepath.ToSlash(rel), err
	}
	return dir, ".", nil
}

// Close ends the use of the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Root implements tree.Tree. The content of a folder that may change has no name.
func (f *Folder) Root() string { return "local" }

// local turns a tree's path into one for os.Root.
func local(p string) string {
	if p == "" {
		return "."
	}
	return p
}

// Lookup implements tree.Tree.
func (f *Folder) Lookup(ctx context.Context, p string) (tree.Entry, error) {
	if err := ctx.Err(); err != nil {
		return tree.Entry{}, err
	}
	if err := f.noLinksAbove(p); err != nil {
		return tree.Entry{}, err
	}
	info, err := f.root.Lstat(local(p))
	if err != nil {
		return tree.Entry{}, absentOr(err)
	}
	entry, ok := entryOf(info)
	if !ok {
		return tree.Entry{}, fmt.Errorf("%s is neither a file nor a folder nor a link", p)
	}
	if p == "" {
		entry.Name = ""
	}
	entry.ID, err = f.id(p, entry.Mode)
	return entry, err
}

// id returns what Git calls the content at a path: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects.
func (f *Folder) id(p string, mode tree.Mode) (string, error) {
	kind, content := "blob", []byte(nil)
	var err error
	switch mode {
	case tree.Dir:
		kind = "tree"
		content, err = f.asTree(p)
	case tree.Link:
		var target string
		target, err = f.root.Readlink(p)
		content = []byte(filepath.ToSlash(target))
	default:
		content, err = f.root.ReadFile(p)
	}
	if err != nil {
		return "", absentOr(err)
	}
	h := sha1.New() //nolint:gosec // what Git uses
	fmt.Fprintf(h, "%s %d\x00", kind, len(content))
	_, _ = h.Write(content)
	return hex.EncodeToString(h.Sum(nil)), nil
}

// asTree returns a folder as Git stores it. Git knows no empty folders.
func (f *Folder) asTree(p string) ([]byte, error) {
	entries, err := f.names(p)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b tree.Entry) int { return strings.Compare(gitName(a), gitName(b)) })
	var out []byte
	for _, e := range entries {
		id := e.ID
		if id == "" {
			if id, err = f.id(tree.Join(p, e.Name), e.Mode); err != nil {
				return nil, err
			}
		}
		if id == nothingInTree {
			continue
		}
		raw, err := hex.DecodeString(id)
		if err != nil {
			return nil, err
		}
		out = append(out, gitModes[e.Mode]+" "+e.Name+"\x00"...)
		out = append(out, raw...)
	}
	return out, nil
}

const nothingInTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

var gitModes = map[tree.Mode]string{tree.File: "100644", tree.Executable: "100755", tree.Link: "120000", tree.Dir: "40000"}

// gitName is what Git sorts by.
func gitName(e tree.Entry) string {
	if e.Mode == tree.Dir {
		return e.Name + "/"
	}
	return e.Name
}

// noLinksAbove keeps to what trees promise: a path that leads through a link is absent.
func (f *Folder) noLinksAbove(p string) error {
	for dir := path.Dir(p); p != "" && dir != "."; dir = path.Dir(dir) {
		info, err := f.root.Lstat(dir)
		if err != nil {
			return absentOr(err)
		}
		if !info.IsDir() {
			return tree.ErrAbsent
		}
	}
	return nil
}

// List implements tree.Tree.
func (f *Folder) List(ctx context.Context, p string) ([]tree.Entry, error) {
	entry, err := f.Lookup(ctx, p)
	if err != nil {
		return nil, err
	}
	if entry.Mode != tree.Dir {
		return nil, tree.ErrAbsent
	}
	return f.names(p)
}

// names returns what a folder holds, sorted by name. Folders in it have no ids: they would cost reading all of them.
func (f *Folder) names(p string) ([]tree.Entry, error) {
	found, err := fs.ReadDir(f.root.FS(), local(p))
	if err != nil {
		return nil, absentOr(err)
	}
	var out []tree.Entry
	for _, d := range found {
		info, err := d.Info()
		if err != nil {
			return nil, err
		}
		entry, ok := entryOf(info)
		if !ok || d.Name() == ".git" {
			continue
		}
		if entry.Mode != tree.Dir {
			if entry.ID, err = f.id(tree.Join(p, entry.Name), entry.Mode); err != nil {
				return nil, err
			}
		}
		out = append(out, entry)
	}
	slices.SortFunc(out, func(a, b tree.Entry) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Read implements tree.Tree.
func (f *Folder) Read(ctx context.Context, p string, limit int64) ([]byte, error) {
	entry, err := f.Lookup(ctx, p)
	switch {
	case err != nil:
		return nil, err
	case entry.Mode == tree.Dir:
		return nil, tree.ErrAbsent
	case entry.Mode == tree.Link:
		target, err := f.root.Readlink(p)
		return []byte(filepath.ToSlash(target)), err
	case limit >= 0 && entry.Size > limit:
		return nil, tree.ErrTooLarge
	}
	file, err := f.root.Open(p)
	if err != nil {
		return nil, absentOr(err)
	}
	defer func() { _ = file.Close() }()
	if limit < 0 {
		return io.ReadAll(file)
	}
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, tree.ErrTooLarge
	}
	return data, err
}

func absentOr(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return tree.ErrAbsent
	}
	return err
}

func entryOf(info fs.FileInfo) (tree.Entry, bool) {
	e := tree.Entry{Name: info.Name(), Size: info.Size()}
	switch mode := info.Mode(); {
	case mode.IsDir():
		e.Mode, e.Size = tree.Dir, -1
	case mode&fs.ModeSymlink != 0:
		e.Mode = tree.Link
	case mode.IsRegular() && mode&0o111 != 0:
		e.Mode = tree.Executable
	case mode.IsRegular():
		e.Mode = tree.File
	default:
		return tree.Entry{}, false
	}
	return e, true
}
