// SPDX-License-Identifier: Apache-2.0

package application

import (
	"maps"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
)

// served returns how a kind is served, in whatever version.
func served(c *cluster.Cluster, gvk schema.GroupVersionKind) (cluster.Resource, bool) {
	res, presence, _ := c.Resource(gvk)
	if presence != cluster.Present {
		res, presence, _ = c.Resource(gvk.GroupKind().WithVersion(""))
	}
	return res, presence == cluster.Present
}

// checkAwaited has the objects made again if a kind is served by now that was not when they were made: what depends on
// its scope is not known before.
func (p *pass) checkAwaited(c *cluster.Cluster, server string) {
	p.unserved = maps.Clone(p.st.awaits(server))
	if p.unserved == nil {
		p.unserved = kinds{}
	}
	if awaitedCame(c, p.unserved) {
		p.unserved = kinds{}
		p.st.epoch++
	}
}

// awaitedCame reports whether one of the awaited kinds is served by now.
func awaitedCame(c *cluster.Cluster, awaited kinds) bool {
	for gvk := range awaited {
		if _, ok := served(c, gvk); ok {
			return true
		}
	}
	return false
}

// targetFor gathers the facts that turn this application's manifests into objects.
func (p *pass) targetFor(project *access.Project, version string, c *cluster.Cluster) desired.Target {
	dest := destinationOf(p.app, c)
	p.checkAwaited(c, dest.Server)
	return desired.Target{
		Instance:     p.st.id,
		Release:      p.app.Name,
		Namespace:    p.app.Spec.Destination.Namespace,
		Server:       dest.Server,
		Tracker:      p.rules.Settings.Tracker,
		Facts:        facts{c},
		PermitSource: project.Source,
		Options:      p.renderOptions(),
		Limits:       RenderLimits(p.rules.Settings.Rendering),
		Scope: func(gvk schema.GroupVersionKind) desired.Scope {
			res, served := served(c, gvk)
			switch {
			case !served:
				p.unserved[gvk] = struct{}{}
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
