// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"net/http"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// ConditionType returns the Application condition that reports err:
// InvalidSpecError for what the project forbids, ComparisonError for all that keeps a comparison from running,
// UnknownError for bugs.
func ConditionType(err error) v1alpha1.ApplicationConditionType {
	switch KindOf(err) {
	case Forbidden:
		return v1alpha1.ApplicationConditionInvalidSpecError
	case Bug:
		return v1alpha1.ApplicationConditionUnknownError
	default:
		return v1alpha1.ApplicationConditionComparisonError
	}
}

// statuses are the status codes of codes.
var statuses = map[Code]int{
	Unauthenticated: http.StatusUnauthorized,
	NotFound:        http.StatusNotFound,
	AlreadyExists:   http.StatusConflict,
	TooManyRequests: http.StatusTooManyRequests,
	TooLarge:        http.StatusRequestEntityTooLarge,
	Unsupported:     http.StatusNotImplemented,
}

// HTTPStatus returns the status code a door answers err with; 200 for nil.
func HTTPStatus(err error) int {
	if err == nil {
		return http.StatusOK
	}
	if status, ok := statuses[CodeOf(err)]; ok {
		return status
	}
	switch KindOf(err) {
	case Mistake:
		return http.StatusBadRequest
	case Forbidden:
		return http.StatusForbidden
	case Wait, Stalled:
		return http.StatusConflict
	case Bug:
		return http.StatusInternalServerError
	default:
		return http.StatusServiceUnavailable
	}
}

// ExitCode returns the exit code of a command that ends with err. Commands list them in their help:
// 0 fine, 1 failed but may pass later, 2 usage or a user's mistake, 3 stalled or waiting, 4 forbidden, 20 a bug.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	switch KindOf(err) {
	case Mistake:
		return 2
	case Wait, Stalled:
		return 3
	case Forbidden:
		return 4
	case Bug:
		return 20
	default:
		return 1
	}
}
