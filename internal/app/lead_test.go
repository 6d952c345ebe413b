// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	clocktesting "k8s.io/utils/clock/testing"
)

// fakeLease is a lease in memory.
type fakeLease struct {
	resourcelock.Interface
	record resourcelock.LeaderElectionRecord
	err    error
}

func (f *fakeLease) Identity() string { return "me" }

func (f *fakeLease) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record := f.record
	return &record, nil, f.err
}

func (f *fakeLease) Update(_ context.Context, record resourcelock.LeaderElectionRecord) error {
	if f.err == nil {
		f.record = record
	}
	return f.err
}

func TestTheLeadIsHeldOnlyWhileTheLeaseIs(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(time.Unix(1000, 0))
	lease := &fakeLease{}
	l := &lead{Interface: lease, clock: clock, lost: make(chan string, 1)}
	ctx := context.Background()
	requireHeld := func(when string, want bool) {
		t.Helper()
		if held, why := l.Held(); held != want || held == (why != "") {
			t.Errorf("%s: held %v (%q), want %v", when, held, why, want)
		}
	}
	requireHeld("before the first election", false)
	if err := l.Update(ctx, resourcelock.LeaderElectionRecord{HolderIdentity: "me"}); err != nil {
		t.Fatal(err)
	}
	requireHeld("elected", true)
	clock.SetTime(clock.Now().Add(leaseDuration - time.Second))
	requireHeld("not renewed, not expired", true)
	lease.err = errors.New("no answer")
	if l.Update(ctx, resourcelock.LeaderElectionRecord{HolderIdentity: "me"}) == nil {
		t.Fatal("the renewal succeeded")
	}
	clock.SetTime(clock.Now().Add(2 * time.Second))
	requireHeld("the renewal failed and the lease has expired", false)

	lease.err, lease.record.HolderIdentity = nil, "other"
	if _, _, err := l.Get(ctx); err != nil {
		t.Fatal(err)
	}
	if err := l.watch(ctx); !errors.Is(err, errLeadLost) {
		t.Errorf("got %v, want errLeadLost", err)
	}
	requireHeld("another holds it", false)
}

func TestALeadThatIsGivenBackIsNotLost(t *testing.T) {
	lease := &fakeLease{}
	l := &lead{Interface: lease, clock: clocktesting.NewFakePassiveClock(time.Unix(1000, 0)), lost: make(chan string, 1)}
	for _, holder := range []string{"me", ""} {
		if err := l.Update(context.Background(), resourcelock.LeaderElectionRecord{HolderIdentity: holder}); err != nil {
			t.Fatal(err)
		}
	}
	lease.record.HolderIdentity = "other"
	if _, _, err := l.Get(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.watch(ctx); err != nil {
		t.Errorf("got %v; it was given back before another took it", err)
	}
	if held, _ := l.Held(); held {
		t.Error("it is held")
	}
}

func TestALeaseRenewedTooLateWakesWhatWasNotDoneMeanwhile(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(time.Unix(1000, 0))
	woken := 0
	l := &lead{Interface: &fakeLease{}, clock: clock, lost: make(chan string, 1), regained: func() { woken++ }}
	for _, step := range []struct {
		when   string
		after  time.Duration
		holder string
		want   int
	}{
		{"elected", 0, "me", 0},
		{"renewed in time", leaseDuration - time.Second, "me", 0},
		{"renewed too late", leaseDuration, "me", 1},
		{"given up", time.Second, "", 1},
		{"elected again", time.Minute, "me", 1},
	} {
		clock.SetTime(clock.Now().Add(step.after))
		if err := l.Update(context.Background(), resourcelock.LeaderElectionRecord{HolderIdentity: step.holder}); err != nil {
			t.Fatal(err)
		}
		if woken != step.want {
			t.Errorf("%s: woken %d times, want %d", step.when, woken, step.want)
		}
	}
}

// TestNobodyActs: whether somebody does is told by the lease changing, whatever the clock of its holder says.
func TestNobodyActs(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(time.Unix(1000, 0))
	lease := &fakeLease{}
	l := &lead{Interface: lease, clock: clock, lost: make(chan string, 1)}
	look := func(when string, want bool) {
		t.Helper()
		if _, _, err := l.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		if since, vacant := l.Vacant(); vacant != want || vacant && since.After(clock.Now()) {
			t.Errorf("%s: vacant %v since %s", when, vacant, since)
		}
	}
	if _, vacant := l.Vacant(); vacant {
		t.Error("nobody acts, before the lease was looked at")
	}
	lease.record = resourcelock.LeaderElectionRecord{HolderIdentity: "other", RenewTime: metav1.Unix(5, 0)}
	look("another holds it", false)
	clock.SetTime(clock.Now().Add(leaseDuration))
	look("the other does not renew it", true)
	lease.record.RenewTime = metav1.Unix(7, 0)
	look("it renews it", false)
	lease.record.HolderIdentity = ""
	look("it gave it back", true)
	if err := l.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "me"}); err != nil {
		t.Fatal(err)
	}
	if _, vacant := l.Vacant(); vacant {
		t.Error("nobody acts, although this process does")
	}
	clock.SetTime(clock.Now().Add(leaseDuration))
	if _, vacant := l.Vacant(); !vacant {
		t.Error("this process has not renewed it, and is said to act")
	}
}
