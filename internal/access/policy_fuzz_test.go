// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"strings"
	"testing"
)

// FuzzPolicy reads policies that anybody may have written. They are read or refused, and nobody who is not named in one is let in.
func FuzzPolicy(f *testing.F) {
	f.Add(ofTeam, "glob", "groups")
	f.Add("p, a, b, c, [, allow", "regex", "[a, b]")
	f.Add("g, a, a\np, a, *, *, {a,b, deny", "", "")
	f.Fuzz(func(t *testing.T, csv, mode, scopes string) {
		p, problems := NewPolicy(map[string]string{"policy.csv": csv, "policy.matchMode": mode, "scopes": scopes})
		if (p == nil) != (len(problems) > 0) {
			t.Fatalf("got %v and %v", p, problems)
		}
		if p == nil {
			return
		}
		stranger := "nobody-that-is-named-anywhere"
		if got := p.Rule(Subject{Name: stranger, Groups: []string{"role:admin", "proj:a:b"}}, right("applications get a/b"), nil); got.Allowed && !strings.Contains(csv, stranger) {
			t.Errorf("a stranger was let in by %+v", got)
		}
	})
}

// large is a policy of ten thousand lines: a role for each of a thousand teams, and one role with a line for each application.
func large(t testing.TB) *Policy {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "p, role:team%d, applications, *, team%d/*, allow\np, role:team%d, logs, get, team%d/*, allow\ng, team%d, role:team%d\n", i, i, i, i, i, i)
	}
	for i := range 7000 {
		fmt.Fprintf(&b, "p, role:all, applications, get, team%d/app-%d*, allow\n", i%700, i)
	}
	b.WriteString("g, many, role:all\n")
	return policy(t, map[string]string{"policy.csv": b.String()})
}

// single is a policy of ten thousand lines of one role, none of which is about what is asked.
func single(t testing.TB) *Policy {
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, "p, role:all, applications, get, team7/app-%d-*, allow\n", i)
	}
	b.WriteString("g, many, role:all\n")
	return policy(t, map[string]string{"policy.csv": b.String()})
}

func BenchmarkRule(b *testing.B) {
	p, one := large(b), single(b)
	b.Run("refused by ten thousand lines", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			one.Rule(Subject{Name: "many"}, Right{Applications, Get, fmt.Sprintf("team7/app-%d", i%7000)}, nil)
		}
	})
	groups := make([]string, 30)
	for i := range groups {
		groups[i] = fmt.Sprintf("team%d", i)
	}
	for name, who := range map[string]Subject{"by name": {Name: "team7"}, "many lines": {Name: "many"}, "thirty groups": {Name: "x", Groups: groups}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				p.Rule(who, Right{Applications, Get, fmt.Sprintf("team7/app-%d", i%7000)}, nil)
			}
		})
	}
}
