// SPDX-License-Identifier: Apache-2.0

package lua

import (
	"fmt"
	"strconv"
	"strings"

	glua "github.com/yuin/gopher-lua"
)

// stringFunctions are our own of the library string: those of GopherLua make texts of any size, and match patterns for
// any length of time. The others (byte, char, len, sub) are GopherLua's.
func (m *meter) stringFunctions() map[string]glua.LGFunction {
	return map[string]glua.LGFunction{
		"rep":     m.stringRep,
		"format":  m.stringFormat,
		"lower":   m.changed(strings.ToLower),
		"upper":   m.changed(strings.ToUpper),
		"reverse": m.changed(reversed),
		"find":    m.stringFind,
		"match":   m.stringMatch,
		"gmatch":  m.stringGmatch,
		"gfind":   m.stringGmatch,
		"gsub":    m.stringGsub,
	}
}

func (m *meter) changed(change func(string) string) glua.LGFunction {
	return func(L *glua.LState) int {
		text := L.CheckString(1)
		m.text(L, len(text))
		L.Push(glua.LString(change(text)))
		return 1
	}
}

func reversed(text string) string {
	out := make([]byte, len(text))
	for i := range len(text) {
		out[len(text)-1-i] = text[i]
	}
	return string(out)
}

func (m *meter) stringRep(L *glua.LState) int {
	text, n := L.CheckString(1), L.CheckInt(2)
	if n <= 0 || text == "" {
		L.Push(glua.LString(""))
		return 1
	}
	if n > maxString {
		m.text(L, maxString+1)
	}
	m.text(L, len(text)*n)
	L.Push(glua.LString(strings.Repeat(text, n)))
	return 1
}

// stringFormat knows the verbs of Lua 5.1, with widths and precisions of at most two digits, as Lua has.
func (m *meter) stringFormat(L *glua.LState) int {
	format := L.CheckString(1)
	var out strings.Builder
	arg := 1
	for {
		before, rest, found := strings.Cut(format, "%")
		out.WriteString(before)
		if !found {
			break
		}
		if after, ok := strings.CutPrefix(rest, "%"); ok {
			out.WriteByte('%')
			format = after
			continue
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return !strings.ContainsRune("-+ #0123456789.", r) })
		if end < 0 || !plausible(rest[:end]) {
			L.RaiseError("invalid format: a verb without its letter, or a width or precision of more than two digits")
		}
		arg++
		out.WriteString(formatted(L, rest[:end], rest[end], arg))
		m.work(L, 1)
		m.text(L, out.Len())
		format = rest[end+1:]
	}
	m.text(L, out.Len())
	L.Push(glua.LString(out.String()))
	return 1
}

// plausible reports whether the flags, width and precision of a verb are within what Lua allows.
func plausible(spec string) bool {
	width, precision, _ := strings.Cut(strings.TrimLeft(spec, "-+ #0"), ".")
	_, errWidth := strconv.Atoi("0" + width)
	_, errPrecision := strconv.Atoi("0" + precision)
	return len(spec) < 10 && len(width) <= 2 && len(precision) <= 2 && errWidth == nil && errPrecision == nil
}

func formatted(L *glua.LState, spec string, verb byte, arg int) string {
	switch verb {
	case 's':
		return fmt.Sprintf("%"+spec+"s", L.ToStringMeta(L.CheckAny(arg)).String())
	case 'q':
		return quoted(L.CheckString(arg))
	case 'd', 'i', 'u':
		return fmt.Sprintf("%"+spec+"d", int64(L.CheckNumber(arg)))
	case 'c', 'o', 'x', 'X':
		return fmt.Sprintf("%"+spec+string(verb), int64(L.CheckNumber(arg)))
	case 'e', 'E', 'f', 'g', 'G':
		return fmt.Sprintf("%"+spec+string(verb), float64(L.CheckNumber(arg)))
	}
	L.RaiseError("invalid format: no verb %%%c", verb)
	return ""
}

// quoted writes a text so that Lua reads it back.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", "\\\n", "\r", `\r`, "\x00", `\000`).Replace(text) + `"`
}

func (m *meter) stringFind(L *glua.LState) int {
	text, pattern := L.CheckString(1), L.CheckString(2)
	start := offset(text, L.OptInt(3, 1))
	if start > len(text) {
		L.Push(glua.LNil)
		return 1
	}
	if L.ToBool(4) {
		i := strings.Index(text[start:], pattern)
		m.work(L, len(text)/clockEvery)
		if i < 0 {
			L.Push(glua.LNil)
			return 1
		}
		L.Push(glua.LNumber(start + i + 1))
		L.Push(glua.LNumber(start + i + len(pattern)))
		return 2
	}
	found := m.search(L, text, pattern, start)
	if found == nil {
		L.Push(glua.LNil)
		return 1
	}
	L.Push(glua.LNumber(found.start + 1))
	L.Push(glua.LNumber(found.end))
	return 2 + found.push(L, false)
}

func (m *meter) stringMatch(L *glua.LState) int {
	text, pattern := L.CheckString(1), L.CheckString(2)
	start := offset(text, L.OptInt(3, 1))
	if start <= len(text) {
		if found := m.search(L, text, pattern, start); found != nil {
			return found.push(L, true)
		}
	}
	L.Push(glua.LNil)
	return 1
}

// offset turns an index of Lua's, which begins with 1 and counts from the end if it is negative, into one of Go's.
func offset(text string, index int) int {
	if index < 0 {
		index = max(0, len(text)+index+1)
	}
	return max(0, index-1)
}

func (m *meter) stringGmatch(L *glua.LState) int {
	text, pattern := L.CheckString(1), L.CheckString(2)
	next := 0
	L.Push(L.NewFunction(func(L *glua.LState) int {
		if next > len(text) {
			return 0
		}
		found := m.search(L, text, pattern, next)
		if found == nil {
			next = len(text) + 1
			return 0
		}
		next = found.end
		if found.end == found.start {
			next++
		}
		return found.push(L, true)
	}))
	return 1
}

func (m *meter) stringGsub(L *glua.LState) int {
	text, pattern := L.CheckString(1), L.CheckString(2)
	L.CheckTypes(3, glua.LTString, glua.LTNumber, glua.LTTable, glua.LTFunction)
	replacement, limit := L.Get(3), L.OptInt(4, len(text)+1)
	anchored := strings.HasPrefix(pattern, "^")
	var out strings.Builder
	position, n := 0, 0
	for n < limit && position <= len(text) {
		found := m.search(L, text, pattern, position)
		if found == nil {
			break
		}
		n++
		out.WriteString(text[position:found.start])
		out.WriteString(found.replaced(L, replacement))
		position = found.end
		if found.end == found.start {
			if position < len(text) {
				out.WriteByte(text[position])
			}
			position++
		}
		m.text(L, out.Len())
		if anchored {
			break
		}
	}
	if position < len(text) {
		out.WriteString(text[position:])
	}
	m.text(L, out.Len())
	L.Push(glua.LString(out.String()))
	L.Push(glua.LNumber(n))
	return 2
}
