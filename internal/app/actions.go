// SPDX-License-Identifier: Apache-2.0

package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/action"
	"github.com/bowline-cd/bowline/internal/cli/app/actions"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/server/application/live"
)

// actor runs actions on live objects of one application. It reads what the controller found out last and asks the
// application's cluster; it needs neither the repository nor a running controller, so that it works in an incident.
type actor struct {
	target   actions.Target
	app      *v1alpha1.Application
	catalog  *action.Catalog
	tracker  object.Tracker
	clusters *clusters
	site     *live.Site
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

func (a *actor) prepare(ctx context.Context, c client.Client, s *configuration.Snapshot) error {
	a.tracker = s.Settings.Tracker
	a.catalog, _ = action.New(s.Settings.Customizations)
	project := &v1alpha1.AppProject{}
	if err := get(ctx, c, project, a.app.Namespace, cmp.Or(a.app.Spec.Project, v1alpha1.DefaultAppProjectName), "project"); err != nil {
		return err
	}
	project, err := inherit(ctx, c, project, &s.Settings)
	if err != nil {
		return fault.Wrap(fault.Retry, "read", "what the project inherits", err, "check that the API server can be reached, then try again")
	}
	found, err := a.clusters.Find(a.app.Spec.Destination)
	a.site = &live.Site{
		Cluster: found, Project: access.Compile(project, a.clusters.ScopedTo(project.Name)),
		Namespace: a.app.Spec.Destination.Namespace, Home: a.app.Namespace, Settings: s.Settings,
	}
	return err
}

func get(ctx context.Context, c client.Client, into client.Object, namespace, name, what string) error {
	err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, into)
	if client.IgnoreNotFound(err) == nil && err != nil {
		return fault.New(fault.Mistake, "read", what+" "+namespace+"/"+name, "", "it does not exist", "see `bowline app list`")
	}
	return fault.Wrap(fault.Retry, "read", what+" "+namespace+"/"+name, err, "check that the API server can be reached, then try again")
}

// Close implements actions.Actor.
func (a *actor) Close() { a.clusters.Close() }

// Objects implements actions.Actor. The objects are those of the application's status.
func (a *actor) Objects(ctx context.Context) ([]actions.Object, error) {
	if a.app.Status.ReconciledAt == nil {
		return nil, fault.New(fault.Wait, "find objects of", "application "+a.target.App, "status.resources", "it has not been compared yet", "wait for its first comparison: `bowline app get`")
	}
	ctx, err := a.site.Behalf(ctx)
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
	live, err := a.site.Cluster.Read(ctx, gvk, o.Namespace, o.Name)
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
	ctx, err := a.site.Behalf(ctx)
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
		written, err := a.site.Carry(ctx, live, impacts, order.DryRun)
		for _, w := range written {
			done = append(done, actions.Done{Group: w.Key.Group, Kind: w.Key.Kind, Namespace: w.Key.Namespace, Name: w.Key.Name, Outcome: w.Outcome})
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}
