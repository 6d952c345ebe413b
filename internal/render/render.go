// SPDX-License-Identifier: Apache-2.0

// Package render turns a Tree into objects, or answers "I need this too". It is pure: what it reads comes through the
// Trees it is given and what it asks is traced, so that its caller knows afterwards what the output was made of.
//
// The words of this room:
//
//   - Source type: the tool that renders a path: Directory (plain manifests and Jsonnet), Helm, Kustomize or Plugin.
//   - Override: a file beside the source that changes the source's parameters (.argocd-source.yaml).
//   - Build environment: the variables (ARGOCD_APP_NAME, …) that some fields and plugins may use.
//   - Need: something that lies elsewhere (another repository, a chart, a file) and that a source turns out to be made of.
//     A render with needs renders nothing; it is called again with each Need resolved to a Remote.
//   - Facts: what the destination cluster can do, asked for only by sources that care.
//   - Used: which variables and facts a render asked for, and which functions it called whose answer nobody can repeat.
//   - Skip marker: a comment in a file that keeps the whole file out.
//
// Each tool has a folder of its own below this one (helm, kustomize, jsonnet); they run in worker processes (room
// worker). Plain directories are rendered in process.
package render

import (
	"context"
	"errors"
	"fmt"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

// Directory renders a source of type Directory. jsonnet evaluates .jsonnet files; with nil, meeting one is
// ErrNeedsWorker. Errors are *fault.Error (or several joined), with file and line where there is one.
func Directory(ctx context.Context, in Input, jsonnet Jsonnet) (Output, error) {
	in.Limits = in.Limits.WithDefaults()
	out, err := directory(ctx, in, jsonnet)
	out.Type = v1alpha1.ApplicationSourceTypeDirectory
	out.Used = in.Trace.Used()
	return out, err
}

// Jsonnet evaluates the file at a path of the tree to JSON: an object or an array of objects.
type Jsonnet func(ctx context.Context, in Input, path string) ([]byte, error)

// ErrNeedsWorker says that a Directory holds Jsonnet, which is not evaluated in this process.
var ErrNeedsWorker = errors.New("the folder holds Jsonnet, which a worker process has to evaluate")

// Prepared is a source of which it is known what renders it.
type Prepared struct {
	// Input is the one given, with the overrides of the repository in its Source.
	Input
	Type v1alpha1.ApplicationSourceType
	// Why is the field or file that says so; "" for a Directory.
	Why string
}

// Discover finds the plugin that wants to render a source; ok is false if none does.
type Discover func(ctx context.Context, in Input) (name string, ok bool, err error)

// Prepare merges what the repository overrides into the source and finds out which tool renders it: the one its spec
// names, else a plugin that discovers it (discover may be nil), else what its files show.
func Prepare(ctx context.Context, in Input, discover Discover) (Prepared, error) {
	in.Limits = in.Limits.WithDefaults()
	var err error
	if in.Source, err = in.overridden(ctx); err != nil {
		return Prepared{}, err
	}
	typ, why, err := in.explicitType()
	if err != nil {
		return Prepared{}, err
	}
	if typ == v1alpha1.ApplicationSourceTypePlugin && in.Source.Plugin.Name != "" || typ != "" && typ != v1alpha1.ApplicationSourceTypePlugin {
		return Prepared{Input: in, Type: typ, Why: why}, nil
	}
	if discover != nil {
		name, ok, err := discover(ctx, in)
		if err != nil {
			return Prepared{}, err
		}
		if ok {
			return Prepared{Input: in.withPlugin(name), Type: v1alpha1.ApplicationSourceTypePlugin, Why: "plugin " + name}, nil
		}
	}
	if typ == v1alpha1.ApplicationSourceTypePlugin {
		return Prepared{}, fault.New(fault.Mistake, "render", "path "+quotePath(in.Source.Path), why,
			"no plugin says that it renders this folder", "set "+in.Field("plugin.name"))
	}
	typ, why, err = in.detect(ctx)
	return Prepared{Input: in, Type: typ, Why: why}, err
}

// withPlugin names the plugin that was discovered.
func (in Input) withPlugin(name string) Input {
	plugin := v1alpha1.ApplicationSourcePlugin{}
	if in.Source.Plugin != nil {
		plugin = *in.Source.Plugin
	}
	plugin.Name = name
	in.Source.Plugin = &plugin
	return in
}

// detect returns the type that the source's files show, and which of them does. When both a Helm chart and a
// kustomization are there, Kustomize wins, as in Argo CD. A tool that is turned off is not looked for.
func (in Input) detect(ctx context.Context) (typ v1alpha1.ApplicationSourceType, why string, err error) {
	dir, err := in.Folder(ctx)
	if err != nil {
		return "", "", err
	}
	for _, marker := range []struct {
		name string
		typ  v1alpha1.ApplicationSourceType
		off  bool
	}{
		{"kustomization.yaml", v1alpha1.ApplicationSourceTypeKustomize, in.Options.KustomizeOff},
		{"kustomization.yml", v1alpha1.ApplicationSourceTypeKustomize, in.Options.KustomizeOff},
		{"Kustomization", v1alpha1.ApplicationSourceTypeKustomize, in.Options.KustomizeOff},
		{"Chart.yaml", v1alpha1.ApplicationSourceTypeHelm, in.Options.HelmOff},
	} {
		if marker.off {
			continue
		}
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

// Folder resolves the source's path to a folder of the tree.
func (in Input) Folder(ctx context.Context) (string, error) {
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
		return "", fault.New(fault.Mistake, "render", "path "+quotePath(p), where,
			"it is a Git submodule, and submodules are turned off", "set reposerver.enable.git.submodule, or use a folder of the repository itself")
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
