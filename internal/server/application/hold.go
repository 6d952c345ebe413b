// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	requests "github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/access"
)

// Approve lets the deletions go ahead that wait under a digest. It needs the right update, as the confirmation of deletions
// does in Argo CD.
func (s *Service) Approve(ctx context.Context, q *bowline.ApproveRequest) (*v1alpha1.Application, error) {
	return s.request(ctx, named{"", q.AppNamespace, q.Name}, access.Update, "approve deletions of", func(app *v1alpha1.Application) (requests.Change, error) {
		return requests.ApproveChange(app, q.Digest, s.Clock.Now())
	})
}

// Hold keeps what is desired now from being applied by itself. It needs the right sync: it says what is not to be synced.
func (s *Service) Hold(ctx context.Context, q *bowline.HoldRequest) (*v1alpha1.Application, error) {
	request := requests.HoldRequest{Reason: q.Reason, Username: who(ctx)}
	if q.Until != nil {
		request.Until = q.Until.Time
	}
	return s.request(ctx, named{"", q.AppNamespace, q.Name}, access.Sync, "hold", func(app *v1alpha1.Application) (requests.Change, error) {
		return request.Change(app, s.Clock.Now())
	})
}

// Release ends a hold.
func (s *Service) Release(ctx context.Context, q *bowline.ApplicationName) (*v1alpha1.Application, error) {
	return s.request(ctx, named{"", q.AppNamespace, q.Name}, access.Sync, "end the hold of", requests.ReleaseChange)
}
