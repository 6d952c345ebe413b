// SPDX-License-Identifier: Apache-2.0

// Package state serves how Bowline itself and what it knows of clusters is doing.
package state

import (
	"context"

	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
)

var _ bowline.States = (*Service)(nil)

// Service implements the part of Bowline's own API about how things are doing.
type Service struct {
	Gate *gate.Gate
	Clusters
	Self Self
}

// Self says how this process is doing. It asks nobody.
type Self interface {
	// Process returns what is known without clusters and repositories.
	Process() bowline.State
	// Summaries are all clusters, Troubles all repositories that could not be read when they were last asked.
	Summaries() []Cluster
	Troubles() []Repository
}

// Cluster is a cluster with the only project that may use it; "" if all may.
type Cluster struct {
	bowline.ClusterSummary
	Project string
}

// Repository is a repository in trouble with the project that has it for itself; "" if all may use it.
type Repository struct {
	bowline.RepositoryTrouble
	Project string
}

// untold stands for what a check misses, for callers who may not know.
const untold = "not ready"

// State says how Bowline is doing, to everybody who is signed in. What is wrong with settings, and why a check fails, is for callers
// who may see all accounts; clusters and repositories are for those who may see each.
func (s *Service) State(ctx context.Context, _ *bowline.StateQuery) (*bowline.State, error) {
	out := s.Self.Process()
	if !s.Gate.Allows(ctx, access.Right{Resource: access.Accounts, Action: access.Get, Object: "*"}) {
		out.Settings = nil
		for name, text := range out.Checks {
			if text != "ok" {
				out.Checks[name] = untold
			}
		}
	}
	out.Clusters = []bowline.ClusterSummary{}
	for _, c := range s.Self.Summaries() {
		if s.sees(ctx, access.Clusters, c.Project, c.Server) {
			out.Clusters = append(out.Clusters, c.ClusterSummary)
		}
	}
	for _, r := range s.Self.Troubles() {
		if s.sees(ctx, access.Repositories, r.Project, r.Repo) {
			r.Repo = fault.RedactURL(r.Repo)
			out.Repositories = append(out.Repositories, r.RepositoryTrouble)
		}
	}
	return &out, nil
}

func (s *Service) sees(ctx context.Context, resource, project, address string) bool {
	return s.Gate.Allows(ctx, access.Right{Resource: resource, Action: access.Get, Object: access.AddressObject(project, address)})
}
