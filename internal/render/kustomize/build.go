// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"context"
	"encoding/json"
	"errors"
	"path"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

func build(ctx context.Context, in render.Input) (render.Output, error) {
	folder, err := in.Folder(ctx)
	if err != nil {
		return render.Output{}, err
	}
	files := newFiles(ctx, in)
	dir := strings.TrimSuffix(path.Join(home, folder), "/")
	m, err := run(files, dir, &krusty.Options{
		Reorder: krusty.ReorderOptionUnspecified, LoadRestrictions: types.LoadRestrictionsRootOnly,
		PluginConfig: types.DisabledPluginConfig(),
	})
	if err != nil {
		return render.Output{}, err
	}
	manifests, err := objects(in, tree.Join(folder, "kustomization.yaml"), m)
	return render.Output{Manifests: manifests}, err
}

// run calls the library. What the files could not give stands above what the library says.
func run(files *files, dir string, options *krusty.Options) (resmap.ResMap, error) {
	clean()
	m, err := krusty.MakeKustomizer(options).Run(files, dir)
	if files.failure != nil {
		return nil, files.failure
	}
	if err != nil {
		text := strings.ReplaceAll(strings.ReplaceAll(err.Error(), home+"/", ""), home, ".")
		return nil, &fault.Error{Kind: fault.Mistake, Op: "render", Thing: "the kustomization", Where: files.display(dir),
			Err: errors.New(text), Fix: "correct it and push"}
	}
	return m, nil
}

// objects turns the library's resources into manifests.
func objects(in render.Input, file string, m resmap.ResMap) ([]object.Manifest, error) {
	var out []object.Manifest
	for _, r := range m.Resources() {
		doc, err := plain(file, r)
		if err != nil {
			return nil, fault.Wrap(fault.Bug, "read", "what Kustomize gave", err, "report it")
		}
		manifests, err := render.Manifest(doc, object.Origin{File: file, Source: in.Index})
		if err != nil {
			return nil, err
		}
		out = append(out, manifests...)
	}
	return out, nil
}

// plain brings a resource into the types of unstructured objects. It goes through JSON, as the program's output does:
// there 1.0 is 1, and a date is text.
func plain(file string, r *resource.Resource) (map[string]any, error) {
	values, err := r.Map()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	doc, err := object.ParseJSON(file, text)
	return doc.Data, err
}
