// SPDX-License-Identifier: Apache-2.0

// Package topology knows how objects hang together: who made what, what an object is about, and what belongs to nobody.
// It is pure: objects go in, nodes come out. The live state keeps them current.
//
// The words of this room:
//
//   - Node: one object in the tree below an application, as people see it.
//   - Detail: what a node shows of its object besides its identity: health, images, facts, network.
//   - Parent: the object that made another: by ownerReferences, or inferred where Kubernetes records none.
//   - Orphan: an object in an application's namespace that no application desires, owns or made.
package topology
