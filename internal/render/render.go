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

// Limits bound one render.
type Limits struct {
	// TotalBytes bounds all manifest files of a Directory together; 0 means DefaultTotalBytes.
	TotalBytes int64
}

// DefaultTotalBytes is Argo CD's default for the manifests of one directory: 10 MiB.
const DefaultTotalBytes = 10 << 20

// Input is what a render works on.
type Input struct {
	Tree   tree.Tree
	Source v1alpha1.ApplicationSource
	Index  int // of the source in its application, for origins
	// Where names the source in the application's spec for error texts; "" means spec.source.
	Where string
	// App is the application's name: files in the repository may concern one application only.
	App    string
	Limits Limits
}

func (in Input) where() string {
	if in.Where == "" {
		return "spec.source"
	}
	return in.Where
}

// Output is what a render gives.
type Output struct {
	Manifests []object.Manifest
	Type      v1alpha1.ApplicationSourceType
	// Warnings name what is odd but accepted, with file and line.
	Warnings []string
}

// Render renders one source. Errors are *fault.Error (or several joined), with file and line where there is one.
func Render(ctx context.Context, in Input) (Output, error) {
	typ, why, err := in.detect(ctx)
	if err != nil {
		return Output{}, err
	}
	if typ != v1alpha1.ApplicationSourceTypeDirectory {
		return Output{Type: typ}, in.unsupported(typ, why)
	}
	out, err := directory(ctx, in)
	out.Type = typ
	return out, err
}

func (in Input) unsupported(typ v1alpha1.ApplicationSourceType, why string) error {
	return fault.New(fault.Wait, "render", "path "+quotePath(in.Source.Path), why,
		fmt.Sprintf("it needs %s, which this version of Bowline does not render yet", typ),
		"point "+in.where()+".path at a folder of plain manifests, or keep this application where it is")
}

// detect returns the type of a source and the field or file that says so: the type its spec names, else the one its
// files show. When both a Helm chart and a kustomization are there, Kustomize wins, as in Argo CD.
func (in Input) detect(ctx context.Context) (typ v1alpha1.ApplicationSourceType, why string, err error) {
	if typ, why, err = in.explicitType(); typ != "" || err != nil {
		return typ, why, err
	}
	dir, err := in.folder(ctx)
	if err != nil {
		return "", "", err
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
		p := tree.Join(dir, marker.name)
		switch entry, err := in.Tree.Lookup(ctx, p); {
		case errors.Is(err, tree.ErrAbsent):
		case err != nil:
			return "", "", err
		case entry.Mode != tree.Dir && entry.Mode != tree.Submodule:
			return marker.typ, p, nil
		}
	}
	return v1alpha1.ApplicationSourceTypeDirectory, "", nil
}

func (in Input) explicitType() (typ v1alpha1.ApplicationSourceType, why string, err error) {
	src, where := in.Source, in.where()
	var named []v1alpha1.ApplicationSourceType
	add := func(set bool, typ v1alpha1.ApplicationSourceType, field string) {
		if set {
			named, why = append(named, typ), where+"."+field
		}
	}
	add(src.Chart != "" && src.Helm == nil, v1alpha1.ApplicationSourceTypeHelm, "chart")
	add(src.Helm != nil, v1alpha1.ApplicationSourceTypeHelm, "helm")
	add(src.Kustomize != nil, v1alpha1.ApplicationSourceTypeKustomize, "kustomize")
	add(src.Directory != nil, v1alpha1.ApplicationSourceTypeDirectory, "directory")
	add(src.Plugin != nil, v1alpha1.ApplicationSourceTypePlugin, "plugin")
	switch len(named) {
	case 0:
		return "", "", nil
	case 1:
		return named[0], why, nil
	default:
		return "", "", fault.New(fault.Mistake, "render", "the source", where,
			fmt.Sprintf("it names several tools at once: %v", named), "keep exactly one of helm, kustomize, directory and plugin")
	}
}

// folder resolves the source's path to a folder of the tree.
func (in Input) folder(ctx context.Context) (string, error) {
	p, where := in.Source.Path, in.where()+".path"
	dir, entry, err := tree.Resolve(ctx, in.Tree, p)
	var escape *tree.EscapeError
	switch {
	case errors.Is(err, tree.ErrAbsent):
		return "", fault.New(fault.Mistake, "render", "path "+quotePath(p), where,
			"there is no such folder in the repository at this revision", "check the path and the targetRevision")
	case errors.As(err, &escape), errors.Is(err, tree.ErrLinks):
		return "", &fault.Error{Kind: fault.Mistake, Op: "render", Thing: "path " + quotePath(p), Where: where, Err: err,
			Fix: "keep paths and links inside the repository"}
	case err != nil:
		return "", err
	case entry.Mode == tree.Submodule:
		return "", fault.New(fault.Wait, "render", "path "+quotePath(p), where,
			"it is a Git submodule, which this version of Bowline does not read yet", "use a folder of the repository itself")
	case entry.Mode != tree.Dir:
		return "", fault.New(fault.Mistake, "render", "path "+quotePath(p), where,
			"it is a file", "name the folder that holds the manifests")
	}
	return dir, nil
}

func quotePath(p string) string {
	if cleaned, ok := tree.Clean(p); ok && cleaned == "" {
		return `"." (the root of the repository)`
	}
	return `"` + p + `"`
}
