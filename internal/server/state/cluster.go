// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"

	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
)

// Clusters says how fresh what is known of clusters is.
type Clusters interface {
	// Cluster finds a cluster by URL or name; found is false if there is none. project is the only one that may use it; "" if
	// all may.
	Cluster(ctx context.Context, cluster string) (state *bowline.ClusterState, project string, found bool)
}

// ClusterState returns, for each kind that is watched in a cluster, when it was last heard of, and what waits to be looked at.
func (s *Service) ClusterState(ctx context.Context, request *bowline.ClusterStateQuery) (*bowline.ClusterState, error) {
	state, project, found := s.Clusters.Cluster(ctx, request.Cluster)
	if !found {
		state, project = &bowline.ClusterState{Server: request.Cluster}, ""
	}
	object := state.Server
	if project != "" {
		object = project + "/" + state.Server
	}
	if s.Gate.Enforce(ctx, access.Right{Resource: access.Clusters, Action: access.Get, Object: object}) != nil {
		return nil, gate.Hidden()
	}
	if !found {
		return nil, &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Op: "find", Thing: "cluster " + request.Cluster, Err: errors.New("nobody has configured it"), Fix: "see `bowline cluster list`"}
	}
	return state, nil
}
