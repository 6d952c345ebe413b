// SPDX-License-Identifier: Apache-2.0

// Package cluster holds the connections to clusters: what is there, whose it is, what changes, and the writes.
//
// The words of this room:
//
//   - Cluster: one API server with its credentials, found under a Config (from a labelled Secret, or the hub itself).
//   - Discovery: which kinds the API server serves. A group that does not answer is unknown, never empty.
//   - Sweep: a paged, metadata-only listing of every listable kind, looking for tracking marks. It says which kinds
//     have to be watched besides those somebody asked for.
//   - Inventory: what the sweep and the watches together have answered. Only a complete inventory makes "this
//     application owns nothing else" a fact.
//   - Watched kind: a kind whose objects are in the store, kept current by one list and watch per scope (the
//     cluster, or each namespace of a namespaced cluster).
//   - Store: objects of watched kinds: in full where they carry a mark of ours or somebody asked for them, otherwise
//     metadata alone.
//   - Presence: Present, Absent or Unknown. Absent is a fact that a list or watch established; whatever could not be
//     read is Unknown and says why.
//   - Owner: the instance name of the Application an object's mark names, by the Tracker's rules.
//   - Change: one entry of the feed: an object or a kind is not what it was.
//   - Stream: a watch, or a list that is a watch from its beginning. Half a stream is not a list.
//   - Probe: a comparison of the store with a fresh list, now and then, because a watch cannot tell that it does not tell.
//   - Report: how a connection and each of its watched kinds is doing, made when somebody asks.
//   - Link: whether the API server answers at all. While it does not, one probe knocks and everything else waits.
//
// Reading goes through the store; writing goes to the API server under one adaptive limit per cluster, and the answer
// is in the store before the caller has it.
package cluster
