// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
)

// localState returns what the manifests of an operation ask for.
func (p *pass) localState(ctx context.Context, spec v1alpha1.Operation) (*desired.State, error) {
	return nil, fmt.Errorf("syncing local manifests is not supported by this version of Bowline: push them to the repository")
}
