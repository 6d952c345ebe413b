// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/clock"
)

// lead is the lease by which one process acts, with a memory of when it was last renewed. The election only ends a
// process some time after its lease was taken: one that was stopped for a minute, or cut off, would act beside its
// successor until then. It asks the lead before each step, and ends when it sees another holder.
type lead struct {
	resourcelock.Interface
	clock clock.PassiveClock
	// regained is called when the lease is renewed after it had run out: what was not done meanwhile has to be done now.
	regained func()

	mu      sync.Mutex
	renewed time.Time // when the last renewal that succeeded was begun; zero: not the leader
	lost    chan string
	// other is the record of the lease as it was last seen with another holder or none, and news when that was news: the clock
	// of the holder is not ours.
	other resourcelock.LeaderElectionRecord
	news  time.Time
}

// errLeadLost ends the process: another one acts.
var errLeadLost = errors.New("another process leads")

func newLead(kube *rest.Config, namespace string) (*lead, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name this process for the lease: %w", err)
	}
	kube = rest.CopyConfig(kube)
	kube.Timeout = renewDeadline / 2
	client, err := kubernetes.NewForConfig(kube)
	if err != nil {
		return nil, fmt.Errorf("connect to the control plane for the lease: %w", err)
	}
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, namespace, leaseName, client.CoreV1(), client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID())})
	if err != nil {
		return nil, err
	}
	return &lead{Interface: lock, clock: realClock, lost: make(chan string, 1)}, nil
}

// Held reports whether this process may act, and if not why.
func (l *lead) Held() (bool, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.renewed.IsZero() {
		return false, "this process does not lead"
	}
	if age := l.clock.Since(l.renewed); age >= leaseDuration {
		return false, fmt.Sprintf("the lease was last renewed %s ago: another process may lead by now", age.Round(time.Second))
	}
	return true, ""
}

// Get implements resourcelock.Interface.
func (l *lead) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.Interface.Get(ctx)
	if err == nil && record.HolderIdentity != l.Identity() {
		l.seen(record.HolderIdentity)
		l.observe(*record)
	}
	return record, raw, err
}

func (l *lead) observe(record resourcelock.LeaderElectionRecord) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.news.IsZero() || record.HolderIdentity != l.other.HolderIdentity || !record.RenewTime.Equal(&l.other.RenewTime) {
		l.other, l.news = record, l.clock.Now()
	}
}

// Vacant reports since when nobody acts, neither this process nor another; ok is false if somebody does, or if it is not known.
func (l *lead) Vacant() (since time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.renewed.IsZero():
		since = l.renewed.Add(leaseDuration)
	case l.news.IsZero():
		return time.Time{}, false
	case l.other.HolderIdentity == "":
		since = l.news
	default:
		since = l.news.Add(leaseDuration)
	}
	return since, !l.clock.Now().Before(since)
}

// seen notes that the lease is another's: if it was ours, then this process ends.
func (l *lead) seen(holder string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.renewed.IsZero() || holder == "" {
		return
	}
	l.renewed = time.Time{}
	l.lost <- holder
}

// Create implements resourcelock.Interface.
func (l *lead) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	began := l.clock.Now()
	return l.note(began, record, l.Interface.Create(ctx, record))
}

// Update implements resourcelock.Interface.
func (l *lead) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	began := l.clock.Now()
	return l.note(began, record, l.Interface.Update(ctx, record))
}

func (l *lead) note(began time.Time, record resourcelock.LeaderElectionRecord, err error) error {
	if err != nil {
		return err
	}
	if l.renew(began, record.HolderIdentity) && l.regained != nil {
		l.regained()
	}
	return nil
}

// renew notes who holds the lease since began, and reports whether it was ours before, and had run out.
func (l *lead) renew(began time.Time, holder string) (regained bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lapsed := !l.renewed.IsZero() && l.clock.Since(l.renewed) >= leaseDuration
	l.renewed = time.Time{}
	if holder != l.Identity() {
		return false
	}
	l.renewed = began
	return lapsed
}

// watch returns when ctx ends, or with errLeadLost when another process was seen to hold what was ours.
func (l *lead) watch(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case holder := <-l.lost:
		return fmt.Errorf("%w: %s", errLeadLost, holder)
	}
}
