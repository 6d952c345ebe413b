// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"testing"
	"time"
)

func TestJudgePutsGoalsBesideFigures(t *testing.T) {
	for _, c := range []struct {
		name string
		row  map[string]any
		want map[string]float64 // of_goal
	}{
		{"at most", map[string]any{"row": "live-start", "seconds": 10.0, "false_statuses": 0}, map[string]float64{"seconds": 0.5, "false_statuses": 0}},
		{"none is the goal", map[string]any{"row": "live-start", "false_statuses": 3}, map[string]float64{"false_statuses": 3}},
		{"at least", map[string]any{"row": "live-storm", "events_per_second": 500.0}, map[string]float64{"events_per_second": 2}},
		{"whole numbers", map[string]any{"row": "memory", "rss_mib": int64(75)}, map[string]float64{"rss_mib": 0.5}},
		{"no goal", map[string]any{"row": "floor", "seconds": 1.0}, nil},
	} {
		judge(c.row)
		got, _ := c.row["of_goal"].(map[string]float64)
		if !maps.Equal(got, c.want) {
			t.Errorf("%s: of_goal %v, want %v", c.name, got, c.want)
		}
		if goal, _ := c.row["goal"].(map[string]float64); len(goal) != len(c.want) {
			t.Errorf("%s: goal %v", c.name, goal)
		}
	}
}

func TestQuantileIsOneOfTheSamples(t *testing.T) {
	times := []time.Duration{4 * time.Second, time.Second, 3 * time.Second, 2 * time.Second}
	for q, want := range map[float64]float64{0: 1, 0.5: 3, 0.99: 4, 1: 4} {
		if got := quantile(times, q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("of nothing it is %v", got)
	}
}

// What is foreign must be the rest: objects of the estate are as many as it says.
func TestAnEstateHasAsManyObjectsAsItSays(t *testing.T) {
	for _, scale := range []float64{0.02, 0.1, 1} {
		e := newEstate(scale)
		if got := e.foreign() + e.apps*(perApp+madePerApp) + 3*e.namespaces; got != e.total || e.foreign() <= 0 {
			t.Errorf("scale %v: %d objects of %d, %d of them foreign", scale, got, e.total, e.foreign())
		}
		if got := len(e.manifests(0)); got != perApp {
			t.Errorf("an application has %d objects, want %d", got, perApp)
		}
	}
}
