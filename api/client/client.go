// SPDX-License-Identifier: Apache-2.0

// Package client is how programs other than the controller ask for things: list and read applications, ask for a sync,
// wait for a state, delete.
//
// The words of this room:
//
//   - Name: the name of an Application, or namespace/name when it lives outside the control namespace.
//   - Request: what a client writes is only ever a request (the operation field, the refresh annotation, a deletion);
//     the controller carries it out.
//   - State: what a Wait waits for.
//   - Hold: keeps automated sync from applying again what a rollback took back (api/bowline).
//
// Direct is the implementation that needs nothing but the resources and a kubeconfig's rights to them.
package client

import (
	"context"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Applications is what a client can do with applications. All errors are *fault.Error: a name that does not exist is a
// fault.Mistake, missing rights are fault.Forbidden, an API server that does not answer is fault.Retry.
type Applications interface {
	// List returns the applications that filter lets through, by namespace and name.
	List(ctx context.Context, filter Filter) ([]v1alpha1.Application, error)
	// Get returns one application.
	Get(ctx context.Context, name string) (*v1alpha1.Application, error)
	// Refresh asks for a comparison now, waits until it was made and returns the application after it.
	Refresh(ctx context.Context, name string, how v1alpha1.RefreshType) (*v1alpha1.Application, error)
	// Sync asks for a sync and returns without waiting for it. It refuses while another operation is under way.
	Sync(ctx context.Context, name string, request SyncRequest) (*v1alpha1.Application, error)
	// Wait returns once the application is in the state, or when ctx ends, with the application as it was last seen.
	// progress is called for each change that is seen, the first sight included; it may be nil.
	Wait(ctx context.Context, name string, state State, progress func(*v1alpha1.Application)) (*v1alpha1.Application, error)
	// History returns the past deployments, oldest first.
	History(ctx context.Context, name string) (v1alpha1.RevisionHistories, error)
	// Rollback asks for a sync to an entry of the history and returns without waiting for it. If automated sync is on, a hold
	// goes with it, which keeps what is desired now from being applied by itself; an automated operation under way is ended.
	Rollback(ctx context.Context, name string, request RollbackRequest) (*v1alpha1.Application, error)
	// Hold keeps what is desired now from being applied by itself, until something else is desired.
	Hold(ctx context.Context, name string, request HoldRequest) (*v1alpha1.Application, error)
	// Release ends a hold.
	Release(ctx context.Context, name string) (*v1alpha1.Application, error)
	// Terminate asks for the end of the operation under way, and takes back one that did not begin.
	Terminate(ctx context.Context, name string) (*v1alpha1.Application, error)
	// Approve confirms the deletions that wait, if they are those of a digest. The first digits of it are enough.
	Approve(ctx context.Context, name, digest string) (*v1alpha1.Application, error)
	// Delete deletes the application.
	Delete(ctx context.Context, name string, request DeleteRequest) error
}

// Filter chooses applications. Its zero value chooses all of the control namespace.
type Filter struct {
	// Namespace is where to look; "" is the control namespace, AllNamespaces is everywhere.
	Namespace string
	// Labels is a label selector; nil is any.
	Labels labels.Selector
	// Projects are names of projects; none is any.
	Projects []string
	// Repo is the URL of a repository that one of the sources uses; "" is any.
	Repo string
}

// AllNamespaces is the Namespace of a Filter that looks everywhere.
const AllNamespaces = "*"

// SyncRequest is what a sync should do. Its zero value is what automated sync does, without pruning.
type SyncRequest struct {
	// Revision stands in for the target revision; Revisions does for an application with several sources, in their order.
	Revision  string
	Revisions []string
	Prune     bool
	DryRun    bool
	// Manifests are applied instead of what the source has. They are for applications without automated sync, and cannot be
	// gone back to.
	Manifests []string
	// Resources limits the sync to these objects.
	Resources []v1alpha1.SyncOperationResource
	// Strategy is "apply" (no hooks) or "hook"; "" is hook.
	Strategy Strategy
	// Force deletes and makes anew what cannot be patched.
	Force bool
	// Options stand in for spec.syncPolicy.syncOptions when they are not nil.
	Options v1alpha1.SyncOptions
	// Retry stands in for spec.syncPolicy.retry when it is not nil.
	Retry *v1alpha1.RetryStrategy
	// Username is who asks, as far as the caller knows; "" asks the API server.
	Username string
	Info     []*v1alpha1.Info
}

// Strategy says whether hooks run.
type Strategy string

// The strategies.
const (
	StrategyApply Strategy = "apply"
	StrategyHook  Strategy = "hook"
)

// DeleteRequest is how to delete an application. Its zero value leaves the application's objects in the cluster.
type DeleteRequest struct {
	// Cascade is what happens to the objects of the application.
	Cascade Cascade
}

// Cascade is what happens to the objects of an application that is deleted.
type Cascade string

// The ways.
const (
	// CascadeNone leaves the objects.
	CascadeNone Cascade = ""
	// CascadeForeground deletes them and whatever belongs to them, and waits until they are gone.
	CascadeForeground Cascade = "foreground"
	// CascadeBackground deletes them and leaves what belongs to them to the garbage collector.
	CascadeBackground Cascade = "background"
)
