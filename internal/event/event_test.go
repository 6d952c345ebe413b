// SPDX-License-Identifier: Apache-2.0

package event_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bowline-cd/bowline/internal/event"
)

func messages(s *event.Subscription) []string {
	var out []string
	for r := range s.Records() {
		out = append(out, r.Message)
	}
	return out
}

func TestEverySubscriberGetsEveryRecordInOrder(t *testing.T) {
	var bus event.Bus
	bus.Publish(event.Record{Message: "before anyone listened"})
	one, two := bus.Subscribe(2), bus.Subscribe(2)
	bus.Publish(event.Record{Reason: event.OperationStarted, Message: "a"})
	bus.Publish(event.Record{Reason: event.OperationCompleted, Message: "b"})
	one.Close()
	two.Close()
	bus.Publish(event.Record{Message: "after everyone left"})
	for _, s := range []*event.Subscription{one, two} {
		if diff := cmp.Diff([]string{"a", "b"}, messages(s)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestASlowSubscriberLosesRecordsAndHoldsNobodyUp(t *testing.T) {
	var bus event.Bus
	slow, quick := bus.Subscribe(1), bus.Subscribe(5)
	for i := range 5 {
		bus.Publish(event.Record{Message: strconv.Itoa(i)})
	}
	slow.Close()
	quick.Close()
	if got := slow.Dropped(); got != 4 {
		t.Errorf("dropped %d, want 4", got)
	}
	if diff := cmp.Diff([]string{"0"}, messages(slow)); diff != "" {
		t.Error(diff)
	}
	if got := messages(quick); len(got) != 5 || quick.Dropped() != 0 {
		t.Errorf("the other subscriber got %v and lost %d", got, quick.Dropped())
	}
}

func TestCloseWhilePublishing(t *testing.T) {
	var bus event.Bus
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				bus.Publish(event.Record{})
			}
		})
		wg.Go(func() {
			for range 100 {
				s := bus.Subscribe(1)
				s.Close()
				s.Close()
			}
		})
	}
	wg.Wait()
}
