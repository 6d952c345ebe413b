// SPDX-License-Identifier: Apache-2.0

// Package remote are the comparison, the tree, the plan and the actions of an application as a server has them. Commands use them when they
// work through a server; straight on a cluster the same is made by this process.
package remote

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/app/diff"
	"github.com/bowline-cd/bowline/internal/cli/app/resources"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// apps returns the service, and the namespace and name of an application as it takes them.
func apps(ctx context.Context, s *session.Session, name string) (service application.ApplicationService, namespace, bare string, err error) {
	services, err := s.Services(ctx)
	if err != nil {
		return nil, "", "", err
	}
	namespace, bare = s.Split(name)
	return services.Applications, namespace, bare, nil
}

// Differ compares through the server of a session that has one, else by local.
func Differ(local diff.Differ) diff.Differ {
	return diff.DifferFunc(func(ctx context.Context, request diff.Request) ([]diff.Resource, error) {
		remote, err := request.Session.Remote()
		switch {
		case err != nil:
			return nil, err
		case remote:
			return compare(ctx, request)
		}
		return local.Diff(ctx, request)
	})
}

func compare(ctx context.Context, request diff.Request) ([]diff.Resource, error) {
	service, namespace, name, err := apps(ctx, request.Session, request.Name)
	if err != nil {
		return nil, err
	}
	if request.Hard {
		if _, err := service.Get(ctx, &application.ApplicationQuery{Name: name, AppNamespace: namespace, Refresh: string(v1alpha1.RefreshTypeHard)}); err != nil {
			return nil, err
		}
	}
	managed, err := service.ManagedResources(ctx, &application.ResourcesQuery{ApplicationName: name, AppNamespace: namespace})
	if err != nil {
		return nil, err
	}
	items := managed.Items
	if request.Revision != "" || len(request.Revisions) > 0 {
		if items, err = withRevisions(ctx, service, namespace, name, request, items); err != nil {
			return nil, err
		}
	}
	var out []diff.Resource
	for _, item := range items {
		r, differs, err := compareOne(item, request.Forms)
		if err != nil {
			return nil, fault.Wrap(fault.Retry, "read", item.Kind+" "+item.Name, err, "")
		}
		if differs && !item.Hook {
			out = append(out, r)
		}
	}
	return out, nil
}

// withRevisions has the server compare other manifests than the desired ones.
func withRevisions(ctx context.Context, service application.ApplicationService, namespace, name string, request diff.Request, live []v1alpha1.ResourceDiff) ([]v1alpha1.ResourceDiff, error) {
	query := &application.ApplicationManifestQuery{Name: name, AppNamespace: namespace, Revision: request.Revision, Revisions: request.Revisions}
	for i := range request.Revisions {
		query.SourcePositions = append(query.SourcePositions, int64(i+1))
	}
	manifests, err := service.GetManifests(ctx, query)
	if err != nil {
		return nil, err
	}
	answer, err := service.ServerSideDiff(ctx, &application.ApplicationServerSideDiffQuery{
		AppName: name, AppNamespace: namespace, LiveResources: live, TargetManifests: manifests.Manifests,
	})
	if err != nil {
		return nil, err
	}
	return answer.Items, nil
}

// compareOne reads one resource of an answer.
func compareOne(item v1alpha1.ResourceDiff, forms bool) (diff.Resource, bool, error) {
	out := diff.Resource{Group: item.Group, Kind: item.Kind, Namespace: item.Namespace, Name: item.Name}
	read := map[string]map[string]any{}
	for field, text := range map[string]string{"target": item.TargetState, "live": item.LiveState, "normalized": item.NormalizedLiveState, "predicted": item.PredictedLiveState} {
		if text == "" || text == "null" {
			continue
		}
		var object map[string]any
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			return out, false, err
		}
		read[field] = object
	}
	if forms {
		out.Forms = &diff.Forms{Desired: read["target"], Live: read["live"], NormalizedLive: read["normalized"], PredictedLive: read["predicted"]}
	}
	switch live, target := read["live"], read["target"]; {
	case live == nil && target == nil:
		return out, false, nil
	case live == nil:
		out.State = diff.Missing
		return out, true, nil
	case target == nil:
		out.State = diff.Extra
		return out, true, nil
	}
	before, after := read["normalized"], read["predicted"]
	if before == nil || after == nil {
		before, after = read["live"], read["target"]
	}
	out.State, out.Changes = diff.Different, diff.Between(before, after)
	return out, len(out.Changes) > 0, nil
}

// Drawer draws the tree of the server of a session that has one, else that of local.
func Drawer(local resources.Drawer) resources.Drawer {
	return resources.DrawerFunc(func(ctx context.Context, request resources.Request) (resources.Drawing, error) {
		remote, err := request.Session.Remote()
		switch {
		case err != nil:
			return resources.Drawing{}, err
		case remote:
			return draw(ctx, request)
		}
		return local.Draw(ctx, request)
	})
}

func draw(ctx context.Context, request resources.Request) (resources.Drawing, error) {
	service, namespace, name, err := apps(ctx, request.Session, request.Name)
	if err != nil {
		return resources.Drawing{}, err
	}
	app, err := service.Get(ctx, &application.ApplicationQuery{Name: name, AppNamespace: namespace})
	if err != nil {
		return resources.Drawing{}, err
	}
	tree, err := service.ResourceTree(ctx, &application.ResourcesQuery{ApplicationName: name, AppNamespace: namespace})
	if err != nil {
		return resources.Drawing{}, err
	}
	out := resources.Drawing{Tree: *tree, App: app}
	if !request.Orphans {
		out.Tree.OrphanedNodes = nil
	}
	for _, c := range app.Status.Conditions {
		if slices.Contains([]v1alpha1.ApplicationConditionType{v1alpha1.ApplicationConditionUnknownError, v1alpha1.ApplicationConditionComparisonError}, c.Type) {
			out.Unknown = c.Message
		}
	}
	return out, nil
}
