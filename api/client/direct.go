// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Direct works straight on the resources.
type Direct struct {
	kube      kube.WithWatch
	namespace string
	now       func() time.Time
}

var _ Applications = (*Direct)(nil)

// NewDirect returns a client for the applications of a control namespace. now is the clock that requests are
// stamped with.
func NewDirect(c kube.WithWatch, namespace string, now func() time.Time) *Direct {
	return &Direct{kube: c, namespace: namespace, now: now}
}

// Connect returns a client for the cluster that config leads to. It asks the cluster nothing: the kinds are known.
func Connect(config *rest.Config, namespace string, now func() time.Time) (*Direct, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fault.Wrap(fault.Bug, "register", "the Application kinds", err, "")
	}
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(v1alpha1.ApplicationSchemaGroupVersionKind, meta.RESTScopeNamespace)
	mapper.Add(selfSubjectReview, meta.RESTScopeRoot)
	c, err := kube.NewWithWatch(config, kube.Options{Scheme: scheme, Mapper: mapper})
	if err != nil {
		return nil, fault.Wrap(fault.Stalled, "use", "the kubeconfig", err, "mend the kubeconfig or choose another with --kubeconfig and --context")
	}
	return NewDirect(c, namespace, now), nil
}

// List implements Applications.
func (d *Direct) List(ctx context.Context, filter Filter) ([]v1alpha1.Application, error) {
	opts := &kube.ListOptions{LabelSelector: filter.Labels, Namespace: cmp.Or(filter.Namespace, d.namespace)}
	if filter.Namespace == AllNamespaces {
		opts.Namespace = ""
	}
	var list v1alpha1.ApplicationList
	if err := d.kube.List(ctx, &list, opts); err != nil {
		return nil, explain(err, "list", "the applications")
	}
	apps := slices.DeleteFunc(list.Items, func(app v1alpha1.Application) bool { return !filter.matches(&app) })
	slices.SortFunc(apps, func(a, b v1alpha1.Application) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return apps, nil
}

func (f Filter) matches(app *v1alpha1.Application) bool {
	project := cmp.Or(app.Spec.Project, v1alpha1.DefaultAppProjectName)
	if len(f.Projects) > 0 && !slices.Contains(f.Projects, project) {
		return false
	}
	uses := func(source v1alpha1.ApplicationSource) bool {
		return strings.TrimSuffix(source.RepoURL, ".git") == strings.TrimSuffix(f.Repo, ".git")
	}
	return f.Repo == "" || slices.ContainsFunc(Sources(app), uses)
}

// Sources returns the sources of an application: sources if there are any, else the one in source.
func Sources(app *v1alpha1.Application) []v1alpha1.ApplicationSource {
	if len(app.Spec.Sources) > 0 {
		return app.Spec.Sources
	}
	if app.Spec.Source == nil {
		return nil
	}
	return []v1alpha1.ApplicationSource{*app.Spec.Source}
}

// Get implements Applications.
func (d *Direct) Get(ctx context.Context, name string) (*v1alpha1.Application, error) {
	app := &v1alpha1.Application{}
	key := d.key(name)
	if err := d.kube.Get(ctx, key, app); err != nil {
		return nil, explain(err, "read", "application "+key.String())
	}
	return app, nil
}

// History implements Applications.
func (d *Direct) History(ctx context.Context, name string) (v1alpha1.RevisionHistories, error) {
	app, err := d.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	return app.Status.History, nil
}

func (d *Direct) key(name string) types.NamespacedName {
	if namespace, rest, ok := strings.Cut(name, "/"); ok {
		return types.NamespacedName{Namespace: namespace, Name: rest}
	}
	return types.NamespacedName{Namespace: d.namespace, Name: name}
}
