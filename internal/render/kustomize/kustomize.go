// SPDX-License-Identifier: Apache-2.0

// Package kustomize renders kustomizations with the library that the kustomize program is made of. It reads through
// Trees only: nothing of the disk, no network, no other program.
//
// The words of this room:
//
//   - Kustomization: a folder with a kustomization file. It names other kustomizations (its bases and components) and
//     files, by path or by address.
//   - Pre-pass: before the library runs, every kustomization that it will reach is read. What lies elsewhere becomes a
//     Need; once all of it is there, the entries are rewritten to paths.
//   - Mount: a Tree shown as a folder inside of the kustomization that refers to it. There the library's own rule that a
//     kustomization reads only what is in or below its folder holds without exceptions.
//   - Edit: what the fields of an Application's source change in the kustomization file, as `kustomize edit` does.
//   - Build option: a flag of `kustomize build`, from the installation's settings.
package kustomize

import (
	"context"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/render"
)

// Render renders a source of type Kustomize. An Output with Needs is no result yet: call it again with them in
// in.Remotes. Errors are *fault.Error; those of the Trees stay in the chain.
//
// The library keeps its schema in a variable of the package: never call Render twice at the same time in one process,
// and end the process once Tainted says so.
func Render(ctx context.Context, in render.Input) (render.Output, error) {
	in.Limits = in.Limits.WithDefaults()
	out, err := build(ctx, in)
	out.Type = v1alpha1.ApplicationSourceTypeKustomize
	out.Used = in.Trace.Used()
	if err == nil {
		err = in.Bounded(out)
	}
	return out, err
}
