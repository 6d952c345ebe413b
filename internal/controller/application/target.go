// SPDX-License-Identifier: Apache-2.0

package application

import (
	"strconv"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
)

// targetFor gathers the facts that turn this application's manifests into objects.
func (p *pass) targetFor(project *access.Project, version string, c *cluster.Cluster) desired.Target {
	dest := destinationOf(p.app, c)
	if p.st.awaitsKind(dest.Server) {
		// A kind that was not served may be by now: what depends on its scope is made again.
		p.st.epoch++
	}
	return desired.Target{
		Instance:  p.st.id,
		Namespace: p.app.Spec.Destination.Namespace,
		Server:    dest.Server,
		Tracker:   p.rules.Settings.Tracker,
		Scope: func(gvk schema.GroupVersionKind) desired.Scope {
			res, presence, _ := c.Resource(gvk)
			if presence != cluster.Present {
				res, presence, _ = c.Resource(gvk.GroupKind().WithVersion(""))
			}
			switch {
			case presence != cluster.Present:
				return desired.ScopeUnknown
			case res.Namespaced:
				return desired.ScopeNamespaced
			default:
				return desired.ScopeCluster
			}
		},
		Permit: func(key object.Key, namespaced bool) error {
			return project.Object(key, namespaced, access.Cluster{Server: dest.Server, Name: dest.Name})
		},
		Excluded: func(group, kind string) bool { return p.rules.Settings.Filter.Excluded(group, kind, dest.Server) },
		Version: string(object.DigestOf([]string{p.rules.Version, version, dest.Server, dest.Namespace,
			strconv.Itoa(p.st.epoch)})),
	}
}
