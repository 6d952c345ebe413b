// SPDX-License-Identifier: Apache-2.0

package object

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Glob is a compiled pattern that matches whole values.
type Glob struct{ re *regexp.Regexp }

// CompileGlob reads a pattern in the language of Argo CD's patterns: "*" stands for any text, "?" for one character,
// "[abc]" and "[a-z]" for one of those, "[!abc]" for one that is none of those, "{a,b}" for one of several patterns, and
// "\" takes the next character as it is. "*" and "?" do not match separators; "**" does.
//
// Matching takes time in proportion to the value, whoever wrote the pattern, and never panics: the library that Argo CD
// uses does neither.
func CompileGlob(pattern string, separators ...rune) (Glob, error) {
	if !utf8.ValidString(pattern) {
		return Glob{}, errors.New("it is not valid UTF-8")
	}
	if len(pattern) > maxGlob {
		return Glob{}, fmt.Errorf("it is longer than %d bytes", maxGlob)
	}
	t := globReader{rest: pattern, any: "."}
	if len(separators) > 0 {
		t.any = "[^" + regexp.QuoteMeta(string(separators)) + "]"
	}
	t.out.WriteString(`(?s)\A(?:`)
	if err := t.sequence(0); err != nil {
		return Glob{}, err
	}
	t.out.WriteString(`)\z`)
	re, err := regexp.Compile(t.out.String())
	if err != nil {
		return Glob{}, fmt.Errorf("it is too complicated: %w", err)
	}
	return Glob{re}, nil
}

// maxGlob bounds a pattern: memory for it, and the time of each match, are in proportion to its length, and a file of a
// repository may bring it.
const maxGlob = 4 << 10

// Match reports whether the pattern matches the whole value. The zero Glob matches nothing.
func (g Glob) Match(value string) bool { return g.re != nil && g.re.MatchString(value) }

// globDepth is how deep alternatives may be within each other.
const globDepth = 20

// globReader writes a pattern as a regular expression.
type globReader struct {
	rest string
	any  string // one character that is no separator
	out  strings.Builder
}

func (t *globReader) next() (rune, bool) {
	if t.rest == "" {
		return 0, false
	}
	r, size := utf8.DecodeRuneInString(t.rest)
	t.rest = t.rest[size:]
	return r, true
}

func (t *globReader) literal(r rune) { t.out.WriteString(regexp.QuoteMeta(string(r))) }

// sequence reads up to the end, or to the brace that closes the alternatives it is in.
func (t *globReader) sequence(depth int) error {
	if depth > globDepth {
		return fmt.Errorf("more than %d { within each other", globDepth)
	}
	for {
		r, ok := t.next()
		switch {
		case !ok && depth > 0:
			return errors.New("a { is not closed")
		case !ok:
			return nil
		case r == '*' && strings.HasPrefix(t.rest, "*"):
			t.rest = strings.TrimLeft(t.rest, "*")
			t.out.WriteString(".*")
		case r == '*':
			t.out.WriteString(t.any + "*")
		case r == '?':
			t.out.WriteString(t.any)
		case r == '\\':
			if r, ok = t.next(); !ok {
				return errors.New(`a \ at the end`)
			}
			t.literal(r)
		case r == '[':
			if err := t.class(); err != nil {
				return err
			}
		case r == '{':
			t.out.WriteString("(?:")
			if err := t.sequence(depth + 1); err != nil {
				return err
			}
		case r == '}' && depth == 0:
			return errors.New("a } without its {")
		case r == '}':
			t.out.WriteString(")")
			return nil
		case r == ',' && depth > 0:
			t.out.WriteString("|")
		default:
			t.literal(r)
		}
	}
}

// class reads the characters of "[…]".
func (t *globReader) class() error {
	body, rest, ok := strings.Cut(t.rest, "]")
	if !ok {
		return errors.New("a [ is not closed")
	}
	t.rest = rest
	body, negated := strings.CutPrefix(body, "!")
	runes := []rune(body)
	if len(runes) == 0 {
		return errors.New("a [] holds no character")
	}
	t.out.WriteString("[")
	if negated {
		t.out.WriteString("^")
	}
	if len(runes) == 3 && runes[1] == '-' {
		if runes[0] > runes[2] {
			return fmt.Errorf("[%s] is no range", body)
		}
		fmt.Fprintf(&t.out, `\x{%x}-\x{%x}`, runes[0], runes[2])
	} else {
		for _, r := range runes {
			fmt.Fprintf(&t.out, `\x{%x}`, r)
		}
	}
	t.out.WriteString("]")
	return nil
}
