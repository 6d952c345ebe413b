// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/topology"
)

// hostKind is looked at beside a tree: no node of the cluster descends from anything of ours, and who may not list them
// still sees whole trees.
var hostKind = schema.GroupKind{Kind: "Node"}

// load is what the Pods of a host ask for, in thousandths.
type load struct{ cpu, memory int64 }

func (l *load) add(f *topology.PodFacts, sign int64) {
	l.cpu += sign * f.CPU
	l.memory += sign * f.Memory
}

// moveLoad counts what a Pod takes of its host: before (nil: nothing) is replaced by after. Who draws a tree needs the
// sum for a host and not the Pods of everybody.
func (x *index) moveLoad(before, after *topology.PodFacts) {
	if before == nil && after == nil || before != nil && after != nil && *before == *after {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if before != nil {
		l := x.loads[before.Host]
		if l.add(before, -1); l == (load{}) {
			delete(x.loads, before.Host)
		} else {
			x.loads[before.Host] = l
		}
	}
	if after != nil {
		l := x.loads[after.Host]
		l.add(after, 1)
		x.loads[after.Host] = l
	}
}

// hosts returns the nodes of the cluster on which Pods of the tree run, sorted by name. A node that cannot be read is
// left out: nothing of it can be said.
func (c *Cluster) hosts(d *drawing) []v1alpha1.HostInfo {
	own := map[string]load{}
	for i := range d.boughs {
		if use := d.boughs[i].use; use != nil {
			l := own[use.Host]
			l.add(use, 1)
			own[use.Host] = l
		}
	}
	c.mu.RLock()
	k := c.kinds[hostKind]
	c.mu.RUnlock()
	if k == nil {
		return nil
	}
	var out []v1alpha1.HostInfo
	for _, name := range sortedKeys(own) {
		k.mu.RLock()
		var facts *topology.HostFacts
		if e := k.objects[nsName{name: name}]; e != nil {
			facts = e.detail().detail().Host
		}
		k.mu.RUnlock()
		if facts == nil {
			continue
		}
		c.index.mu.RLock()
		all := c.index.loads[name]
		c.index.mu.RUnlock()
		out = append(out, hostInfo(name, facts, own[name], all))
	}
	return out
}

func hostInfo(name string, facts *topology.HostFacts, own, all load) v1alpha1.HostInfo {
	return v1alpha1.HostInfo{
		Name: name, SystemInfo: facts.System, Labels: facts.Labels,
		ResourcesInfo: []v1alpha1.HostResourceInfo{
			{ResourceName: corev1.ResourceCPU, RequestedByApp: own.cpu, RequestedByNeighbors: max(0, all.cpu-own.cpu), Capacity: facts.CPU},
			{ResourceName: corev1.ResourceMemory, RequestedByApp: own.memory, RequestedByNeighbors: max(0, all.memory-own.memory), Capacity: facts.Memory},
		},
	}
}
