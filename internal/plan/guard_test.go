// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"testing"
)

// TestGuardThreshold counts what waits for plans that are too long to print.
func TestGuardThreshold(t *testing.T) {
	pruned := func(kind string, n int) testItem {
		return testItem{Kind: kind, NS: "a", Name: "old", Live: true, Times: n}
	}
	kept := func(n int) testItem {
		return testItem{Kind: "Service", NS: "a", Name: "kept", Desired: true, Live: true, Times: n}
	}
	made := func(kind string, n int) testItem {
		return testItem{Kind: kind, NS: "a", Name: "new", Desired: true, Times: n}
	}
	tests := []struct {
		reason string
		items  []testItem
		waits  bool
	}{
		{"ten objects, all there are", []testItem{pruned("ConfigMap", 10)}, false},
		{"eleven objects, all there are", []testItem{pruned("ConfigMap", 11)}, true},
		{"eleven of twenty-two: half is not more than half", []testItem{pruned("ConfigMap", 11), kept(11)}, false},
		{"eleven of twenty-one", []testItem{pruned("ConfigMap", 11), kept(10)}, true},
		{"a hundred of two hundred and one", []testItem{pruned("ConfigMap", 100), kept(101)}, false},
		{"each has a successor of its kind", []testItem{pruned("ConfigMap", 12), made("ConfigMap", 12)}, false},
		{"one more successor than needed to stay at ten", []testItem{pruned("ConfigMap", 12), made("ConfigMap", 2)}, false},
		{"one successor is one too few", []testItem{pruned("ConfigMap", 12), made("ConfigMap", 1)}, true},
		{"successors of another kind", []testItem{pruned("ConfigMap", 12), made("Secret", 12)}, true},
		{"what is there already is no successor", []testItem{pruned("Service", 12), kept(1)}, true},
		{"what may be there already is no successor", []testItem{pruned("ConfigMap", 12),
			{Kind: "ConfigMap", NS: "a", Name: "new", Desired: true, Unknown: true, Times: 12}}, true},
		{"objects that are kept anyway do not count", []testItem{{Kind: "ConfigMap", NS: "a", Name: "x", Live: true, Times: 12,
			Annotations: map[string]string{"argocd.argoproj.io/sync-options": "Prune=false"}}}, false},
	}
	for _, tt := range tests {
		c := testCase{Prune: true, Items: tt.items}
		p, err := c.build()
		if err != nil {
			t.Fatalf("%s: %v", tt.reason, err)
		}
		guarded := Guard(p, GuardInput{Automated: true})
		if got := len(guarded.Waiting()) > 0; got != tt.waits {
			t.Errorf("%s: %d prunes wait, want any: %v", tt.reason, len(guarded.Waiting()), tt.waits)
		}
		if got := len(p.Waiting()); got != 0 {
			t.Errorf("%s: the guard changed the plan it was given", tt.reason)
		}
		approved := guarded.Approve()
		if tt.waits && (guarded.WaitingDigest() == "" || len(approved.Steps()) != len(guarded.Steps()) || len(approved.Waiting()) > 0) {
			t.Errorf("%s: no digest to approve, or the approval loses steps", tt.reason)
		}
	}
}
