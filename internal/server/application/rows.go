// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/server/application/attention"
	"github.com/bowline-cd/bowline/internal/server/application/index"
)

// Surroundings says what is around applications and not in their resources.
type Surroundings interface {
	// Unattended says why nobody looks at applications at the moment; nil if somebody does.
	Unattended() *attention.Outage
	// CutOff returns the clusters that do not answer, by their addresses and by their names.
	CutOff() map[string]*attention.Outage
}

// judge returns what says what an application asks of people, by what is around it at this moment.
func (s *Service) judge() func(*index.Entry) attention.Verdict {
	around := attention.Around{Now: s.Clock.Now()}
	if s.Surroundings == nil {
		return func(e *index.Entry) attention.Verdict { return e.Judge(around) }
	}
	around.Unattended = attention.Lasting(s.Surroundings.Unattended(), around.Now)
	cut := s.Surroundings.CutOff()
	return func(e *index.Entry) attention.Verdict {
		around := around
		if len(cut) > 0 {
			around.Cluster = attention.Lasting(cut[e.Destination()], around.Now)
		}
		return e.Judge(around)
	}
}

// row sums up an application for the caller.
func (s *Service) row(ctx context.Context, e *index.Entry) bowline.Row {
	return s.rowFor(index.Hit{Entry: e, Verdict: s.judge()(e)}, s.mayDo(ctx))
}

// actions are those that rows tell of.
var actions = []string{access.Sync, access.Update, access.Delete, access.Override, access.Rollback}

// mayDo returns what says which of the actions the caller may take on an application.
func (s *Service) mayDo(ctx context.Context) func(*index.Entry) []string {
	may, ok := s.mayEach(ctx)
	if !ok {
		return func(*index.Entry) []string { return nil }
	}
	return func(e *index.Entry) []string {
		out := make([]string, 0, len(actions))
		for _, action := range actions {
			if may(e, action) {
				out = append(out, action)
			}
		}
		return slices.Clip(out)
	}
}

func (s *Service) rowFor(h index.Hit, may func(*index.Entry) []string) bowline.Row {
	app := h.App
	status, destination := &app.Status, &app.Spec.Destination
	_, held := attention.HoldOf(app, s.Clock.Now())
	row := bowline.Row{
		Namespace: app.Namespace, Name: app.Name, Project: h.Project, Labels: app.Labels, Owner: h.Owner,
		Sync: h.Sync(), Health: h.Health(), Operation: h.Operation(), AutoSync: plan.Automated(app.Spec.SyncPolicy), Held: held,
		Attention: h.Verdict.Word(), Why: h.Verdict.Why(app), Since: timeOrNil(h.Verdict.Since),
		Cluster: h.Destination(), DestinationNamespace: destination.Namespace, Revision: s.revisionOf(app),
		Created: app.CreationTimestamp, Compared: status.ReconciledAt, May: may(h.Entry),
	}
	if status.OperationState != nil {
		row.Synced = status.OperationState.FinishedAt
	}
	sources := index.SourcesOf(app)
	row.Sources = int64(len(sources))
	if len(sources) > 0 {
		first := sources[0]
		row.Repo, row.Path, row.TargetRevision = first.RepoURL, first.Path, first.TargetRevision
		if first.Chart != "" {
			row.Path = first.Chart
		}
	}
	return row
}

// revisionOf is the revision that an application was compared to last, the first of several.
func (s *Service) revisionOf(app *v1alpha1.Application) string {
	revision, revisions := app.Status.Sync.Revision, app.Status.Sync.Revisions
	if s.Verdicts != nil {
		if newest, all, newer := s.Verdicts.Revision(app); newer {
			revision, revisions = newest, all
		}
	}
	if revision == "" && len(revisions) > 0 {
		return revisions[0]
	}
	return revision
}

func timeOrNil(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return &metav1.Time{Time: t}
}
