// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"

	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// fields goes through every field of a kustomization that names a file, a folder or an address. What was not fetched does
// not end it, so that all of it is known after one pre-pass.
func (s *scout) fields(n *node) error {
	k := &n.k
	var errs error
	once := func(err error) {
		if errs == nil && !missing(err) {
			errs = err
		}
	}
	each(k.Resources, "resources", func(field string, e *string) { once(s.resource(n, field, e, false)) })
	each(k.Bases, "bases", func(field string, e *string) { once(s.resource(n, field, e, false)) })
	each(k.Components, "components", func(field string, e *string) { once(s.component(n, field, e)) })
	each(k.Generators, "generators", func(field string, e *string) { once(s.resource(n, field, e, true)) })
	each(k.Transformers, "transformers", func(field string, e *string) { once(s.resource(n, field, e, true)) })
	each(k.Validators, "validators", func(field string, e *string) { once(s.resource(n, field, e, true)) })
	each(k.Crds, "crds", func(field string, e *string) { once(s.file(n, field, e)) })
	each(k.Configurations, "configurations", func(field string, e *string) { once(s.file(n, field, e)) })
	if schema, ok := k.OpenAPI["path"]; ok {
		once(s.file(n, "openapi.path", &schema))
		k.OpenAPI["path"] = schema
	}
	for i := range k.Patches {
		once(s.optionalFile(n, fmt.Sprintf("patches[%d].path", i), &k.Patches[i].Path))
	}
	for i := range k.PatchesJson6902 {
		once(s.optionalFile(n, fmt.Sprintf("patchesJson6902[%d].path", i), &k.PatchesJson6902[i].Path))
	}
	for i := range k.PatchesStrategicMerge {
		patch := string(k.PatchesStrategicMerge[i])
		if looksWeb(patch) || !inline(patch) {
			once(s.file(n, fmt.Sprintf("patchesStrategicMerge[%d]", i), &patch))
			k.PatchesStrategicMerge[i] = types.PatchStrategicMerge(patch)
		}
	}
	for i := range k.Replacements {
		once(s.optionalFile(n, fmt.Sprintf("replacements[%d].path", i), &k.Replacements[i].Path))
	}
	for i := range k.ConfigMapGenerator {
		once(s.pairs(n, fmt.Sprintf("configMapGenerator[%d]", i), &k.ConfigMapGenerator[i].KvPairSources))
	}
	for i := range k.SecretGenerator {
		once(s.pairs(n, fmt.Sprintf("secretGenerator[%d]", i), &k.SecretGenerator[i].KvPairSources))
	}
	if errs == nil {
		errs = s.helmFields(n)
	}
	return errs
}

func each(list []string, name string, f func(field string, e *string)) {
	for i := range list {
		f(fmt.Sprintf("%s[%d]", name, i), &list[i])
	}
}

// resource reads an entry that is a file with objects, a kustomization, or the address of either. What configures plugins
// may also stand in the entry itself.
func (s *scout) resource(n *node, field string, e *string, plugins bool) error {
	a, remote, err := parseAddress(*e)
	if !looksWeb(*e) && (remote || err != nil) && s.files.isFile(filepath.Join(n.dir, *e)) {
		remote, err = false, nil
	}
	switch {
	case err != nil:
		return s.refused(n, field, err)
	case remote && (!looksWeb(*e) || isRepository(*e)):
		return s.repository(n, field, e, a, plugins)
	case plugins && !looksWeb(*e) && inline(*e):
		return s.plugin(n, field, []byte(*e))
	case looksWeb(*e):
		if err := s.web(n, field, e); err != nil {
			return err
		}
		n.objects = append(n.objects, entry{field: field, at: path.Join(n.dir, *e), plugins: plugins})
		return nil
	}
	found, err := s.local(n, field, *e)
	switch {
	case err != nil:
		return err
	case found.entry.Mode == tree.Dir:
		n.children = append(n.children, child{dir: found.at, plugins: plugins})
		return nil
	}
	n.objects = append(n.objects, entry{field: field, at: path.Join(n.dir, *e), plugins: plugins})
	return s.confined(n, field, *e, found)
}

// missing reports whether an error says that a file was not fetched.
func missing(err error) bool {
	var m interface{ MissingPath() string }
	return errors.As(err, &m)
}

// inline reports whether an entry is YAML itself. The library tries that first, and takes what is no object for a path or
// an address: so what looks like an address is none of it.
func inline(e string) bool {
	docs, err := object.ParseYAML("", []byte(e))
	return err == nil && slices.ContainsFunc(docs, func(doc object.Document) bool { return doc.Data != nil })
}

// component reads an entry that is always a folder.
func (s *scout) component(n *node, field string, e *string) error {
	a, remote, err := parseAddress(*e)
	switch {
	case err != nil:
		return s.refused(n, field, err)
	case remote:
		return s.repository(n, field, e, a, false)
	case looksWeb(*e):
		return s.refused(n, field, errors.New("this address names no folder of a repository"))
	}
	found, err := s.local(n, field, *e)
	if err != nil {
		return err
	}
	if found.entry.Mode != tree.Dir {
		return s.refused(n, field, errors.New("it is a file, and a component is a folder"))
	}
	n.children = append(n.children, child{dir: found.at})
	return nil
}

// file reads an entry that is always a file, or the web address of one.
func (s *scout) file(n *node, field string, e *string) error {
	if looksWeb(*e) {
		return s.web(n, field, e)
	}
	found, err := s.local(n, field, *e)
	if err != nil {
		return err
	}
	if found.entry.Mode == tree.Dir {
		return s.refused(n, field, errors.New("it is a folder, and has to be a file"))
	}
	return s.confined(n, field, *e, found)
}

