// SPDX-License-Identifier: Apache-2.0

package app

import (
	"runtime"
	"runtime/debug"
	gometrics "runtime/metrics"
)

// The garbage collector begins anew when the heap has grown by a part of what is in use. Where little is in use that is soon:
// deploying a fleet would be collected every other moment, each time with all that stays. Where much is in use the same part
// is more than what is ever needed at once.
const (
	// gcPercent trades some CPU for memory: most of the heap is long-lived state, and collecting earlier keeps what a burst
	// of renders and syncs leaves behind from doubling it.
	gcPercent = 60
	// gcRoom is what may be allocated between two collections in any case.
	gcRoom = 40 << 20
)

// beacon is garbage, so that its finalizer runs after each collection.
type beacon struct{ _ *int }

// tuneCollector sees to it that the collector is set by what is in use, from now until the process ends.
func tuneCollector() {
	debug.SetGCPercent(percentFor(0))
	runtime.SetFinalizer(&beacon{}, afterCollection)
}

func afterCollection(b *beacon) {
	live := []gometrics.Sample{{Name: "/gc/heap/live:bytes"}}
	gometrics.Read(live)
	if live[0].Value.Kind() == gometrics.KindUint64 {
		debug.SetGCPercent(percentFor(live[0].Value.Uint64()))
	}
	runtime.SetFinalizer(b, afterCollection)
}

// percentFor returns by which part of what is in use the heap may grow.
func percentFor(live uint64) int {
	const most = 400
	if live == 0 {
		return most
	}
	return int(min(max(gcPercent, gcRoom*100/live), most))
}
