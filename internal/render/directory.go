// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/tree"
)

// maxErrors bounds how many broken files one error names.
const maxErrors = 10

// walker renders one Directory source.
type walker struct {
	in      Input
	base    string // folder of the source, as a tree path
	recurse bool
	include *object.Glob // nil: everything
	exclude *object.Glob // nil: nothing
	anyFile bool         // disableExtensionFilter
	jsonnet Jsonnet      // nil: a Jsonnet file is ErrNeedsWorker
	left    int64        // bytes left of the limit
	out     Output
	errs    []error
	hidden  int // errors past maxErrors
	visited int // files and folders
}

func directory(ctx context.Context, in Input, jsonnet Jsonnet) (Output, error) {
	w, err := newWalker(ctx, in)
	if err != nil {
		return Output{}, err
	}
	w.jsonnet = jsonnet
	if err := w.walk(ctx, w.base); err != nil {
		return Output{}, err
	}
	if w.hidden > 0 {
		w.errs = append(w.errs, fmt.Errorf("and %d more broken files", w.hidden))
	}
	if len(w.errs) > 0 {
		return Output{}, errors.Join(w.errs...)
	}
	return w.out, nil
}

func newWalker(ctx context.Context, in Input) (*walker, error) {
	base, err := in.Folder(ctx)
	if err != nil {
		return nil, err
	}
	w := &walker{in: in, base: base, left: in.Limits.TotalBytes}
	dir := in.Source.Directory
	if dir == nil {
		return w, nil
	}
	w.recurse, w.anyFile = dir.Recurse, dir.DisableExtensionFilter
	if w.include, err = compileGlob(in.where()+".directory.include", dir.Include); err != nil {
		return nil, err
	}
	w.exclude, err = compileGlob(in.where()+".directory.exclude", dir.Exclude)
	return w, err
}

func compileGlob(field, pattern string) (*object.Glob, error) {
	if pattern == "" {
		return nil, nil
	}
	g, err := object.CompileGlob(pattern)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Mistake, Op: "render", Thing: "the source", Where: field,
			Err: fmt.Errorf("%q is not a glob pattern: %w", pattern, err), Fix: "write it like *.yaml or {a,b}/*"}
	}
	return &g, nil
}

