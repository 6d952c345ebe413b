// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/controller/application"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/server/application/index"
	"github.com/bowline-cd/bowline/internal/topology"
)

// liveView shows callers of the API what the controller and the clusters know of applications.
type liveView struct {
	*roles
	home  string
	index *index.Index
}

// Health returns the health of an application's objects, as they were last looked at.
func (l *liveView) Health(ctx context.Context, app *v1alpha1.Application) map[object.Key]*v1alpha1.HealthStatus {
	rows, err := l.apps.Rows(ctx, l.apps.IDOf(app))
	if err != nil {
		return nil
	}
	out := make(map[object.Key]*v1alpha1.HealthStatus, len(rows))
	for _, r := range rows {
		out[r.Key] = r.Health
	}
	return out
}

// Revision implements application.Verdicts.
func (l *liveView) Revision(app *v1alpha1.Application) (revision string, revisions []string, newer bool) {
	return l.apps.Revision(app)
}

// How long a call waits for what is being read right now, and how often it looks.
const (
	lookTime  = 5 * time.Second
	lookPause = 50 * time.Millisecond
)

// settled calls look until nothing is on its way any more, or for as long as people wait.
func settled(ctx context.Context, look func() (pending bool)) {
	deadline := realClock.Now().Add(lookTime)
	for look() && realClock.Now().Before(deadline) {
		select {
		case <-ctx.Done():
			return
		case <-realClock.After(lookPause):
		}
	}
}

// Tree implements application.Picture. What is not known while a cluster is being read for the first time is waited for; what
// stays unknown of a cluster that answers (a kind that may not be listed) is left out, as the application's conditions say. Of a
// cluster that does not answer nothing is shown.
func (l *liveView) Tree(ctx context.Context, app *v1alpha1.Application) (*v1alpha1.ApplicationTree, error) {
	c, permits, err := l.site(ctx, app)
	if err != nil {
		return nil, err
	}
	seek, err := l.seeker(ctx, app, permits)
	if err != nil {
		return nil, err
	}
	var tree v1alpha1.ApplicationTree
	var unknown string
	settled(ctx, func() (pending bool) {
		tree, unknown, pending = look(c, l.apps.IDOf(app), app, seek, permits)
		return pending
	})
	if conn := c.Connection(); unknown != "" && (!conn.Connected || len(tree.Nodes) == 0) {
		return nil, fault.New(fault.Wait, "draw", "the tree of application "+app.Name, "", unknown, "try again in a moment")
	}
	showLabels(tree.Hosts, l.settings.Current().Settings.NodeLabels)
	return &tree, nil
}

// site returns the cluster of an application, and what its project permits there.
func (l *liveView) site(ctx context.Context, app *v1alpha1.Application) (*cluster.Cluster, func(object.Key) bool, error) {
	c, err := l.clusters.Find(app.Spec.Destination)
	if err != nil {
		return nil, nil, err
	}
	name := desired.ProjectOf(app)
	spec, err := l.apps.ProjectSpec(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	project := &v1alpha1.AppProject{Spec: spec}
	project.Name = name
	rules, cfg := access.Compile(project, l.clusters.ScopedTo(name)), c.Config()
	return c, func(key object.Key) bool {
		return rules.Object(key, key.Namespace != "", access.Cluster{Server: cfg.Server, Name: cfg.Name}) == nil
	}, nil
}

// seeker says which objects are orphans of an application; nil if its project does not look for any. The controller has them
// sought.
func (l *liveView) seeker(ctx context.Context, app *v1alpha1.Application, permits func(object.Key) bool) (*seeker, error) {
	spec, err := l.apps.ProjectSpec(ctx, desired.ProjectOf(app))
	if err != nil {
		return nil, err
	}
	rules, err := topology.CompileOrphanRules(spec.OrphanedResources)
	if err != nil || rules == nil || app.Spec.Destination.Namespace == "" {
		return nil, nil //nolint:nilerr // the application's conditions tell of a broken pattern
	}
	return &seeker{
		namespaces: []string{app.Spec.Destination.Namespace}, alive: l.exists,
		counts: func(key object.Key) bool { return rules.Counts(key) && permits(key) },
	}, nil
}

// exists reports whether there is an application of an instance name.
func (l *liveView) exists(instance string) bool {
	namespace, name, elsewhere := strings.Cut(instance, "_")
	if !elsewhere {
		namespace, name = l.home, instance
	}
	return l.index.Get(namespace, name) != nil
}

// Follow implements application.Picture: any change in the cluster may be one of the tree, since an object that is new there
// may hang on one that is in it. Changes of many come as one.
func (l *liveView) Follow(app *v1alpha1.Application, changed func()) (stop func(), err error) {
	c, err := l.clusters.Find(app.Spec.Destination)
	if err != nil {
		return func() {}, err
	}
	return c.Subscribe(func(cluster.Change) { changed() }), nil
}

// parallelForms is how many objects of one answer are compared at once: each may be a question to the API server.
const parallelForms = 8

// Objects implements application.Managed.
func (l *liveView) Objects(ctx context.Context, app *v1alpha1.Application, wanted func(object.Key) bool) ([]v1alpha1.ResourceDiff, error) {
	id := l.apps.IDOf(app)
	apps, rows, err := l.rows(ctx, id)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(r application.RowView) bool {
		return r.Hook || r.Verdict == application.Apart || r.Verdict == application.Refused || !wanted(r.Key)
	})
	return l.forms(ctx, len(rows), func(ctx context.Context, i int) (application.Managed, error) {
		return apps.Managed(ctx, id, rows[i].Key)
	})
}

