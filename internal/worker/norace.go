// SPDX-License-Identifier: Apache-2.0

//go:build !race

package worker

const raceDetector = false
