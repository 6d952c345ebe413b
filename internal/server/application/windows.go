// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/plan"
)

var errNotInHistory = errors.New("the history has no such entry")

// GetApplicationSyncWindows returns the sync windows that are about an application, those of them that are active now, and
// whether a person may sync it now.
func (s *Service) GetApplicationSyncWindows(ctx context.Context, request *application.ApplicationSyncWindowsQuery) (*application.ApplicationSyncWindowsResponse, error) {
	app, err := s.load(ctx, access.Get, request.Project, request.AppNamespace, request.Name)
	if err != nil {
		return nil, err
	}
	project, _, err := s.project(ctx, app)
	if err != nil {
		return nil, err
	}
	windows := plan.CompileWindows(project.Spec.SyncWindows).Of(app.Name, app.Spec.Destination)
	now := s.Clock.Now()
	out := &application.ApplicationSyncWindowsResponse{CanSync: windows.Ask(plan.Moment{Now: now, Manual: true}).Open}
	for _, w := range windows.At(now) {
		shown := windowForm(project.Spec.SyncWindows[w.Index])
		out.AssignedWindows = append(out.AssignedWindows, shown)
		if w.Active {
			out.ActiveWindows = append(out.ActiveWindows, shown)
		}
	}
	return out, nil
}

func windowForm(w *v1alpha1.SyncWindow) application.ApplicationSyncWindow {
	return application.ApplicationSyncWindow{Kind: w.Kind, Schedule: w.Schedule, Duration: w.Duration, ManualSync: w.ManualSync}
}
