// SPDX-License-Identifier: Apache-2.0

package app

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/settings"
)

// A cluster that does not answer is told by its address and by its name: destinations have either.
func TestClustersThatDoNotAnswerAreTold(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	c := newClusters(t.Context(), &rest.Config{Host: "https://127.0.0.1:1"}, log, newMetrics(), &judges{log: log})
	defer c.Close()
	s := &surroundings{roles: &roles{clusters: c}}
	if cut := s.CutOff(); len(cut) != 0 {
		t.Errorf("without clusters there are %v", cut)
	}
	c.Apply(&configuration.Snapshot{Settings: settings.Defaults()})
	cut := s.CutOff()
	down := cut[cluster.HubServer]
	if down == nil || cut[cluster.HubName] != down || !strings.HasPrefix(down.Reason, "Cluster in-cluster does not answer: ") || down.Since.IsZero() {
		t.Errorf("%v", cut)
	}
}

func TestNobodyActingIsToldWhereSomebodyShould(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(time.Unix(1000, 0))
	l := &lead{Interface: &fakeLease{record: resourcelock.LeaderElectionRecord{HolderIdentity: "other"}}, clock: clock, lost: make(chan string, 1)}
	s := &surroundings{roles: &roles{lead: l}}
	if _, _, err := l.Get(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.Unattended(); got != nil {
		t.Errorf("another acts, and still: %v", got)
	}
	clock.SetTime(clock.Now().Add(time.Minute))
	if got := s.Unattended(); got == nil || !got.Since.Equal(time.Unix(1000, 0).Add(leaseDuration)) {
		t.Errorf("nobody acts: %v", got)
	}
	s.observe = true // beside another program, which has no lease of ours
	if got := s.Unattended(); got != nil {
		t.Errorf("an observer misses a leader: %v", got)
	}
}
