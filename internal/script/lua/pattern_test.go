// SPDX-License-Identifier: Apache-2.0

package lua_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The answers are those of Lua 5.1's reference implementation.
func TestPatterns(t *testing.T) {
	tests := []struct{ source, want string }{
		{`string.find("hello world", "o w")`, "5 7"},
		{`string.find("hello", "l+")`, "3 4"},
		{`string.find("hello", "xyz")`, "nil"},
		{`string.find("a.b", ".", 1, true)`, "2 2"},
		{`string.find("abc", "b", -1)`, "nil"},
		{`string.find("abc", "", 10)`, "nil"},
		{`string.find("abc", "", 4)`, "4 3"},
		{`string.find("key = value", "^(%w+)%s*=%s*(%w+)$")`, "1 11 key value"},
		{`string.match("2024-01-02T03:04:05Z", "(%d+)-(%d+)-(%d+)")`, "2024 01 02"},
		{`string.match("[[x]]", "%[%[(.-)%]%]")`, "x"},
		{`string.match("f(a(b)c)d", "%b()")`, "(a(b)c)"},
		{`string.match("THE (quick) fox", "%f[%a]%a+%f[%A]", 5)`, "quick"},
		{`string.match("abab", "(ab)%1")`, "ab"},
		{`string.match("abc", "()b()")`, "2 3"},
		{`string.match("colour", "colou?r")`, "colour"},
		{`string.match("color", "colou?r")`, "color"},
		{`string.match("aaa", "a-b")`, "nil"},
		{`string.match("x]y", "[]]")`, "]"},
		{`string.match("a-z", "[a%-z]+")`, "a-z"},
		{`string.match("0x1F", "^0[xX](%x+)$")`, "1F"},
		{`string.match("one two", "[^%s]+$")`, "two"},
		{`string.match("a$", "a$")`, "nil"},
		{`string.match("a$", "a%$")`, "a$"},
		{`string.gsub("hello world", "(%w+)", "<%1>")`, "<hello> <world> 2"},
		{`string.gsub("hello", "", "-")`, "-h-e-l-l-o- 6"},
		{`string.gsub("abc", "%w", "%0%0", 2)`, "aabbc 2"},
		{`string.gsub("abc", "^a", "x")`, "xbc 1"},
		{`string.gsub("$name is $age", "%$(%w+)", {name = "Lua"})`, "Lua is $age 2"},
		{`string.gsub("4+5", "%d", function(d) return d * 2 end)`, "8+10 2"},
		{`string.gsub("a b", "%s", "%%")`, "a%b 1"},
		{`string.rep("ab", 3)`, "ababab"},
		{`string.format("%5d|%-5s|%05.1f|%x|%q|%%|%c", 42, "ab", 3.14159, 255, 'a"b', 65)`, `   42|ab   |003.1|ff|"a\"b"|%|A`},
		{`string.reverse("abc")`, "cba"},
	}
	for _, tt := range tests {
		got, err := run(t, `local function join(...) local t = {} for i = 1, select("#", ...) do t[i] = tostring((select(i, ...))) end return table.concat(t, " ") end
return join(`+tt.source+`)`, true, nil)
		if err != nil {
			t.Errorf("%s: %v", tt.source, err)
		} else if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.source, diff)
		}
	}
	got, err := run(t, `local out = {} for k, v in string.gmatch("a=1, b=2", "(%w+)=(%w+)") do out[#out + 1] = k .. v end return table.concat(out, " ")`, true, nil)
	if err != nil || got != "a1 b2" {
		t.Errorf("gmatch: %v, %v", got, err)
	}
}

func TestBrokenPatternsAreErrors(t *testing.T) {
	for _, pattern := range []string{"(", ")", "[", "[a", "%", "%1", "%b", "%bx", "%f", "%fa", "(()", "[%", strings.Repeat("()", 40)} {
		if got, err := run(t, `return string.find("abc", "`+pattern+`")`, true, nil); err == nil {
			t.Errorf("%q matched: %v", pattern, got)
		}
	}
}
