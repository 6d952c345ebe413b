// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/ignore"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// file is a file of a chart: name is its path in the chart, at how it is shown to people.
type file struct {
	name, at string
	data     []byte
}

// maxDepth bounds folders within folders and archives within archives.
const maxDepth = 40

var utf8BOM = []byte("\xef\xbb\xbf")

// load reads the release's chart and its dependencies. What lies elsewhere becomes a need.
func (j *job) load(ctx context.Context) error {
	files, err := j.folder(ctx, j.release.Chart, j.release.Dir, j.release.Label)
	if err != nil {
		return err
	}
	if j.chart, err = j.assemble(files, j.path(j.release.Dir), 0); err != nil {
		return err
	}
	return j.dependencies(ctx)
}

// folder reads a folder of a tree by the rules by which Helm reads a folder: what .helmignore names is left out, and links
// are followed, though never out of the tree. label goes before the paths that people see.
func (j *job) folder(ctx context.Context, t tree.Tree, dir, label string) ([]file, error) {
	w := walk{job: j, tree: t, base: dir, label: label}
	var err error
	if w.rules, err = w.ignored(ctx); err != nil {
		return nil, err
	}
	if err := w.folder(ctx, dir, "", nil); err != nil {
		return nil, err
	}
	return w.files, nil
}

// walk reads one chart's folder.
type walk struct {
	job   *job
	tree  tree.Tree
	base  string
	label string
	rules *ignore.Rules
	files []file
}

func (w *walk) ignored(ctx context.Context) (*ignore.Rules, error) {
	p := tree.Join(w.base, ignore.HelmIgnore)
	data, err := tree.ReadFile(ctx, w.tree, p, w.job.in.Limits.FileBytes)
	rules := ignore.Empty()
	switch {
	case errors.Is(err, tree.ErrAbsent):
	case err != nil:
		return nil, w.job.unreadable(w.label+p, err)
	default:
		if rules, err = ignore.Parse(bytes.NewReader(data)); err != nil {
			return nil, w.job.mistake(w.label+p, err.Error(), "correct the pattern")
		}
	}
	rules.AddDefaults()
	return rules, nil
}

// folder reads the folder at a path of the tree as the folder name of the chart. within are the folders it lies in, as
// paths of the tree: one that holds a link to itself has no end.
func (w *walk) folder(ctx context.Context, at, name string, within []string) error {
	if slices.Contains(within, at) || len(within) > maxDepth {
		return w.job.unreadable(w.label+tree.Join(w.base, name), tree.ErrLinks)
	}
	within = append(within, at)
	entries, err := w.tree.List(ctx, at)
	if err != nil {
		return w.job.unreadable(w.label+at, err)
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.entry(ctx, tree.Join(at, e.Name), tree.Join(name, e.Name), e, within); err != nil {
			return err
		}
	}
	return nil
}

// entry reads what lies at a path of the tree as name of the chart.
func (w *walk) entry(ctx context.Context, at, name string, e tree.Entry, within []string) error {
	shown := w.label + at
	if e.Mode == tree.Link {
		target, entry, err := tree.Resolve(ctx, w.tree, at)
		if err != nil {
			if !missing(err) && w.rules.Ignore(name, info{}) {
				return nil
			}
			return w.job.unreadable(shown, err)
		}
		at, e = target, entry
	}
	switch {
	case w.rules.Ignore(name, info{dir: e.Mode == tree.Dir || e.Mode == tree.Submodule}):
		return nil
	case e.Mode == tree.Submodule:
		return w.job.mistake(shown, "it is a Git submodule, and submodules are turned off", "set reposerver.enable.git.submodule, or name it in .helmignore")
	case e.Mode == tree.Dir:
		return w.folder(ctx, at, name, within)
	}
	data, err := w.job.read(ctx, w.tree, at, shown)
	if err != nil {
		return err
	}
	w.files = append(w.files, file{name: name, at: shown, data: bytes.TrimPrefix(data, utf8BOM)})
	return nil
}

// read returns the content of a file, which counts against the limits.
func (j *job) read(ctx context.Context, t tree.Tree, at, shown string) ([]byte, error) {
	if err := j.count(shown); err != nil {
		return nil, err
	}
	data, err := t.Read(ctx, at, j.in.Limits.FileBytes)
	if err != nil {
		return nil, j.unreadable(shown, err)
	}
	return data, nil
}

// count counts a file against the limit on how many a render reads.
func (j *job) count(shown string) error {
	if j.files++; j.files > j.in.Limits.Files {
		return j.mistake(shown, fmt.Sprintf("the chart has more than %d files, its dependencies included", j.in.Limits.Files),
			"leave files that are not part of it out with .helmignore, or raise "+render.SettingFiles)
	}
	return nil
}

// unreadable turns an error of a tree into one that names the file, unless it says that the tree could not be read.
func (j *job) unreadable(shown string, err error) error {
	var escape *tree.EscapeError
	fix := ""
	switch {
	case missing(err):
		return err
	case errors.As(err, &escape):
		fix = "keep links inside the repository"
	case errors.Is(err, tree.ErrAbsent), errors.Is(err, tree.ErrLinks):
		fix = "mend or remove the link"
	case errors.Is(err, tree.ErrTooLarge):
		err = fmt.Errorf("the file is larger than %s", render.Size(j.in.Limits.FileBytes))
		fix = "leave it out of the chart with .helmignore, or make it smaller"
	default:
		return err
	}
	return &fault.Error{Kind: fault.Mistake, Op: "render", Thing: j.thing(), Where: shown, Err: err, Fix: fix}
}

// info is what the rules of .helmignore want to know of a file.
type info struct{ dir bool }

func (i info) Name() string { return "" }
func (i info) Size() int64  { return 0 }
func (i info) Mode() os.FileMode {
	if i.dir {
		return os.ModeDir
	}
	return 0
}
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.dir }
func (i info) Sys() any           { return nil }

// inCharts splits the path of a file below charts/ into the name of the dependency's folder or archive and the rest.
func inCharts(name string) (sub, rest string, ok bool) {
	below, ok := strings.CutPrefix(name, "charts/")
	if !ok || path.Ext(name) == ".prov" {
		return "", "", false
	}
	sub, rest, _ = strings.Cut(below, "/")
	return sub, rest, true
}
