// SPDX-License-Identifier: Apache-2.0

// Package model checks syncs against a small model of their rules. Applications are made by chance; the real program
// syncs them from real Git to a real API server while newer commits arrive and it is killed at random moments; then
// every version that every object had is gone through, in the order of the cluster's store, and each step has to be one
// that the rules permit.
//
// The words of this room:
//
//   - Scenario: one application, and what its folder in Git holds commit by commit.
//   - Thing: one object of a commit. It says in annotations which thing and of which commit it is.
//   - Event: one object as it was from a revision of the cluster's store on. A history is all events of an application.
//   - Law: one rule. The checker replays a history and asks the laws about each event.
//   - Explained: said of a write or a deletion that follows from a commit, at a moment when all that comes before it in
//     the order of that commit is done.
//   - Round: scenarios that one program syncs at once, with the moments at which it is killed.
//
// BOWLINE_SEED repeats the scenarios and the moments of a round, as far as the machine's own timing lets it.
package model
