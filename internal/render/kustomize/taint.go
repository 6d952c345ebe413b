// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"sync/atomic"

	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// tainted is true once a kustomization changed the schema of this process.
var tainted atomic.Bool

// Tainted reports whether a kustomization that was rendered in this process set its own OpenAPI schema, or broke the
// library down. The schema is a variable of the library, and a later render could see what is left of it (kustomize issue
// 4824): the process must not render another one.
func Tainted() bool { return tainted.Load() }

// clean forgets every schema that was set. The one that is builtin stays: reading it costs more than most renders.
func clean() {
	if Tainted() {
		openapi.ResetOpenAPI()
	}
}
