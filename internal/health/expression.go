// SPDX-License-Identifier: Apache-2.0

package health

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/script/cel"
)

// CELCheck returns the check that an expression describes. Its value is a verdict's word, "Healthy", or a map with the
// word as status and a sentence as message: {"status": "Degraded", "message": condition(obj, "Ready").message}.
//
// where says where the expression stands, for messages. The error is a fault.Mistake that names line and column. A check
// fails, and the object is Unknown, if the expression cannot be evaluated for it, or if its value is something else.
func CELCheck(where, expr string) (Check, error) {
	program, err := cel.Compile(where, expr, cel.Default)
	if err != nil {
		return nil, err
	}
	return func(obj *unstructured.Unstructured) (Status, error) {
		value, err := program.Eval(obj.Object)
		if err != nil {
			return Status{}, err
		}
		status, err := StatusOf(value)
		if err != nil {
			return Status{}, &fault.Error{Kind: fault.Mistake, Op: "use", Thing: "the value of the CEL expression", Where: where, Err: err}
		}
		return status, nil
	}, nil
}

// StatusOf reads the verdict that a user's check returned: a string, or a map with status and message. The word must be
// one of the six verdicts: a misspelt one must not count as good.
func StatusOf(value any) (Status, error) {
	fields, ok := value.(map[string]any)
	if !ok {
		fields = map[string]any{"status": value}
	}
	word, ok := fields["status"].(string)
	if !ok {
		return Status{}, fmt.Errorf("it has no status: want one of %v, or a map with status and message, not a value of type %T", order, fields["status"])
	}
	if !slices.Contains(order, v1alpha1.HealthStatusCode(word)) {
		return Status{}, fmt.Errorf("status %q is none of %v", word, order)
	}
	message, ok := fields["message"].(string)
	if !ok && fields["message"] != nil {
		return Status{}, fmt.Errorf("message is not a string but a value of type %T", fields["message"])
	}
	return Status{v1alpha1.HealthStatusCode(word), message}, nil
}
