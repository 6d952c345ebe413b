// SPDX-License-Identifier: Apache-2.0

package object

import (
	"strings"
	"testing"

	"github.com/gobwas/glob"
)

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, value string
		plain, slashed bool // matches without separators, and with "/" as one
	}{
		{"", "", true, true}, {"", "a", false, false}, {"a", "a", true, true}, {"a", "ab", false, false},
		{"*", "a/b", true, false}, {"**", "a/b", true, true}, {"a/*", "a/b", true, true}, {"a/*", "a/b/c", true, false},
		{"a/**", "a/b/c", true, true}, {"a**c", "a/b/c", true, true}, {"?", "a", true, true}, {"?", "/", true, false}, {"?", "ä", true, true},
		{"a?", "a", false, false}, {"[ab]c", "bc", true, true}, {"[ab]c", "cc", false, false}, {"[a-c]", "b", true, true},
		{"[!a-c]", "b", false, false}, {"[!a-c]", "d", true, true}, {"[!ab]", "c", true, true}, {"{a,b}", "b", true, true},
		{"{a,b}", "c", false, false}, {"{a*,b}/c", "ax/c", true, true}, {"{a,{b,c}}", "c", true, true}, {"a,b", "a,b", true, true},
		{`\*`, "*", true, true}, {`\*`, "a", false, false}, {"a.c", "abc", false, false}, {"(a)+", "(a)+", true, true},
		{"*\n*", "a\nb", true, true}, {"^a$", "^a$", true, true},
	}
	for _, tt := range tests {
		plain, err := CompileGlob(tt.pattern)
		if err != nil {
			t.Errorf("%q: %v", tt.pattern, err)
			continue
		}
		slashed, err := CompileGlob(tt.pattern, '/')
		if err != nil {
			t.Errorf("%q: %v", tt.pattern, err)
			continue
		}
		if got := plain.Match(tt.value); got != tt.plain {
			t.Errorf("%q against %q: got %v", tt.pattern, tt.value, got)
		}
		if got := slashed.Match(tt.value); got != tt.slashed {
			t.Errorf("%q against %q with separators: got %v", tt.pattern, tt.value, got)
		}
	}
	for _, bad := range []string{"{a", "a}", "[a", "[]", "[!]", "[z-a]", `a\`, "{a,{b}", strings.Repeat("{", 2000) + strings.Repeat("}", 2000)} {
		if _, err := CompileGlob(bad); err == nil {
			t.Errorf("%.20q is taken for a pattern", bad)
		}
	}
	if (Glob{}).Match("") {
		t.Error("the zero Glob matches")
	}
}

// TestGlobMeansWhatItMeansToArgoCD compares with its library for patterns as people write them. It has no answer for all: it
// panics at a brace that does not close, "0**0" matches "0" there, and "{*,}0" does not.
func TestGlobMeansWhatItMeansToArgoCD(t *testing.T) {
	patterns := []string{
		"*", "**", "https://github.com/*", "https://github.com/**", "https://github.com/company/*", "https://*.example.com/**",
		"git@github.com/company/infra", "{https://a.example/*,https://b.example/**}", "payments-*", "team-[abc]-*", "team-[!a]-*",
		"prod-?", "https://kubernetes.default.svc", "*.example.io", "rbac.*", "", "kube-*", "*-system", "a*b*c",
	}
	values := []string{
		"", "a", "abc", "aXbYc", "https://github.com/company/infra", "https://github.com/company", "https://github.com/a/b/c",
		"https://git.example.com/a/b", "git@github.com/company/infra", "https://a.example/x", "https://a.example/x/y", "https://b.example/x/y",
		"payments-", "payments-eu", "team-a-x", "team-b-x", "team-d-x", "prod-1", "prod-12", "https://kubernetes.default.svc", "x.example.io",
		"rbac.authorization.k8s.io", "kube-system",
	}
	for _, pattern := range patterns {
		for _, separators := range [][]rune{nil, {'/'}} {
			ours, err := CompileGlob(pattern, separators...)
			if err != nil {
				t.Fatalf("%q: %v", pattern, err)
			}
			theirs := glob.MustCompile(pattern, separators...)
			for _, value := range values {
				if got, want := ours.Match(value), theirs.Match(value); got != want {
					t.Errorf("%q against %q with separators %q: got %v, the library says %v", pattern, value, string(separators), got, want)
				}
			}
		}
	}
}

// FuzzGlob checks that a pattern that is taken matches without harm.
func FuzzGlob(f *testing.F) {
	for _, seed := range []string{"*", "0{", "a*b?c", "[!a-z]x", "{a,b*}c", "https://github.com/{a,b}/**", `\{a`, "{a,{b,c}}"} {
		f.Add(seed, "https://github.com/a/b")
	}
	f.Fuzz(func(t *testing.T, pattern, value string) {
		g, err := CompileGlob(pattern, '/')
		if err != nil {
			return
		}
		if !strings.ContainsAny(pattern, `*?[]{}\`) && g.Match(value) != (pattern == value) {
			t.Errorf("%q against %q", pattern, value)
		}
		g.Match(value)
	})
}

func TestGlobHasALength(t *testing.T) {
	if _, err := CompileGlob(strings.Repeat("*a", maxGlob/2)); err != nil {
		t.Error(err)
	}
	if _, err := CompileGlob(strings.Repeat("*a", maxGlob/2) + "b"); err == nil {
		t.Error("a pattern of any length is read")
	}
}
