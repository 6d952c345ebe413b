// SPDX-License-Identifier: Apache-2.0

package access

import (
	"slices"
	"testing"
)

func TestNamespaces(t *testing.T) {
	for _, c := range []struct {
		patterns []string
		in, out  []string
		names    bool
	}{
		{nil, nil, []string{"team-a", ""}, true},
		{[]string{"team-a", "team-b"}, []string{"team-a", "team-b"}, []string{"team-c", "team"}, true},
		{[]string{"team-*"}, []string{"team-a"}, []string{"other"}, false},
		{[]string{"/^team-(a|b)$/"}, []string{"team-a", "team-b"}, []string{"team-c", "xteam-a"}, false},
		{[]string{"/(/"}, nil, []string{"(", "team-a"}, false},
	} {
		n := CompileNamespaces(c.patterns)
		for _, ns := range c.in {
			if !n.Match(ns) {
				t.Errorf("%v does not choose %q", c.patterns, ns)
			}
		}
		for _, ns := range c.out {
			if n.Match(ns) {
				t.Errorf("%v chooses %q", c.patterns, ns)
			}
		}
		names, all := n.Names()
		if all != c.names || all && !slices.Equal(names, c.patterns) {
			t.Errorf("%v: names %v, %v", c.patterns, names, all)
		}
	}
}
