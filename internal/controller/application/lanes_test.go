// SPDX-License-Identifier: Apache-2.0

package application

import (
	"testing"
	"time"
)

func TestTheSlowLaneGivesWayForAMomentAndIsNotStopped(t *testing.T) {
	l := newSlowLane()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if wait := l.pause(now); wait != 0 {
		t.Errorf("it stands for %s before anything happened", wait)
	}
	l.giveWay(now)
	if wait := l.pause(now); wait != slowPause {
		t.Errorf("it stands for %s", wait)
	}
	stood := time.Duration(0)
	for range 100 { // a commit every 100 ms for 10 s
		l.giveWay(now)
		if l.pause(now) > 0 {
			stood += 100 * time.Millisecond
		}
		now = now.Add(100 * time.Millisecond)
	}
	if stood > 3*time.Second {
		t.Errorf("of 10 s it stood for %s", stood)
	}
}
