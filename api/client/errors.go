// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/internal/fault"
)

// explain gives an answer of the API server a kind and a fix. A nil error gives nil.
func explain(err error, verb, thing string) error {
	var known *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case noKind(err):
		return fault.Wrap(fault.Stalled, verb, thing, err, "install Bowline's resource definitions in this cluster, or choose another with --kubeconfig and --context")
	case apierrors.IsNotFound(err):
		return fault.Wrap(fault.Mistake, verb, thing, errors.New("it does not exist"), "see `bowline app list`, and choose the namespace with --namespace or NAMESPACE/NAME")
	case apierrors.IsForbidden(err):
		return fault.Wrap(fault.Forbidden, verb, thing, err, "ask for that right in the cluster")
	case apierrors.IsUnauthorized(err):
		return fault.Wrap(fault.Stalled, verb, thing, err, "renew the credentials of the kubeconfig")
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return fault.Wrap(fault.Mistake, verb, thing, err, "")
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Retry, verb, thing, err, "try again with a longer --timeout")
	}
	return fault.Wrap(fault.Retry, verb, thing, err, "check that the API server can be reached, then try again")
}

// noKind reports whether the cluster does not know the kind: no handler of the API server answered then.
func noKind(err error) bool {
	return meta.IsNoMatchError(err) || apierrors.IsNotFound(err) && apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

// passing reports whether a watch that ended with err is worth another try: all but what a person has to change.
func passing(err error) bool {
	return !apierrors.IsNotFound(err) && !apierrors.IsForbidden(err) && !apierrors.IsUnauthorized(err) && !apierrors.IsInvalid(err)
}
