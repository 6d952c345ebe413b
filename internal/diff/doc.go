// SPDX-License-Identifier: Apache-2.0

// Package diff decides whether a live object is what its source wants, and names the fields where it is not.
// It is pure: data in, data out; it asks nobody and remembers nothing. What has to be asked of an API server
// (a dry run) is asked by the caller, who hands the answer to Confirm.
//
// The words of this room:
//
//   - Desired: the object as the source wants it, before the API server has seen it.
//   - Live: the object as the API server has it, in the version that desired is written in.
//   - How: the way an object is written (server-side apply, replace, three-way patch). It decides how the object
//     is compared, because it decides what the next write would change.
//   - Owned: the fields of live that count as ours: those of our own entry in managedFields and, until they are
//     folded into it, those of the entries that earlier writers left (see Adoption). An owned field that desired
//     no longer has is a difference: the next apply removes it.
//   - Projection: live, reduced to the fields that are desired or owned, without those that are ignored. A change
//     of status, of a heartbeat or of somebody else's field leaves the projection, and its digest, as it was.
//   - Accepted form: the projection of the API server's own answer to an apply. It is what defaulting, quantities,
//     webhooks and conversion made of what we asked for. Live that still has it is the same, whatever it looks like.
//   - Canonical form: desired or live with the spellings that mean the same written the same way.
//   - Confirmation: a dry run that answers for a difference the accepted form and the canonical form do not explain.
//     Until then such a difference is a candidate, and the verdict is Unknown.
//   - Adoption: taking over the entries that earlier writers left in managedFields; fields that only those entries
//     hold would vanish with the first apply.
//   - Shape: what is known of a field's type: whether a list is one value, a set or keyed, whether a map is one value.
package diff
