// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"

	"github.com/bowline-cd/bowline/internal/render"
)

var behaviours = map[string]func(context.Context, render.Input) (render.Output, error){}
