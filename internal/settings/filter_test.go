// SPDX-License-Identifier: Apache-2.0

package settings_test

import (
	"testing"

	"github.com/bowline-cd/bowline/internal/settings"
)

func TestExcluded(t *testing.T) {
	const cluster = "https://east.example.com"
	tests := []struct {
		name, exclusions, inclusions string
		group, kind                  string
		want                         bool
	}{
		{name: "no settings", group: "apps", kind: "Deployment"},
		{name: "events are never seen", group: "events.k8s.io", kind: "Event", want: true},
		{name: "nor by their old group", group: "", kind: "Event", want: true},
		{name: "nor metrics", group: "metrics.k8s.io", kind: "PodMetrics", want: true},
		{name: "nor leases", group: "coordination.k8s.io", kind: "Lease", want: true},
		{name: "inclusions do not bring them back", inclusions: "- {apiGroups: ['*']}", group: "events.k8s.io", kind: "Event", want: true},
		{name: "group and kind", exclusions: "- {apiGroups: [apps], kinds: [Deployment]}", group: "apps", kind: "Deployment", want: true},
		{name: "another kind of the group", exclusions: "- {apiGroups: [apps], kinds: [Deployment]}", group: "apps", kind: "StatefulSet"},
		{name: "kinds are not globs", exclusions: "- {apiGroups: [apps], kinds: ['Deploy*']}", group: "apps", kind: "Deployment"},
		{name: "but * is every kind", exclusions: "- {apiGroups: [apps], kinds: ['*']}", group: "apps", kind: "Deployment", want: true},
		{name: "groups are globs without separators", exclusions: "- {apiGroups: ['*.cilium.io']}", group: "a.b.cilium.io", kind: "X", want: true},
		{name: "core group by the empty string", exclusions: "- {apiGroups: [''], kinds: [Pod]}", group: "", kind: "Pod", want: true},
		{name: "no groups are all groups", exclusions: "- {kinds: [Pod]}", group: "x", kind: "Pod", want: true},
		{name: "this cluster", exclusions: "- {kinds: [Pod], clusters: ['https://east*']}", kind: "Pod", want: true},
		{name: "another cluster", exclusions: "- {kinds: [Pod], clusters: ['https://west*']}", kind: "Pod"},
		{name: "included", inclusions: "- {apiGroups: [apps]}", group: "apps", kind: "Deployment"},
		{name: "not included", inclusions: "- {apiGroups: [apps]}", group: "batch", kind: "Job", want: true},
		{name: "inclusions for another cluster restrict nothing here", inclusions: "- {apiGroups: [apps], clusters: ['https://west*']}", group: "batch", kind: "Job"},
		{name: "exclusion wins", exclusions: "- {kinds: [Deployment]}", inclusions: "- {apiGroups: [apps]}", group: "apps", kind: "Deployment", want: true},
		{name: "default exclusions", exclusions: settings.DefaultResourceExclusions, group: "discovery.k8s.io", kind: "EndpointSlice", want: true},
		{name: "default exclusions leave Services", exclusions: settings.DefaultResourceExclusions, group: "", kind: "Service"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, errs := settings.Defaults().With(map[string]string{"resource.exclusions": tt.exclusions, "resource.inclusions": tt.inclusions}, nil)
			if len(errs) != 0 {
				t.Fatal(errs)
			}
			if got := s.Filter.Excluded(tt.group, tt.kind, cluster); got != tt.want {
				t.Errorf("Excluded(%q, %q) = %v, want %v", tt.group, tt.kind, got, tt.want)
			}
		})
	}
}

func TestTheZeroFilterStillHidesEvents(t *testing.T) {
	var f settings.Filter
	if !f.Excluded("events.k8s.io", "Event", "") || f.Excluded("apps", "Deployment", "") {
		t.Error("the zero filter is not the filter without settings")
	}
}
