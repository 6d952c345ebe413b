// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// window SECONDS [zone=NAME] sets SCHEDULE and DURATION to those of a sync window that is open and ends in so many seconds, by
// the clocks of a time zone (UTC), and EDGE to the moment of its end.
// window past waits until that is over.
func window(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 1 && args[0] == "past" {
		edge, err := time.Parse(time.RFC3339, ts.Getenv("EDGE"))
		ts.Check(err)
		time.Sleep(time.Until(edge))
		return
	}
	opts, args := options(args, "zone")
	if len(args) != 1 {
		ts.Fatalf("usage: window SECONDS [zone=NAME], or window past")
	}
	seconds, err := strconv.Atoi(args[0])
	ts.Check(err)
	zone, err := time.LoadLocation(opts["zone"])
	ts.Check(err)
	edge := time.Now().Truncate(time.Second).Add(time.Duration(seconds) * time.Second)
	start := edge.Add(-time.Hour).Truncate(time.Minute)
	ts.Setenv("SCHEDULE", start.In(zone).Format("4 15 2 1 *"))
	ts.Setenv("DURATION", edge.Sub(start).String())
	ts.Setenv("EDGE", edge.UTC().Format(time.RFC3339))
}
