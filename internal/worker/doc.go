// SPDX-License-Identifier: Apache-2.0

// Package worker renders in processes of our own binary that can be ended, and that can do nothing but render.
//
// The words of this room:
//
//   - Pool: the processes that are there. Renders wait in line for one; a process renders one source at a time.
//   - Process: a child of ours, started as "bowline render-worker FD", with one socket and nothing else: no environment, no
//     files, no network, no other programs. It lives for many renders.
//   - Job: one render as it is told to a process: the source, its names, settings and limits.
//   - Mount: a tree of the job by its number: 0 is the source's own, then those of refs, then the remotes.
//   - Call: what a process asks during a job: an entry, a folder, a file of a mount, or a fact of the cluster. All that a
//     render reads goes through calls, so the caller's tracing sees it.
//   - Frame: one message on the socket: kind, length, content.
//   - Confinement: what a process takes from itself before its first job (seccomp, Landlock, limits).
//   - Recycled: ended because it has rendered enough, has grown, or is not clean any more.
//
// Nothing that a process says is trusted: it works on what users wrote, and is taken for theirs. Sizes and numbers are
// checked before they are used, and what it gives is checked like a file that was read.
//
// Why processes at all is told in docs/decisions/0015-render-workers.md.
package worker
