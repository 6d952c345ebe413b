// SPDX-License-Identifier: Apache-2.0

// Package application serves applications: what they are, what became of them, and what people ask of them. It is the service
// layer of Argo CD's ApplicationService and of Bowline's own API, in plain Go types; transports carry its calls.
//
// The words of this room:
//
//   - Hub: the control plane that holds the applications. What the services write there is only ever what a person could
//     write: a spec, an operation, an annotation; the controller acts on it.
//   - Live: what the controller knows of clusters: trees, objects, comparisons.
//   - Scene: what is drawn of one application's objects, for all who look at it at the moment.
//   - Home: the control namespace.
package application

import (
	"cmp"
	"context"
	"log/slog"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/settings"
)

var (
	_ application.ApplicationService = (*Service)(nil)
	_ bowline.Applications           = (*Service)(nil)
)

// Deps is what the service is made with.
type Deps struct {
	Gate *gate.Gate
	// Hub reads from the cache that the controllers share, and writes.
	Hub client.Client
	// Fresh reads from the API server, for what is going to be written.
	Fresh client.Reader
	// Clusters finds the clusters of destinations; Checker judges applications before they are written.
	Clusters Clusters
	Checker  Checker
	// Bus is told what callers did; it may be nil.
	Bus *event.Bus
	// Home is the control namespace.
	Home string
	// Settings returns those of the moment.
	Settings func() *settings.Settings
	// Served reports whether Applications of a namespace are served.
	Served func(namespace string) bool
	Reads
	Clock clock.Clock
	Log   *slog.Logger
}

// Service implements application.ApplicationService and the part of Bowline's own API about applications.
type Service struct {
	Deps
	sights   sights
	scenes   scenes
	listings listings
	turns    turns
}

// New returns the service.
func New(deps Deps) *Service { return &Service{Deps: deps} }

// Object is how policies name an application: project/name, with the namespace between them where it is not home.
func (s *Service) Object(project, namespace, name string) string {
	if namespace == "" || namespace == s.Home {
		return project + "/" + name
	}
	return project + "/" + namespace + "/" + name
}

// right is a right on an application.
func (s *Service) right(resource, action string, app *v1alpha1.Application) access.Right {
	return access.Right{Resource: resource, Action: action, Object: s.Object(projectOf(app), app.Namespace, app.Name)}
}

// load reads an application for an action on it, and checks the rights to see it and to act. project may be "": a caller who
// names the wrong one is answered as if the application did not exist. Whoever may not see it is answered gate.Hidden, the
// same for a name that does not exist, unless they named a project all of whose applications they may see.
func (s *Service) load(ctx context.Context, action, project, namespace, name string) (*v1alpha1.Application, error) {
	return s.loadFrom(ctx, s.Hub, action, project, namespace, name)
}

func (s *Service) loadFrom(ctx context.Context, from client.Reader, action, project, namespace, name string) (*v1alpha1.Application, error) {
	if namespace == "" {
		namespace = s.Home
	}
	app, found := &v1alpha1.Application{}, false
	if s.Served(namespace) && len(validation.IsDNS1123Subdomain(name)) == 0 { // no other name can be asked for
		err := from.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, app)
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, fault.Wrap(fault.Retry, "read", "application "+namespace+"/"+name, err, "try again")
		}
		found = err == nil
	}
	if !found || project != "" && projectOf(app) != project {
		if project != "" && s.Gate.Allows(ctx, access.Right{Resource: access.Applications, Action: access.Get, Object: s.Object(project, namespace, name)}) {
			return nil, absent(namespace, name)
		}
		return nil, gate.Hidden()
	}
	if action != access.Get && s.Gate.Allows(ctx, s.right(access.Applications, access.Get, app)) {
		return app, s.Gate.Enforce(ctx, s.right(access.Applications, action, app))
	}
	if s.Gate.Enforce(ctx, s.right(access.Applications, action, app)) != nil {
		return nil, gate.Hidden()
	}
	return app, nil
}

// absent is what a caller is answered who may see every application of the project that they named.
func absent(namespace, name string) error {
	missing := apierrors.NewNotFound(v1alpha1.SchemeGroupVersion.WithResource("applications").GroupResource(), name)
	return &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Op: "find", Thing: "application " + namespace + "/" + name, Err: missing, Fix: "see `bowline app list`"}
}

// projectOf is the project of an application; one that names none is in the default one.
func projectOf(app *v1alpha1.Application) string {
	return cmp.Or(app.Spec.Project, v1alpha1.DefaultAppProjectName)
}
