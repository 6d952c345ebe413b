// SPDX-License-Identifier: Apache-2.0

// Package script runs what users write, health checks, actions and expressions, within bounds: of time, and of what
// goes in and comes out. A script reaches no file, no network, no process and no secret of Bowline's.
//
// The words of this room:
//
//   - Program: source that was compiled once, and can be run by many at the same time.
//   - Bounds: how long one run may take, and how large its input, its output and its memory may become.
package script
