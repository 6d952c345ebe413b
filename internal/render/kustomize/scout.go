// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// scout makes the pre-pass: it reads every kustomization that the library will reach, collects what lies elsewhere, and
// rewrites what it found.
type scout struct {
	ctx      context.Context
	in       render.Input
	files    *files
	options  options
	root     string
	nodes    map[string]*node // by folder
	walked   map[walk]int
	way      []string          // the folders from the root to where the walk is
	configs  []string          // the folders that configure plugins, those they are built from first
	remotes  map[string]string // what a mount shows, by its folder
	needs    []render.Need
	asked    map[string]bool
	warnings []string
}

// node is one kustomization.
type node struct {
	dir, file string // absolute, without links
	content   []byte
	k         types.Kustomization
	changed   bool
	children  []child
	objects   []entry // files with objects
	charts    []chart
	// namespace is what the charts inherit, once they were walked to.
	namespace *string
}

// child is a kustomization that another one refers to.
type child struct {
	dir string
	// plugins is true if its objects configure generators, transformers or validators.
	plugins bool
}

// entry is a path in a field of a kustomization.
type entry struct {
	field, at string
	plugins   bool
}

// walk is one way to come to a kustomization.
type walk struct {
	dir, namespace string
	plugins        bool
}

const (
	// maxDepth bounds how deep kustomizations lie in each other.
	maxDepth = 64
	// mark begins the name of every folder that is a mount inside of a kustomization.
	mark = ".bowline-"
)

func newScout(ctx context.Context, in render.Input, files *files, o options, root string) *scout {
	return &scout{
		ctx: ctx, in: in, files: files, options: o, root: root, nodes: map[string]*node{}, walked: map[walk]int{},
		remotes: map[string]string{}, asked: map[string]bool{}, warnings: o.warnings,
	}
}

// reach walks through everything below a kustomization. It returns how many kustomizations the library builds for it: one
// that several refer to is built several times.
func (s *scout) reach(w walk) (int, error) {
	if builds, ok := s.walked[w]; ok {
		return builds, nil
	}
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	if err := s.cycle(w.dir); err != nil {
		return 0, err
	}
	s.way = append(s.way, w.dir)
	defer func() { s.way = s.way[:len(s.way)-1] }()
	n, err := s.node(w.dir)
	if err != nil {
		return 0, err
	}
	if err := s.inherit(n, w); err != nil {
		return 0, err
	}
	if err := s.plugins(n, w.plugins); err != nil && !missing(err) {
		return 0, err
	}
	builds := 1
	for _, c := range n.children {
		below, err := s.reach(walk{dir: c.dir, namespace: cmp.Or(n.k.Namespace, w.namespace), plugins: w.plugins || c.plugins})
		if err != nil && !missing(err) {
			return 0, err
		}
		if c.plugins && !slices.Contains(s.configs, c.dir) {
			s.configs = append(s.configs, c.dir)
		}
		if builds += below; builds > s.in.Limits.Files {
			return 0, s.in.Exceeded(fmt.Sprintf("kustomizations that refer to each other are built more than %d times", s.in.Limits.Files), render.SettingFiles)
		}
	}
	s.walked[w] = builds
	return builds, nil
}

// cycle refuses a kustomization that is on the way to itself, as Kustomize does: also one that lies in a folder on the
// way and refers to that folder.
func (s *scout) cycle(dir string) error {
	if len(s.way) >= maxDepth {
		return fault.New(fault.Mistake, "render", "with Kustomize", s.files.display(dir),
			fmt.Sprintf("its bases lie more than %d deep", maxDepth), "refer to fewer kustomizations in a row")
	}
	for i, above := range s.way {
		mount, _, _ := s.files.mountOf(above)
		same, _, _ := s.files.mountOf(dir)
		if s.identity(above) != s.identity(dir) && (mount != same || !strings.HasPrefix(above, dir+"/")) {
			continue
		}
		var names []string
		for _, on := range append(slices.Clone(s.way[i:]), dir) {
			names = append(names, s.display(on))
		}
		return fault.New(fault.Mistake, "render", "with Kustomize", s.display(s.way[len(s.way)-1]),
			"its bases lead back to where they began: "+strings.Join(names, " → "), "remove one of these references")
	}
	return nil
}

// identity names a folder by what it shows: of two mounts of one repository the same folders have the same identity.
func (s *scout) identity(dir string) string {
	mount, rel, _ := s.files.mountOf(dir)
	return s.remotes[mount] + "\x00" + rel
}

