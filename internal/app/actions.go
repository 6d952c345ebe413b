// SPDX-License-Identifier: Apache-2.0

package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/action"
	"github.com/bowline-cd/bowline/internal/cli/app/actions"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/controller/application"
	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
)

// actor runs actions on live objects of one application. It reads what the controller found out last and asks the
// application's cluster; it needs neither the repository nor a running controller, so that it works in an incident.
type actor struct {
	target   actions.Target
	app      *v1alpha1.Application
	project  *access.Project
	rules    settings.Settings
	catalog  *action.Catalog
	tracker  object.Tracker
	clusters *clusters
	cluster  *cluster.Cluster
}

// openActions implements actions.Opener.
func openActions(ctx context.Context, target actions.Target) (actions.Actor, error) {
	kube, err := target.Session.Config()
	if err != nil {
		return nil, err
	}
	namespace := target.Session.Namespace
	name, err := served("find actions of", target.App, namespace)
	if err != nil {
		return nil, err
	}
	kube = tuned(kube)
	c, err := hubClient(kube)
	if err != nil {
		return nil, err
	}
	a := &actor{target: target, app: &v1alpha1.Application{}}
	if err := get(ctx, c, a.app, namespace, name, "application"); err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	a.clusters = newClusters(ctx, kube, log, newMetrics(), &judges{log: log})
	a.clusters.onFeed = func(string, cluster.Change) {}
	reader := configuration.NewReader(c, namespace, log, func(s *configuration.Snapshot) { a.clusters.Apply(only(s, a.app.Spec.Destination)) })
	if err := reader.Load(ctx); err != nil {
		a.Close()
		return nil, err
	}
	if err := a.prepare(ctx, c, reader.Current()); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// only leaves of the clusters the one that an application is sent to: the others need not be connected to.
func only(s *configuration.Snapshot, d v1alpha1.ApplicationDestination) *configuration.Snapshot {
	narrow := *s
	narrow.Clusters = slices.DeleteFunc(slices.Clone(s.Clusters), func(c cluster.Config) bool { return c.Server != d.Server && c.Name != d.Name })
	if d.Server != cluster.HubServer && d.Name != cluster.HubName {
		narrow.Settings.InCluster = false
	}
	return &narrow
}

func (a *actor) prepare(ctx context.Context, c client.Client, s *configuration.Snapshot) (err error) {
	a.rules, a.tracker = s.Settings, s.Settings.Tracker
	a.catalog, _ = action.New(s.Settings.Customizations)
	project := &v1alpha1.AppProject{}
	if err := get(ctx, c, project, a.app.Namespace, cmp.Or(a.app.Spec.Project, v1alpha1.DefaultAppProjectName), "project"); err != nil {
		return err
	}
	a.project = access.Compile(project, a.clusters.ScopedTo(project.Name))
	a.cluster, err = a.clusters.Find(a.app.Spec.Destination)
	return err
}

func get(ctx context.Context, c client.Client, into client.Object, namespace, name, what string) error {
	err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, into)
	if client.IgnoreNotFound(err) == nil && err != nil {
		return fault.New(fault.Mistake, "read", what+" "+namespace+"/"+name, "", "it does not exist", "see `bowline app list`")
	}
	return fault.Wrap(fault.Retry, "read", what+" "+namespace+"/"+name, err, "check that the API server can be reached, then try again")
}

// behalf returns ctx for direct calls for the application: as the service account that its project names, if settings ask
// for that.
func (a *actor) behalf(ctx context.Context) (context.Context, error) {
	if !a.rules.Impersonation {
		return ctx, nil
	}
	cfg := a.cluster.Config()
	to := access.Destination{Server: cfg.Server, Name: cfg.Name, Namespace: a.app.Spec.Destination.Namespace}
	user, err := application.AccountOf(a.project, to, a.app.Namespace, a.rules.ImpersonationEnforced)
	if err != nil || user == "" {
		return ctx, err
	}
	return cluster.As(ctx, user), nil
}

// Close implements actions.Actor.
func (a *actor) Close() { a.clusters.Close() }

// Objects implements actions.Actor. The objects are those of the application's status.
func (a *actor) Objects(ctx context.Context) ([]actions.Object, error) {
	if a.app.Status.ReconciledAt == nil {
		return nil, fault.New(fault.Wait, "find objects of", "application "+a.target.App, "status.resources", "it has not been compared yet", "wait for its first comparison: `bowline app get`")
	}
	ctx, err := a.behalf(ctx)
	if err != nil {
		return nil, err
	}
	t := a.target
	var out []actions.Object
	for _, r := range a.app.Status.Resources {
		if t.Kind != "" && !strings.EqualFold(r.Kind, t.Kind) || t.Group != "" && r.Group != t.Group ||
			t.Namespace != "" && r.Namespace != t.Namespace || t.Name != "" && r.Name != t.Name ||
			t.Kind == "" && t.Name == "" && !a.catalog.Offers(schema.GroupKind{Group: r.Group, Kind: r.Kind}) { // it need not be read
			continue
		}
		o := actions.Object{Group: r.Group, Version: r.Version, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}
		live, err := a.read(ctx, o)
		switch {
		case errors.Is(err, cluster.NotFound):
			continue
		case err == nil:
			o.Actions, err = a.catalog.Discover(live)
		}
		o.Err = err
		out = append(out, o)
	}
	slices.SortFunc(out, func(x, y actions.Object) int {
		return cmp.Or(cmp.Compare(x.Group, y.Group), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name))
	})
	return out, nil
}

