// SPDX-License-Identifier: Apache-2.0

package main

// goal is what a figure is to reach: at most that much, or at least.
type goal struct {
	value float64
	least bool
}

func most(value float64) goal  { return goal{value: value} }
func least(value float64) goal { return goal{value: value, least: true} }

// goals are the figures to reach, by row, at the default sizes on two cores. A figure that no goal is about is there to
// explain the others.
var goals = map[string]map[string]goal{
	"sync-all": {"ratio_to_floor": most(2), "cpu_seconds": most(15), "overhead_ms_per_object": most(1)},
	"push-one": {"median_seconds": most(0.5)},
	"push-all": {"ratio_to_floor": most(2), "overhead_ms_per_object": most(1)},
	"drift":    {"median_seconds": most(0.2), "worst_seconds": most(0.5)},
	"delete":   {"median_seconds": most(0.2), "worst_seconds": most(0.5)},
	"idle":     {"cpu_seconds_per_minute": most(0.3)},
	"memory":   {"rss_mib": most(150)},
	"restart":  {"seconds_from_leadership_to_healed": most(5)},

	"ten-thousand": {"ratio_to_floor": most(2), "status_writes_most": most(2)},
	"waves":        {"ratio_to_floor": most(2)},
	"hooks":        {"ratio_to_floor": most(1.1)},
	"fix":          {"worst_seconds": most(5)},
	"rollback":     {"worst_seconds": most(2)},

	"live-start":   {"seconds": most(20), "false_statuses": most(0)},
	"live-memory":  {"rss_mib": most(400), "peak_to_steady": most(1.2)},
	"live-storm":   {"events_per_second": least(1000), "lag_p99_seconds": most(1), "cores": most(1)},
	"live-restart": {"seconds": most(20)},
	"crds":         {"more_mib": most(30), "more_seconds": most(1)},
	"row-compare":  {"us": most(200)},
	"row-event":    {"growth": most(1.2)},

	"api-list":        {"page_p99_ms": most(30), "full_seconds": most(1)},
	"api-stream":      {"lag_p99_ms": most(100)},
	"api-subscribers": {"more_mib": most(150), "lag_p99_ms": most(100)},
	"api-view":        {"first_p99_ms": most(100), "lag_p99_ms": most(500), "more_views_ratio": most(10)},
	"api-get":         {"requests_per_second": least(2000), "errors": most(0), "push_median_seconds": most(0.5)},
	"policy":          {"us": most(5)},

	"page-list":   {"usable_median_ms": most(300), "key_median_ms": most(50), "memory_mib": most(150), "layout_shift": most(0), "long_tasks": most(0)},
	"page-tree":   {"drawn_median_ms": most(300)},
	"page-change": {"lag_median_ms": most(500), "repaint_median_ms": most(16)},

	"clusters": {"beside_median_seconds": most(0.2), "beside_worst_seconds": most(0.5), "growth_median_seconds": most(1.2)},
}

// judge puts beside the figures of a row their goals, and how much of the goal each takes: 1 or less is reached.
func judge(row map[string]any) {
	name, _ := row["row"].(string)
	wanted, ratios := map[string]float64{}, map[string]float64{}
	for figure, g := range goals[name] {
		got, ok := number(row[figure])
		if !ok {
			continue
		}
		wanted[figure] = g.value
		switch {
		case g.least && got > 0:
			ratios[figure] = round(g.value / got)
		case !g.least && g.value > 0:
			ratios[figure] = round(got / g.value)
		default: // none at all is the goal, or nothing was reached
			ratios[figure] = got
		}
	}
	if len(wanted) > 0 {
		row["goal"], row["of_goal"] = wanted, ratios
	}
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}
