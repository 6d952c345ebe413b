// SPDX-License-Identifier: Apache-2.0

package app

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cli/app/resources"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/topology"
)

// drawer draws the tree of an application in this process, from the cluster itself, and writes nothing.
func drawer(ctx context.Context, req resources.Request) (resources.Drawing, error) {
	kube, err := req.Session.Config()
	if err != nil {
		return resources.Drawing{}, err
	}
	namespace := req.Session.Namespace
	name, err := served("draw", req.Name, namespace)
	if err != nil {
		return resources.Drawing{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v, err := newViewer(ctx, tuned(kube), namespace)
	if err != nil {
		return resources.Drawing{}, err
	}
	defer v.clusters.Close()
	return v.draw(ctx, name, req.Orphans)
}

// viewer looks at clusters for people.
type viewer struct {
	client    client.Client
	namespace string
	clusters  *clusters
	settings  *configuration.Reader
	changed   chan struct{}
}

func newViewer(ctx context.Context, kube *rest.Config, namespace string) (*viewer, error) {
	c, err := hubClient(kube)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	v := &viewer{client: c, namespace: namespace, changed: make(chan struct{}, 1), clusters: newClusters(ctx, kube, log, newMetrics(), &judges{log: log})}
	v.clusters.onFeed = func(string, cluster.Change) {
		select {
		case v.changed <- struct{}{}:
		default:
		}
	}
	v.settings = configuration.NewReader(c, namespace, log, v.clusters.Apply)
	if err := v.settings.Load(ctx); err != nil {
		v.clusters.Close()
		return nil, err
	}
	return v, nil
}

// draw looks until nothing is on its way any more.
func (v *viewer) draw(ctx context.Context, name string, orphans bool) (resources.Drawing, error) {
	app := &v1alpha1.Application{}
	if err := v.client.Get(ctx, client.ObjectKey{Namespace: v.namespace, Name: name}, app); err != nil {
		return resources.Drawing{}, v.unread("application "+v.namespace+"/"+name, err)
	}
	c, err := v.clusters.Find(app.Spec.Destination)
	if err != nil {
		return resources.Drawing{}, err
	}
	project, err := v.project(ctx, app)
	if err != nil {
		return resources.Drawing{}, err
	}
	permits := v.permits(project, c)
	out := resources.Drawing{App: app}
	var seek *seeker
	if orphans {
		if seek, out.NoOrphans, err = v.seeker(ctx, app, project, permits); err != nil {
			return resources.Drawing{}, err
		}
	}
	if seek != nil {
		c.SeekOrphans(name, seek.namespaces...)
	}
	for {
		tree, unknown, pending := look(c, name, app, seek, permits)
		if !pending {
			showLabels(tree.Hosts, v.settings.Current().Settings.NodeLabels)
			out.Tree, out.Unknown = tree, unknown
			return out, nil
		}
		select {
		case <-ctx.Done():
			return resources.Drawing{}, fmt.Errorf("%s: %w", unknown, ctx.Err())
		case <-v.changed:
		}
	}
}

// look draws what is known at this moment, of objects that the project permits: that a source names an object must not show
// it. id is the instance name of the application. unknown says what is not known, pending that it is on its way.
func look(c *cluster.Cluster, id string, app *v1alpha1.Application, seek *seeker, permits func(object.Key) bool) (tree v1alpha1.ApplicationTree, unknown string, pending bool) {
	roots := c.Owned(id)
	for _, res := range app.Status.Resources {
		if key := keyOfStatus(res); !slices.Contains(roots, key) {
			roots = append(roots, key)
		}
	}
	roots = slices.DeleteFunc(roots, func(key object.Key) bool { return !permits(key) })
	var loose []object.Key
	if seek != nil {
		found := c.Orphans(seek.namespaces, seek.alive, seek.counts)
		for _, o := range found.Objects {
			loose = append(loose, o.Key)
		}
		unknown, pending = found.Reason, found.Pending
	}
	drawn := c.Tree(roots, loose)
	inventory := c.Inventory()
	switch {
	case drawn.Reason != "":
		unknown, pending = drawn.Reason, pending || drawn.Pending
	case !inventory.Complete:
		unknown, pending = inventory.Reason, true
	}
	drawn.Nodes = slices.DeleteFunc(drawn.Nodes, func(n v1alpha1.ResourceNode) bool { return !permits(keyOfNode(n)) })
	drawn.Nodes = append(drawn.Nodes, missing(app, drawn.Nodes, permits)...)
	return drawn.ApplicationTree, unknown, pending
}

// showLabels leaves of the labels of hosts those that the settings name: they may tell more than tenants are to know.
func showLabels(hosts []v1alpha1.HostInfo, allowed []string) {
	for i := range hosts {
		var shown map[string]string
		for _, name := range allowed {
			if value, ok := hosts[i].Labels[name]; ok {
				if shown == nil {
					shown = map[string]string{}
				}
				shown[name] = value
			}
		}
		hosts[i].Labels = shown // not changed in place: others share it
	}
}

func keyOfStatus(res v1alpha1.ResourceStatus) object.Key {
	return object.Key{Group: res.Group, Kind: res.Kind, Namespace: res.Namespace, Name: res.Name}
}

func keyOfNode(n v1alpha1.ResourceNode) object.Key {
	return object.Key{Group: n.Group, Kind: n.Kind, Namespace: n.Namespace, Name: n.Name}
}

// missing are the application's resources that are not in the cluster, by its last comparison. Of those that the project does
// not permit nothing is said but that they are named.
func missing(app *v1alpha1.Application, there []v1alpha1.ResourceNode, permits func(object.Key) bool) []v1alpha1.ResourceNode {
	known := map[object.Key]bool{}
	for _, n := range there {
		known[keyOfNode(n)] = true
	}
	var out []v1alpha1.ResourceNode
	for _, res := range app.Status.Resources {
		key := keyOfStatus(res)
		if res.Hook || known[key] {
			continue
		}
		node := v1alpha1.ResourceNode{
			ResourceRef: v1alpha1.ResourceRef{Group: res.Group, Version: res.Version, Kind: res.Kind, Namespace: res.Namespace, Name: res.Name},
		}
		if permits(key) {
			node.Health = &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusMissing}
		}
		out = append(out, node)
	}
	return out
}

// seeker is what decides which objects are orphans of an application.
type seeker struct {
	namespaces []string
	alive      func(app string) bool
	counts     func(object.Key) bool
}

// project reads the project of an application, with what it inherits.
func (v *viewer) project(ctx context.Context, app *v1alpha1.Application) (*v1alpha1.AppProject, error) {
	name := cmp.Or(app.Spec.Project, v1alpha1.DefaultAppProjectName)
	project := &v1alpha1.AppProject{}
	if err := v.client.Get(ctx, client.ObjectKey{Namespace: v.namespace, Name: name}, project); err != nil {
		return nil, v.unread("project "+name, err)
	}
	heir, err := inherit(ctx, v.client, project, &v.settings.Current().Settings)
	if err != nil {
		return nil, v.unread("what project "+name+" inherits", err)
	}
	return heir, nil
}

// inherit returns a project with what it inherits.
func inherit(ctx context.Context, c client.Client, p *v1alpha1.AppProject, s *settings.Settings) (*v1alpha1.AppProject, error) {
	out, _, err := access.Inherit(p, s.GlobalsOf(p), func(name string) (*v1alpha1.AppProject, error) {
		global := &v1alpha1.AppProject{}
		err := c.Get(ctx, client.ObjectKey{Namespace: p.Namespace, Name: name}, global)
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		return global, err
	})
	return out, err
}

// permits reports whether a project permits an object of a cluster.
func (v *viewer) permits(project *v1alpha1.AppProject, c *cluster.Cluster) func(object.Key) bool {
	rules, cfg := access.Compile(project, v.clusters.ScopedTo(project.Name)), c.Config()
	return func(key object.Key) bool {
		return rules.Object(key, key.Namespace != "", access.Cluster{Server: cfg.Server, Name: cfg.Name}) == nil
	}
}

// seeker reads what the project says of orphans. why says that nobody asks for them.
func (v *viewer) seeker(ctx context.Context, app *v1alpha1.Application, project *v1alpha1.AppProject, permits func(object.Key) bool) (s *seeker, why string, err error) {
	name := project.Name
	rules, err := topology.CompileOrphanRules(project.Spec.OrphanedResources)
	switch {
	case err != nil:
		return nil, "", fault.Wrap(fault.Mistake, "read", "project "+name, err, "correct the pattern")
	case rules == nil:
		return nil, "project " + name + " does not look for orphaned resources", nil
	case app.Spec.Destination.Namespace == "":
		return nil, "the application has no namespace of its own: spec.destination.namespace is empty", nil
	}
	var apps v1alpha1.ApplicationList
	if err := v.client.List(ctx, &apps, client.InNamespace(v.namespace)); err != nil {
		return nil, "", v.unread("the applications", err)
	}
	living := map[string]bool{}
	for _, other := range apps.Items {
		living[other.Name] = true
	}
	return &seeker{
		namespaces: []string{app.Spec.Destination.Namespace},
		alive:      func(instance string) bool { return living[instance] },
		counts:     func(key object.Key) bool { return rules.Counts(key) && permits(key) },
	}, "", nil
}

func (v *viewer) unread(thing string, err error) error {
	if apierrors.IsNotFound(err) {
		return fault.New(fault.Mistake, "read", thing, "", "it does not exist", "see `bowline app list`")
	}
	return fault.Wrap(fault.Retry, "read", thing, err, "check that the API server can be reached, then try again")
}