// walk reads what a folder holds in the order of names, folders among files. Links to folders are not followed: a walk
// through them could go round in circles, and Argo CD does not either.
func (w *walker) walk(ctx context.Context, dir string) error {
	if err := w.visit(dir); err != nil {
		return err
	}
	entries, err := w.in.Tree.List(ctx, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := tree.Join(dir, e.Name)
		switch {
		case e.Mode == tree.Dir && w.recurse:
			err = w.walk(ctx, p)
		case e.Mode == tree.Dir || e.Mode == tree.Submodule || !w.wanted(p):
			continue
		default:
			if err = w.visit(p); err == nil {
				err = w.file(ctx, p, e.Mode == tree.Link)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxPath bounds paths, and so how deep folders may lie in each other: as PATH_MAX.
const maxPath = 4 << 10

// visit counts what is looked into: a few folders that hold each other many times over make more paths than there is
// memory to note them.
func (w *walker) visit(p string) error {
	if w.visited++; w.visited > w.in.Limits.Files {
		return w.in.Exceeded(fmt.Sprintf("it has more than %d files and folders", w.in.Limits.Files), SettingFiles)
	}
	if len(p) > maxPath {
		return w.in.Exceeded(fmt.Sprintf("its folders lie so deep in each other that a path is longer than %d bytes", maxPath), SettingFiles)
	}
	return nil
}

func (w *walker) relative(p string) string {
	return strings.TrimPrefix(strings.TrimPrefix(p, w.base), "/")
}

var extensions = []string{".yaml", ".yml", ".json", ".jsonnet"}

func (w *walker) wanted(p string) bool {
	if !w.anyFile && !slices.Contains(extensions, path.Ext(p)) {
		return false
	}
	rel := w.relative(p)
	if w.exclude != nil && w.exclude.Match(rel) {
		return false
	}
	return w.include == nil || w.include.Match(rel)
}

// file reads one file. What is wrong with its content is collected, so that a user sees every broken file at once;
// what keeps it from being read ends the walk.
func (w *walker) file(ctx context.Context, p string, link bool) error {
	at := p
	if link {
		var err error
		if at, err = w.follow(ctx, p); at == "" || err != nil {
			return err
		}
	}
	data, err := w.read(ctx, p, at)
	if err != nil {
		return err
	}
	if bytes.Contains(data, []byte(v1alpha1.SkipFileRenderingMarker)) {
		return nil
	}
	var read parsed
	switch path.Ext(p) {
	case ".jsonnet":
		read, err = w.evaluate(ctx, p)
	case ".json":
		read, err = parseJSON(p, data)
	default:
		read, err = parseYAML(p, data)
	}
	switch {
	case errors.Is(err, ErrNeedsWorker), err != nil && missing(err):
		return err
	case err != nil:
		w.note(err)
		return nil
	}
	for _, m := range read.manifests {
		m.Origin.Source = w.in.Index
		w.out.Manifests = append(w.out.Manifests, m)
	}
	w.out.Warnings = append(w.out.Warnings, read.warnings...)
	return nil
}

// follow returns the file a link leads to; "" if it leads to none.
func (w *walker) follow(ctx context.Context, p string) (string, error) {
	at, entry, err := tree.Resolve(ctx, w.in.Tree, p)
	var escape *tree.EscapeError
	switch {
	case errors.As(err, &escape):
		w.note(fault.Wrap(fault.Mistake, "render", "file "+p, err, "keep links inside the repository"))
		return "", nil
	case errors.Is(err, tree.ErrAbsent):
		w.note(fault.New(fault.Mistake, "render", "file "+p, "", "it is a link to nothing", "mend or remove the link"))
		return "", nil
	case errors.Is(err, tree.ErrLinks):
		w.note(fault.Wrap(fault.Mistake, "render", "file "+p, err, "mend or remove the links"))
		return "", nil
	case err != nil:
		return "", err
	case entry.Mode == tree.Dir || entry.Mode == tree.Submodule:
		return "", nil
	}
	return at, nil
}

// read returns the content of the file at a path, which counts against the limit of all together.
func (w *walker) read(ctx context.Context, p, at string) ([]byte, error) {
	data, err := w.in.Tree.Read(ctx, at, w.left)
	if errors.Is(err, tree.ErrTooLarge) {
		return nil, fault.New(fault.Mistake, "render", "path "+quotePath(w.in.Source.Path), p,
			fmt.Sprintf("with this file its manifests are larger than %s together", Size(w.in.Limits.TotalBytes)),
			"leave files that are no manifests out with "+w.in.where()+".directory.exclude, split the application, or raise "+SettingTotal)
	}
	w.left -= int64(len(data))
	return data, err
}

// evaluate reads a Jsonnet file, unless Jsonnet is turned off: then it is no manifest.
func (w *walker) evaluate(ctx context.Context, p string) (parsed, error) {
	switch {
	case w.in.Options.JsonnetOff:
		return parsed{}, nil
	case w.jsonnet == nil:
		return parsed{}, ErrNeedsWorker
	}
	data, err := w.jsonnet(ctx, w.in, p)
	if err != nil {
		return parsed{}, err
	}
	return parseEvaluated(p, data)
}

// missing reports whether an error says that a file was not fetched: then it is to be had, and the render tried again.
func missing(err error) bool {
	var m interface{ MissingPath() string }
	return errors.As(err, &m)
}

func (w *walker) note(err error) {
	if len(w.errs) >= maxErrors {
		w.hidden++
		return
	}
	w.errs = append(w.errs, err)
}
