// SPDX-License-Identifier: Apache-2.0

package desired

import "slices"

// AsksCluster reports whether what is remembered of an application was rendered from what its cluster can do: then it is
// to be looked at when the cluster can do something else. So is one whose last answer was an error: a chart may refuse to
// render for a cluster that lacks something.
func (e *Engine) AsksCluster(id string) bool {
	e.mu.Lock()
	known, q := e.apps[id], e.asked[id]
	failed := q != nil && q.failed
	e.mu.Unlock()
	return failed || known != nil && slices.ContainsFunc(known.sources, func(r rendered) bool {
		return r.used.KubeVersion != "" || r.used.APIVersions != ""
	})
}
