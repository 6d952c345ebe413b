// SPDX-License-Identifier: Apache-2.0

// Package action is what people may do to one live object besides deleting it: restart a Deployment, resume a Rollout,
// refresh an ExternalSecret. It is pure: an object goes in, what is to be written comes out.
//
// The words of this room:
//
//   - Action: one thing that can be done to objects of a kind, bundled or written by users in argocd-cm.
//   - Discovery: which actions an object offers now, and which of them are disabled.
//   - Impact: what an action would write: the object patched, or others created.
package action
