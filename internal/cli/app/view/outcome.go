// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Outcome is the error of the operation with a request's id if it failed, or if nobody can say any more how it ended; "" is no
// operation.
func Outcome(app *v1alpha1.Application, request string) error {
	state := app.Status.OperationState
	thing := "application " + app.Namespace + "/" + app.Name
	switch {
	case request == "":
		return nil
	case state == nil || client.RequestOf(state.Operation) != request:
		return fault.New(fault.Retry, "wait for", "operation "+request+" of "+thing, "", "another operation came after it, and nothing says what became of it", "see `bowline app history`")
	case !state.Phase.Successful():
		return fault.New(fault.Retry, "sync", thing, "", fmt.Sprintf("the operation ended as %s: %s", state.Phase, state.Message), "see `bowline app get`")
	}
	return nil
}
