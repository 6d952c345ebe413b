// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Refresh implements Applications. The annotation is gone once the comparison was made.
func (d *Direct) Refresh(ctx context.Context, name string, how v1alpha1.RefreshType) (*v1alpha1.Application, error) {
	_, err := d.update(ctx, name, "refresh", func(*v1alpha1.Application) (Change, error) {
		return RefreshChange(how, d.now()), nil
	})
	if err != nil {
		return nil, err
	}
	return d.watch(ctx, name, "wait for the refresh of", false, nil, func(app *v1alpha1.Application) bool {
		_, waiting := app.Annotations[v1alpha1.AnnotationKeyRefresh]
		return !waiting
	})
}

// Sync implements Applications.
func (d *Direct) Sync(ctx context.Context, name string, request SyncRequest) (*v1alpha1.Application, error) {
	request.Username = cmp.Or(request.Username, d.whoami(ctx))
	return d.update(ctx, name, "sync", request.Change)
}

// Change is what a sync writes: the operation field. It refuses what could not be carried out, or would be undone at once.
func (r SyncRequest) Change(app *v1alpha1.Application) (Change, error) {
	if err := r.check(app); err != nil {
		return nil, err
	}
	return Change{"operation": r.operation(app)}, nil
}

// check refuses what could not be carried out, or would be undone at once.
func (r SyncRequest) check(app *v1alpha1.Application) error {
	refuse := func(kind fault.Kind, cause, fix string) error {
		return fault.New(kind, "sync", "application "+app.Namespace+"/"+app.Name, "", cause, fix)
	}
	state := app.Status.OperationState
	if app.DeletionTimestamp != nil {
		return refuse(fault.Mistake, "it is being deleted", "")
	}
	if app.Operation != nil || state != nil && !state.Phase.Completed() {
		return refuse(fault.Wait, "another operation is already in progress", "wait for it with `bowline app wait --operation`")
	}
	if len(r.Revisions) > 0 && len(r.Revisions) != len(app.Spec.Sources) {
		return refuse(fault.Mistake, "the number of revisions is not that of its sources", "give one revision for each source")
	}
	if len(r.Manifests) > 0 && automated(app) && !r.DryRun {
		return refuse(fault.Mistake, "automated sync is on and would undo what local manifests change", "turn automated sync off first, or make it a dry run")
	}
	if source := app.Spec.Source; automated(app) && !r.DryRun && r.Revision != "" && source != nil && len(app.Spec.Sources) == 0 {
		if target := cmp.Or(source.TargetRevision, "HEAD"); r.Revision != target {
			return refuse(fault.Mistake, "automated sync is on and set to "+target+", so "+r.Revision+" would be undone",
				"turn automated sync off first, or change spec.source.targetRevision")
		}
	}
	for i, revision := range r.Revisions {
		if target := cmp.Or(app.Spec.Sources[i].TargetRevision, "HEAD"); automated(app) && !r.DryRun && revision != "" && revision != target {
			return refuse(fault.Mistake, fmt.Sprintf("automated sync is on and set to %s for source %d, so %s would be undone", target, i+1, revision),
				fmt.Sprintf("turn automated sync off first, or change spec.sources[%d].targetRevision", i))
		}
	}
	return nil
}

func automated(app *v1alpha1.Application) bool {
	policy := app.Spec.SyncPolicy
	return policy != nil && policy.Automated != nil && (policy.Automated.Enabled == nil || *policy.Automated.Enabled)
}

// operation is the request as the controller takes it: what the request leaves open comes from the sync policy.
func (r SyncRequest) operation(app *v1alpha1.Application) *v1alpha1.Operation {
	sync := &v1alpha1.SyncOperation{
		Revision: r.Revision, Revisions: r.Revisions, Prune: r.Prune, DryRun: r.DryRun, Resources: r.Resources, Manifests: r.Manifests,
		SyncOptions: r.Options, SyncStrategy: r.strategy(),
	}
	op := &v1alpha1.Operation{
		Sync: sync, Info: r.Info,
		InitiatedBy: v1alpha1.OperationInitiator{Username: r.Username},
	}
	if policy := app.Spec.SyncPolicy; policy != nil {
		if sync.SyncOptions == nil {
			sync.SyncOptions = policy.SyncOptions
		}
		if policy.Retry != nil {
			op.Retry = *policy.Retry
		}
	}
	if r.Retry != nil {
		op.Retry = *r.Retry
	}
	return op
}

func (r SyncRequest) strategy() *v1alpha1.SyncStrategy {
	if r.Strategy == StrategyApply {
		return &v1alpha1.SyncStrategy{Apply: &v1alpha1.SyncStrategyApply{Force: r.Force}}
	}
	return &v1alpha1.SyncStrategy{Hook: &v1alpha1.SyncStrategyHook{SyncStrategyApply: v1alpha1.SyncStrategyApply{Force: r.Force}}}
}

// resourceFinalizers are the finalizers that say what happens to an application's objects.
var resourceFinalizers = []string{
	v1alpha1.ResourcesFinalizerName, v1alpha1.ForegroundPropagationFinalizer, v1alpha1.BackgroundPropagationFinalizer,
}

// Delete implements Applications: the finalizers say what happens to the objects, so they are set before the deletion.
// The deletion names the uid that was read: an application of the same name that was made since is left alone.
func (d *Direct) Delete(ctx context.Context, name string, request DeleteRequest) error {
	app, err := d.update(ctx, name, "delete", request.Change)
	if err != nil {
		return err
	}
	err = d.kube.Delete(ctx, app, kube.Preconditions{UID: &app.UID})
	return explain(err, "delete", "application "+d.key(name).String())
}

// Change is what is written before the deletion; nil is nothing. An application that is being deleted already keeps its
// finalizers: an API server takes no new ones by then.
func (r DeleteRequest) Change(app *v1alpha1.Application) (Change, error) {
	finalizers := r.Cascade.finalizers(app.Finalizers)
	if slices.Equal(finalizers, app.Finalizers) || app.DeletionTimestamp != nil && len(finalizers) >= len(app.Finalizers) {
		return nil, nil
	}
	return Change{"metadata": Change{"finalizers": finalizers}}, nil
}

// finalizers returns the finalizers for this way of deletion; those of other meaning stay where they are.
func (c Cascade) finalizers(present []string) []string {
	wanted := map[Cascade][]string{
		CascadeForeground: {v1alpha1.ResourcesFinalizerName, v1alpha1.ForegroundPropagationFinalizer},
		CascadeBackground: {v1alpha1.BackgroundPropagationFinalizer},
	}[c]
	out := []string{}
	found := false
	for _, finalizer := range present {
		if slices.Contains(wanted, finalizer) {
			found = true
		} else if slices.Contains(resourceFinalizers, finalizer) {
			continue
		}
		out = append(out, finalizer)
	}
	if len(wanted) > 0 && !found {
		out = append(out, wanted[0])
	}
	return out
}
