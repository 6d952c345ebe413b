// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"

	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/fault"
)

var errLater = &fault.Error{Kind: fault.Mistake, Code: fault.Unsupported, Op: "do", Thing: "this"}

func (s *Service) Compare(context.Context, *bowline.CompareQuery) (*bowline.Comparison, error) {
	return nil, errLater
}
