// SPDX-License-Identifier: Apache-2.0

package app

import (
	"runtime"
	"runtime/debug"
	gometrics "runtime/metrics"
	"time"
)

// The garbage collector begins anew when the heap has grown by a part of what is in use. Where little is in use that is soon:
// deploying a fleet would be collected every other moment, each time with all that stays. Where much is in use the same part
// is more than what is ever needed at once.
const (
	// gcPercent trades some CPU for memory: most of the heap is long-lived state, and collecting earlier keeps what a burst
	// of renders and syncs leaves behind from doubling it.
	gcPercent = 60
	// gcRoom is what may be allocated between two collections in any case, unless hardly anything is.
	gcRoom = 40 << 20
	// gcRest is how far apart collections are when nothing happens: the runtime makes one every two minutes.
	gcRest = time.Minute
)

// beacon is garbage, so that its finalizer runs after each collection.
type beacon struct{ last time.Time }

// tuneCollector sees to it that the collector is set by what is in use, from now until the process ends.
func tuneCollector() {
	debug.SetGCPercent(percentFor(0, 0))
	runtime.SetFinalizer(&beacon{time.Now()}, afterCollection)
}

func afterCollection(b *beacon) {
	live := []gometrics.Sample{{Name: "/gc/heap/live:bytes"}}
	gometrics.Read(live)
	if live[0].Value.Kind() == gometrics.KindUint64 {
		debug.SetGCPercent(percentFor(live[0].Value.Uint64(), time.Since(b.last)))
	}
	b.last = time.Now()
	runtime.SetFinalizer(b, afterCollection)
}

// percentFor returns by which part of what is in use the heap may grow, if the collection before was so long ago.
func percentFor(live uint64, apart time.Duration) int {
	const most = 400
	switch {
	case live == 0:
		return most
	case apart >= gcRest:
		return gcPercent
	}
	return int(min(max(gcPercent, gcRoom*100/live), most))
}
