// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/server/application/attention"
)

// surroundings shows callers of the API what is around applications: clusters that do not answer, and whether anybody acts.
type surroundings struct {
	*roles
	observe bool // this process never acts: another program does, which holds no lease of ours
}

// Unattended implements application.Surroundings.
func (s *surroundings) Unattended() *attention.Outage {
	if s.observe || s.idle {
		return nil
	}
	since, vacant := s.lead.Vacant()
	if !vacant {
		return nil
	}
	return &attention.Outage{Since: since, Reason: "No controller acts, so that nobody compares or syncs: see why none holds the lease " + leaseName}
}

// CutOff implements application.Surroundings.
func (s *surroundings) CutOff() map[string]*attention.Outage {
	var out map[string]*attention.Outage
	s.clusters.each(func(c *cluster.Cluster) {
		link := c.Connection()
		if link.Connected || link.Since.IsZero() {
			return
		}
		cfg := c.Config()
		down := &attention.Outage{Since: link.Since, Reason: fmt.Sprintf("Cluster %s does not answer: %s", cfg.Name, link.Reason)}
		if out == nil {
			out = map[string]*attention.Outage{}
		}
		out[cfg.Server], out[cfg.Name] = down, down
	})
	return out
}
