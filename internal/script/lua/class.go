// SPDX-License-Identifier: Apache-2.0

package lua

// classEnd is where the class that begins at p ends: a character, an escape or a set.
func (t *matching) classEnd(p int) int {
	c := t.pattern[p]
	p++
	switch c {
	case '%':
		if p >= len(t.pattern) {
			t.wrong("it ends in %")
		}
		return p + 1
	case '[':
		if p < len(t.pattern) && t.pattern[p] == '^' {
			p++
		}
		for first := true; ; first = false {
			switch {
			case p >= len(t.pattern):
				t.wrong("a [ is not closed")
			case t.pattern[p] == ']' && !first:
				return p + 1
			case t.pattern[p] == '%':
				p++
			}
			p++
		}
	}
	return p
}

// single reports whether the character at s is of the class from p to end.
func (t *matching) single(s, p, end int) bool {
	if s >= len(t.text) {
		return false
	}
	c := t.text[s]
	switch t.pattern[p] {
	case '.':
		return true
	case '%':
		return inClass(c, t.pattern[p+1])
	case '[':
		return t.inSet(c, p, end-1)
	}
	return t.pattern[p] == c
}

// inSet reports whether the character is in the set from the [ at p to the ] at last.
func (t *matching) inSet(c byte, p, last int) bool {
	t.meter.work(t.L, 1+(last-p)/clockEvery)
	p++
	in := true
	if t.pattern[p] == '^' {
		in = false
		p++
	}
	for ; p < last; p++ {
		switch {
		case t.pattern[p] == '%':
			p++
			if inClass(c, t.pattern[p]) {
				return in
			}
		case p+2 < last && t.pattern[p+1] == '-':
			if t.pattern[p] <= c && c <= t.pattern[p+2] {
				return in
			}
			p += 2
		case t.pattern[p] == c:
			return in
		}
	}
	return !in
}

// inClass reports whether the character is of the class that a letter after % names; an upper-case letter names the
// others. Any other character stands for itself.
func inClass(c, class byte) bool {
	var in bool
	switch class | 0x20 {
	case 'a':
		in = isLetter(c)
	case 'c':
		in = c < 0x20 || c == 0x7f
	case 'd':
		in = isDigit(c)
	case 'l':
		in = c >= 'a' && c <= 'z'
	case 'p':
		in = c > 0x20 && c < 0x7f && !isLetter(c) && !isDigit(c)
	case 's':
		in = c == ' ' || c >= '\t' && c <= '\r'
	case 'u':
		in = c >= 'A' && c <= 'Z'
	case 'w':
		in = isLetter(c) || isDigit(c)
	case 'x':
		in = isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f'
	case 'z':
		in = c == 0
	default:
		return class == c
	}
	if !isLetter(class) {
		return class == c
	}
	return in == (class >= 'a')
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