// rows returns how the objects of an application compare, and the controller that knows more of them. While they are not compared
// yet it waits, for as long as people do.
func (l *liveView) rows(ctx context.Context, id string) (apps *application.Controller, rows []application.RowView, err error) {
	if apps, err = l.comparing(ctx, id); err != nil {
		return nil, nil, err
	}
	settled(ctx, func() bool {
		rows, err = apps.Rows(ctx, id)
		return fault.Is(err, fault.Wait) && apps == l.apps && !l.idle
	})
	return apps, rows, err
}

// Against implements application.Managed.
func (l *liveView) Against(ctx context.Context, app *v1alpha1.Application, manifests []*unstructured.Unstructured) ([]v1alpha1.ResourceDiff, error) {
	_, permits, err := l.site(ctx, app)
	if err != nil {
		return nil, err
	}
	for _, m := range manifests {
		gvk := m.GroupVersionKind()
		key := object.Key{Group: gvk.Group, Kind: gvk.Kind, Namespace: m.GetNamespace(), Name: m.GetName()}
		if !permits(key) {
			return nil, fault.New(fault.Forbidden, "compare", key.String(), "", "project "+desired.ProjectOf(app)+" does not permit it", "")
		}
	}
	id := l.apps.IDOf(app)
	return l.forms(ctx, len(manifests), func(ctx context.Context, i int) (application.Managed, error) {
		if diff.Masked(manifests[i]) {
			gvk := manifests[i].GroupVersionKind()
			return l.apps.Managed(ctx, id, object.Key{Group: gvk.Group, Kind: gvk.Kind, Namespace: manifests[i].GetNamespace(), Name: manifests[i].GetName()})
		}
		return l.apps.Against(ctx, id, manifests[i])
	})
}

// forms returns the forms of n objects, masked.
func (l *liveView) forms(ctx context.Context, n int, of func(context.Context, int) (application.Managed, error)) ([]v1alpha1.ResourceDiff, error) {
	sensitive := l.settings.Current().Settings.MaskAnnotations
	out := make([]v1alpha1.ResourceDiff, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelForms)
	for i := range n {
		group.Go(func() error {
			managed, err := of(ctx, i)
			if err != nil {
				return err
			}
			out[i], err = resourceDiff(managed, sensitive)
			return err
		})
	}
	return out, group.Wait()
}

// resourceDiff is an object as Argo CD's API has it: the forms as texts, "null" for one that there is not.
func resourceDiff(m application.Managed, sensitive []string) (v1alpha1.ResourceDiff, error) {
	forms, err := diff.FormsOf(m.Input, m.Answer)
	if err != nil {
		return v1alpha1.ResourceDiff{}, err
	}
	forms = diff.Mask(forms, func(annotation string) bool { return slices.Contains(sensitive, annotation) })
	key := m.Row.Key
	out := v1alpha1.ResourceDiff{
		Group: key.Group, Kind: key.Kind, Namespace: key.Namespace, Name: key.Name, Hook: m.Row.Hook, ResourceVersion: m.Row.ResourceVersion,
	}
	for _, form := range []struct {
		to *string
		of *unstructured.Unstructured
	}{
		{&out.TargetState, forms.Desired}, {&out.LiveState, forms.Live}, {&out.NormalizedLiveState, forms.NormalizedLive}, {&out.PredictedLiveState, forms.Predicted},
	} {
		text, err := json.Marshal(contentOf(form.of))
		if err != nil {
			return v1alpha1.ResourceDiff{}, fault.Wrap(fault.Bug, "write", key.String(), err, "")
		}
		*form.to = string(text)
	}
	out.Modified = out.NormalizedLiveState != out.PredictedLiveState
	return out, nil
}
