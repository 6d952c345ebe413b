// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
)

// addHistory notes a full sync that succeeded.
func (p *pass) addHistory(op *operation) {
	status := &p.next.Status
	state := status.OperationState
	entry := v1alpha1.RevisionHistory{
		DeployedAt: p.now, DeployStartedAt: &metav1.Time{Time: state.StartedAt.Time}, InitiatedBy: op.spec.InitiatedBy,
		Revision: state.SyncResult.Revision, Revisions: state.SyncResult.Revisions,
		Source: state.SyncResult.Source, Sources: state.SyncResult.Sources,
	}
	for _, h := range status.History {
		entry.ID = max(entry.ID, h.ID+1)
	}
	status.History = append(status.History, entry)
	limit := int64(v1alpha1.RevisionHistoryLimitDefault)
	if p.app.Spec.RevisionHistoryLimit != nil {
		limit = max(*p.app.Spec.RevisionHistoryLimit, 0)
	}
	if extra := int64(len(status.History)) - limit; extra > 0 {
		status.History = status.History[extra:]
	}
	p.keepHistory = true
	p.noteRendered(op.state)
}

// pinHistory keeps the commits of the history in the mirrors, so that a force push and a clean-up cannot take them: any
// of them may have to be brought back. It runs beside the reconciler; a commit that could not be pinned is fetched again
// when it is needed.
func (p *pass) pinHistory(app *v1alpha1.Application) {
	commits := slices.Concat(historyCommits(app), p.Engine.Pinned(p.st.id))
	if state := p.Engine.Peek(p.st.id); state != nil {
		commits = append(commits, state.Commits...) // with digests, which the history does not have
	}
	go func() {
		if err := p.Keeper.Keep(context.Background(), p.st.id, commits); err != nil {
			p.log.Warn("pin the commits of the history", "error", err)
		}
	}()
}

// historyCommits returns the commits that the history names, each with the repository it is in.
func historyCommits(app *v1alpha1.Application) []desired.Commit {
	var out []desired.Commit
	project := desired.ProjectOf(app)
	add := func(s v1alpha1.ApplicationSource, id string) {
		c := desired.WantedOf(s, project)
		c.ID = id
		if c.Kind == desired.KindOCI {
			c.Digest = id
		}
		out = append(out, c)
	}
	for _, h := range app.Status.History {
		if len(h.Sources) == 0 {
			add(h.Source, h.Revision)
			continue
		}
		for i, s := range h.Sources {
			if i < len(h.Revisions) {
				add(s, h.Revisions[i])
			}
		}
	}
	return out
}
