// SPDX-License-Identifier: Apache-2.0

package application

import (
	"cmp"
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/server/application/index"
)

// Reads is what calls that change nothing are answered from.
type Reads struct {
	// Index holds all applications; Filled reports whether it was filled.
	Index  *index.Index
	Filled func() bool
	// Verdicts says what is known of applications beyond what their resources say.
	Verdicts Verdicts
	// Surroundings says what is around applications; nil if all is well.
	Surroundings Surroundings
	// Picture draws trees.
	Picture Picture
	// Looks shows what is known of objects at a moment.
	Looks Looks
	// Managed compares.
	Managed Managed
	// Previews renders and plans.
	Previews Previews
	// Unsaved previews what is not saved.
	Unsaved Unsaved
	// History tells of revisions.
	History History
	// Happened reads Kubernetes Events.
	Happened Happened
}

// Verdicts says what the controller knows of an application at this moment.
type Verdicts interface {
	// Health returns the health of the application's objects; nil if they were not looked at yet.
	Health(ctx context.Context, app *v1alpha1.Application) map[object.Key]*v1alpha1.HealthStatus
	// Revision returns the revision that the last comparison holds for, if it is newer than the status says: a commit that
	// does not touch the application is known at once and written in its turn.
	Revision(app *v1alpha1.Application) (revision string, revisions []string, newer bool)
}

// form returns an application as people are shown it: with the health of its objects, the revision that is known, and without
// manifests that an operation brought along, which may hold Secrets. app is not changed.
func (s *Service) form(ctx context.Context, app *v1alpha1.Application) *v1alpha1.Application {
	out := *app
	out.TypeMeta, out.ManagedFields = metav1.TypeMeta{}, nil // as Argo CD answers
	out.Operation = withoutManifests(app.Operation)
	if state := app.Status.OperationState; state != nil && withoutManifests(&state.Operation) != &state.Operation {
		next := *state
		next.Operation = *withoutManifests(&state.Operation)
		out.Status.OperationState = &next
	}
	if s.Verdicts == nil {
		return &out
	}
	if revision, revisions, newer := s.Verdicts.Revision(app); newer {
		out.Status.Sync.Revision, out.Status.Sync.Revisions = revision, revisions
	}
	if app.Status.ResourceHealthSource == v1alpha1.ResourceHealthLocationAppTree {
		out.Status.Resources = s.withHealth(ctx, app)
	}
	return &out
}

// withHealth returns the application's resources with their health, which its status does not keep.
func (s *Service) withHealth(ctx context.Context, app *v1alpha1.Application) []v1alpha1.ResourceStatus {
	health := s.Verdicts.Health(ctx, app)
	if health == nil {
		return app.Status.Resources
	}
	out := slices.Clone(app.Status.Resources)
	for i := range out {
		r := &out[i]
		r.Health = health[object.Key{Group: r.Group, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}]
	}
	return out
}

func withoutManifests(op *v1alpha1.Operation) *v1alpha1.Operation {
	if op == nil || op.Sync == nil || len(op.Sync.Manifests) == 0 {
		return op
	}
	out, sync := *op, *op.Sync
	sync.Manifests = nil
	out.Sync = &sync
	return &out
}

// filled returns an error while the applications are still being read: a list that is not whole is none.
func (s *Service) filled() error {
	if s.Filled() {
		return nil
	}
	return fault.New(fault.Wait, "list", "the applications", "", "they are still being read from the API server", "try again in a moment")
}

// query turns a request into what the index is asked.
func (s *Service) query(ctx context.Context, request *application.ApplicationQuery) (*index.Query, error) {
	selector, err := selectorOf(request.Selector)
	if err != nil {
		return nil, err
	}
	q := &index.Query{
		Sees: s.sees(ctx), Name: request.Name, AppNamespace: request.AppNamespace, Selector: selector,
		Words: index.Words(request.Search), Projects: projectsOf(request),
	}
	if request.Repo != "" {
		q.Repos = []string{request.Repo}
	}
	return q, nil
}

func selectorOf(text string) (labels.Selector, error) {
	selector, err := labels.Parse(text)
	if err != nil {
		return nil, fault.New(fault.Mistake, "read", "the label selector "+text, "selector", err.Error(), "write it as kubectl takes it, such as team=web,env!=prod")
	}
	return selector, nil
}

// projectsOf returns the projects that a request names, by the newer or by the older of two names for them.
func projectsOf(request *application.ApplicationQuery) []string {
	if len(request.Projects) > 0 {
		return request.Projects
	}
	return request.Project
}

// namespaceOf is where a request means an application to be.
func (s *Service) namespaceOf(appNamespace string) string { return cmp.Or(appNamespace, s.Home) }