// read reads a live object and makes sure that it is the application's.
func (a *actor) read(ctx context.Context, o actions.Object) (*unstructured.Unstructured, error) {
	gvk := schema.GroupVersionKind{Group: o.Group, Version: o.Version, Kind: o.Kind}
	live, err := a.cluster.Read(ctx, gvk, o.Namespace, o.Name)
	if err != nil {
		return nil, err
	}
	key := object.KeyOf(live)
	if owner := a.tracker.Owner(key, a.tracker.MarksOf(live)); owner != a.app.Name {
		whose := "it carries no mark of application " + a.app.Name
		if owner != "" {
			whose = fmt.Sprintf("its mark says that it belongs to application %s and not to %s", owner, a.app.Name)
		}
		return nil, fault.New(fault.Forbidden, "act on", key.String(), "", whose, "sync the application that is to have it, or name the other one")
	}
	return live, nil
}

// Run implements actions.Actor.
func (a *actor) Run(ctx context.Context, objects []actions.Object, order actions.Order) ([]actions.Done, error) {
	ctx, err := a.behalf(ctx)
	if err != nil {
		return nil, err
	}
	var done []actions.Done
	for _, o := range objects {
		live, err := a.read(ctx, o)
		if err != nil {
			return done, err
		}
		impacts, err := a.catalog.Run(order.Action, live, order.Params, realClock.Now())
		if err != nil {
			return done, err
		}
		for _, impact := range impacts { // all are permitted before one is written
			if err := a.permits(impact.Object); err != nil {
				return done, err
			}
		}
		for _, impact := range impacts {
			outcome, err := a.write(ctx, live, impact, order.DryRun)
			if err != nil {
				return done, err
			}
			done = append(done, outcome)
		}
	}
	return done, nil
}

// permits asks the project about an object that is to be written.
func (a *actor) permits(obj *unstructured.Unstructured) error {
	resource, presence, reason := a.cluster.Resource(obj.GroupVersionKind())
	key := object.KeyOf(obj)
	if presence != cluster.Present {
		return fault.New(fault.Wait, "write", key.String(), "", cmp.Or(reason, "the cluster has no such kind"), "install its CustomResourceDefinition")
	}
	cfg := a.cluster.Config()
	return a.project.Object(key, resource.Namespaced, access.Cluster{Server: cfg.Server, Name: cfg.Name})
}

// actionManager is the field manager of actions: what people do by hand is not the source's.
const actionManager = "bowline"

func (a *actor) write(ctx context.Context, live *unstructured.Unstructured, impact action.Impact, dryRun bool) (actions.Done, error) {
	options := cluster.WriteOptions{Manager: actionManager, DryRun: dryRun}
	key := object.KeyOf(impact.Object)
	done := actions.Done{Group: key.Group, Kind: key.Kind, Namespace: key.Namespace, Name: key.Name}
	if impact.Operation == action.Create {
		answer, err := a.cluster.Create(ctx, impact.Object, options)
		if err == nil {
			done.Name, done.Outcome = answer.GetName(), "created"
		}
		return done, err
	}
	if impact.Patch == nil && impact.StatusPatch == nil {
		done.Outcome = "unchanged"
		return done, nil
	}
	done.Outcome = "patched"
	patch := impact.Patch
	if impact.StatusPatch != nil {
		options.Subresource = "status"
		answer, err := a.patch(ctx, live, impact.StatusPatch, options)
		options.Subresource = ""
		switch {
		case errors.Is(err, cluster.NotFound), errors.Is(err, cluster.NoSuchKind): // the kind has no such subresource
			patch = maps.Clone(impact.StatusPatch)
			maps.Copy(patch, impact.Patch)
		case err != nil:
			return done, err
		case !dryRun:
			live = answer
		}
	}
	if patch == nil {
		return done, nil
	}
	_, err := a.patch(ctx, live, patch, options)
	return done, err
}

// patch sends a merge patch that holds only for the object as it was read.
func (a *actor) patch(ctx context.Context, live *unstructured.Unstructured, patch map[string]any, options cluster.WriteOptions) (*unstructured.Unstructured, error) {
	patch = maps.Clone(patch)
	meta, _ := patch["metadata"].(map[string]any)
	meta = maps.Clone(meta)
	if meta == nil {
		meta = map[string]any{}
	}
	meta["resourceVersion"] = live.GetResourceVersion()
	patch["metadata"] = meta
	body, err := json.Marshal(patch)
	if err != nil {
		return nil, fault.Wrap(fault.Bug, "write", object.KeyOf(live).String(), err, "")
	}
	return a.cluster.Patch(ctx, live.GroupVersionKind(), live.GetNamespace(), live.GetName(), types.MergePatchType, body, options)
}
