// SPDX-License-Identifier: Apache-2.0

package app

import "testing"

func TestRoomForTheHeap(t *testing.T) {
	for _, c := range []struct {
		name string
		live uint64
		want int
	}{
		{"nothing is known yet", 0, 400},
		{"little is in use", 1 << 20, 400},
		{"a fleet: the room counts", 32 << 20, 125},
		{"an estate: the part counts", 300 << 20, gcPercent},
	} {
		if got := percentFor(c.live); got != c.want {
			t.Errorf("%s: %d %%, want %d", c.name, got, c.want)
		}
	}
}
