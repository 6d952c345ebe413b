// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"encoding/json"

	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/cli/app/plan"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Planner plans on the server of a session that has one, else by local.
func Planner(local plan.Planner) plan.Planner {
	return plan.PlannerFunc(func(ctx context.Context, request plan.Request) (plan.Planned, error) {
		remote, err := request.Session.Remote()
		switch {
		case err != nil:
			return plan.Planned{}, err
		case remote:
			return ask(ctx, request)
		}
		return local.Plan(ctx, request)
	})
}

func ask(ctx context.Context, request plan.Request) (plan.Planned, error) {
	services, err := request.Session.Services(ctx)
	if err != nil {
		return plan.Planned{}, err
	}
	query := &bowline.PlanQuery{}
	query.AppNamespace, query.Name = request.Session.Split(request.Name)
	if sync := request.Sync; sync != nil {
		query.Prune, query.Revision, query.Revisions = sync.Prune, sync.Revision, sync.Revisions
		for _, resource := range sync.Resources {
			query.Resources = append(query.Resources, bowline.FormatResource(resource))
		}
	}
	answer, err := services.Bowline.Plan(ctx, query)
	if err != nil {
		return plan.Planned{}, err
	}
	out := plan.Planned{
		Application: request.Name, Revisions: answer.Revisions, Automated: answer.Automated, Begins: answer.Begins, Because: answer.Because, Text: answer.Text,
	}
	if err := json.Unmarshal(answer.Work.Raw, &out.View); err != nil {
		return out, fault.Wrap(fault.Retry, "read", "the plan of application "+request.Name, err, "")
	}
	out.Confirms(request.Name, answer.Approve)
	return out, nil
}
