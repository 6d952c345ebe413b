// SPDX-License-Identifier: Apache-2.0

// Package jsonnet evaluates Jsonnet files of a tree with google/go-jsonnet.
//
// The words of this room:
//
//   - Import: a file that another one asks for with import, importstr or importbin. It is looked for beside the file that
//     asks, then in the libraries, the last named first, then in the folder of the source, as Argo CD does. It always
//     lies in the tree.
//   - Library: a folder of directory.jsonnet.libs, relative to the root of the repository.
//   - External variable (std.extVar) and top-level argument: values that the Application gives.
package jsonnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	gojsonnet "github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// Evaluate evaluates the Jsonnet file at a path of in.Tree to JSON, with the variables, arguments and libraries of
// in.Source.Directory. Their values are substituted from the build environment. Errors are *fault.Error with file and
// line, or the error of the tree that could not be read. It is a render.Jsonnet.
//
// Evaluation ends when it is done: the language can go on for ever, and has to be ended from outside.
func Evaluate(ctx context.Context, in render.Input, path string) ([]byte, error) {
	in.Limits = in.Limits.WithDefaults()
	vm := gojsonnet.MakeVM()
	vm.SetTraceOut(io.Discard)
	files, err := newImporter(ctx, in)
	if err != nil {
		return nil, err
	}
	vm.Importer(files)
	if err := setVariables(ctx, in, vm); err != nil {
		return nil, err
	}
	node, _, err := vm.ImportAST("", path)
	var out string
	if err == nil {
		out, err = vm.Evaluate(node)
	}
	switch {
	case files.failure != nil:
		return nil, files.failure
	case err != nil:
		return nil, mistake(in, path, err)
	}
	return []byte(out), nil
}

func setVariables(ctx context.Context, in render.Input, vm *gojsonnet.VM) error {
	settings := settingsOf(in)
	for _, set := range []struct {
		variables []v1alpha1.JsonnetVar
		text      func(name, value string)
		code      func(name, value string)
	}{
		{settings.ExtVars, vm.ExtVar, vm.ExtCode},
		{settings.TLAs, vm.TLAVar, vm.TLACode},
	} {
		for _, v := range set.variables {
			value, err := in.Substitute(ctx, v.Value)
			switch {
			case err != nil:
				return err
			case v.Code:
				set.code(v.Name, value)
			default:
				set.text(v.Name, value)
			}
		}
	}
	return nil
}

func settingsOf(in render.Input) v1alpha1.ApplicationSourceJsonnet {
	if in.Source.Directory == nil {
		return v1alpha1.ApplicationSourceJsonnet{}
	}
	return in.Source.Directory.Jsonnet
}

// mistake turns an error of the evaluation into one with file and line.
func mistake(in render.Input, path string, err error) error {
	where, cause := place(in, path, err)
	return &fault.Error{Kind: fault.Mistake, Op: "evaluate", Thing: "the Jsonnet file " + path, Where: where, Err: errors.New(cause),
		Fix: "correct the file and push"}
}

// place finds where an evaluation failed, and what it says without its place.
func place(in render.Input, path string, err error) (where, cause string) {
	var runtime gojsonnet.RuntimeError
	var static interface{ Loc() ast.LocationRange }
	switch {
	case errors.As(err, &runtime):
		// The innermost frame is the last; those of the standard library say nothing to the author of the file.
		for i := len(runtime.StackTrace) - 1; i >= 0; i-- {
			if at, ok := position(in, runtime.StackTrace[i].Loc); ok {
				return at, runtime.Msg
			}
		}
		return path, runtime.Msg
	case errors.As(err, &static):
		loc := static.Loc()
		cause = strings.TrimSpace(strings.TrimPrefix(err.Error(), loc.String()))
		if at, ok := position(in, loc); ok {
			return at, cause
		}
		return path, cause
	}
	cause, _, _ = strings.Cut(err.Error(), "\n") // a stack of Go follows if the evaluator broke
	return path, cause
}

// position names a location for people: file and line, or the field that holds the code of a variable.
func position(in render.Input, loc ast.LocationRange) (string, bool) {
	if loc.File == nil || !loc.IsSet() {
		return "", false
	}
	name := string(loc.File.DiagnosticFileName)
	for prefix, field := range map[string]string{"<extvar:": "directory.jsonnet.extVars", "<top-level-arg:": "directory.jsonnet.tlas"} {
		if variable, ok := strings.CutPrefix(name, prefix); ok {
			return fmt.Sprintf("%s (%s)", in.Field(field), strings.TrimSuffix(variable, ">")), true
		}
	}
	if name == "" || strings.HasPrefix(name, "<") {
		return "", false
	}
	return fmt.Sprintf("%s:%d", name, loc.Begin.Line), true
}

// library resolves a folder of directory.jsonnet.libs.
func library(ctx context.Context, in render.Input, i int, lib string) (string, error) {
	field := in.Field(fmt.Sprintf("directory.jsonnet.libs[%d]", i))
	_, entry, err := tree.Resolve(ctx, in.Tree, lib)
	var escape *tree.EscapeError
	switch {
	case errors.As(err, &escape), errors.Is(err, tree.ErrLinks):
		return "", &fault.Error{Kind: fault.Mistake, Op: "read", Thing: fmt.Sprintf("the library %q", lib), Where: field, Err: err,
			Fix: "keep libraries inside the repository"}
	case errors.Is(err, tree.ErrAbsent), err == nil && entry.Mode != tree.Dir:
		return "", fault.New(fault.Mistake, "read", fmt.Sprintf("the library %q", lib), field,
			"there is no such folder in the repository at this revision", "name a folder, relative to the root of the repository")
	case err != nil:
		return "", err
	}
	cleaned, _ := tree.Clean(lib)
	return cleaned, nil
}
