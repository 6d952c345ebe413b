// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"encoding/json"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Update puts spec, labels, annotations and finalizers in the place of those that are there.
func (s *Service) Update(ctx context.Context, q *application.ApplicationUpdateRequest) (*v1alpha1.Application, error) {
	if q.Application == nil || q.Application.Name == "" {
		return nil, fault.New(fault.Mistake, "update", "the application", "metadata.name", "it is empty", "name the application")
	}
	app := s.asWritten(q.Application)
	if err := s.Gate.Enforce(ctx, s.right(access.Applications, access.Update, app)); err != nil {
		return nil, err
	}
	at := rewriting{project: q.Project, namespace: app.Namespace, name: app.Name, unchecked: q.Validate != nil && !*q.Validate}
	return s.rewrite(ctx, at, func(existing *v1alpha1.Application) (*v1alpha1.Application, error) {
		existing.Spec, existing.Labels, existing.Annotations, existing.Finalizers = app.Spec, app.Labels, app.Annotations, app.Finalizers
		return existing, nil
	})
}

// UpdateSpec puts a spec in the place of the one that is there.
func (s *Service) UpdateSpec(ctx context.Context, q *application.ApplicationUpdateSpecRequest) (*v1alpha1.ApplicationSpec, error) {
	if q.Spec == nil {
		return nil, fault.New(fault.Mistake, "update", "application "+q.Name, "spec", "it is missing", "send the whole spec")
	}
	at := rewriting{project: q.Project, namespace: q.AppNamespace, name: q.Name, unchecked: q.Validate != nil && !*q.Validate}
	app, err := s.rewrite(ctx, at, func(existing *v1alpha1.Application) (*v1alpha1.Application, error) {
		existing.Spec = *q.Spec.DeepCopy()
		return existing, nil
	})
	if err != nil {
		return nil, err
	}
	return &app.Spec, nil
}

// Patch applies a JSON patch or a merge patch to the application. What it says of operation and status counts for nothing.
func (s *Service) Patch(ctx context.Context, q *application.ApplicationPatchRequest) (*v1alpha1.Application, error) {
	at := rewriting{project: q.Project, namespace: q.AppNamespace, name: q.Name}
	return s.rewrite(ctx, at, func(existing *v1alpha1.Application) (*v1alpha1.Application, error) {
		return patched(existing, q.PatchType, []byte(q.Patch))
	})
}

// copyLimit bounds what copy operations of one JSON patch may add up to: few of them, doubling, would fill any memory.
const copyLimit = 3 << 20

func init() { jsonpatch.AccumulatedCopySizeLimit = copyLimit }

// patched applies a patch of a person's to what they see. It cannot change which application it is.
func patched(app *v1alpha1.Application, kind string, patch []byte) (*v1alpha1.Application, error) {
	refuse := func(cause, fix string) error {
		return fault.New(fault.Mistake, "patch", thing(app), "patch", cause, fix)
	}
	before, err := json.Marshal(app)
	if err != nil {
		return nil, fault.Wrap(fault.Bug, "patch", thing(app), err, "")
	}
	var after []byte
	switch kind {
	case "json", "":
		var operations jsonpatch.Patch
		if operations, err = jsonpatch.DecodePatch(patch); err == nil {
			after, err = operations.Apply(before)
		}
	case "merge":
		after, err = jsonpatch.MergePatch(before, patch)
	default:
		return nil, refuse("Patch type '"+kind+"' is not supported", "choose json or merge")
	}
	if err != nil {
		return nil, refuse(err.Error(), "")
	}
	out := &v1alpha1.Application{}
	if err := json.Unmarshal(after, out); err != nil {
		return nil, refuse("what it makes of the application is none: "+err.Error(), "")
	}
	if out.Name != app.Name || out.Namespace != app.Namespace {
		return nil, refuse("it would make another application of it", "leave metadata.name and metadata.namespace as they are")
	}
	return out, nil
}

// rewriting names an application that is to be written anew.
type rewriting struct {
	project, namespace, name string
	unchecked                bool // what the sources hold is not looked at
}

// rewrites is how often a conflict with another writer, most often the controller, has everything begun anew.
const rewrites = 8

// rewrite reads an application, has change make another of it, and writes spec, labels, annotations and finalizers of that;
// nothing else. Rights and rules are asked of exactly what was read: a conflict begins anew.
func (s *Service) rewrite(ctx context.Context, at rewriting, change func(*v1alpha1.Application) (*v1alpha1.Application, error)) (*v1alpha1.Application, error) {
	var admitted *v1alpha1.Application
	for attempt := 1; ; attempt++ {
		existing, err := s.loadFresh(ctx, access.Update, at.project, at.namespace, at.name)
		if err != nil {
			return nil, err
		}
		next, err := change(existing.DeepCopy())
		if err != nil {
			return nil, err
		}
		normalise(&next.Spec)
		if err := s.mayMove(ctx, existing, next); err != nil {
			return nil, err
		}
		if admitted == nil || !equality.Semantic.DeepEqual(admitted.Spec, next.Spec) {
			if err := s.admit(ctx, next, !at.unchecked); err != nil {
				return nil, err
			}
			admitted = next
		}
		existing.Spec, existing.Labels, existing.Annotations, existing.Finalizers = next.Spec, next.Labels, next.Annotations, next.Finalizers
		err = s.Hub.Update(ctx, existing, client.FieldOwner(v1alpha1.FieldManagerHub))
		switch {
		case err == nil:
			s.tell(ctx, existing, event.ResourceUpdated, "updated the application's spec")
			s.awaitCache(ctx, existing)
			return s.form(ctx, existing), nil
		case !apierrors.IsConflict(err) || attempt == rewrites:
			return nil, unwritten("update", existing, err)
		}
	}
}

// mayMove refuses to move an application to another project for whom could neither have made it there nor changed it here.
// That it may be changed where it is was asked already.
func (s *Service) mayMove(ctx context.Context, from, to *v1alpha1.Application) error {
	if projectOf(from) == projectOf(to) {
		return nil
	}
	for _, action := range []string{access.Create, access.Update} {
		if err := s.Gate.Enforce(ctx, s.right(access.Applications, action, to)); err != nil {
			return err
		}
	}
	return nil
}
