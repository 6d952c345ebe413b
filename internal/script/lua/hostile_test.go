// SPDX-License-Identifier: Apache-2.0

package lua_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/script/lua"
)

// Each of these would take a process without bounds: none may run on, none may take much memory.
func TestHostileProgramsEnd(t *testing.T) {
	tests := map[string]struct{ source, want string }{
		"endless loop":                 {`while true do end`, "steps"},
		"endless loop in pcall":        {`while true do pcall(function() while true do end end) end`, "steps"},
		"endless loop in handler":      {`xpcall(function() while true do end end, function() while true do end end) while true do end`, "steps"},
		"endless loop of calls":        {`local f; f = function() return f() end; f()`, "steps"},
		"endless __index":              {`local t = setmetatable({}, {__index = function(t, k) return t[k .. k] end}); return t.x`, ""},
		"deep recursion":               {`local function f() return 1 + f() end; f()`, "stack overflow"},
		"recursion in pcall":           {`local function f() pcall(f); pcall(f) end; while true do f() end`, ""},
		"rep":                          {`return ("x"):rep(1e9)`, "text longer"},
		"rep of rep":                   {`local s = ("x"):rep(1e6); local t = {}; for i = 1, 1e6 do t[i] = s:rep(1) end`, "MiB"},
		"rep of huge count":            {`return ("x"):rep(2^62)`, "text longer"},
		"doubling":                     {`local s = "x"; while true do s = s .. s end`, "text longer"},
		"doubling in pcall":            {`local s = "x"; while true do pcall(function() s = s .. s end) end`, ""},
		"many joined":                  {`local s = ("x"):rep(1e5); local t = {}; while true do t[#t+1] = s .. #t end`, "MiB"},
		"wide format":                  {`return string.format("%999999999d", 1)`, "invalid format"},
		"many formats":                 {`local s = ("%99d"):rep(10000); local t = {}; while true do t[#t+1] = string.format(s, 1) end`, ""},
		"gsub that grows":              {`local s = ("x"):rep(1000); while true do s = s:gsub(".", "%0%0%0") end`, ""},
		"table.concat":                 {`local t = {}; for i = 1, 1000 do t[i] = ("x"):rep(10000) end; return table.concat(t)`, ""},
		"pattern of many loops":        {`return (("a"):rep(5000)):find(".-.-.-.-.-.-.-b")`, "steps"},
		"nested pattern":               {`return (("a"):rep(100000)):match("(.-)(.-)(.-)%1%2%3b")`, "steps"},
		"deep pattern":                 {`return (("a"):rep(100000)):find(("a?"):rep(100000) .. "b")`, ""},
		"table of tables":              {`local t = {}; while true do t = {t} end`, "MiB"},
		"far index":                    {`local t = {}; t[60000000] = 1`, "MiB"},
		"far index by constructor":     {`local t = {[60000000] = 1}`, "MiB"},
		"far index by rawset":          {`rawset({}, 60000000, 1)`, "MiB"},
		"far index by insert":          {`table.insert({}, 60000000, 1)`, "MiB"},
		"far index through newindex":   {`local t = setmetatable({}, {__newindex = {}}); t[60000000] = 1`, "MiB"},
		"newindex of many tables":      {`local t, keep = {}, {}; for i = 1, 9000 do t[i] = i end; while true do keep[#keep+1] = {}; setmetatable(t, {__newindex = keep[#keep]}); t[9001] = 1 end`, "MiB"},
		"newindex of texts":            {`local keep = {}; while true do keep[#keep+1] = {}; getmetatable("").__newindex = keep[#keep]; local s = "x"; s[400000] = 1 end`, "MiB"},
		"values of calls":              {`local t, keep = {}, {}; for i = 1, 10000 do t[i] = i end; while true do keep[#keep+1] = {unpack(t)} end`, "MiB"},
		"values of arguments":          {`local t, keep = {}, {}; for i = 1, 10000 do t[i] = i end; local function f(...) keep[#keep+1] = {...} end; while true do f(unpack(t)) end`, "MiB"},
		"large constructors":           {`local keep = {}; while true do keep[#keep+1] = {` + strings.Repeat("k=1,", 500) + `} end`, "MiB"},
		"many names":                   {`local t, i = {}, 0; while true do i = i + 1; t["k" .. i] = i end`, ""},
		"unpack":                       {`return unpack({}, 1, 1e8)`, "registry overflow"},
		"many bytes":                   {`return (("x"):rep(1e6)):byte(1, -1)`, "registry overflow"},
		"huge error":                   {`error(("x"):rep(1e6))`, "…"},
		"huge result":                  {`local t = {}; for i = 1, 100 do t = {t, t} end; return t`, ""},
		"shared result":                {`local t = {1}; for i = 1, 50 do t = {t, t} end; return t`, ""},
		"sort that lies":               {`local t = {}; for i = 1, 1e5 do t[i] = i end; table.sort(t, function() return true end); while true do table.sort(t, function() return true end) end`, "steps"},
		"length of holes":              {`local t = {}; for i = 1, 1e6 do t[i] = i end; for i = 1e6, 2, -1 do t[i] = nil end; while true do local n = #t end`, ""},
		"tostring that calls itself":   {`local t; t = setmetatable({}, {__tostring = function() return tostring(t) end}); return tostring(t)`, ""},
		"environment without anything": {`setfenv(1, {}) while true do x = (x or "") .. "x" end`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			err := hostile(t, tt.source, nil)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %.300v, want an error with %q", err, tt.want)
			}
			if err != nil && len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			if live := int64(after.HeapInuse) - int64(before.HeapInuse); live > 512<<20 {
				t.Errorf("%d MiB in use", live>>20)
			}
		})
	}
}

