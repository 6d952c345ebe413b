// SPDX-License-Identifier: Apache-2.0

// Package action is what people may do to one live object besides deleting it: restart a Deployment, resume a Rollout,
// refresh an ExternalSecret. It is pure: an object goes in, what is to be written comes out.
//
// The words of this room:
//
//   - Action: one thing that can be done to objects of a kind, bundled or written by users in argocd-cm.
//   - Discovery: which actions an object offers now, and which of them are disabled.
//   - Impact: what an action would write: the object patched, or others created.
//
// The names of the bundled actions are those of Argo CD, since roles name them (action/<group>/<Kind>/<name>); what they
// do is what the kinds' own documentation says has that effect. docs/reference/resource-actions.md lists them.
//
// An action changes its own object, never which object that is, and creates objects in that one's namespace only. Who may
// run it, and whether a project permits what it writes, is for the caller to decide: it knows all that is written.
package action
