// SPDX-License-Identifier: Apache-2.0

// Package reach leads the verbs of `bowline admin` to the cluster that an installation lives in: they work on its objects, with
// the rights of the kubeconfig, whether a server runs or not.
package reach

import (
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Connect returns a client of the cluster that a session leads to.
type Connect func(*session.Session) (kube.Client, error)

// Cluster is the Connect of the kubeconfig.
func Cluster(s *session.Session) (kube.Client, error) {
	config, err := s.Config()
	if err != nil {
		return nil, err
	}
	scheme, err := Scheme()
	if err != nil {
		return nil, fault.Wrap(fault.Bug, "know", "the kinds", err, "")
	}
	c, err := kube.New(config, kube.Options{Scheme: scheme})
	if err != nil {
		return nil, fault.Wrap(fault.Retry, "reach", "the cluster", err, "check that the API server can be reached, then try again")
	}
	return c, nil
}

// Scheme knows the kinds that admin verbs work on.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	return scheme, errors.Join(clientgo.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))
}

// Explain gives an answer of the API server a kind and a fix; nil stays nil. It quotes no values: an answer about a Secret may.
func Explain(err error, op, thing string) error {
	switch {
	case err == nil:
		return nil
	case meta.IsNoMatchError(err):
		return fault.Wrap(fault.Stalled, op, thing, err, "install Bowline's resource definitions in this cluster, or choose another with --kubeconfig and --context")
	case apierrors.IsNotFound(err):
		return &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Op: op, Thing: thing, Err: errors.New("it does not exist"),
			Fix: "choose the control namespace with --namespace, and the cluster with --kubeconfig and --context"}
	case apierrors.IsForbidden(err):
		return fault.Wrap(fault.Forbidden, op, thing, errors.New("the cluster does not allow it"), "ask for that right in the cluster")
	case apierrors.IsUnauthorized(err):
		return fault.Wrap(fault.Stalled, op, thing, err, "renew the credentials of the kubeconfig")
	case apierrors.IsConflict(err):
		return fault.Wrap(fault.Retry, op, thing, errors.New("somebody else changed it meanwhile"), "try again")
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return fault.Wrap(fault.Mistake, op, thing, errors.New(fault.RedactValues(err.Error())), "correct it")
	}
	return fault.Wrap(fault.Retry, op, thing, errors.New(fault.RedactValues(err.Error())), "check that the API server can be reached, then try again")
}
