// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// PlanRequest is which sync to plan. Its zero value is the one that would come next: an automated one if automated sync is
// on.
type PlanRequest struct {
	// Sync is what a person would ask for; nil is the zero value.
	Sync *v1alpha1.SyncOperation
}

// Planned is the work of a sync that was not begun.
type Planned struct {
	Plan    plan.Plan
	Commits []desired.Commit
	// Automated says that the sync would come by itself; Decision whether it would come now.
	Automated bool
	Decision  plan.Decision
	// Noted is the digest of the deletions that wait as the controller noted it; "" if it noted none.
	Noted object.Digest
}

// Plan returns what a sync of an application would do, by the functions that a sync goes through, and writes nothing: for
// previews on the command line. settled is false while something of the cluster is still being listed: then ask again after the
// next change of its feed.
func (c *Controller) Plan(ctx context.Context, name string, request PlanRequest) (planned Planned, settled bool, err error) {
	spec := v1alpha1.Operation{Sync: request.Sync}
	var revisions []string
	if request.Sync != nil {
		revisions = pinnedRevisions(spec)
	}
	p, err := c.prospect(ctx, name, revisions)
	if err != nil {
		return planned, false, err
	}
	p.awaitLists(ctx, p.kinds(), previewListTime)
	p.st.touch()
	p.compare(ctx)
	if text := p.found.text(v1alpha1.ApplicationConditionComparisonError); text != "" {
		return planned, false, errors.New(text)
	}
	p.fold()
	p.gates(ctx)
	if request.Sync == nil {
		in := p.autoSync(p.approved())
		planned.Decision = plan.Decide(in)
		planned.Automated = planned.Decision.Rule != plan.RulePolicy
		spec.Sync = &v1alpha1.SyncOperation{}
		if planned.Automated {
			spec = *planned.Decision.Operation(in)
		}
	}
	if note, ok := plan.ParseNote(p.app.Annotations[v1alpha1.AnnotationDeletionPlan]); ok {
		planned.Noted = note.Digest
	}
	planned.Commits = p.state.Commits
	if planned.Plan, err = p.plan(ctx, spec, p.state); err != nil {
		return planned, false, err
	}
	if planned.Automated {
		planned.Decision = plan.Decide(p.autoSync(p.approved())) // by now it is known what waits for an approval
	} else if why, _ := p.blocks(ctx, p.app, spec, time.Time{}); why != "" {
		planned.Plan.Notes = append(planned.Plan.Notes, why)
	}
	return planned, p.waiting == "", nil
}
