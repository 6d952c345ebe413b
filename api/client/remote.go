// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Remote works through services, which check the rights of whoever calls. A name without a namespace is one of the control
// namespace of the services, which may be another than that of the caller's machine.
type Remote struct{ services *Services }

var _ Applications = (*Remote)(nil)

// NewRemote returns a client for the applications of services.
func NewRemote(services *Services) *Remote { return &Remote{services} }

// List implements Applications. The server says what can be seen; an empty Namespace is all of that.
func (r *Remote) List(ctx context.Context, filter Filter) ([]v1alpha1.Application, error) {
	query := &application.ApplicationQuery{Projects: filter.Projects, Repo: filter.Repo, AppNamespace: filter.Namespace}
	if filter.Namespace == AllNamespaces {
		query.AppNamespace = ""
	}
	if filter.Labels != nil {
		query.Selector = filter.Labels.String()
	}
	list, err := r.services.Applications.List(ctx, query)
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// Get implements Applications.
func (r *Remote) Get(ctx context.Context, name string) (*v1alpha1.Application, error) {
	namespace, name := split(name)
	return r.services.Applications.Get(ctx, &application.ApplicationQuery{Name: name, AppNamespace: namespace})
}

// Refresh implements Applications.
func (r *Remote) Refresh(ctx context.Context, name string, how v1alpha1.RefreshType) (*v1alpha1.Application, error) {
	namespace, name := split(name)
	return r.services.Applications.Get(ctx, &application.ApplicationQuery{Name: name, AppNamespace: namespace, Refresh: string(how)})
}

// Sync implements Applications. The server says who asks.
func (r *Remote) Sync(ctx context.Context, name string, request SyncRequest) (*v1alpha1.Application, error) {
	namespace, name := split(name)
	call := &application.ApplicationSyncRequest{
		Name: name, AppNamespace: namespace, Revision: request.Revision, DryRun: request.DryRun, Prune: request.Prune,
		Strategy: request.strategy(), Resources: request.Resources, Manifests: request.Manifests, RetryStrategy: request.Retry,
	}
	for i, revision := range request.Revisions {
		call.Revisions = append(call.Revisions, revision)
		call.SourcePositions = append(call.SourcePositions, int64(i+1))
	}
	for _, info := range request.Info {
		if info != nil {
			call.Infos = append(call.Infos, *info)
		}
	}
	if request.Options != nil {
		call.SyncOptions = &application.SyncOptions{Items: request.Options}
	}
	return r.services.Applications.Sync(ctx, call)
}

// History implements Applications.
func (r *Remote) History(ctx context.Context, name string) (v1alpha1.RevisionHistories, error) {
	app, err := r.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	return app.Status.History, nil
}

// Rollback implements Applications. The reason and the end of the hold are noted in a call of their own.
func (r *Remote) Rollback(ctx context.Context, name string, request RollbackRequest) (*v1alpha1.Application, error) {
	if request.OverrideWindow != "" {
		return nil, &fault.Error{Kind: fault.Mistake, Code: fault.Unsupported, Op: "roll back", Thing: "application " + name,
			Err: errNoOverride, Fix: "wait for the window, or roll back straight on the cluster with --core"}
	}
	app, err := r.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	entry, err := RollbackTarget(app, request.ID)
	if err != nil {
		return nil, err
	}
	call := &application.ApplicationRollbackRequest{Name: app.Name, AppNamespace: app.Namespace, ID: entry.ID, DryRun: request.DryRun, Prune: request.Prune}
	after, err := r.services.Applications.Rollback(ctx, call)
	if err != nil {
		return nil, err
	}
	if _, held := after.Annotations[v1alpha1.AnnotationHold]; !held || request.Reason == "" && request.Until.IsZero() {
		return after, nil
	}
	return r.Hold(ctx, app.Namespace+"/"+app.Name, HoldRequest{Reason: request.Reason, Until: request.Until})
}

// Hold implements Applications.
func (r *Remote) Hold(ctx context.Context, name string, request HoldRequest) (*v1alpha1.Application, error) {
	namespace, name := split(name)
	call := &rpc.HoldRequest{Name: name, AppNamespace: namespace, Reason: request.Reason}
	if !request.Until.IsZero() {
		call.Until = &metav1.Time{Time: request.Until}
	}
	return r.services.Bowline.Hold(ctx, call)
}

// Release implements Applications.
func (r *Remote) Release(ctx context.Context, name string) (*v1alpha1.Application, error) {
	namespace, name := split(name)
	return r.services.Bowline.Release(ctx, &rpc.ApplicationName{Name: name, AppNamespace: namespace})
}

// Terminate implements Applications.
func (r *Remote) Terminate(ctx context.Context, name string) (*v1alpha1.Application, error) {
	namespace, plain := split(name)
	if _, err := r.services.Applications.TerminateOperation(ctx, &application.OperationTerminateRequest{Name: plain, AppNamespace: namespace}); err != nil {
		return nil, err
	}
	return r.Get(ctx, name)
}

// Approve implements Applications.
func (r *Remote) Approve(ctx context.Context, name, digest string) (*v1alpha1.Application, error) {
	namespace, name := split(name)
	return r.services.Bowline.Approve(ctx, &rpc.ApproveRequest{Name: name, AppNamespace: namespace, Digest: digest})
}

// Delete implements Applications.
func (r *Remote) Delete(ctx context.Context, name string, request DeleteRequest) error {
	namespace, name := split(name)
	cascade, policy := request.Cascade != CascadeNone, string(request.Cascade)
	call := &application.ApplicationDeleteRequest{Name: name, AppNamespace: namespace, Cascade: &cascade}
	if cascade {
		call.PropagationPolicy = &policy
	}
	_, err := r.services.Applications.Delete(ctx, call)
	return err
}

// split divides a name into namespace and name; the namespace may be "".
func split(name string) (namespace, plain string) {
	if namespace, plain, ok := strings.Cut(name, "/"); ok {
		return namespace, plain
	}
	return "", name
}
