// SPDX-License-Identifier: Apache-2.0

package cluster

import (
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
func (c *Cluster) KindsWithOwners() []schema.GroupKind { return c.kindsWithOwners() }

// Details is how many objects of a namespace the store holds more of than their metadata, although they are nobody's.
func (c *Cluster) Details(namespace string) int {
	n := 0
	for _, k := range c.watching() {
		k.mu.RLock()
		for at, e := range k.objects {
			if at.namespace == namespace && e.detail() != nil && e.owner() == "" {
				n++
			}
		}
		k.mu.RUnlock()
	}
	return n
}
