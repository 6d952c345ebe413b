// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	api "github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/controller/application"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	server "github.com/bowline-cd/bowline/internal/server/application"
	"github.com/bowline-cd/bowline/internal/tree"
)

// previews render and plan for callers of the API, each with a controller that lives for one call, leads nothing, writes nothing
// and shares with the real one what is expensive: clusters, mirrors, workers, and what was rendered before.
type previews struct {
	*roles
	home string
}

// known reads what is known of accepted forms, and adds nothing.
type known struct{ application.AcceptedStore }

func (known) Save(string, string, map[object.Key]diff.Accepted) {}

// controller returns a controller for one call, reading from sources.
func (p *previews) controller(from *sources) *application.Controller {
	return p.controllerOf(p.hub, from)
}

func (p *previews) controllerOf(hub client.Client, from *sources) *application.Controller {
	return application.New(application.Deps{
		Client: hub, Namespace: p.home, Serves: p.served.serves(), Observe: true,
		Engine: desired.NewEngine(from, counted{p.pool, p.metrics}, nil, p.renders), Clusters: p.clusters, Poller: idle{}, Keeper: idle{},
		Accepted: known{p.accepted}, FindPaths: p.pool.Paths, Rules: p.rules, Settings: momentary(p.settings),
		Alone: func() (bool, string) { return true, "" }, Bus: &event.Bus{}, Metrics: unmeasured{}, Clock: realClock, Log: p.log,
	})
}

// unmeasured counts nothing: what people look at is no reconcile.
type unmeasured struct{}

func (unmeasured) Reconciled(string, string, float64) {}
func (unmeasured) Held(string, string)                {}
func (unmeasured) Synced(application.SyncEnded)       {}

// Render implements application.Previews.
func (p *previews) Render(ctx context.Context, app *v1alpha1.Application, revisions []string) (server.Rendered, error) {
	return p.render(ctx, p.controller(p.sources), app, revisions)
}

func (p *previews) render(ctx context.Context, c *application.Controller, app *v1alpha1.Application, revisions []string) (server.Rendered, error) {
	var state *desired.State
	var err error
	settled(ctx, func() bool {
		state, err = c.Desired(ctx, c.IDOf(app), revisions)
		return err != nil && fault.Is(err, fault.Wait)
	})
	if err != nil {
		return server.Rendered{}, err
	}
	out := server.Rendered{Server: app.Spec.Destination.Server}
	for _, c := range state.Commits {
		out.Revisions = append(out.Revisions, c.ID)
	}
	if len(out.Revisions) > 0 {
		out.Revision = out.Revisions[0]
	}
	for _, t := range state.Types {
		out.SourceTypes = append(out.SourceTypes, string(t))
	}
	if len(out.SourceTypes) > 0 {
		out.SourceType = out.SourceTypes[0]
	}
	for _, o := range state.Objects {
		out.Objects = append(out.Objects, o.Decode())
	}
	return out, nil
}

// RenderFiles implements application.Previews.
func (p *previews) RenderFiles(ctx context.Context, app *v1alpha1.Application, files tree.Tree) (server.Rendered, error) {
	own := desired.SourcesOf(app)
	if len(own) != 1 || desired.WantedOf(own[0], "").Kind != desired.KindGit {
		return server.Rendered{}, fault.New(fault.Mistake, "render", "application "+app.Name, "spec.source", "files can stand in for one source in Git only", "compare with a revision instead")
	}
	from := newSources(ctx, p.store, p.settings.Current, p.log)
	from.projects, from.local = p.apps, &local{given: files, url: own[0].RepoURL}
	return p.render(ctx, p.controller(from), app, nil)
}

// Plan implements application.Previews.
func (p *previews) Plan(ctx context.Context, app *v1alpha1.Application, request *v1alpha1.SyncOperation) (*bowline.Plan, error) {
	return planBy(ctx, p.controller(p.sources), app, request)
}

func planBy(ctx context.Context, c *application.Controller, app *v1alpha1.Application, request *v1alpha1.SyncOperation) (*bowline.Plan, error) {
	var planned application.Planned
	var err error
	settled(ctx, func() bool {
		var whole bool
		planned, whole, err = c.Plan(ctx, c.IDOf(app), application.PlanRequest{Sync: request})
		return err == nil && !whole
	})
	if err != nil {
		return nil, err
	}
	return planOf(app.Name, planned)
}

func planOf(name string, planned application.Planned) (*bowline.Plan, error) {
	work, err := json.Marshal(planned.Plan.View())
	if err != nil {
		return nil, fault.Wrap(fault.Bug, "write", "the plan of application "+name, err, "")
	}
	out := &bowline.Plan{Application: name, Automated: planned.Automated, Begins: planned.Automated && planned.Decision.Sync, Text: planned.Plan.String()}
	out.Work.Raw = work
	for _, c := range planned.Commits {
		out.Revisions = append(out.Revisions, c.ID)
	}
	if planned.Automated {
		out.Because = planned.Decision.Reason
	}
	if approval := planned.Plan.View().Approval; approval != "" && planned.Noted == approval {
		out.Approve = api.ShortDigest(string(approval))
	}
	return out, nil
}
