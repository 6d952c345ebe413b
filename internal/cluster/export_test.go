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
