// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/source"
)

// isLocal reports whether an operation applies manifests that it brings itself, instead of what a source has.
func isLocal(op v1alpha1.Operation) bool { return op.Sync != nil && len(op.Sync.Manifests) > 0 }

// localState returns what the manifests of an operation ask for. They go through the same checks as rendered ones. It belongs
// to no revision, so that it is nothing to go back to and nothing that was tried.
func (p *pass) localState(ctx context.Context, spec v1alpha1.Operation) (*desired.State, error) {
	refuse := func(kind fault.Kind, cause, fix string) error {
		return fault.New(kind, "sync", "local manifests", "operation.sync.manifests", cause, fix)
	}
	if err := p.demandsNoSignature(ctx); err != nil {
		return nil, refuse(fault.Forbidden, err.Error(), "commit them, signed, and push")
	}
	if plan.Automated(p.app.Spec.SyncPolicy) && !spec.Sync.DryRun {
		return nil, refuse(fault.Mistake, "automated sync is on and would undo it", "turn automated sync off first, or ask for a dry run")
	}
	var manifests []object.Manifest
	var warnings []string
	for i, text := range spec.Sync.Manifests {
		read, odd, err := render.Documents(fmt.Sprintf("operation.sync.manifests[%d]", i), []byte(text), 0)
		if err != nil {
			return nil, err
		}
		manifests, warnings = append(manifests, read...), append(warnings, odd...)
	}
	if len(manifests) == 0 {
		return nil, refuse(fault.Mistake, "they hold no object", "give at least one, so that a mistake deletes nothing")
	}
	state, err := desired.Given(manifests, warnings, p.target)
	if err != nil {
		return nil, err
	}
	for _, o := range state.Objects {
		if o.Refused != nil {
			return nil, o.Refused
		}
	}
	return state, nil
}

// demandsNoSignature returns an error if the project wants what it deploys for the application to be signed, or if that cannot
// be told: nobody has signed what comes with an operation.
func (p *pass) demandsNoSignature(ctx context.Context) error {
	project, err := p.ProjectSpec(ctx, desired.ProjectOf(p.app))
	if err != nil {
		return err
	}
	for _, s := range desired.SourcesOf(p.app) {
		policy, err := source.PolicyFor(&project, s.RepoURL)
		switch {
		case err != nil:
			return err
		case policy.Mode != source.PolicyNone && policy.Mode != "":
			return fmt.Errorf("project %s demands signatures, and they have none", desired.ProjectOf(p.app))
		}
	}
	return nil
}

// withoutManifests takes what an operation brought out of its record: it may hold Secrets, and nobody needs it any more.
func withoutManifests(record *v1alpha1.OperationState) {
	if isLocal(record.Operation) {
		record.Operation.Sync = record.Operation.Sync.DeepCopy()
		record.Operation.Sync.Manifests = nil
	}
}
