// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"context"
	"log/slog"
	"runtime/pprof"
	"time"
)

// endingTime is how long the end of the process may take before it says what it waits for.
const endingTime = 20 * time.Second

// tellOfStragglers logs what still runs if the process takes long to end after ctx has. The function that it returns is to
// be called when it has ended.
func tellOfStragglers(ctx context.Context, log *slog.Logger) (ended func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-done:
		case <-realClock.After(endingTime):
			var stacks bytes.Buffer
			_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1) // a buffer takes all
			log.Error("the process was asked to end and something still runs", "since", endingTime, "goroutines", stacks.String())
		}
	})
	return func() { stop(); close(done) }
}
