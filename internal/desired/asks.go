// SPDX-License-Identifier: Apache-2.0

package desired

import "slices"

// AsksCluster reports whether what is remembered of an application was rendered from what its cluster can do: then it is
// to be looked at when the cluster can do something else.
func (e *Engine) AsksCluster(id string) bool {
	known := e.known(id)
	return known != nil && slices.ContainsFunc(known.sources, func(r rendered) bool {
		return r.used.KubeVersion != "" || r.used.APIVersions != ""
	})
}
