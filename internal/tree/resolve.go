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
// A link out of the tree is an *EscapeError; too many links an error; nothing there ErrAbsent.
func Resolve(ctx context.Context, t Tree, p string) (string, Entry, error) {
	cleaned, ok := Clean(p)
	if !ok {
		return "", Entry{}, &EscapeError{Link: p, Target: p}
	}
	links := 0
	done, todo := "", cleaned
	entry, err := t.Lookup(ctx, "")
	if err != nil {
		return "", Entry{}, err
	}
	for todo != "" {
		name, rest, _ := strings.Cut(todo, "/")
		at := Join(done, name)
		if entry, err = t.Lookup(ctx, at); err != nil {
			return "", Entry{}, err
		}
		if entry.Mode != Link {
			done, todo = at, rest
			continue
		}
		if links++; links > maxLinks {
			return "", Entry{}, fmt.Errorf("%s: %w", p, ErrLinks)
		}
		target, err := followLink(ctx, t, done, at)
		if err != nil {
			return "", Entry{}, err
		}
		done, todo = "", joinRest(target, rest)
		if todo == "" {
			entry, err = t.Lookup(ctx, "")
			if err != nil {
				return "", Entry{}, err
			}
		}
	}
	return done, entry, nil
}

func joinRest(target, rest string) string {
	switch {
	case target == "":
		return rest
	case rest == "":
		return target
	default:
		return target + "/" + rest
	}
}

// maxLinkTarget bounds the content of a link, as PATH_MAX does.
const maxLinkTarget = 4096

func followLink(ctx context.Context, t Tree, dir, at string) (string, error) {
	raw, err := t.Read(ctx, at, maxLinkTarget)
	if err != nil {
		return "", err
	}
	target := string(raw)
	if path.IsAbs(target) {
		return "", &EscapeError{Link: at, Target: target}
	}
	joined := path.Join(dir, target)
	if joined == ".." || strings.HasPrefix(joined, "../") {
		return "", &EscapeError{Link: at, Target: target}
	}
	if joined == "." {
		return "", nil
	}
	return joined, nil
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
