// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/action"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/fault"
)

// ListResourceActions returns what may be done to a live object.
func (s *Service) ListResourceActions(ctx context.Context, q *application.ApplicationResourceRequest) (*application.ResourceActionsListResponse, error) {
	found, _, err := s.actedOn(ctx, access.Get, q)
	if err != nil {
		return nil, err
	}
	offered, err := s.catalog().Discover(found)
	if err != nil {
		return nil, err
	}
	out := &application.ResourceActionsListResponse{}
	for _, a := range offered {
		shown := v1alpha1.ResourceAction{Name: a.Name, DisplayName: a.DisplayName, IconClass: a.IconClass, Disabled: a.Disabled}
		for _, p := range a.Params {
			shown.Params = append(shown.Params, v1alpha1.ResourceActionParam{Name: p.Name})
		}
		out.Actions = append(out.Actions, shown)
	}
	return out, nil
}

// actedOn returns the live object of a request, or the Application itself if it names that: then there is no part.
func (s *Service) actedOn(ctx context.Context, right string, q *application.ApplicationResourceRequest) (*unstructured.Unstructured, *part, error) {
	if q.Group != v1alpha1.SchemeGroupVersion.Group || q.Kind != v1alpha1.ApplicationKind || q.ResourceName != q.Name {
		p, err := s.part(ctx, right, q)
		if err != nil {
			return nil, nil, err
		}
		found, err := p.read(ctx, s.instance(p.app), right != access.Get)
		return found, p, err
	}
	app, err := s.loadFresh(ctx, right, q.Project, q.AppNamespace, q.Name)
	if err != nil {
		return nil, nil, err
	}
	app.SetGroupVersionKind(v1alpha1.ApplicationSchemaGroupVersionKind)
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(app)
	return &unstructured.Unstructured{Object: content}, nil, err
}

// RunResourceAction carries out an action on a live object.
func (s *Service) RunResourceAction(ctx context.Context, q *application.ResourceActionRunRequest) (*application.ApplicationResponse, error) {
	return s.RunResourceActionV2(ctx, &application.ResourceActionRunRequestV2{
		Name: q.Name, Namespace: q.Namespace, ResourceName: q.ResourceName, Version: q.Version, Group: q.Group, Kind: q.Kind,
		Action: q.Action, AppNamespace: q.AppNamespace, Project: q.Project,
	})
}

// RunResourceActionV2 is RunResourceAction with parameters.
func (s *Service) RunResourceActionV2(ctx context.Context, q *application.ResourceActionRunRequestV2) (*application.ApplicationResponse, error) {
	right := fmt.Sprintf("action/%s/%s/%s", q.Group, q.Kind, q.Action)
	found, p, err := s.actedOn(ctx, right, &application.ApplicationResourceRequest{
		Name: q.Name, Namespace: q.Namespace, ResourceName: q.ResourceName, Version: q.Version, Group: q.Group, Kind: q.Kind,
		AppNamespace: q.AppNamespace, Project: q.Project,
	})
	if err != nil {
		return nil, err
	}
	params := map[string]string{}
	for _, one := range q.ResourceActionParameters {
		params[one.Name] = one.Value
	}
	impacts, err := s.catalog().Run(q.Action, found, params, s.Clock.Now())
	if err != nil {
		return nil, err
	}
	if p == nil {
		return s.actOnApplication(ctx, q.Action, found, impacts)
	}
	if _, err := p.site.Carry(ctx, found, impacts, false); err != nil {
		return nil, p.quiet("act on", err)
	}
	s.tell(ctx, p.app, event.ResourceActionRan, fmt.Sprintf("ran action %s on resource %s/%s/%s", q.Action, q.Group, q.Kind, q.ResourceName))
	return &application.ApplicationResponse{}, nil
}

// catalog returns the actions of all kinds. Objects whose programs cannot be used say so themselves.
func (s *Service) catalog() *action.Catalog {
	catalog, _ := action.New(s.Settings().Customizations)
	return catalog
}

// actOnApplication writes what an action makes of an Application itself, which is in the control plane. Its operation and
// status are not for actions, and nor are other objects there.
func (s *Service) actOnApplication(ctx context.Context, name string, found *unstructured.Unstructured, impacts []action.Impact) (*application.ApplicationResponse, error) {
	if len(impacts) != 1 || impacts[0].Operation != action.Patch || impacts[0].StatusPatch != nil || impacts[0].Patch["operation"] != nil {
		return nil, fault.New(fault.Forbidden, "run action "+name+" on", "application "+found.GetNamespace()+"/"+found.GetName(), "",
			"an action on an Application may change its spec and metadata only", "")
	}
	app := &v1alpha1.Application{}
	app.Namespace, app.Name = found.GetNamespace(), found.GetName()
	patch := map[string]any{}
	for field, value := range impacts[0].Patch {
		patch[field] = value
	}
	metadata := map[string]any{"resourceVersion": found.GetResourceVersion()}
	if given, ok := patch["metadata"].(map[string]any); ok {
		for field, value := range given {
			metadata[field] = value
		}
	}
	patch["metadata"] = metadata
	body, err := json.Marshal(patch)
	if err != nil {
		return nil, fault.Wrap(fault.Bug, "write", thing(app), err, "")
	}
	if err := s.Hub.Patch(ctx, app, client.RawPatch(types.MergePatchType, body), client.FieldOwner(v1alpha1.FieldManagerHub)); err != nil {
		return nil, unwritten("run action "+name+" on", app, err)
	}
	s.tell(ctx, app, event.ResourceActionRan, "ran action "+name)
	s.awaitCache(ctx, app)
	return &application.ApplicationResponse{}, nil
}
