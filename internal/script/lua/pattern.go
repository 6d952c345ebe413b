// SPDX-License-Identifier: Apache-2.0

package lua

import (
	"strings"

	glua "github.com/yuin/gopher-lua"
)

// maxCaptures and maxBacktracks are Lua's own limit of captures, and how deep one match may go before it gives up.
const (
	maxCaptures   = 32
	maxBacktracks = 5_000
)

// found is where a pattern (Lua 5.1 reference manual, 5.4.1) matches.
type found struct {
	text       string
	start, end int
	captures   []capture
}

// capture is a part of a match. A length of position means that it is the place itself.
type capture struct{ start, length int }

const (
	unclosed = -1
	position = -2
)

// search returns the first match that begins at start or later, nil if there is none.
func (m *meter) search(L *glua.LState, text, pattern string, start int) *found {
	rest, anchored := strings.CutPrefix(pattern, "^")
	for ; start <= len(text); start++ {
		at := &matching{L: L, meter: m, text: text, pattern: rest}
		if end := at.match(start, 0); end >= 0 {
			return &found{text: text, start: start, end: end, captures: at.captures}
		}
		if anchored {
			break
		}
	}
	return nil
}

// value is a capture as a value; without captures the first is the whole match.
func (f *found) value(L *glua.LState, i int) glua.LValue {
	if i == 0 && len(f.captures) == 0 {
		return glua.LString(f.text[f.start:f.end])
	}
	if i >= len(f.captures) {
		L.RaiseError("invalid capture index %%%d", i+1)
	}
	c := f.captures[i]
	switch c.length {
	case position:
		return glua.LNumber(c.start + 1)
	case unclosed:
		L.RaiseError("unfinished capture")
	}
	return glua.LString(f.text[c.start : c.start+c.length])
}

// push pushes all captures, or the whole match if there are none and whole asks for it.
func (f *found) push(L *glua.LState, whole bool) int {
	n := len(f.captures)
	if n == 0 && whole {
		n = 1
	}
	for i := range n {
		L.Push(f.value(L, i))
	}
	return n
}

// replaced is what gsub writes in the place of a match.
func (f *found) replaced(L *glua.LState, by glua.LValue) string {
	whole := f.text[f.start:f.end]
	var value glua.LValue
	switch by := by.(type) {
	case *glua.LTable:
		value = L.GetTable(by, f.value(L, 0))
	case *glua.LFunction:
		L.Push(by)
		L.Call(f.push(L, true), 1)
		value = L.Get(-1)
		L.Pop(1)
	default:
		return f.template(L, glua.LVAsString(by))
	}
	if !glua.LVAsBool(value) {
		return whole
	}
	if !glua.LVCanConvToString(value) {
		L.RaiseError("invalid replacement value (a %s)", value.Type())
	}
	return glua.LVAsString(value)
}

// template fills %0 to %9 of a replacement.
func (f *found) template(L *glua.LState, text string) string {
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "%")
		out.WriteString(before)
		if !ok || rest == "" {
			return out.String()
		}
		switch c := rest[0]; {
		case c == '0':
			out.WriteString(f.text[f.start:f.end])
		case c >= '1' && c <= '9':
			out.WriteString(glua.LVAsString(f.value(L, int(c-'1'))))
		default:
			out.WriteByte(c)
		}
		if out.Len() > maxString {
			L.RaiseError("a text longer than %d bytes", maxString)
		}
		text = rest[1:]
	}
}

// matching is one try to match at one place.
type matching struct {
	L             *glua.LState
	meter         *meter
	text, pattern string
	captures      []capture
	depth         int
}

const none = -1 // no match

func (t *matching) wrong(what string) { t.L.RaiseError("malformed pattern (%s)", what) }

// match returns where the match of the pattern from p on ends that begins at s, or none.
func (t *matching) match(s, p int) int {
	t.depth++
	defer func() { t.depth-- }()
	if t.depth > maxBacktracks {
		t.L.RaiseError("the pattern is too complex for this text")
	}
	for final := false; !final && s != none && p < len(t.pattern); {
		t.meter.work(t.L, 1)
		s, p, final = t.step(s, p)
	}
	return s
}

