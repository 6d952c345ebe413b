// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/object"
)

// Kept reports whether the store holds the whole object.
func (c *Cluster) Kept(key object.Key) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	k := c.kinds[key.GroupKind()]
	k.mu.RLock()
	defer k.mu.RUnlock()
	e := k.objects[nsName{key.Namespace, key.Name}]
	return e != nil && !e.body().empty()
}

// KindsWithOwners are the kinds in which the sweep met an object with an ownerReference.
func (c *Cluster) KindsWithOwners() []schema.GroupKind {
	return slices.SortedFunc(maps.Keys(c.sweep.ownerKinds()), compareKinds)
}

// Details is how many objects of a namespace the store holds more of than their metadata, although they are nobody's.
func (c *Cluster) Details(namespace string) int {
	n := 0
	for _, k := range c.watching() {
		k.mu.RLock()
		for at, e := range k.objects {
			if at.namespace == namespace && !e.detail().empty() && e.owner() == "" {
				n++
			}
		}
		k.mu.RUnlock()
	}
	return n
}

// ProbeRound probes and looks at every kind once, without the pauses in between.
func (c *Cluster) ProbeRound(ctx context.Context) {
	for _, k := range c.watching() {
		for _, r := range k.watches {
			r.restUntil(time.Time{})
		}
	}
	c.sweep.mu.Lock()
	for _, a := range c.sweep.answers {
		a.next = time.Time{}
	}
	c.sweep.mu.Unlock()
	for _, job := range c.probeRound() {
		job(ctx)
	}
}
