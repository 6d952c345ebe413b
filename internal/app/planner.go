// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"os"

	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/app/plan"
	"github.com/bowline-cd/bowline/internal/controller/application"
)

// planner plans a sync in this process, with the controller's own rooms, and writes nothing.
func planner(ctx context.Context, req plan.Request) (plan.Planned, error) {
	kube, err := req.Session.Config()
	if err != nil {
		return plan.Planned{}, err
	}
	namespace := req.Session.Namespace
	name, err := served("plan a sync of", req.Name, namespace)
	if err != nil {
		return plan.Planned{}, err
	}
	dir, err := os.MkdirTemp("", "bowline-plan-")
	if err != nil {
		return plan.Planned{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p, err := newPreview(ctx, tuned(kube), namespace, dir, "")
	if err != nil {
		return plan.Planned{}, err
	}
	defer p.close()
	planned, err := p.plan(ctx, name, application.PlanRequest{Sync: req.Sync})
	if err != nil {
		return plan.Planned{}, err
	}
	return plannedOf(req.Name, name, planned), nil
}

// plan plans until nothing of ours in the cluster is unknown, or until that is final.
func (p *preview) plan(ctx context.Context, name string, request application.PlanRequest) (application.Planned, error) {
	for {
		planned, settled, err := p.apps.Plan(ctx, name, request)
		if err != nil || settled {
			return planned, err
		}
		select {
		case <-ctx.Done():
			return planned, fmt.Errorf("the cluster's objects are not all known yet: %w", ctx.Err())
		case <-p.changed:
		}
	}
}

func plannedOf(qualified, name string, p application.Planned) plan.Planned {
	out := plan.Planned{
		Application: qualified, Automated: p.Automated, Begins: p.Automated && p.Decision.Sync, View: p.Plan.View(), Text: p.Plan.String(),
	}
	for _, c := range p.Commits {
		out.Revisions = append(out.Revisions, c.ID)
	}
	if p.Automated {
		out.Because = p.Decision.Reason
	}
	digest := ""
	if p.Noted == out.Approval {
		digest = client.ShortDigest(string(out.Approval))
	}
	out.Confirms(name, digest)
	return out
}
