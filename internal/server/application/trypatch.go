// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
)

// TryPatch says what a merge patch would make of a live object, as the cluster's API server answers with its defaults and admission;
// nothing is written. It takes the right that PatchResource takes: what a server refuses tells of what is there.
func (s *Service) TryPatch(ctx context.Context, q *bowline.ObjectPatch) (*bowline.ObjectTrial, error) {
	if !json.Valid([]byte(q.Patch)) {
		return nil, fault.New(fault.Mistake, "try to patch", q.Kind+" "+q.ResourceName, "patch", "it is no JSON", "send a merge patch (RFC 7386)")
	}
	p, err := s.part(ctx, access.Update, &application.ApplicationResourceRequest{
		Name: q.Name, AppNamespace: q.AppNamespace, Namespace: q.Namespace, ResourceName: q.ResourceName, Version: q.Version, Group: q.Group, Kind: q.Kind,
	})
	if err != nil {
		return nil, err
	}
	before, err := p.read(ctx, s.instance(p.app), true)
	if err != nil {
		return nil, err
	}
	after, err := p.site.Try(ctx, p.gvk, p.key, types.MergePatchType, []byte(q.Patch))
	if err != nil {
		return nil, p.quiet("try to patch", err)
	}
	return p.trial(before, after)
}

// trial shows an object before and after. Each is masked for itself: masks that told whether a hidden value changed would let a
// caller find it out, one guess after the other, without leaving a trace.
func (p *part) trial(before, after *unstructured.Unstructured) (*bowline.ObjectTrial, error) {
	out := &bowline.ObjectTrial{}
	for to, form := range map[**runtime.RawExtension]*unstructured.Unstructured{&out.Before: before, &out.After: after} {
		form = p.shown(form)
		unstructured.RemoveNestedField(form.Object, "metadata", "managedFields")
		text, err := json.Marshal(form.Object)
		if err != nil {
			return nil, fault.Wrap(fault.Bug, "write", p.key.String(), err, "")
		}
		*to = &runtime.RawExtension{Raw: text}
	}
	return out, nil
}