// display writes a path as the user knows it, below the address of the repository that holds it.
func (s *scout) display(p string) string {
	mount, rel, _ := s.files.mountOf(p)
	of, ok := s.remotes[mount]
	if !ok {
		return s.files.display(p)
	}
	if rel == "" {
		return of
	}
	return of + ": " + rel
}

// node reads a kustomization, once.
func (s *scout) node(dir string) (*node, error) {
	if n, ok := s.nodes[dir]; ok {
		return n, nil
	}
	n, err := s.load(dir)
	if err != nil {
		return nil, err
	}
	if err := s.fields(n); err != nil {
		return nil, err
	}
	s.nodes[dir] = n
	return n, nil
}

// load reads the kustomization file of a folder, and makes the edits of the source if it is the root.
func (s *scout) load(dir string) (*node, error) {
	file, err := s.kustomizationFile(dir)
	if err != nil {
		return nil, err
	}
	n := &node{dir: dir, file: file}
	if n.content, err = s.files.ReadFile(file); err != nil {
		return nil, s.unreadable(n, "the kustomization", err)
	}
	if err := n.k.Unmarshal(n.content); err != nil {
		return nil, s.invalid(n, err)
	}
	if dir != s.root || s.in.Source.Kustomize == nil {
		return n, nil
	}
	before, err := yaml.Marshal(n.k)
	if err != nil {
		return nil, s.invalid(n, err)
	}
	n.k.FixKustomization()
	e := editor{in: s.in, ctx: s.ctx, k: &n.k, expand: func(c string) ([]string, error) { return s.expand(n, c) }}
	if err := e.edit(s.in.Source.Kustomize); err != nil {
		return nil, err
	}
	after, err := yaml.Marshal(n.k)
	n.changed = string(before) != string(after)
	return n, err
}

// kustomizationFile returns the one kustomization file of a folder.
func (s *scout) kustomizationFile(dir string) (string, error) {
	var found []string
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		p := path.Join(dir, name)
		if s.files.isFile(p) {
			found = append(found, p)
		} else if err := s.files.resolve(p).err; err != nil && !errors.Is(err, tree.ErrAbsent) {
			return "", s.unreadable(&node{file: p}, "the kustomization", err)
		}
	}
	switch len(found) {
	case 0:
		return "", fault.New(fault.Mistake, "render", "with Kustomize", s.display(dir), "the folder has no kustomization file",
			"add a kustomization.yaml, or name the files in it one by one")
	case 1:
		return found[0], nil
	}
	return "", fault.New(fault.Mistake, "render", "with Kustomize", s.display(dir),
		"the folder has several kustomization files: "+path.Base(found[0])+" and "+path.Base(found[1]), "keep one of them")
}

// expand returns the folders that a component of the source stands for: those that match it if it is a pattern, none if
// there is nothing at its path.
func (s *scout) expand(n *node, component string) ([]string, error) {
	if _, remote, err := parseAddress(component); remote || err != nil || path.IsAbs(component) {
		return []string{component}, nil // what it is becomes clear later
	}
	found := []string{""}
	for _, name := range strings.Split(path.Clean(component), "/") {
		var deeper []string
		for _, at := range found {
			names, err := s.matching(n, path.Join(n.dir, at), name)
			if err != nil {
				return nil, s.unreadable(n, s.in.Field("kustomize.components"), err)
			}
			for _, name := range names {
				deeper = append(deeper, path.Join(at, name))
			}
		}
		found = deeper
	}
	return found, nil
}

// matching returns the names in a folder that match a pattern, or the pattern itself if it is a name that is there.
func (s *scout) matching(n *node, dir, pattern string) ([]string, error) {
	if !strings.ContainsAny(pattern, `*?[\`) {
		err := s.files.resolve(path.Join(dir, pattern)).err
		if errors.Is(err, tree.ErrAbsent) {
			return nil, nil
		}
		return []string{pattern}, err
	}
	if !s.files.IsDir(dir) {
		return nil, nil
	}
	names, err := s.files.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range names {
		if ok, err := path.Match(pattern, name); err != nil {
			return nil, s.refused(n, s.in.Field("kustomize.components"), fmt.Errorf("%q is no pattern", pattern))
		} else if ok && !strings.HasPrefix(name, ".") {
			out = append(out, name)
		}
	}
	return out, nil
}

// rewrite lays every kustomization that was changed over the one in its folder.
func (s *scout) rewrite() error {
	for _, n := range s.nodes {
		if !n.changed {
			continue
		}
		content, err := yaml.Marshal(n.k)
		if err != nil {
			return fault.Wrap(fault.Bug, "write", n.file, err, "report it")
		}
		s.files.replace(n.file, content)
	}
	return nil
}
