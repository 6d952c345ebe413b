// SPDX-License-Identifier: Apache-2.0

package lua_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/script/lua"
)

var noon = func() time.Time { return time.Date(2026, 3, 4, 12, 5, 6, 0, time.FixedZone("", 3600)) }

func run(t *testing.T, source string, openLibs bool, globals map[string]any) (any, error) {
	t.Helper()
	p, err := lua.Compile(source, "key k", openLibs)
	if err != nil {
		return nil, err
	}
	return p.Run(t.Context(), lua.Bounds{Now: noon, Time: time.Minute}, globals)
}

// Programs as people have them in argocd-cm.
func TestProgramsRunAsInArgoCD(t *testing.T) {
	conditions := map[string]any{"status": map[string]any{"conditions": []any{
		map[string]any{"type": "Issuing", "status": "True"},
		map[string]any{"type": "Ready", "status": "False", "message": "no disk"},
	}}}
	tests := map[string]struct {
		source string
		open   bool
		obj    any
		want   any
	}{
		"global table and conditions": {source: `
hs = {}
hs.status = "Progressing"
hs.message = "waiting"
if obj.status ~= nil and obj.status.conditions ~= nil then
  for i, condition in ipairs(obj.status.conditions) do
    if condition.type == "Ready" and condition.status == "False" then
      hs.status = "Degraded"
      hs.message = condition.message
      return hs
    end
  end
end
return hs`, obj: conditions, want: map[string]any{"status": "Degraded", "message": "no disk"}},
		"length, pairs and concat": {source: `
local n, names = #obj.status.conditions, {}
for _, c in pairs(obj.status.conditions) do table.insert(names, c.type) end
table.sort(names)
return table.concat(names, "+") .. "=" .. n`, obj: conditions, want: "Issuing+Ready=2"},
		"functions, recursion and closures": {source: `
local function fib(n) if n < 2 then return n end return fib(n-1) + fib(n-2) end
local add = function(a) return function(b) return a + b end end
return add(1)(fib(15))`, want: int64(611)},
		"time without open libraries": {source: `local os = require("os")
return os.date("!%Y-%m-%dT%XZ") .. " " .. os.time()`, want: "2026-03-04T11:05:06Z 1772622306"},
		"goto continue": {source: `local n = 0
for i = 1, 5 do if i % 2 == 0 then goto continue end n = n + i ::continue:: end
return n`, want: int64(9)},
		"error that is caught":       {source: `local ok, err = pcall(function() return nil + 1 end) return {ok, type(err)}`, want: []any{false, "string"}},
		"string by method":           {source: `return ("a-b"):gsub("-", "+"):upper()`, open: true, want: "A+B"},
		"string.find and format":     {source: `if string.find("CrashLoopBackOff", "BackOff$") then return string.format("%d of %5.2f %s", 3, 1.5, "x") end`, open: true, want: "3 of  1.50 x"},
		"math":                       {source: `return math.floor(7/2) + math.max(1, 2)`, open: true, want: int64(5)},
		"os with open libraries":     {source: `return os.time{year=2020, month=1, day=1, hour=0} - os.difftime(2, 1)`, open: true, want: int64(1577836799)},
		"several targets at once":    {source: `local t, i = {}, 1; i, t[i], t.x = i + 1, 20, 30; return {i, t[1], t.x}`, want: []any{int64(2), int64(20), int64(30)}},
		"swap":                       {source: `local a, b = {1, 2}, 0; a[1], a[2] = a[2], a[1]; return a`, want: []any{int64(2), int64(1)}},
		"targets from one call":      {source: `local t = {}; local function f() return 1, 2 end; t.a, t.b = f(); return t.a + t.b`, want: int64(3)},
		"varargs":                    {source: `local function f(...) local t = {...}; return #t, ... end; return (select("#", f(1, nil, 3)))`, want: int64(4)},
		"metatables":                 {source: `local t = setmetatable({}, {__index = function(_, k) return k .. "!" end, __concat = function(a, b) return "joined" end}); return t.a .. (t .. 1)`, want: "a!joined"},
		"numbers join":               {source: `return 1 .. 2 .. "x" .. 1.5`, want: "12x1.5"},
		"methods":                    {source: `local o = {n = 1}; function o:add(k) self.n = self.n + k; return self end; return o:add(2):add(3).n`, want: int64(6)},
		"nothing":                    {source: `local x = 1`, want: nil},
		"computed keys":              {source: `local k = "a"; return {[k .. "b"] = 1, [1] = nil}`, want: map[string]any{"ab": int64(1)}},
		"tostring of whole numbers":  {source: `return tostring(3) .. tostring(2^53)`, want: "39007199254740992"},
		"unpack and table functions": {source: `local t = {1, 2, 3}; table.remove(t, 1); table.insert(t, 1, 9); return {unpack(t)}`, want: []any{int64(9), int64(2), int64(3)}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := run(t, tt.source, tt.open, map[string]any{"obj": tt.obj})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsNotTouchedComesBackAsItWas(t *testing.T) {
	obj := func() map[string]any {
		return map[string]any{
			"list": []any{}, "map": map[string]any{}, "null": nil, "nulls": []any{nil, "a", nil}, "big": int64(9007199254740993),
			"whole": float64(2), "half": 0.5, "int": int64(7), "deep": []any{map[string]any{"list": []any{}}}, "text": "a\x00b", "no": false,
		}
	}
	before := obj()
	got, err := run(t, `obj.deep[1].new = {}; obj.moved = obj.list; obj.int = 8; return obj`, false, map[string]any{"obj": before})
	if err != nil {
		t.Fatal(err)
	}
	want := obj()
	want["deep"] = []any{map[string]any{"list": []any{}, "new": map[string]any{}}}
	want["moved"], want["int"] = []any{}, int64(8)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(obj(), before); diff != "" {
		t.Errorf("the program changed what was passed to it: %s", diff)
	}
	emptied, err := run(t, `obj.deep[1] = nil; for k in pairs(obj.map) do obj.map[k] = nil end; return {obj.deep, obj.map}`, false,
		map[string]any{"obj": map[string]any{"deep": []any{"x"}, "map": map[string]any{"a": "b"}}})
	if diff := cmp.Diff([]any{[]any{}, map[string]any{}}, emptied); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestRunsDoNotSeeEachOther(t *testing.T) {
	p, err := lua.Compile(`if spoilt or table.spoilt or ("").spoilt then return "seen" end
spoilt, table.spoilt = true, true
getmetatable("").__index.spoilt = true
return "fresh"`, "key k", true)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan any)
	for range 4 {
		go func() {
			for range 20 {
				got, err := p.Run(context.Background(), lua.Bounds{Time: time.Minute}, nil)
				if got != "fresh" {
					done <- err
					return
				}
			}
			done <- "fresh"
		}()
	}
	for range 4 {
		if got := <-done; got != "fresh" {
			t.Errorf("a run saw another: %v", got)
		}
	}
}

func TestErrorsNameKeyAndLine(t *testing.T) {
	tests := []struct{ source, want string }{
		{"local x = 1\nreturn obj.status.phase", "key k, line 2: attempt to index"},
		{"\n\nreturn }", `key k, line 3: near '}': syntax error`},
		{"if x then\n  y = 1", "line 2: the program ends too early: syntax error"},
		{"goto nowhere", "no visible label 'nowhere'"},
		{"\nerror('the disk is gone')", "key k, line 2: the disk is gone"},
		{"error({code = 1})", "a value that is no text: table"},
		{"x = 1 .. {}", "line 1: attempt to concatenate a number and a table value"},
		{"local t\nt.x = 1", "line 2: attempt to index"},
		{"return function() end", "a function, which is no data"},
		{"return {1, x = 2}", "neither a map nor a list"},
		{"return {[1] = 1, [3] = 3}", "without an item 2"},
		{"return {[1.5] = 1}", "the index 1.5"},
		{"local t = {}; t.t = t; return t", "or holds itself"},
		{"return 0/0", "no number that JSON knows"},
		{"require('socket')", `no module "socket"`},
		{"string.find('a', 'a')", "attempt to index"},
	}
	for _, tt := range tests {
		_, err := run(t, tt.source, false, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "key k") {
			t.Errorf("%q: got %v, want it to say %q", tt.source, err, tt.want)
		}
		if !fault.Is(err, fault.Mistake) {
			t.Errorf("%q: kind %s", tt.source, fault.KindOf(err))
		}
	}
}

func TestAnEndedContextIsNobodysMistake(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p, err := lua.Compile(`while true do end`, "key k", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = p.Run(ctx, lua.Default, nil); !fault.Is(err, fault.Retry) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkHealthCheck(b *testing.B) {
	p, err := lua.Compile(`local hs = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for i, c in ipairs(obj.status.conditions) do
    if c.type == "Ready" then hs.status = c.status == "True" and "Healthy" or "Degraded"; hs.message = c.message; return hs end
  end
end
hs.status = "Progressing"
return hs`, "key k", false)
	if err != nil {
		b.Fatal(err)
	}
	obj := map[string]any{"metadata": map[string]any{"name": "x", "labels": map[string]any{"a": "b"}}, "spec": map[string]any{"a": int64(1)},
		"status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True", "message": "fine"}}}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Run(context.Background(), lua.Default, map[string]any{"obj": obj}); err != nil {
			b.Fatal(err)
		}
	}
}
