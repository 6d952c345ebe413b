// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// Managed compares objects of applications, desired with live. Values of Secrets, and of the annotations that settings name,
// are masked in its answers.
type Managed interface {
	// Objects returns the forms of those objects of an application that are wanted, hooks apart, ordered by key.
	Objects(ctx context.Context, app *v1alpha1.Application, wanted func(object.Key) bool) ([]v1alpha1.ResourceDiff, error)
	// Against returns what the API server would make of other manifests in the place of an application's own objects. One that
	// is not the application's, and that its project does not permit, is an error. A Secret whose values are masked is taken to
	// be the application's own: that is where it came from.
	Against(ctx context.Context, app *v1alpha1.Application, manifests []*unstructured.Unstructured) ([]v1alpha1.ResourceDiff, error)
	// View returns one of an application's own objects, nil for any other. With an error that says what is not known yet comes
	// what is.
	View(ctx context.Context, app *v1alpha1.Application, key object.Key) (*Viewed, error)
}

// ManagedResources returns the objects of an application as they are desired and as they are.
func (s *Service) ManagedResources(ctx context.Context, request *application.ResourcesQuery) (*application.ManagedResourcesResponse, error) {
	app, err := s.load(ctx, access.Get, request.Project, request.AppNamespace, request.ApplicationName)
	if err != nil {
		return nil, err
	}
	items, err := s.Managed.Objects(ctx, app, wantedBy(request))
	if err != nil {
		return nil, err
	}
	return &application.ManagedResourcesResponse{Items: items}, nil
}

// wantedBy says which objects a request chooses: all, or those of a name, a namespace, a kind or a group.
func wantedBy(request *application.ResourcesQuery) func(object.Key) bool {
	fits := func(wanted, is string) bool { return wanted == "" || wanted == is }
	return func(key object.Key) bool {
		return fits(request.Name, key.Name) && fits(request.Namespace, key.Namespace) && fits(request.Group, key.Group) && fits(request.Kind, key.Kind)
	}
}

// maxTargets bounds how many dry runs one request may cause.
const maxTargets = 5000

// ServerSideDiff says what the API server would make of manifests that the caller brings, beside what is there. What is there is
// read from the cluster, whatever the request says it is.
func (s *Service) ServerSideDiff(ctx context.Context, request *application.ApplicationServerSideDiffQuery) (*application.ApplicationServerSideDiffResponse, error) {
	app, err := s.load(ctx, access.Get, request.Project, request.AppNamespace, request.AppName)
	if err != nil {
		return nil, err
	}
	targets, gone, err := sides(request)
	if err != nil {
		return nil, err
	}
	items, err := s.Managed.Against(ctx, app, targets)
	if err != nil {
		return nil, err
	}
	if len(gone) > 0 {
		extra, err := s.Managed.Objects(ctx, app, func(key object.Key) bool { return gone[key] })
		if err != nil {
			return nil, err
		}
		for _, e := range extra {
			e.PredictedLiveState, e.Modified = "null", true
			items = append(items, e)
		}
	}
	modified := false
	for i := range items {
		item := &items[i]
		item.TargetState, item.LiveState = item.PredictedLiveState, item.NormalizedLiveState
		item.PredictedLiveState, item.NormalizedLiveState = "", ""
		modified = modified || item.Modified
	}
	return &application.ApplicationServerSideDiffResponse{Items: items, Modified: &modified}, nil
}

// sides reads the manifests of a request, and which objects it names only as live: those would go.
func sides(request *application.ApplicationServerSideDiffQuery) (targets []*unstructured.Unstructured, gone map[object.Key]bool, err error) {
	if len(request.TargetManifests) > maxTargets || len(request.LiveResources) > maxTargets {
		return nil, nil, &fault.Error{Kind: fault.Mistake, Code: fault.TooLarge, Op: "compare", Thing: "the manifests", Err: errTooMany, Fix: "compare fewer at once"}
	}
	gone = map[object.Key]bool{}
	for _, live := range request.LiveResources {
		gone[object.Key{Group: live.Group, Kind: live.Kind, Namespace: live.Namespace, Name: live.Name}] = true
	}
	for i, text := range request.TargetManifests {
		if text == "" || text == "null" {
			continue
		}
		target := &unstructured.Unstructured{}
		if err := target.UnmarshalJSON([]byte(text)); err != nil {
			return nil, nil, unreadableManifest(i)
		}
		targets = append(targets, target)
		gvk := target.GroupVersionKind()
		delete(gone, object.Key{Group: gvk.Group, Kind: gvk.Kind, Namespace: target.GetNamespace(), Name: target.GetName()})
	}
	return targets, gone, nil
}
