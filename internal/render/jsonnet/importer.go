// SPDX-License-Identifier: Apache-2.0

package jsonnet

import (
	"context"
	"errors"
	"fmt"
	"path"

	gojsonnet "github.com/google/go-jsonnet"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// importer reads files of the tree for the evaluator, which keeps only the text of errors: failure is the error itself,
// where it says more than that a file is not there.
type importer struct {
	ctx     context.Context //nolint:containedctx // the evaluator's interface hands none on, and an importer lives for one evaluation
	in      render.Input
	libs    []string // in the order in which they are searched
	cache   map[string]imported
	failure error
}

type imported struct {
	contents gojsonnet.Contents
	err      error
}

func newImporter(ctx context.Context, in render.Input) (*importer, error) {
	folder, err := in.Folder(ctx)
	if err != nil {
		return nil, err
	}
	i := &importer{ctx: ctx, in: in, cache: map[string]imported{}}
	for n, lib := range settingsOf(in).Libs {
		dir, err := library(ctx, in, n, lib)
		if err != nil {
			return nil, err
		}
		i.libs = append([]string{dir}, i.libs...)
	}
	i.libs = append(i.libs, folder)
	return i, nil
}

// Import implements the evaluator's interface. The place of a file is the path it was asked for by, links not followed:
// what it imports itself is relative to that, as on a disk.
func (i *importer) Import(from, name string) (gojsonnet.Contents, string, error) {
	if path.IsAbs(name) {
		return gojsonnet.Contents{}, "", fmt.Errorf("cannot import %q: an absolute path leads out of the repository", name)
	}
	dir, _ := path.Split(from)
	outside := false
	for _, base := range append([]string{dir}, i.libs...) {
		at, ok := tree.Clean(path.Join(base, name))
		if !ok {
			outside = true
			continue
		}
		contents, err := i.read(at)
		if !errors.Is(err, tree.ErrAbsent) {
			return contents, at, err
		}
	}
	if outside {
		return gojsonnet.Contents{}, "", fmt.Errorf("cannot import %q: it leads out of the repository", name)
	}
	return gojsonnet.Contents{}, "", fmt.Errorf("cannot import %q: there is no such file beside this one or in a library", name)
}

// read returns the file at a path; the evaluator relies on getting the same bytes each time.
func (i *importer) read(at string) (gojsonnet.Contents, error) {
	known, ok := i.cache[at]
	if !ok {
		known = i.load(at)
		i.cache[at] = known
	}
	return known.contents, known.err
}

func (i *importer) load(at string) imported {
	if len(i.cache) >= i.in.Limits.Files {
		return i.fail(fault.New(fault.Mistake, "import", "file "+at, "", fmt.Sprintf("the evaluation reads more than %d files", i.in.Limits.Files),
			"import fewer files, or raise "+render.SettingFiles))
	}
	file, entry, err := tree.Resolve(i.ctx, i.in.Tree, at)
	var escape *tree.EscapeError
	switch {
	case errors.Is(err, tree.ErrAbsent), err == nil && entry.Mode == tree.Dir:
		return imported{err: tree.ErrAbsent}
	case errors.As(err, &escape), errors.Is(err, tree.ErrLinks):
		return i.fail(&fault.Error{Kind: fault.Mistake, Op: "import", Thing: "file " + at, Err: err, Fix: "keep imports and links inside the repository"})
	case err != nil:
		return i.fail(err)
	case entry.Mode == tree.Submodule:
		return i.fail(fault.New(fault.Mistake, "import", "file "+at, "", "it is a Git submodule", "import a file of it"))
	}
	data, err := i.in.Tree.Read(i.ctx, file, i.in.Limits.FileBytes)
	if errors.Is(err, tree.ErrTooLarge) {
		return i.fail(fault.New(fault.Mistake, "import", "file "+at, "", fmt.Sprintf("it is larger than %d bytes", i.in.Limits.FileBytes),
			"import smaller files"))
	}
	if err != nil {
		return i.fail(err)
	}
	return imported{contents: gojsonnet.MakeContentsRaw(data)}
}

func (i *importer) fail(err error) imported {
	if i.failure == nil {
		i.failure = err
	}
	return imported{err: err}
}
