// SPDX-License-Identifier: Apache-2.0

package application

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
)

// Create makes an application. One that is there already and is the same is success; one that differs is changed if the
// request says upsert. Operation and status of what is sent count for nothing: an operation is asked for with Sync.
func (s *Service) Create(ctx context.Context, q *application.ApplicationCreateRequest) (*v1alpha1.Application, error) {
	if q.Application == nil || q.Application.Name == "" {
		return nil, fault.New(fault.Mistake, "create", "the application", "metadata.name", "it is empty", "name the application")
	}
	app := s.asWritten(q.Application)
	right := s.right(access.Applications, access.Create, app)
	if err := s.Gate.Enforce(ctx, right); err != nil {
		return nil, err
	}
	if err := s.admit(ctx, app, q.Validate == nil || *q.Validate); err != nil {
		return nil, err
	}
	created := app.DeepCopy()
	err := s.Hub.Create(ctx, created, client.FieldOwner(v1alpha1.FieldManagerHub))
	if apierrors.IsAlreadyExists(err) {
		return s.upsert(ctx, app, q)
	}
	if err != nil {
		return nil, unwritten("create", app, err)
	}
	s.tell(ctx, created, event.ResourceCreated, "created the application")
	s.awaitCache(ctx, created)
	return s.form(ctx, created), nil
}

// upsert is about an application that is there already.
func (s *Service) upsert(ctx context.Context, app *v1alpha1.Application, q *application.ApplicationCreateRequest) (*v1alpha1.Application, error) {
	existing := &v1alpha1.Application{}
	if err := s.Fresh.Get(ctx, client.ObjectKeyFromObject(app), existing); err != nil {
		return nil, unwritten("read", app, err)
	}
	switch {
	case !s.Gate.Allows(ctx, s.right(access.Applications, access.Get, existing)):
		return nil, gate.Hidden()
	case same(existing, app):
		return s.form(ctx, existing), nil
	case !q.Upsert:
		return nil, fault.New(fault.Mistake, "create", thing(app), "", "existing application spec is different", "use upsert flag to force update")
	}
	if err := s.Gate.Enforce(ctx, s.right(access.Applications, access.Update, app)); err != nil {
		return nil, err
	}
	return s.rewrite(ctx, rewriting{namespace: app.Namespace, name: app.Name}, func(existing *v1alpha1.Application) (*v1alpha1.Application, error) {
		existing.Spec, existing.Finalizers = app.Spec, app.Finalizers
		existing.Labels, existing.Annotations = merged(existing.Labels, app.Labels), merged(existing.Annotations, app.Annotations)
		return existing, nil
	})
}

func same(a, b *v1alpha1.Application) bool {
	equal := reflect.DeepEqual
	return equal(a.Spec, b.Spec) && (len(a.Labels)+len(b.Labels) == 0 || equal(a.Labels, b.Labels)) &&
		(len(a.Annotations)+len(b.Annotations) == 0 || equal(a.Annotations, b.Annotations)) &&
		(len(a.Finalizers)+len(b.Finalizers) == 0 || equal(a.Finalizers, b.Finalizers))
}

func merged(into, from map[string]string) map[string]string {
	for k, v := range from {
		if into == nil {
			into = map[string]string{}
		}
		into[k] = v
	}
	return into
}

// asWritten returns what of an application a person may write, in its normal form.
func (s *Service) asWritten(app *v1alpha1.Application) *v1alpha1.Application {
	out := &v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{
			Name: app.Name, Namespace: cmp.Or(app.Namespace, s.Home),
			Labels: app.Labels, Annotations: app.Annotations, Finalizers: app.Finalizers, OwnerReferences: app.OwnerReferences,
		},
		Spec: *app.Spec.DeepCopy(),
	}
	normalise(&out.Spec)
	return out
}

// normalise gives a spec the form in which Argo CD's server writes it: the project is named, and what says nothing is not
// there.
func normalise(spec *v1alpha1.ApplicationSpec) {
	spec.Project = cmp.Or(spec.Project, v1alpha1.DefaultAppProjectName)
	dropEmpty(&spec.SyncPolicy)
	sources := spec.Sources
	if len(sources) == 0 && spec.Source != nil {
		normaliseSource(spec.Source)
	}
	for i := range sources {
		normaliseSource(&sources[i])
	}
}

func normaliseSource(s *v1alpha1.ApplicationSource) {
	dropEmpty(&s.Helm)
	dropEmpty(&s.Kustomize)
	dropEmpty(&s.Directory)
}

func dropEmpty[T any](p **T) {
	if *p != nil && reflect.ValueOf(**p).IsZero() {
		*p = nil
	}
}

// admit refuses an application that could not be carried out: its namespace, its project, its destination, its sources, and
// with render what they hold.
func (s *Service) admit(ctx context.Context, app *v1alpha1.Application, render bool) error {
	if err := s.admissible(ctx, app); err != nil {
		return err
	}
	return s.Checker.Check(ctx, app, render)
}

// admissible is what of admit the checker does not look at.
func (s *Service) admissible(ctx context.Context, app *v1alpha1.Application) error {
	if !s.Served(app.Namespace) {
		return fault.New(fault.Forbidden, "write", thing(app), "metadata.namespace", "namespace '"+app.Namespace+"' is not permitted",
			"add it to application.namespaces of argocd-cmd-params-cm, or choose another")
	}
	if _, _, err := s.project(ctx, app); err != nil {
		return err
	}
	names := map[string]bool{}
	for i, source := range app.Spec.Sources {
		if source.Name != "" && names[source.Name] {
			return fault.New(fault.Mistake, "write", thing(app), fmt.Sprintf("spec.sources[%d].name", i), "another source is named "+source.Name+" too", "name it differently")
		}
		names[source.Name] = true
	}
	return managedBy(app)
}

// managedBy refuses an address of another instance that no browser should be sent to.
func managedBy(app *v1alpha1.Application) error {
	raw := app.Annotations[v1alpha1.AnnotationKeyManagedByURL]
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fault.New(fault.Mistake, "write", thing(app), "metadata.annotations["+v1alpha1.AnnotationKeyManagedByURL+"]",
			"it is not the address of a web page", "write an address that begins with https:// or http://")
	}
	return nil
}
