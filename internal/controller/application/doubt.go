// SPDX-License-Identifier: Apache-2.0

package application

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
)

// judgeInventory reports whether everything of ours in the cluster is known. A kind that cannot be listed is in doubt
// only for applications that have, or had, objects of it.
func (p *pass) judgeInventory() bool {
	p.judgeConnection()
	inventory := p.cluster.Inventory()
	if !inventory.Complete {
		p.waiting = inventory.Reason
		return false
	}
	complete := true
	if len(inventory.Unlistable) == 0 {
		return complete
	}
	for _, r := range p.app.Status.Resources {
		gk := schema.GroupKind{Group: r.Group, Kind: r.Kind}
		if reason, cannot := inventory.Unlistable[gk]; cannot {
			p.found.add(conditionWarning, fmt.Sprintf("objects of kind %s cannot be listed, so whether they are as desired is not known: %s", gk, reason))
			complete = false
		}
	}
	return complete
}

// connectGrace is how long a cluster may not answer before its applications say so.
const connectGrace = 15 * time.Second

// judgeConnection says so if the cluster does not answer.
func (p *pass) judgeConnection() {
	link := p.cluster.Connection()
	if link.Connected {
		return
	}
	if left := connectGrace - p.Clock.Since(link.Since); left > 0 {
		p.requeue(left)
		return
	}
	p.found.fail(deadCluster(p.cluster, link))
}

func deadCluster(c *cluster.Cluster, link cluster.Connection) error {
	cfg := c.Config()
	return fault.New(fault.Wait, "reach", "cluster "+cfg.Name+" ("+cfg.Server+")", "spec.destination", link.Reason,
		"check its address and credentials, and that it can be reached from here; it is tried again and again")
}

// touchDoubtful marks the rows whose comparison did not come to its end, if they are due: no event tells when that passes
// which kept it.
func (s *appState) touchDoubtful(now time.Time) {
	if now.Before(s.doubtAt) {
		return
	}
	for key := range s.table.sums.unknown {
		s.touch(key)
	}
}

// retryDoubtful sees to it that such rows are compared again, at growing distances.
func (p *pass) retryDoubtful() {
	name, now := p.st.id+" rows", p.Clock.Now()
	if len(p.st.table.sums.unknown) == 0 {
		p.failures.forget(name)
		return
	}
	if !now.Before(p.st.doubtAt) {
		p.st.doubtAt = now.Add(p.failures.next(name))
	}
	p.requeue(p.st.doubtAt.Sub(now))
}