// step matches one item of the pattern at p and returns what follows it, s being none if it does not match. If it is
// final the rest of the pattern is matched too.
func (t *matching) step(s, p int) (next, rest int, final bool) {
	var escaped byte
	if t.pattern[p] == '%' && p+1 < len(t.pattern) {
		escaped = t.pattern[p+1]
	}
	switch {
	case t.pattern[p] == '(':
		return t.open(s, p), 0, true
	case t.pattern[p] == ')':
		return t.close(s, p), 0, true
	case escaped == 'b':
		return t.balanced(s, p+2), p + 4, false
	case escaped == 'f':
		return t.frontier(s, p+2)
	case escaped >= '0' && escaped <= '9':
		return t.again(s, int(escaped)-'1'), p + 2, false
	case t.pattern[p] == '$' && p+1 == len(t.pattern) && s == len(t.text):
		return s, p + 1, false
	case t.pattern[p] == '$' && p+1 == len(t.pattern):
		return none, 0, true
	}
	return t.repeated(s, p)
}

// repeated matches a class and what follows it about how often.
func (t *matching) repeated(s, p int) (next, rest int, final bool) {
	end := t.classEnd(p)
	var suffix byte
	if end < len(t.pattern) {
		suffix = t.pattern[end]
	}
	here := t.single(s, p, end)
	switch suffix {
	case '?':
		if here {
			if to := t.match(s+1, end+1); to != none {
				return to, 0, true
			}
		}
		return s, end + 1, false
	case '*':
		return t.most(s, p, end), 0, true
	case '-':
		return t.least(s, p, end), 0, true
	}
	switch {
	case !here:
		return none, 0, true
	case suffix == '+':
		return t.most(s+1, p, end), 0, true
	}
	return s + 1, end, false
}

// most matches the class as often as it can, and less often where the rest asks for it.
func (t *matching) most(s, p, next int) int {
	first := s
	for t.single(s, p, next) {
		t.meter.work(t.L, 1)
		s++
	}
	for ; s >= first; s-- {
		kept := len(t.captures)
		if end := t.match(s, next+1); end != none {
			return end
		}
		t.captures = t.captures[:kept]
	}
	return none
}

// least matches the class as seldom as it can.
func (t *matching) least(s, p, next int) int {
	for {
		if end := t.match(s, next+1); end != none {
			return end
		}
		if !t.single(s, p, next) {
			return none
		}
		s++
	}
}

func (t *matching) open(s, p int) int {
	if len(t.captures) >= maxCaptures {
		t.wrong("too many captures")
	}
	length, next := unclosed, p+1
	if next < len(t.pattern) && t.pattern[next] == ')' {
		length, next = position, next+1
	}
	t.captures = append(t.captures, capture{s, length})
	kept := len(t.captures) - 1
	end := t.match(s, next)
	if end == none {
		t.captures = t.captures[:kept]
	}
	return end
}

func (t *matching) close(s, p int) int {
	for i := len(t.captures) - 1; i >= 0; i-- {
		if t.captures[i].length != unclosed {
			continue
		}
		t.captures[i].length = s - t.captures[i].start
		end := t.match(s, p+1)
		if end == none {
			t.captures[i].length = unclosed
		}
		return end
	}
	t.wrong("a ) that closes nothing")
	return none
}

// balanced matches %bxy: from an x to the y that closes it.
func (t *matching) balanced(s, p int) int {
	if p+1 >= len(t.pattern) {
		t.wrong("%b needs two characters")
	}
	if s >= len(t.text) || t.text[s] != t.pattern[p] {
		return none
	}
	depth := 1
	for i := s + 1; i < len(t.text); i++ {
		t.meter.work(t.L, 1)
		switch t.text[i] {
		case t.pattern[p+1]:
			if depth--; depth == 0 {
				return i + 1
			}
		case t.pattern[p]:
			depth++
		}
	}
	return none
}

// frontier matches %f[set]: nothing, where a character of the set follows one that is not.
func (t *matching) frontier(s, p int) (next, rest int, final bool) {
	if p >= len(t.pattern) || t.pattern[p] != '[' {
		t.wrong("%f needs a set")
	}
	end := t.classEnd(p)
	var before, after byte
	if s > 0 {
		before = t.text[s-1]
	}
	if s < len(t.text) {
		after = t.text[s]
	}
	if t.inSet(before, p, end-1) || !t.inSet(after, p, end-1) {
		return none, 0, true
	}
	return s, end, false
}

// again matches what a capture holds.
func (t *matching) again(s, i int) int {
	if i < 0 || i >= len(t.captures) || t.captures[i].length < 0 {
		t.wrong("a reference to no capture")
	}
	c := t.captures[i]
	part := t.text[c.start : c.start+c.length]
	t.meter.work(t.L, 1+len(part)/clockEvery)
	if !strings.HasPrefix(t.text[s:], part) {
		return none
	}
	return s + len(part)
}
