// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"

	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/fault"
)

var _ bowline.Access = (*Service)(nil)

var errLater = &fault.Error{Kind: fault.Mistake, Code: fault.Unsupported, Op: "do", Thing: "this"}

// May says which of some rights the caller has.
func (s *Service) May(context.Context, *bowline.MayQuery) (*bowline.MayAnswer, error) {
	return nil, errLater
}

// SignOutEverywhere ends all sessions of the caller, or of somebody whose account the caller may change.
func (s *Service) SignOutEverywhere(context.Context, *bowline.SignOutRequest) (*bowline.SignOutAnswer, error) {
	return nil, errLater
}
