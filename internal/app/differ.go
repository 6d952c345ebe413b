// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	"github.com/bowline-cd/bowline/internal/cli/app/diff"
	"github.com/bowline-cd/bowline/internal/fault"
)

// differ compares an application in this process.
func differ(context.Context, diff.Request) ([]diff.Resource, error) {
	return nil, fault.New(fault.Bug, "", "", "", "x", "")
}
