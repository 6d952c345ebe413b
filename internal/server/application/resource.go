// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/fault"
)

// GetResource returns a live object of an application.
func (s *Service) GetResource(ctx context.Context, q *application.ApplicationResourceRequest) (*application.ApplicationResourceResponse, error) {
	p, err := s.part(ctx, access.Get, q)
	if err != nil {
		return nil, err
	}
	found, err := p.read(ctx, "", false)
	if err != nil {
		return nil, err
	}
	return manifestOf(p.shown(found))
}

func manifestOf(shown *unstructured.Unstructured) (*application.ApplicationResourceResponse, error) {
	data, err := shown.MarshalJSON()
	if err != nil {
		return nil, fault.Wrap(fault.Bug, "answer with", shown.GetName(), err, "")
	}
	return &application.ApplicationResourceResponse{Manifest: string(data[:len(data)-1])}, nil // without the newline
}

// patchTypes are the patches that an API server takes for an object that is there.
var patchTypes = map[string]types.PatchType{
	string(types.JSONPatchType): types.JSONPatchType, string(types.MergePatchType): types.MergePatchType,
	string(types.StrategicMergePatchType): types.StrategicMergePatchType,
}

// PatchResource patches a live object of an application, and returns what became of it.
func (s *Service) PatchResource(ctx context.Context, q *application.ApplicationResourcePatchRequest) (*application.ApplicationResourceResponse, error) {
	kind, ok := patchTypes[q.PatchType]
	if !ok {
		return nil, fault.New(fault.Mistake, "patch", q.Kind+" "+q.ResourceName, "patchType", fmt.Sprintf("%q is none", q.PatchType),
			"choose "+string(types.MergePatchType)+", "+string(types.StrategicMergePatchType)+" or "+string(types.JSONPatchType))
	}
	if q.Group == "" && q.Kind == "Secret" && kind == types.JSONPatchType && readsValues([]byte(q.Patch)) {
		return nil, fault.New(fault.Mistake, "patch", q.Kind+" "+q.ResourceName, "patch", "in a Secret it may neither copy, move nor test values",
			"use the operations add, remove and replace")
	}
	p, err := s.part(ctx, access.Update, &application.ApplicationResourceRequest{
		Name: q.Name, Namespace: q.Namespace, ResourceName: q.ResourceName, Version: q.Version, Group: q.Group, Kind: q.Kind,
		AppNamespace: q.AppNamespace, Project: q.Project,
	})
	if err != nil {
		return nil, err
	}
	if _, err := p.read(ctx, s.instance(p.app), true); err != nil {
		return nil, err
	}
	after, err := p.site.Patch(ctx, p.gvk, p.key, kind, []byte(q.Patch))
	if err != nil {
		return nil, p.quiet("patch", err)
	}
	s.tell(ctx, p.app, event.ResourceUpdated, fmt.Sprintf("patched resource %s/%s '%s'", q.Group, q.Kind, q.ResourceName))
	return manifestOf(p.shown(after))
}

// readsValues reports whether a JSON patch (RFC 6902) asks for what is there: it could carry the values of a Secret to where they
// are not masked, such as an annotation, or find them out one guess after the other. One that cannot be read is left to the API
// server to refuse.
func readsValues(patch []byte) bool {
	var operations []struct {
		Op string `json:"op"`
	}
	_ = json.Unmarshal(patch, &operations)
	return slices.ContainsFunc(operations, func(o struct {
		Op string `json:"op"`
	}) bool {
		return o.Op == "copy" || o.Op == "move" || o.Op == "test"
	})
}

// quiet leaves of an error about a Secret only its kind: API servers quote what they refuse, and a test operation of a JSON
// patch asks what a value is.
func (p *part) quiet(verb string, err error) error {
	if !p.secret() || errors.Is(err, cluster.NotFound) {
		return err
	}
	return fault.New(fault.KindOf(err), verb, p.key.String(), "", "the API server refused it; why is not said of a Secret", "")
}

// DeleteResource deletes a live object of an application.
func (s *Service) DeleteResource(ctx context.Context, q *application.ApplicationResourceDeleteRequest) (*application.ApplicationResponse, error) {
	p, err := s.part(ctx, access.Delete, &application.ApplicationResourceRequest{
		Name: q.Name, Namespace: q.Namespace, ResourceName: q.ResourceName, Version: q.Version, Group: q.Group, Kind: q.Kind,
		AppNamespace: q.AppNamespace, Project: q.Project,
	})
	if err != nil {
		return nil, err
	}
	found, err := p.read(ctx, s.instance(p.app), true)
	if err != nil {
		return nil, err
	}
	how := metav1.DeletePropagationForeground
	switch {
	case q.Orphan:
		how = metav1.DeletePropagationOrphan
	case q.Force:
		how = metav1.DeletePropagationBackground
	}
	if err := p.site.Delete(ctx, found, how, q.Force && !q.Orphan); err != nil {
		return nil, err
	}
	s.tell(ctx, p.app, event.ResourceDeleted, fmt.Sprintf("deleted resource %s/%s '%s'", q.Group, q.Kind, q.ResourceName))
	return &application.ApplicationResponse{}, nil
}
