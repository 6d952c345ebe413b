// SPDX-License-Identifier: Apache-2.0

package plan

import "testing"

func TestWildcard(t *testing.T) {
	tests := []struct {
		pattern, value string
		want           bool
	}{
		{"", "", true}, {"", "a", false}, {"a", "a", true}, {"a", "b", false},
		{"*", "", true}, {"*", "anything", true}, {"a*", "abc", true}, {"a*", "bc", false},
		{"*c", "abc", true}, {"a*c", "abc", true}, {"a*c", "ac", true}, {"ab*bc", "abc", false},
		{"*b*", "abc", true}, {"*b*b*", "abc", false}, {"a*b*c", "a-b-b-c", true}, {"**", "x", true},
		{"[a]", "a", false}, {"{a,b}", "a", false}, {"?", "a", false}, {"system:*", "system:node", true},
	}
	for _, tt := range tests {
		if got := wildcard(tt.pattern, tt.value); got != tt.want {
			t.Errorf("%q against %q: got %v", tt.pattern, tt.value, got)
		}
	}
}
