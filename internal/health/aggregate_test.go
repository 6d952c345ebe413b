// SPDX-License-Identifier: Apache-2.0

package health

import (
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

func live(code v1alpha1.HealthStatusCode) Child { return Child{Live: true, Status: code} }

func TestTally(t *testing.T) {
	const (
		healthy     = v1alpha1.HealthStatusHealthy
		suspended   = v1alpha1.HealthStatusSuspended
		progressing = v1alpha1.HealthStatusProgressing
		missing     = v1alpha1.HealthStatusMissing
		degraded    = v1alpha1.HealthStatusDegraded
		unknown     = v1alpha1.HealthStatusUnknown
	)
	app := func(code v1alpha1.HealthStatusCode) Child { return Child{Live: true, Application: true, Status: code} }
	excluded := func(c Child) Child { c.Excluded = true; return c }
	tests := []struct {
		reason   string
		children []Child
		want     v1alpha1.HealthStatusCode
	}{
		{"no objects at all", nil, healthy},
		{"one is suspended", []Child{live(healthy), live(suspended)}, suspended},
		{"progressing is worse than suspended", []Child{live(progressing), live(suspended)}, progressing},
		{"degraded is worse than progressing", []Child{live(degraded), live(progressing)}, degraded},
		{"unknown is worst", []Child{live(unknown), live(degraded)}, unknown},
		{"a word that is no verdict counts as unknown", []Child{live("Sleepy")}, unknown},
		{"kinds without a rule count for nothing", []Child{live(""), live(healthy)}, healthy},
		{"a missing object beside a live one does not count", []Child{{}, live(healthy)}, healthy},
		{"a missing object beside a live one without a rule does not count", []Child{{}, live("")}, healthy},
		{"all are missing", []Child{{}, {}}, missing},
		{"a rule may itself say missing", []Child{live(missing), live(progressing)}, missing},
		{"a child application that is missing does not count", []Child{app(missing), live(healthy)}, healthy},
		{"a child application that is unknown does not count", []Child{app(unknown), live(healthy)}, healthy},
		{"a child application that is degraded counts", []Child{app(degraded), live(healthy)}, degraded},
		{"an excluded object does not count", []Child{excluded(live(degraded)), live(healthy)}, healthy},
		{"an excluded missing object does not make all missing", []Child{excluded(Child{})}, healthy},
		{"an excluded live object does not keep all from being missing", []Child{excluded(live(healthy)), {}}, missing},
	}
	for _, tt := range tests {
		var tally Tally
		for _, c := range tt.children {
			tally.Add(c)
		}
		if got := tally.Status(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.reason, got, tt.want)
		}
	}
}

// A tally that children came to and left is the tally of those that stayed.
func TestTallyForgetsWhatIsRemoved(t *testing.T) {
	kinds := []Child{
		{}, live(""), live(v1alpha1.HealthStatusHealthy), live(v1alpha1.HealthStatusSuspended), live(v1alpha1.HealthStatusProgressing),
		live(v1alpha1.HealthStatusMissing), live(v1alpha1.HealthStatusDegraded), live(v1alpha1.HealthStatusUnknown), live("Sleepy"),
		{Live: true, Application: true, Status: v1alpha1.HealthStatusUnknown}, {Excluded: true, Live: true, Status: v1alpha1.HealthStatusDegraded},
	}
	for _, stays := range kinds {
		for _, goes := range kinds {
			var want, got Tally
			want.Add(stays)
			got.Add(goes)
			got.Add(stays)
			got.Add(goes)
			got.Remove(goes)
			got.Remove(goes)
			if got != want {
				t.Errorf("%+v stays, %+v goes: got %+v, want %+v", stays, goes, got, want)
			}
		}
	}
}
