// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"encoding/json"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/links"
	"github.com/bowline-cd/bowline/internal/settings"
)

// ListLinks returns the links of application.links in argocd-cm that are shown of an application.
func (s *Service) ListLinks(ctx context.Context, request *application.ListAppLinksRequest) (*application.LinksResponse, error) {
	app, err := s.load(ctx, access.Get, request.Project, request.Namespace, request.Name)
	if err != nil {
		return nil, err
	}
	things, err := s.thingsOf(ctx, app)
	if err != nil {
		return nil, err
	}
	delete(things, "project") // as in Argo CD
	if things["managedByURL"] == nil && s.Settings().Showing.URL != "" {
		things["managedByURL"] = s.Settings().Showing.URL
	}
	return s.links(s.Settings().Showing.ApplicationLinks, things), nil
}

// ListResourceLinks returns the links of resource.links in argocd-cm that are shown of an object of an application.
func (s *Service) ListResourceLinks(ctx context.Context, request *application.ApplicationResourceRequest) (*application.LinksResponse, error) {
	app, err := s.load(ctx, access.Get, request.Project, request.AppNamespace, request.Name)
	if err != nil {
		return nil, err
	}
	found, err := s.GetResource(ctx, request)
	if err != nil {
		return nil, err
	}
	things, err := s.thingsOf(ctx, app)
	if err != nil {
		return nil, err
	}
	var resource map[string]any
	if err := json.Unmarshal([]byte(found.Manifest), &resource); err != nil {
		return nil, fault.Wrap(fault.Bug, "read", "the object "+request.ResourceName, err, "")
	}
	things["resource"] = resource
	return s.links(s.Settings().Showing.ResourceLinks, things), nil
}

func (s *Service) links(list []settings.Link, things map[string]any) *application.LinksResponse {
	shown, wrong := links.Evaluate(list, things)
	for _, err := range wrong {
		s.Log.Warn("a link of argocd-cm is left out", "error", err)
	}
	return &application.LinksResponse{Items: shown}
}

// thingsOf returns what links of an application are made from, under Argo CD's names.
func (s *Service) thingsOf(ctx context.Context, app *v1alpha1.Application) (map[string]any, error) {
	project, _, err := s.project(ctx, app)
	if err != nil {
		return nil, err
	}
	plain := project.DeepCopy()
	plain.Status, plain.ManagedFields = v1alpha1.AppProjectStatus{}, nil // which names tokens
	for i := range plain.Spec.Roles {
		plain.Spec.Roles[i].JWTTokens = nil
	}
	things := map[string]any{}
	for name, of := range map[string]any{"app": s.form(ctx, app), "project": plain} {
		if things[name], err = runtime.DefaultUnstructuredConverter.ToUnstructured(of); err != nil {
			return nil, fault.Wrap(fault.Bug, "read", "the "+name+" of the links of "+app.Name, err, "")
		}
	}
	things["application"] = things["app"]
	if url := app.Annotations[v1alpha1.AnnotationKeyManagedByURL]; url != "" {
		things["managedByURL"] = url
	}
	if c, err := s.Clusters.Find(app.Spec.Destination); err == nil {
		cfg := c.Config()
		things["cluster"] = map[string]any{
			"server": cfg.Server, "name": cfg.Name, "namespaces": anyOf(cfg.Namespaces), "project": cfg.Project,
			"labels": anyMap(cfg.Labels), "annotations": anyMap(cfg.Annotations),
		}
	}
	return things, nil
}

func anyOf(list []string) []any {
	out := make([]any, len(list))
	for i, text := range list {
		out[i] = text
	}
	return out
}

func anyMap(of map[string]string) map[string]any {
	out := make(map[string]any, len(of))
	for key, value := range of {
		out[key] = value
	}
	return out
}
