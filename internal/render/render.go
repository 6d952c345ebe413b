// SPDX-License-Identifier: Apache-2.0

// Package render turns a Tree into objects. It is pure: what it reads comes through the Tree it is given, so a
// traced Tree knows afterwards what the output was made of.
//
// The words of this room:
//
//   - Source type: the tool that renders a path: Directory (plain manifests), Helm, Kustomize or Plugin.
//   - Directory: every manifest file of a folder, as it stands.
//   - Skip marker: a comment in a file that keeps the whole file out.
//
// This version renders Directory sources; a source that needs another tool is a fault.Wait error that names it.
package render

import (
	"context"
	"errors"
	"fmt"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/tree"
)

// Version names the rules of this renderer: part of the key of everything that is memoised. Raise it with every
// change that can change an output.
const Version = 1

// Limits bound one render.
type Limits struct {
	// TotalBytes bounds all manifest files of a Directory together
	// (reposerver.max.combined.directory.manifests.size); 0 means DefaultTotalBytes.
	TotalBytes int64
}

// DefaultTotalBytes is Argo CD's default for the manifests of one directory: 10 MiB.
const DefaultTotalBytes = 10 << 20

// Input is what a render works on.
type Input struct {
	Tree   tree.Tree
	Source v1alpha1.ApplicationSource
	Index  int // of the source in its application, for origins
	Limits Limits
}

// Output is what a render gives.
type Output struct {
	Manifests []object.Manifest
	Type      v1alpha1.ApplicationSourceType
}

// Render renders one source. Errors are *fault.Error (or several joined), with file and line where there is one.
func Render(ctx context.Context, in Input) (Output, error) {
	typ, err := Detect(ctx, in.Tree, in.Source)
	if err != nil {
		return Output{}, err
	}
	if typ != v1alpha1.ApplicationSourceTypeDirectory {
		return Output{Type: typ}, unsupported(in.Source, typ)
	}
	manifests, err := directory(ctx, in)
	return Output{Manifests: manifests, Type: typ}, err
}

func unsupported(src v1alpha1.ApplicationSource, typ v1alpha1.ApplicationSourceType) error {
	return fault.New(fault.Wait, "render", "path "+quotePath(src.Path), "",
		fmt.Sprintf("it needs %s, which this version of Bowline does not render yet", typ),
		"point spec.source.path at a folder of plain manifests, or keep this application where it is")
}

// Detect returns the type of a source: the one its spec names, else the one its files show. When both a Helm
// chart and a kustomization are there, Kustomize wins, as in Argo CD.
func Detect(ctx context.Context, t tree.Tree, src v1alpha1.ApplicationSource) (v1alpha1.ApplicationSourceType, error) {
	if typ, err := explicitType(src); typ != "" || err != nil {
		return typ, err
	}
	dir, err := folder(ctx, t, src.Path)
	if err != nil {
		return "", err
	}
	for _, marker := range []struct {
		name string
		typ  v1alpha1.ApplicationSourceType
	}{
		{"kustomization.yaml", v1alpha1.ApplicationSourceTypeKustomize},
		{"kustomization.yml", v1alpha1.ApplicationSourceTypeKustomize},
		{"Kustomization", v1alpha1.ApplicationSourceTypeKustomize},
		{"Chart.yaml", v1alpha1.ApplicationSourceTypeHelm},
	} {
		_, err := t.Lookup(ctx, tree.Join(dir, marker.name))
		if err == nil {
			return marker.typ, nil
		}
		if !errors.Is(err, tree.ErrAbsent) {
			return "", err
		}
	}
	return v1alpha1.ApplicationSourceTypeDirectory, nil
}

func explicitType(src v1alpha1.ApplicationSource) (v1alpha1.ApplicationSourceType, error) {
	var named []v1alpha1.ApplicationSourceType
	if src.Helm != nil || src.Chart != "" {
		named = append(named, v1alpha1.ApplicationSourceTypeHelm)
	}
	if src.Kustomize != nil {
		named = append(named, v1alpha1.ApplicationSourceTypeKustomize)
	}
	if src.Directory != nil {
		named = append(named, v1alpha1.ApplicationSourceTypeDirectory)
	}
	if src.Plugin != nil {
		named = append(named, v1alpha1.ApplicationSourceTypePlugin)
	}
	switch len(named) {
	case 0:
		return "", nil
	case 1:
		return named[0], nil
	default:
		return "", fault.New(fault.Mistake, "render", "the source", "spec.source",
			fmt.Sprintf("it names several tools at once: %v", named), "keep exactly one of helm, kustomize, directory and plugin")
	}
}

// folder resolves a source's path to a folder of the tree.
func folder(ctx context.Context, t tree.Tree, p string) (string, error) {
	dir, entry, err := tree.Resolve(ctx, t, p)
	var escape *tree.EscapeError
	switch {
	case errors.Is(err, tree.ErrAbsent):
		return "", fault.New(fault.Mistake, "render", "path "+quotePath(p), "spec.source.path",
			"there is no such folder in the repository at this revision", "check the path and the targetRevision")
	case errors.As(err, &escape):
		return "", fault.Wrap(fault.Mistake, "render", "path "+quotePath(p), err, "keep links inside the repository")
	case err != nil:
		return "", err
	case entry.Mode == tree.Submodule:
		return "", fault.New(fault.Wait, "render", "path "+quotePath(p), "spec.source.path",
			"it is a Git submodule, which this version of Bowline does not read yet", "use a folder of the repository itself")
	case entry.Mode != tree.Dir:
		return "", fault.New(fault.Mistake, "render", "path "+quotePath(p), "spec.source.path",
			"it is a file", "name the folder that holds the manifests")
	}
	return dir, nil
}

func quotePath(p string) string {
	if p == "" {
		return `"." (the root of the repository)`
	}
	return `"` + p + `"`
}
