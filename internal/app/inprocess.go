// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
)

// inProcess renders plain directories in this process, and nothing else. It implements desired.Renderer.
type inProcess struct{}

// Render implements desired.Renderer.
func (inProcess) Render(ctx context.Context, in render.Input) (render.Output, error) {
	prepared, err := render.Prepare(ctx, in, nil)
	if err != nil {
		return render.Output{}, err
	}
	if prepared.Type != v1alpha1.ApplicationSourceTypeDirectory {
		return render.Output{Type: prepared.Type}, fault.New(fault.Wait, "render", "the source", prepared.Why,
			string(prepared.Type)+" is not rendered by this process", "use a folder of plain manifests")
	}
	return render.Directory(ctx, prepared.Input, nil)
}
