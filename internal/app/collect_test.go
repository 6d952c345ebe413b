// SPDX-License-Identifier: Apache-2.0

package app

import (
	"testing"
	"time"
)

func TestRoomForTheHeap(t *testing.T) {
	for _, c := range []struct {
		name  string
		live  uint64
		apart time.Duration
		want  int
	}{
		{"nothing is known yet", 0, 0, 400},
		{"little is in use", 1 << 20, time.Second, 400},
		{"a fleet: the room counts", 32 << 20, time.Second, 125},
		{"a fleet where nothing happens", 32 << 20, 2 * time.Minute, gcPercent},
		{"an estate: the part counts", 300 << 20, time.Second, gcPercent},
	} {
		if got := percentFor(c.live, c.apart); got != c.want {
			t.Errorf("%s: %d %%, want %d", c.name, got, c.want)
		}
	}
}