func (s *scout) optionalFile(n *node, field string, e *string) error {
	if *e == "" {
		return nil
	}
	return s.file(n, field, e)
}

// local finds what an entry that is a path leads to.
func (s *scout) local(n *node, field, e string) (place, error) {
	if path.IsAbs(e) {
		return place{}, s.refused(n, field, errors.New("it is an absolute path; paths are relative to the kustomization"))
	}
	switch {
	case e == "":
		return place{}, s.refused(n, field, errors.New("it is empty"))
	case strings.Contains(e, "\n"): // it is not quoted, for it may be a Secret
		return place{}, s.refused(n, field, errors.New("it is neither a path nor YAML with an object"))
	}
	p := filepath.Join(n.dir, e)
	mount, _, ok := s.files.mountOf(p)
	if home, _, _ := s.files.mountOf(n.dir); !ok || mount != home {
		return place{}, s.refused(n, field, fmt.Errorf("%q leads out of the repository", e))
	}
	found := s.files.resolve(p)
	switch {
	case errors.Is(found.err, tree.ErrAbsent):
		return place{}, s.refused(n, field, fmt.Errorf("there is no file or folder %s", s.display(p)))
	case found.err != nil:
		return place{}, s.unreadable(n, field, found.err)
	case found.entry.Mode == tree.Submodule:
		return place{}, s.refused(n, field, fmt.Errorf("%s is a Git submodule, and submodules are turned off", s.display(p)))
	}
	return found, nil
}

// confined holds a file to the load restrictor: it lies in or below the kustomization that reads it. That counts for the
// place that links lead to.
func (s *scout) confined(n *node, field, e string, found place) error {
	mount, _, _ := s.files.mountOf(n.dir)
	if s.options.unrestricted && mount == home || strings.HasPrefix(found.at, n.dir+"/") {
		if found.entry.Mode == tree.Dir {
			return nil
		}
		_, err := s.files.ReadFile(found.at) // the library reads it later; here all that was not fetched is found at once
		return s.unreadable(n, field, err)
	}
	err := s.refused(n, field, fmt.Errorf("%q lies outside of the kustomization's own folder, which Kustomize does not allow by itself", e))
	err.Fix = "move it below " + s.display(n.dir) + ", make it a base, or set --load-restrictor LoadRestrictionsNone in " + settingOptions
	return err
}

// repository has the folder of a repository elsewhere.
func (s *scout) repository(n *node, field string, e *string, a address, plugins bool) error {
	need := render.Need{Kind: render.NeedGit, URL: a.repo, Revision: a.ref, Where: s.whereField(n, field)}
	name, ok := s.have(n, need)
	if !ok {
		return nil
	}
	p := path.Join(n.dir, name, a.path)
	found := s.files.resolve(p)
	switch {
	case errors.Is(found.err, tree.ErrAbsent):
		return s.refused(n, field, fmt.Errorf("there is no folder %q in %s", a.path, need))
	case found.err != nil:
		return s.unreadable(n, field, found.err)
	case found.entry.Mode != tree.Dir:
		return s.refused(n, field, fmt.Errorf("%q in %s is no folder", a.path, need))
	}
	*e, n.changed = path.Join(name, a.path), true
	n.children = append(n.children, child{dir: found.at, plugins: plugins})
	return nil
}

// web has the file at an http or https address.
func (s *scout) web(n *node, field string, e *string) error {
	if err := checkWeb(*e); err != nil {
		return s.refused(n, field, err)
	}
	name, ok := s.have(n, render.Need{Kind: render.NeedFile, URL: *e, Where: s.whereField(n, field)})
	if ok {
		*e, n.changed = path.Join(name, render.FileName), true
	}
	return nil
}

// have mounts what a need was resolved to in a kustomization, and returns the name of the mount. ok is false if it is not
// there yet: then it is asked for.
func (s *scout) have(n *node, need render.Need) (name string, ok bool) {
	for i, r := range s.in.Remotes {
		if r.Need.Key() == need.Key() {
			name := fmt.Sprintf("%sremote-%03d", mark, i)
			dir := path.Join(n.dir, name)
			s.files.mount(dir, r.Tree)
			s.remotes[dir] = need.String()
			return name, true
		}
	}
	s.ask(need)
	return "", false
}

func (s *scout) ask(need render.Need) {
	if !s.asked[need.Key()] {
		s.asked[need.Key()] = true
		s.needs = append(s.needs, need)
	}
}

// pairs goes through the files of a generator.
func (s *scout) pairs(n *node, field string, p *types.KvPairSources) error {
	for i := range p.FileSources {
		if err := s.keyed(n, fmt.Sprintf("%s.files[%d]", field, i), &p.FileSources[i]); err != nil {
			return err
		}
	}
	for i := range p.EnvSources {
		if err := s.file(n, fmt.Sprintf("%s.envs[%d]", field, i), &p.EnvSources[i]); err != nil {
			return err
		}
	}
	return s.optionalFile(n, field+".env", &p.EnvSource)
}

// keyed reads [key=]path. An address keeps the key that its last name gave.
func (s *scout) keyed(n *node, field string, e *string) error {
	key, p, named := strings.Cut(*e, "=")
	if !named {
		key, p = path.Base(*e), *e
	}
	before := p
	if err := s.file(n, field, &p); err != nil || p == before {
		return err
	}
	*e = key + "=" + p
	return nil
}
