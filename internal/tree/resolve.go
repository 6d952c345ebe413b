// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
)

// EscapeError says that a link leads out of the tree.
type EscapeError struct {
	Link   string // path of the link
	Target string // what it says; the path itself if that climbs out without a link
}

func (e *EscapeError) Error() string {
	if e.Link == e.Target {
		return e.Link + " leads out of the repository"
	}
	return fmt.Sprintf("%s is a link to %s, which is outside of the repository", e.Link, e.Target)
}

// ErrLinks says that a path leads through links round in circles, or through too many.
var ErrLinks = errors.New("its links go round in circles")

// maxLinks bounds the links followed for one path, as kernels do (ELOOP at 40).
const maxLinks = 40

// Resolve follows every link in p, intermediate components included, and returns the path and entry it ends at.
// ".." in a link's target is the folder above the one that was reached, as kernels have it, whatever links led there.
// A link out of the tree is an *EscapeError; too many links ErrLinks; nothing there ErrAbsent.
func Resolve(ctx context.Context, t Tree, p string) (string, Entry, error) {
	cleaned, ok := Clean(p)
	if !ok {
		return "", Entry{}, &EscapeError{Link: p, Target: p}
	}
	walk := walker{tree: t, asked: p, todo: cleaned}
	if err := walk.to(ctx, ""); err != nil {
		return "", Entry{}, err
	}
	for walk.todo != "" {
		if err := walk.step(ctx); err != nil {
			return "", Entry{}, err
		}
	}
	return walk.done, walk.at, nil
}

// walker goes along a path. done holds no links: they are replaced by their targets on the way.
type walker struct {
	tree       Tree
	asked      string // the path that was asked for
	done, todo string
	at         Entry // the entry at done
	links      int
	last       EscapeError // the last link followed
}

// to makes a path the place that was reached.
func (w *walker) to(ctx context.Context, p string) (err error) {
	w.done = p
	w.at, err = w.tree.Lookup(ctx, p)
	return err
}

// step goes on by one name of todo.
func (w *walker) step(ctx context.Context) error {
	name, rest, _ := strings.Cut(w.todo, "/")
	w.todo = rest
	switch {
	case w.at.Mode != Dir:
		return ErrAbsent
	case name == "" || name == ".":
		return nil
	case name == "..":
		if w.done == "" {
			escape := w.last
			return &escape
		}
		return w.to(ctx, parent(w.done))
	}
	dir, from := w.done, w.at
	if err := w.to(ctx, Join(dir, name)); err != nil || w.at.Mode != Link {
		return err
	}
	if err := w.follow(ctx); err != nil {
		return err
	}
	w.done, w.at = dir, from
	return nil
}

// maxLinkTarget bounds the content of a link, as PATH_MAX does.
const maxLinkTarget = 4096

// follow puts the target of the link at done in front of what is left to go.
func (w *walker) follow(ctx context.Context) error {
	if w.links++; w.links > maxLinks {
		return fmt.Errorf("%s: %w", w.asked, ErrLinks)
	}
	target, err := w.tree.Read(ctx, w.done, maxLinkTarget)
	if err != nil {
		return err
	}
	w.last = EscapeError{Link: w.done, Target: string(target)}
	if path.IsAbs(w.last.Target) {
		escape := w.last
		return &escape
	}
	w.todo = w.last.Target + "/" + w.todo
	return nil
}

// ReadFile follows links and returns the content of the regular file at p.
func ReadFile(ctx context.Context, t Tree, p string, limit int64) ([]byte, error) {
	at, entry, err := Resolve(ctx, t, p)
	if err != nil {
		return nil, err
	}
	switch entry.Mode {
	case Dir:
		return nil, errors.New(p + " is a directory")
	case Submodule:
		return nil, errors.New(p + " is a submodule, whose content is not part of this tree")
	}
	return t.Read(ctx, at, limit)
}
