// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"maps"
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/action"
	"github.com/bowline-cd/bowline/internal/cli/app/actions"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Opener leads to the objects of an application through the server of a session that has one, else by local.
func Opener(local actions.Opener) actions.Opener {
	return func(ctx context.Context, target actions.Target) (actions.Actor, error) {
		remote, err := target.Session.Remote()
		switch {
		case err != nil:
			return nil, err
		case !remote:
			return local(ctx, target)
		}
		service, namespace, name, err := apps(ctx, target.Session, target.App)
		if err != nil {
			return nil, err
		}
		return &actor{service, namespace, name, target}, nil
	}
}

// actor is an application's objects on a server.
type actor struct {
	service         application.ApplicationService
	namespace, name string
	target          actions.Target
}

// Close implements actions.Actor.
func (a *actor) Close() {}

// Objects implements actions.Actor.
func (a *actor) Objects(ctx context.Context) ([]actions.Object, error) {
	tree, err := a.service.ResourceTree(ctx, &application.ResourcesQuery{ApplicationName: a.name, AppNamespace: a.namespace})
	if err != nil {
		return nil, err
	}
	var out []actions.Object
	for _, node := range tree.Nodes {
		if !a.chosen(node) {
			continue
		}
		o := actions.Object{Group: node.Group, Version: node.Version, Kind: node.Kind, Namespace: node.Namespace, Name: node.Name}
		answer, err := a.service.ListResourceActions(ctx, &application.ApplicationResourceRequest{
			Name: a.name, AppNamespace: a.namespace, Group: o.Group, Version: o.Version, Kind: o.Kind, Namespace: o.Namespace, ResourceName: o.Name,
		})
		if err != nil {
			o.Err = err
		} else {
			o.Actions = offered(answer.Actions)
		}
		out = append(out, o)
	}
	return out, nil
}

func (a *actor) chosen(node v1alpha1.ResourceNode) bool {
	t := a.target
	return (t.Kind == "" || node.Kind == t.Kind) && (t.Group == "" || node.Group == t.Group) &&
		(t.Namespace == "" || node.Namespace == t.Namespace) && (t.Name == "" || node.Name == t.Name)
}

func offered(list []v1alpha1.ResourceAction) []action.Action {
	out := make([]action.Action, 0, len(list))
	for _, a := range list {
		one := action.Action{Name: a.Name, DisplayName: a.DisplayName, IconClass: a.IconClass, Disabled: a.Disabled}
		for _, p := range a.Params {
			one.Params = append(one.Params, action.Param{Name: p.Name})
		}
		out = append(out, one)
	}
	return out
}

// Run implements actions.Actor.
func (a *actor) Run(ctx context.Context, objects []actions.Object, order actions.Order) ([]actions.Done, error) {
	if order.DryRun {
		return nil, fault.New(fault.Mistake, "run", "action "+order.Action, "--dry-run", "a server cannot try an action", "leave --dry-run out, or work straight on the cluster with --core")
	}
	var done []actions.Done
	for _, o := range objects {
		request := &application.ResourceActionRunRequestV2{
			Name: a.name, AppNamespace: a.namespace, Action: order.Action,
			Group: o.Group, Version: o.Version, Kind: o.Kind, Namespace: o.Namespace, ResourceName: o.Name,
		}
		for _, key := range slices.Sorted(maps.Keys(order.Params)) {
			request.ResourceActionParameters = append(request.ResourceActionParameters, application.ResourceActionParameters{Name: key, Value: order.Params[key]})
		}
		if _, err := a.service.RunResourceActionV2(ctx, request); err != nil {
			return done, err
		}
		done = append(done, actions.Done{Group: o.Group, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, Outcome: "patched"})
	}
	return done, nil
}
