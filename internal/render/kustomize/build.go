// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
)

// build makes the pre-pass, and has the library build what it left.
func build(ctx context.Context, in render.Input) (render.Output, error) {
	o, err := buildOptions(in)
	if err != nil {
		return render.Output{}, err
	}
	folder, err := in.Folder(ctx)
	if err != nil {
		return render.Output{}, err
	}
	s := newScout(ctx, in, newFiles(ctx, in), o, strings.TrimSuffix(path.Join(home, folder), "/"))
	if _, err := s.reach(walk{dir: s.root}); err != nil {
		return render.Output{}, err
	}
	if s.files.failure != nil {
		return render.Output{}, s.files.failure
	}
	if len(s.needs) == 0 {
		if err := s.inflate(); err != nil {
			return render.Output{}, err
		}
	}
	if len(s.needs) > 0 {
		return render.Output{Needs: s.needs, Warnings: s.warnings}, nil
	}
	if err := s.rewrite(); err != nil {
		return render.Output{}, err
	}
	if err := s.checkConfigs(); err != nil {
		return render.Output{}, err
	}
	m, err := s.run(s.root)
	if err != nil {
		return render.Output{}, err
	}
	manifests, err := s.objects(m)
	return render.Output{Manifests: manifests, Warnings: s.warnings}, err
}

// run builds a folder with the library. What the files could not give stands above what the library says.
func (s *scout) run(dir string) (resmap.ResMap, error) {
	for _, n := range s.nodes {
		if len(n.k.OpenAPI) > 0 {
			tainted.Store(true)
		}
	}
	restrictions := types.LoadRestrictionsRootOnly
	if s.options.unrestricted {
		restrictions = types.LoadRestrictionsNone
	}
	m, err := s.library(dir, &krusty.Options{
		Reorder: s.options.reorder, AddManagedbyLabel: s.options.managedBy, LoadRestrictions: restrictions,
		PluginConfig: types.DisabledPluginConfig(),
	})
	if s.files.failure != nil {
		return nil, s.unreadable(s.nodes[s.root], "what it is made of", s.files.failure)
	}
	if err != nil {
		return nil, s.failed(err)
	}
	return m, nil
}

// library runs the library. It panics on some input, such as a schema that is none.
func (s *scout) library(dir string, options *krusty.Options) (m resmap.ResMap, err error) {
	defer clean()
	defer func() {
		if broken := recover(); broken != nil {
			tainted.Store(true)
			err = fmt.Errorf("the library broke down: %v", broken)
		}
	}()
	return krusty.MakeKustomizer(options).Run(s.files, dir)
}

// objects turns the library's resources into manifests.
func (s *scout) objects(m resmap.ResMap) ([]object.Manifest, error) {
	var out []object.Manifest
	written := s.written()
	for _, r := range m.Resources() {
		err := s.origins(r)
		var doc map[string]any
		if err == nil {
			doc, err = plain(r)
		}
		if err != nil {
			return nil, fault.Wrap(fault.Bug, "read", "what Kustomize gave", err, "report it")
		}
		manifests, err := render.Manifest(doc, written.of(r.GetKind(), r.GetName()))
		if err != nil {
			return nil, err
		}
		out = append(out, manifests...)
	}
	return out, nil
}

// plain brings a resource into the types of unstructured objects. It goes through JSON, as the program's output does:
// there 1.0 is 1, and a date is text.
func plain(r *resource.Resource) (map[string]any, error) {
	values, err := r.Map()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	doc, err := object.ParseJSON("", text)
	return doc.Data, err
}
