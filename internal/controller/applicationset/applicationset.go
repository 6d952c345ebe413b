// SPDX-License-Identifier: Apache-2.0

// Package applicationset says of every ApplicationSet that this version of Bowline leaves it alone. The Applications
// that another controller made from it stay, and are served like any other: nothing is generated, changed or deleted.
//
// The word of this room: inert, said of an ApplicationSet that nobody acts on.
package applicationset

import (
	"context"
	"log/slog"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Reconciler reports ApplicationSets. It writes nothing.
type Reconciler struct {
	Client client.Client
	Log    *slog.Logger
	// Inert is told of each set that is there, and of each that is gone.
	Inert func(namespace, name string, there bool)
}

// SetupWithManager registers the reconciler if the cluster has the kind at all.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	gvk := v1alpha1.ApplicationSetSchemaGroupVersionKind
	if _, err := mgr.GetRESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version); err != nil {
		r.Log.Info("the cluster has no ApplicationSets", "reason", err)
		return nil
	}
	return ctrl.NewControllerManagedBy(mgr).Named("applicationset").For(&v1alpha1.ApplicationSet{}).Complete(r)
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var set v1alpha1.ApplicationSet
	err := r.Client.Get(ctx, req.NamespacedName, &set)
	if client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, err
	}
	r.Inert(req.Namespace, req.Name, err == nil)
	if err == nil {
		r.Log.Warn("this ApplicationSet is left alone: this version of Bowline generates no Applications; those that exist stay",
			"applicationset", req.NamespacedName)
	}
	return ctrl.Result{}, nil
}
