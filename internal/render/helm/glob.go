// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

func isPattern(p string) bool { return strings.ContainsAny(p, "*?[") }

// glob returns the files a pattern matches: of each folder first its own files by their names, then those of the folders
// in it. Folders behind links are not searched.
func (j *job) glob(ctx context.Context, at place) ([]place, error) {
	if !doublestar.ValidatePattern(at.path) {
		return nil, fault.New(fault.Mistake, "render", j.thing(), at.field, fmt.Sprintf("%q is no valid pattern", at.text), "write it like envs/*.yaml or envs/**/values.yaml")
	}
	base, _ := doublestar.SplitPattern(at.path)
	if base == "." {
		base = ""
	}
	dir, entry, err := tree.Resolve(ctx, at.tree, base)
	switch {
	case errors.Is(err, tree.ErrAbsent), err == nil && entry.Mode != tree.Dir:
		return nil, nil
	case err != nil:
		return nil, j.unreadable(base, err)
	}
	g := globber{job: j, place: at}
	if err := g.search(ctx, dir, base, 0); err != nil {
		return nil, err
	}
	return g.found, nil
}

type globber struct {
	job   *job
	place place
	found []place
}

// search looks through the folder at a path of the tree, which a pattern knows as name.
func (g *globber) search(ctx context.Context, at, name string, depth int) error {
	if depth > maxDepth {
		return nil
	}
	entries, err := g.place.tree.List(ctx, at)
	if err != nil {
		return g.job.unreadable(at, err)
	}
	var folders []string
	for _, e := range entries {
		if e.Mode == tree.Dir {
			folders = append(folders, e.Name)
			continue
		}
		p := tree.Join(name, e.Name)
		if ok, err := doublestar.Match(g.place.path, p); err != nil || !ok || g.toFolder(ctx, tree.Join(at, e.Name), e) {
			continue
		}
		found := g.place
		found.path, found.text = p, p
		g.found = append(g.found, found)
	}
	if !strings.Contains(g.place.path, "**") && strings.Count(g.place.path, "/") <= strings.Count(tree.Join(name, "x"), "/") {
		return nil
	}
	for _, folder := range folders {
		if err := g.search(ctx, tree.Join(at, folder), tree.Join(name, folder), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// toFolder reports whether an entry is a submodule or a link to a folder. A link that leads nowhere is found when it is
// read.
func (g *globber) toFolder(ctx context.Context, at string, e tree.Entry) bool {
	if e.Mode != tree.Link {
		return e.Mode == tree.Submodule
	}
	_, target, err := tree.Resolve(ctx, g.place.tree, at)
	return err == nil && (target.Mode == tree.Dir || target.Mode == tree.Submodule)
}
