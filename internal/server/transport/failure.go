// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"connectrpc.com/connect"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bowline-cd/bowline/internal/fault"
)

// statusClientClosed is what a call ends with whose caller went away; nobody reads it but the log.
const statusClientClosed = 499

// failure is an error as REST answers it. Error and Message are the same text: clients of Argo CD read either.
type failure struct {
	Error   string   `json:"error"`
	Code    int      `json:"code"`
	Message string   `json:"message"`
	Details []detail `json:"details,omitempty"`
}

// detail says for programs what an error says in its text.
type detail struct {
	Kind  string `json:"kind"`
	Code  string `json:"code,omitempty"`
	Thing string `json:"thing,omitempty"`
	Where string `json:"where,omitempty"`
	Fix   string `json:"fix,omitempty"`
}

// codes are the codes of gRPC for codes of errors.
var codes = map[fault.Code]connect.Code{
	fault.Unauthenticated: connect.CodeUnauthenticated,
	fault.NotFound:        connect.CodeNotFound,
	fault.AlreadyExists:   connect.CodeAlreadyExists,
	fault.TooManyRequests: connect.CodeResourceExhausted,
	fault.TooLarge:        connect.CodeResourceExhausted,
	fault.Unsupported:     connect.CodeUnimplemented,
}

var kindCodes = map[fault.Kind]connect.Code{
	fault.Mistake:   connect.CodeInvalidArgument,
	fault.Forbidden: connect.CodePermissionDenied,
	fault.Wait:      connect.CodeFailedPrecondition,
	fault.Stalled:   connect.CodeFailedPrecondition,
	fault.Bug:       connect.CodeInternal,
	fault.Retry:     connect.CodeUnavailable,
}

// codeOf is the code of gRPC that an error is answered with.
func codeOf(err error) connect.Code {
	if errors.Is(err, context.Canceled) {
		return connect.CodeCanceled
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return connect.CodeDeadlineExceeded
	}
	if code, ok := codes[fault.CodeOf(err)]; ok {
		return code
	}
	return kindCodes[fault.KindOf(err)]
}

// statusOf is the status of HTTP that an error is answered with.
func statusOf(err error) int {
	for special, status := range statuses {
		if errors.Is(err, special) {
			return status
		}
	}
	switch codeOf(err) {
	case connect.CodeCanceled:
		return statusClientClosed
	case connect.CodeDeadlineExceeded:
		return http.StatusGatewayTimeout
	}
	return fault.HTTPStatus(err)
}

// judged gives errors of an API server, which no service judged, the kind that a caller can do something with.
func judged(err error) error {
	if known := (*fault.Error)(nil); errors.As(err, &known) {
		return err
	}
	if status := apierrors.APIStatus(nil); !errors.As(err, &status) {
		return err
	}
	e := &fault.Error{Kind: fault.Retry, Err: errors.New(fault.RedactValues(err.Error()))}
	switch {
	case apierrors.IsNotFound(err):
		e.Kind, e.Code = fault.Mistake, fault.NotFound
	case apierrors.IsAlreadyExists(err):
		e.Kind, e.Code = fault.Mistake, fault.AlreadyExists
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		e.Kind = fault.Mistake
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		// Bowline's own rights, not the caller's.
		e.Kind, e.Fix = fault.Stalled, "give Bowline's service account the right"
	}
	return e
}

// statuses are of errors that only HTTP has a word for.
var statuses = map[error]int{
	errContentType: http.StatusUnsupportedMediaType,
	errVerb:        http.StatusMethodNotAllowed,
}

func newFailure(err error) failure {
	f := failure{Error: err.Error(), Code: int(codeOf(err)), Message: err.Error()}
	known := (*fault.Error)(nil)
	if !errors.As(err, &known) {
		return f
	}
	d := detail{Kind: fault.KindOf(err).String(), Code: string(fault.CodeOf(err)), Thing: known.Thing, Where: known.Where, Fix: known.Fix}
	f.Details = []detail{d}
	return f
}

// refuse answers an error on REST.
func refuse(w http.ResponseWriter, err error) {
	status := statusOf(err)
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(newFailure(err)) // the caller is gone
}

// mistake is an error about what a caller sent.
func mistake(where, cause, fix string) error {
	return fault.New(fault.Mistake, "read", "the request", where, cause, fix)
}
