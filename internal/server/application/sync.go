// SPDX-License-Identifier: Apache-2.0

package application

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	requests "github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/plan"
)

// Sync asks for a sync and returns without waiting for it. Manifests of the caller's own, passing closed sync windows and,
// where settings say so, another revision than the application's need the right override too.
func (s *Service) Sync(ctx context.Context, q *application.ApplicationSyncRequest) (*v1alpha1.Application, error) {
	at := named{q.Project, q.AppNamespace, q.Name}
	return s.request(ctx, at, access.Sync, "sync", func(app *v1alpha1.Application) (requests.Change, error) {
		request, err := syncRequest(app, q)
		if err != nil {
			return nil, err
		}
		request.Username = who(ctx)
		if err := s.mayRun(ctx, app, request); err != nil {
			return nil, err
		}
		change, err := request.Change(app)
		if err != nil {
			return nil, err
		}
		op := change["operation"].(*v1alpha1.Operation)
		if !s.Settings().ReplaceAllowed && slices.Contains(op.Sync.SyncOptions, "Replace=true") {
			return nil, fault.New(fault.Forbidden, "sync", thing(app), "syncOptions", "sync with replace was disabled on the API Server level via the server configuration", "leave Replace=true out")
		}
		return change, nil
	})
}

// syncRequest is what a request of the API asks for in the words of the package client.
func syncRequest(app *v1alpha1.Application, q *application.ApplicationSyncRequest) (requests.SyncRequest, error) {
	out := requests.SyncRequest{
		Revision: q.Revision, Prune: q.Prune, DryRun: q.DryRun, Manifests: q.Manifests, Resources: q.Resources,
		Strategy: requests.StrategyHook, Retry: q.RetryStrategy,
	}
	for i := range q.Infos {
		out.Info = append(out.Info, &q.Infos[i])
	}
	if q.SyncOptions != nil {
		out.Options = append(v1alpha1.SyncOptions{}, q.SyncOptions.Items...)
	}
	switch strategy := q.Strategy; {
	case strategy == nil:
	case strategy.Apply != nil:
		out.Strategy, out.Force = requests.StrategyApply, strategy.Apply.Force
	case strategy.Hook != nil:
		out.Force = strategy.Hook.Force
	}
	if err := fits(app, q.Manifests); err != nil {
		return out, err
	}
	if len(app.Spec.Sources) == 0 {
		return out, nil
	}
	var err error
	out.Revision = ""
	out.Revisions, err = syncRevisions(app, q)
	return out, err
}

// maxManifests bounds the manifests of one request: they travel in the Application, which has to fit into the API server's
// store twice over.
const maxManifests = 512 << 10

func fits(app *v1alpha1.Application, manifests []string) error {
	size := 0
	for _, text := range manifests {
		size += len(text)
	}
	if size <= maxManifests {
		return nil
	}
	return &fault.Error{
		Kind: fault.Mistake, Code: fault.TooLarge, Op: "sync", Thing: thing(app), Where: "manifests",
		Err: fmt.Errorf("they are %d KiB, and %d KiB fit into an Application", size>>10, maxManifests>>10), Fix: "commit and push them",
	}
}

// syncRevisions are the revisions of a request, one for each source; "" is that of the source.
func syncRevisions(app *v1alpha1.Application, q *application.ApplicationSyncRequest) ([]string, error) {
	refuse := func(where, cause, fix string) error {
		return fault.New(fault.Mistake, "sync", thing(app), where, cause, fix)
	}
	if len(q.SourcePositions) != len(q.Revisions) {
		return nil, refuse("sourcePositions", "there are not as many as revisions", "give the position of the source for each revision")
	}
	if len(q.Revisions) == 0 {
		return nil, nil
	}
	sources := int64(len(app.Spec.Sources))
	out := make([]string, sources)
	for i, position := range q.SourcePositions {
		if position < 1 || position > sources {
			return nil, refuse(fmt.Sprintf("sourcePositions[%d]", i), "source position is out of range", fmt.Sprintf("positions go from 1 to %d", sources))
		}
		out[position-1] = q.Revisions[i]
	}
	return out, nil
}

// mayRun asks for the rights that a sync needs beyond sync, and the sync windows of the project.
func (s *Service) mayRun(ctx context.Context, app *v1alpha1.Application, request requests.SyncRequest) error {
	passing := overridesWindow(request.Info)
	if len(request.Manifests) > 0 || passing || s.Settings().Doing.RevisionOverride && foreign(app, request) {
		if err := s.Gate.Enforce(ctx, s.right(access.Applications, access.Override, app)); err != nil {
			return err
		}
	}
	if passing {
		return nil
	}
	return s.windows(ctx, app)
}

// overridesWindow reports whether an operation is to pass closed windows.
func overridesWindow(infos []*v1alpha1.Info) bool {
	for _, info := range infos {
		if info != nil && info.Name == v1alpha1.InfoOverrideWindow && strings.TrimSpace(info.Value) != "" {
			return true
		}
	}
	return false
}

// foreign reports whether a sync is about another revision than the application's.
func foreign(app *v1alpha1.Application, request requests.SyncRequest) bool {
	differs := func(source v1alpha1.ApplicationSource, revision string) bool {
		return revision != "" && revision != cmp.Or(source.TargetRevision, "HEAD")
	}
	switch hydrator := app.Spec.SourceHydrator; {
	case len(app.Spec.Sources) > 0:
	case app.Spec.Source != nil:
		return differs(*app.Spec.Source, request.Revision)
	case hydrator != nil:
		return differs(v1alpha1.ApplicationSource{TargetRevision: hydrator.SyncSource.TargetBranch}, request.Revision)
	}
	for i, revision := range request.Revisions {
		if differs(app.Spec.Sources[i], revision) {
			return true
		}
	}
	return false
}

// windows refuses what would only wait for a sync window.
func (s *Service) windows(ctx context.Context, app *v1alpha1.Application) error {
	project, _, err := s.project(ctx, app)
	if err != nil {
		return err
	}
	windows := plan.CompileWindows(project.Spec.SyncWindows).Of(app.Name, app.Spec.Destination)
	if state := windows.Ask(plan.Moment{Now: s.Clock.Now(), Manual: true}); !state.Open {
		return fault.New(fault.Forbidden, "sync", thing(app), "", "cannot sync: blocked by sync window: "+state.Reason, "wait for the window, or say why it is to be overridden")
	}
	return nil
}