// hostile runs a program within bounds of steps and memory alone, so that no slow machine decides.
func hostile(t *testing.T, source string, obj any) error {
	t.Helper()
	p, err := lua.Compile(source, "key k", true)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Run(t.Context(), lua.Bounds{Steps: 100_000, Memory: 8 << 20, Time: 5 * time.Minute}, map[string]any{"obj": obj})
	return err
}

func TestTimeEndsAProgramToo(t *testing.T) {
	p, err := lua.Compile("while true do pcall(function() while true do end end) end", "key k", false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Run(t.Context(), lua.Bounds{Steps: 1 << 60, Time: time.Millisecond}, nil)
	if err == nil || !strings.Contains(err.Error(), "longer than 1ms") {
		t.Errorf("got %v", err)
	}
}

func TestProgramsReachNothing(t *testing.T) {
	for _, name := range []string{
		"io", "debug", "package", "coroutine", "channel", "load", "loadstring", "loadfile", "dofile", "module", "newproxy", "_printregs",
		"os.execute", "os.exit", "os.getenv", "os.setenv", "os.remove", "os.rename", "os.tmpname", "os.setlocale",
	} {
		for _, open := range []bool{false, true} {
			got, err := run(t, `return type(`+name+`)`, open, nil)
			if err != nil || got != "nil" {
				t.Errorf("%s is a %v with open libraries %t (%v)", name, got, open, err)
			}
		}
	}
	for _, name := range []string{"io", "debug", "package", "coroutine", "../os", "/etc/passwd"} {
		if _, err := run(t, `return require("`+name+`")`, true, nil); err == nil {
			t.Errorf("required %s", name)
		}
	}
	for _, name := range []string{"string", "math"} {
		if got, _ := run(t, `return type(`+name+`)`, false, nil); got != "nil" {
			t.Errorf("%s is there without open libraries, which it is not in Argo CD", name)
		}
	}
}

// The operations that meter a program are in nobody's reach.
func TestMeterIsOutOfReach(t *testing.T) {
	got, err := run(t, `local n = 0
for k in pairs(_G) do if string.find(k, "%z") then n = n + 1 end end
for k in pairs(getfenv(1)) do if string.find(k, "%z") then n = n + 1 end end
return n + select("#", ...)`, true, nil)
	if err != nil || got != int64(4) {
		t.Errorf("got %v, %v: only the program's own arguments may show the operations", got, err)
	}
	_, err = run(t, `local c, a = ...; local s = "x"; while true do s = c(s, s) end`, true, nil)
	if err == nil || !strings.Contains(err.Error(), "text longer") {
		t.Errorf("got %v", err)
	}
}

func TestSourcesThatDoNotCompileEnd(t *testing.T) {
	for name, source := range map[string]string{
		"long":          strings.Repeat("x = 1\n", 100_000),
		"nested":        "return " + strings.Repeat("(", 50_000) + "1" + strings.Repeat(")", 50_000),
		"nested tables": "return " + strings.Repeat("{", 50_000) + strings.Repeat("}", 50_000),
		"blocks":        strings.Repeat("do ", 30_000) + strings.Repeat("end ", 30_000),
		"locals":        strings.Repeat("local x = 1\n", 300),
		"binary":        "\x1bLua\x51\x00",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := lua.Compile(source, "key k", true); err == nil {
				t.Error("it compiled")
			} else if len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestTooLargeAnObjectIsRefused(t *testing.T) {
	list := make([]any, 200_000)
	for i := range list {
		list[i] = map[string]any{"a": int64(i)}
	}
	err := hostile(t, `return 1`, list)
	if err == nil || !strings.Contains(err.Error(), "MiB") {
		t.Errorf("got %v", err)
	}
}

func FuzzProgram(f *testing.F) {
	for _, source := range []string{
		`return obj`, `obj.a.b[1] = nil return obj`, `return {obj.list, #obj.list, obj.n .. "x"}`, `return ("x"):gsub("(.)", "%1")`,
		`local t = {} for k, v in pairs(obj) do t[k] = v end return t`, `return string.format("%5.2f|%s|%q", 1, "a", "b")`,
		`return os.date("!%Y%j%c", 0)`, `error(obj)`, `return pcall(error, {})`, `goto x ::x:: return ("[%a]+"):find("[%a]+", 2, true)`,
	} {
		f.Add(source, true)
	}
	f.Fuzz(func(t *testing.T, source string, open bool) {
		p, err := lua.Compile(source, "key k", open)
		if err != nil {
			return
		}
		obj := map[string]any{"a": map[string]any{"b": []any{"x"}}, "list": []any{}, "n": int64(3), "null": nil}
		_, err = p.Run(t.Context(), lua.Bounds{Steps: 20_000, Memory: 4 << 20}, map[string]any{"obj": obj})
		if err != nil && len(err.Error()) > 3000 {
			t.Fatalf("an error of %d bytes", len(err.Error()))
		}
	})
}
