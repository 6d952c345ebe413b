// SPDX-License-Identifier: Apache-2.0

// Package install brings a cluster to where Bowline can run: custom resource definitions, the control namespace, default
// settings and the default project. Or it only verifies that a cluster is there.
//
// The words:
//
//   - The mark: the label app.kubernetes.io/managed-by=bowline. A definition that carries it is ours; any other belongs to
//     somebody (an Argo CD, a Helm release) and is never changed.
//   - A loss: what an object that was stored under one schema would lose, or be refused for, under another.
//   - A schema is a superset of another when going from the other to it means no loss.
//
// The rules: what is absent is created. A definition of ours is updated, and only to a superset of what is stored,
// since an API server drops fields it does not know at the next write of each object. A definition that is not ours is
// compared with what Bowline needs, and each lack is named. ConfigMaps, Secrets and projects that exist are left as they
// are, whatever is in them.
package install
