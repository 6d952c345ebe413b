// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	requests "github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
)

// Clusters finds the clusters that applications are sent to.
type Clusters interface {
	Find(destination v1alpha1.ApplicationDestination) (*cluster.Cluster, error)
	// ScopedTo returns what belongs to one project alone.
	ScopedTo(project string) access.Scoped
}

// Checker judges an application before it is written.
type Checker interface {
	// Check says what is wrong with the spec, and with render what is wrong with what the sources hold.
	Check(ctx context.Context, app *v1alpha1.Application, render bool) error
}

// thing names an application in errors.
func thing(app *v1alpha1.Application) string { return "application " + app.Namespace + "/" + app.Name }

// unwritten says why the control plane did not take what was written. Whatever right is missing is Bowline's own.
func unwritten(verb string, app *v1alpha1.Application, err error) error {
	switch {
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return fault.Wrap(fault.Mistake, verb, thing(app), err, "")
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return fault.Wrap(fault.Stalled, verb, thing(app), err, "give Bowline's account that right in the control plane")
	}
	return fault.Wrap(fault.Retry, verb, thing(app), err, "try again")
}

// who is how operations and records name the caller.
func who(ctx context.Context) string {
	caller, ok := auth.From(ctx)
	if !ok || caller.Kind == auth.Core {
		return caller.Username
	}
	return caller.Name()
}

// tell publishes what a caller did to an application.
func (s *Service) tell(ctx context.Context, app *v1alpha1.Application, reason event.Reason, message string) {
	if s.Bus == nil {
		return
	}
	s.Bus.Publish(event.Record{
		At: s.Clock.Now(), Reason: reason, App: client.ObjectKeyFromObject(app), UID: app.UID, User: who(ctx), Message: message,
	})
}

// cacheTime bounds how long a write waits until reads show it.
const cacheTime = 2 * time.Second

// awaitCache waits until those who read from the cache see what was written: a caller's next call is often to look.
func (s *Service) awaitCache(ctx context.Context, written *v1alpha1.Application) {
	key := client.ObjectKeyFromObject(written)
	_ = wait.PollUntilContextTimeout(ctx, 5*time.Millisecond, cacheTime, true, func(ctx context.Context) (bool, error) {
		seen := &v1alpha1.Application{}
		if err := s.Hub.Get(ctx, key, seen, client.UnsafeDisableDeepCopy); err != nil {
			return false, nil
		}
		order, err := resourceversion.CompareResourceVersion(seen.ResourceVersion, written.ResourceVersion)
		return err != nil || order >= 0, nil
	})
}

// loadFresh is load from the API server and not from the cache, for what is going to be written.
func (s *Service) loadFresh(ctx context.Context, action, project, namespace, name string) (*v1alpha1.Application, error) {
	return s.loadFrom(ctx, s.Fresh, action, project, namespace, name)
}

// named is an application as a request names it.
type named struct{ project, namespace, name string }

// request writes what a caller with the right for action asks of an application.
func (s *Service) request(ctx context.Context, at named, action, verb string, change func(*v1alpha1.Application) (requests.Change, error)) (*v1alpha1.Application, error) {
	seen, err := s.loadFresh(ctx, action, at.project, at.namespace, at.name)
	if err != nil {
		return nil, err
	}
	key := client.ObjectKeyFromObject(seen)
	app, err := requests.Writer{From: s.Fresh, To: s.Hub}.Update(ctx, key, verb, func(app *v1alpha1.Application) (requests.Change, error) {
		if app.UID != seen.UID || projectOf(app) != projectOf(seen) { // another application, or one that other rights are about
			return nil, gate.Hidden()
		}
		return change(app)
	})
	if err != nil {
		return nil, err
	}
	s.awaitCache(ctx, app)
	return s.form(ctx, app), nil
}

// project returns the project of an application with what it inherits, and its rules. Whether there is no such project, or it does not want the
// application's namespace, is nobody's to find out this way.
func (s *Service) project(ctx context.Context, app *v1alpha1.Application) (*v1alpha1.AppProject, *access.Project, error) {
	name := projectOf(app)
	vague := fault.New(fault.Mistake, "use", "project "+name, "spec.project", "app is not allowed in project \""+name+"\", or the project does not exist", "")
	found := &v1alpha1.AppProject{}
	err := s.Hub.Get(ctx, client.ObjectKey{Namespace: s.Home, Name: name}, found)
	if apierrors.IsNotFound(err) {
		return nil, nil, vague
	}
	if err != nil {
		return nil, nil, fault.Wrap(fault.Retry, "read", "project "+name, err, "try again")
	}
	if found, err = s.heir(ctx, found); err != nil {
		return nil, nil, fault.Wrap(fault.Retry, "read", "what project "+name+" inherits", err, "try again")
	}
	rules := access.Compile(found, s.Clusters.ScopedTo(name))
	if err := rules.ApplicationNamespace(app.Namespace, s.Home); err != nil {
		return nil, nil, vague
	}
	return found, rules, nil
}

// heir returns a project with what it inherits.
func (s *Service) heir(ctx context.Context, p *v1alpha1.AppProject) (*v1alpha1.AppProject, error) {
	out, _, err := access.Inherit(p, s.Settings().GlobalsOf(p), func(name string) (*v1alpha1.AppProject, error) {
		global := &v1alpha1.AppProject{}
		err := s.Hub.Get(ctx, client.ObjectKey{Namespace: s.Home, Name: name}, global)
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		return global, err
	})
	return out, err
}
