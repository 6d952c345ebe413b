// SPDX-License-Identifier: Apache-2.0

//go:build race

package worker

// raceDetector is true if the program maps the large tables of the race detector, which the kernel would count.
const raceDetector = true
