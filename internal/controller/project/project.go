// SPDX-License-Identifier: Apache-2.0

// Package project keeps an AppProject there while Applications refer to it, and tells what is wrong with its rules.
//
// The word of this room: a held project is one that is being deleted and carries the resources finalizer; it goes when
// the last Application of it is gone.
package project

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/plan"
)

// recheck is how often a held project is looked at again: Applications that leave it do not wake this reconciler.
const recheck = 5 * time.Second

// Reconciler lets go of deleted projects that nobody uses.
type Reconciler struct {
	Client client.Client
	// Serves reports whether Applications of a namespace are served.
	Serves func(namespace string) bool
	Log    *slog.Logger
	// MayWrite says whether the hub may be written to at all.
	MayWrite func() bool
}

// SetupWithManager registers the reconciler.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named("project").For(&v1alpha1.AppProject{}).Complete(r)
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var project v1alpha1.AppProject
	if err := r.Client.Get(ctx, req.NamespacedName, &project); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	problems := access.Compile(&project, access.Scoped{}).Validate()
	for _, problem := range append(problems, plan.CompileWindows(project.Spec.SyncWindows).Problems(project.Name)...) {
		r.Log.Warn("a rule of a project is wrong, and closed until it is put right", "error", problem)
	}
	if project.DeletionTimestamp.IsZero() || !controllerutil.ContainsFinalizer(&project, v1alpha1.ResourcesFinalizerName) {
		return ctrl.Result{}, nil
	}
	users, err := r.users(ctx, project.Name)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("look for applications of project %s: %w", project.Name, err)
	}
	if users > 0 || !r.MayWrite() {
		return ctrl.Result{RequeueAfter: recheck}, nil
	}
	before := project.DeepCopy()
	controllerutil.RemoveFinalizer(&project, v1alpha1.ResourcesFinalizerName)
	return ctrl.Result{}, client.IgnoreNotFound(r.Client.Patch(ctx, &project,
		client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), client.FieldOwner(v1alpha1.FieldManagerHub)))
}

func (r *Reconciler) users(ctx context.Context, project string) (int, error) {
	var apps v1alpha1.ApplicationList
	if err := r.Client.List(ctx, &apps); err != nil {
		return 0, err
	}
	n := 0
	for i := range apps.Items {
		if desired.ProjectOf(&apps.Items[i]) == project && r.Serves(apps.Items[i].Namespace) {
			n++
		}
	}
	return n, nil
}
