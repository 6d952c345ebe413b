// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	requests "github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/access"
)

// Rollback asks for a sync to an entry of the history. Where automated sync is on, a hold goes with it, which keeps what is
// desired now from being applied by itself.
func (s *Service) Rollback(ctx context.Context, q *application.ApplicationRollbackRequest) (*v1alpha1.Application, error) {
	action := access.Sync
	if s.Settings().Doing.RollbackRight {
		action = access.Rollback
	}
	at := named{q.Project, q.AppNamespace, q.Name}
	return s.request(ctx, at, action, "roll back", func(app *v1alpha1.Application) (requests.Change, error) {
		if err := s.windows(ctx, app); err != nil {
			return nil, err
		}
		return requests.RollbackRequest{ID: &q.ID, Prune: q.Prune, DryRun: q.DryRun, Username: who(ctx)}.Change(app, s.Clock.Now())
	})
}

// TerminateOperation asks for the end of the operation under way, and takes back one that did not begin.
func (s *Service) TerminateOperation(ctx context.Context, q *application.OperationTerminateRequest) (*application.OperationTerminateResponse, error) {
	at := named{q.Project, q.AppNamespace, q.Name}
	if _, err := s.request(ctx, at, access.Sync, "terminate the operation of", requests.TerminateChange); err != nil {
		return nil, err
	}
	return &application.OperationTerminateResponse{}, nil
}
