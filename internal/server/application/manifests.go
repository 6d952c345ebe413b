// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

// Previews render and plan for people what a controller would, and change nothing.
type Previews interface {
	// Render returns what an application asks for. revisions stand in for those of its sources, in their order; an empty one is
	// the source's own.
	Render(ctx context.Context, app *v1alpha1.Application, revisions []string) (Rendered, error)
	// RenderFiles returns what an application would ask for if its source were these files.
	RenderFiles(ctx context.Context, app *v1alpha1.Application, files tree.Tree) (Rendered, error)
	// Plan returns what a sync would do now; a nil request is the one that would come by itself.
	Plan(ctx context.Context, app *v1alpha1.Application, request *v1alpha1.SyncOperation) (*bowline.Plan, error)
}

// Rendered is what an application asks for. The objects hold the values of Secrets.
type Rendered struct {
	Objects    []*unstructured.Unstructured
	Revision   string
	SourceType string
	Server     string
	// SourceTypes and Revisions are those of all sources.
	SourceTypes, Revisions []string
}

var errTooMany = errors.New("there are too many of them")

func unreadableManifest(i int) error {
	return fault.New(fault.Mistake, "read", fmt.Sprintf("manifest %d", i), "", "it is no Kubernetes object in JSON", "give one object with apiVersion and kind")
}

// GetManifests returns the manifests of an application, at the revisions that the request names or at its own.
func (s *Service) GetManifests(ctx context.Context, request *application.ApplicationManifestQuery) (*repository.ManifestResponse, error) {
	app, err := s.load(ctx, access.Get, request.Project, request.AppNamespace, request.Name)
	if err != nil {
		return nil, err
	}
	revisions, err := askedRevisions(app, request)
	if err != nil {
		return nil, err
	}
	rendered, err := s.Previews.Render(ctx, app, revisions)
	if err != nil {
		return nil, err
	}
	return s.manifests(app, rendered)
}

// askedRevisions returns a revision for each source, "" for the source's own.
func askedRevisions(app *v1alpha1.Application, request *application.ApplicationManifestQuery) ([]string, error) {
	if len(app.Spec.Sources) == 0 {
		if request.Revision == "" {
			return nil, nil
		}
		return []string{request.Revision}, nil
	}
	if len(request.Revisions) != len(request.SourcePositions) {
		return nil, fault.New(fault.Mistake, "read", "the revisions", "revisions", "there is not one for each of sourcePositions", "give as many of one as of the other")
	}
	if len(request.Revisions) == 0 {
		return nil, nil
	}
	out := make([]string, len(app.Spec.Sources))
	for i, position := range request.SourcePositions {
		if position < 1 || position > int64(len(out)) {
			return nil, fault.New(fault.Mistake, "read", "the revisions", "sourcePositions", fmt.Sprintf("the application has no source %d", position), fmt.Sprintf("count from 1 to %d", len(out)))
		}
		out[position-1] = request.Revisions[i]
	}
	return out, nil
}

// manifests returns what was rendered as text, masked.
func (s *Service) manifests(app *v1alpha1.Application, rendered Rendered) (*repository.ManifestResponse, error) {
	out := &repository.ManifestResponse{
		Namespace: app.Spec.Destination.Namespace, Server: rendered.Server, Revision: rendered.Revision, SourceType: rendered.SourceType,
		Manifests: make([]string, len(rendered.Objects)),
	}
	for i, u := range rendered.Objects {
		shown := s.masked(u)
		foldSecret(shown)
		text, err := json.Marshal(shown.Object)
		if err != nil {
			return nil, fault.Wrap(fault.Bug, "write", "a manifest of application "+app.Name, err, "")
		}
		out.Manifests[i] = string(text)
	}
	return out, nil
}

// masked returns a copy of an object that people may see.
func (s *Service) masked(u *unstructured.Unstructured) *unstructured.Unstructured {
	sensitive := s.Settings().MaskAnnotations
	return diff.Mask(diff.Forms{Live: u}, func(name string) bool { return slices.Contains(sensitive, name) }).Live
}

// foldSecret puts the masked values of stringData where the API server has them: whoever compares finds them in data.
func foldSecret(u *unstructured.Unstructured) {
	given, _ := u.Object["stringData"].(map[string]any)
	if u.GetKind() != "Secret" || u.GroupVersionKind().Group != "" || given == nil {
		return
	}
	data, _ := u.Object["data"].(map[string]any)
	if data == nil {
		data = map[string]any{}
		u.Object["data"] = data
	}
	maps.Copy(data, given)
	delete(u.Object, "stringData")
}

// Plan returns what a sync of an application would do now. A caller needs the right to see the application.
func (s *Service) Plan(ctx context.Context, request *bowline.PlanQuery) (*bowline.Plan, error) {
	app, err := s.load(ctx, access.Get, "", request.AppNamespace, request.Name)
	if err != nil {
		return nil, err
	}
	sync, err := planned(request)
	if err != nil {
		return nil, err
	}
	plan, err := s.Previews.Plan(ctx, app, sync)
	if err != nil {
		return nil, err
	}
	if len(plan.Work.Raw) == 0 {
		plan.Work = runtime.RawExtension{Raw: []byte("{}")}
	}
	return plan, nil
}

// planned is the sync that is asked about; nil is the one that would come by itself.
func planned(request *bowline.PlanQuery) (*v1alpha1.SyncOperation, error) {
	asked := request.ByHand || request.Prune || request.ApplyOnly || request.Force || request.Revision != ""
	if !asked && len(request.Revisions)+len(request.Resources)+len(request.SyncOptions) == 0 {
		return nil, nil //nolint:nilnil // it is an answer
	}
	sync := &v1alpha1.SyncOperation{
		Revision: request.Revision, Revisions: request.Revisions, Prune: request.Prune, SyncOptions: request.SyncOptions,
		SyncStrategy: &v1alpha1.SyncStrategy{Hook: &v1alpha1.SyncStrategyHook{SyncStrategyApply: v1alpha1.SyncStrategyApply{Force: request.Force}}},
	}
	if request.ApplyOnly {
		sync.SyncStrategy = &v1alpha1.SyncStrategy{Apply: &v1alpha1.SyncStrategyApply{Force: request.Force}}
	}
	for _, text := range request.Resources {
		resource, err := bowline.ParseResource(text)
		if err != nil {
			return nil, fault.Wrap(fault.Mistake, "plan", fmt.Sprintf("a sync of %q", text), err, "")
		}
		sync.Resources = append(sync.Resources, resource)
	}
	return sync, nil
}
