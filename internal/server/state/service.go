// SPDX-License-Identifier: Apache-2.0

// Package state serves how Bowline itself and what it knows of clusters is doing.
package state

import (
	"context"

	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
)

var _ bowline.States = (*Service)(nil)

// Service implements the part of Bowline's own API about how things are doing.
type Service struct {
	Gate *gate.Gate
	Clusters
}

// State says how Bowline itself is doing.
func (s *Service) State(context.Context, *bowline.StateQuery) (*bowline.State, error) {
	return nil, &fault.Error{Kind: fault.Mistake, Code: fault.Unsupported, Op: "tell", Thing: "the state"}
}
