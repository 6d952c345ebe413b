// SPDX-License-Identifier: Apache-2.0

// Package application keeps every Application's objects equal to what its sources ask for, and its status true.
//
// The words of this room:
//
//   - Table: one row for each object that an application desires or owns in its cluster. A change of the object in the
//     cluster recomputes one row; a new commit the rows whose desired digest changed.
//   - Apart: said of hooks, and of what takes no part in syncs: they have rows and no verdict.
//   - Row: the verdict about one object, its health, and what the API server accepted when it was last applied.
//   - Fold: from rows to status. Status is written only when its meaning changed.
//   - Operation: one sync, automated or asked for, with its retries. It runs beside the reconciler, which only starts
//     it, ends it and records it.
//   - Try: one attempt of an operation. Its name is on record if it has hooks, so that the next process knows them.
//   - Progress: how far an operation says that it is. The reconciler puts it on record, at once if the operation waits for that.
//   - Take-over: a newer revision goes on with an automated operation, when no hook runs.
//   - Place: what an operation needs in order to work, and gives back while it waits.
//   - Lane: applications that have work go through the queue at once; those whose only news is a newer revision of
//     unchanged content go through the slow lane, at a bounded rate.
//
// One reconcile is: read the application, find its destination and project, get its desired state, bring the table up
// to date, decide about operations, fold, and write what changed.
package application
