// SPDX-License-Identifier: Apache-2.0

package links

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/scanner"
)

// Condition evaluates an expression over things: the part of the language of expr-lang.org that conditions of links are written
// in. Fields are reached by dots or brackets, and one that is not there is nil; there are texts, numbers, true, false and nil;
// lists in brackets; == != < <= > >=, in, contains, startsWith, endsWith, matches; and or not (&& || !), ?? and len().
func Condition(text string, things map[string]any) (any, error) {
	if len(text) > maxCondition {
		return nil, fmt.Errorf("its condition is longer than %d bytes", maxCondition)
	}
	p := &parser{things: things}
	p.scan.Init(strings.NewReader(text))
	p.scan.Mode = scanner.ScanIdents | scanner.ScanInts | scanner.ScanFloats | scanner.ScanStrings | scanner.ScanRawStrings
	p.scan.Error = func(_ *scanner.Scanner, message string) { p.fail(errors.New(message)) }
	p.next()
	value := p.either()
	if p.err == nil && p.token != scanner.EOF {
		p.fail(fmt.Errorf("%q is not expected there", p.text))
	}
	if p.err != nil {
		return nil, fmt.Errorf("its condition cannot be evaluated, at character %d: %w", p.scan.Position.Offset+1, p.err)
	}
	return value, nil
}

const (
	maxCondition = 4 << 10
	maxNesting   = 50
)

// parser reads an expression and evaluates it at once.
type parser struct {
	things map[string]any
	scan   scanner.Scanner
	token  rune
	text   string
	depth  int
	err    error // the first
}

func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *parser) next() {
	if p.err != nil {
		p.token, p.text = scanner.EOF, ""
		return
	}
	p.token = p.scan.Scan()
	p.text = p.scan.TokenText()
	if p.token == '\'' {
		p.token, p.text = scanner.String, p.quoted()
		return
	}
	// Operators of two characters.
	if second := p.scan.Peek(); strings.ContainsRune("=!<>&|?", p.token) && (second == '=' || p.token == second && second != '=' || p.token == '?' && second == '.') {
		p.scan.Next()
		p.text += string(second)
	}
	if p.token == scanner.String || p.token == scanner.RawString {
		plain, err := strconv.Unquote(p.text)
		if err != nil {
			p.fail(errors.New("a text does not end"))
		}
		p.token, p.text = scanner.String, plain
	}
}

// quoted reads the rest of a text in single quotes.
func (p *parser) quoted() string {
	var out strings.Builder
	for {
		switch c := p.scan.Next(); c {
		case scanner.EOF, '\n':
			p.fail(errors.New("a text does not end"))
			return ""
		case '\'':
			return out.String()
		case '\\':
			out.WriteRune(p.scan.Next())
		default:
			out.WriteRune(c)
		}
	}
}

// is reports whether the next token is one of these, which are no texts.
func (p *parser) is(tokens ...string) bool {
	if p.token == scanner.String || p.token == scanner.EOF {
		return false
	}
	for _, one := range tokens {
		if p.text == one {
			return true
		}
	}
	return false
}

func (p *parser) take(tokens ...string) bool {
	if !p.is(tokens...) {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(text string) {
	if !p.take(text) {
		p.fail(fmt.Errorf("%q is missing", text))
	}
}

func (p *parser) either() any {
	if p.depth++; p.depth > maxNesting {
		p.fail(errors.New("it is nested too deeply"))
	}
	defer func() { p.depth-- }()
	left := p.both()
	for p.take("||", "or") {
		right := p.both()
		left = p.truth(left) || p.truth(right)
	}
	return left
}

func (p *parser) both() any {
	left := p.negated()
	for p.take("&&", "and") {
		right := p.negated()
		left = p.truth(left) && p.truth(right)
	}
	return left
}

func (p *parser) negated() any {
	negations := 0
	for p.take("!", "not") {
		negations++
	}
	value := p.compared()
	if negations == 0 {
		return value
	}
	return p.truth(value) == (negations%2 == 0)
}

// truth is what something is that has to be true or false. What is not there is false.
func (p *parser) truth(value any) bool {
	switch v := value.(type) {
	case bool:
		return v
	case nil:
		return false
	}
	p.fail(fmt.Errorf("%v is neither true nor false", value))
	return false
}

func (p *parser) compared() any {
	left := p.orElse()
	for {
		operator := p.text
		switch {
		case p.take("==", "!=", "<", "<=", ">", ">=", "in", "contains", "startsWith", "endsWith", "matches"):
			left = p.compare(operator, left, p.orElse())
		case p.is("not"): // not in, not contains …
			p.next()
			operator = p.text
			p.next()
			left = !p.truth(p.compare(operator, left, p.orElse()))
		default:
			return left
		}
	}
}

func (p *parser) orElse() any {
	left := p.reached()
	for p.take("??") {
		if right := p.reached(); left == nil {
			left = right
		}
	}
	return left
}

// reached is a value and what is reached from it by dots and brackets.
func (p *parser) reached() any {
	value := p.value()
	for p.err == nil {
		switch {
		case p.take(".", "?."):
			name := p.text
			if p.token != scanner.Ident {
				p.fail(errors.New("a name is missing behind a dot"))
			}
			p.next()
			value = member(value, name)
		case p.take("["):
			key := p.either()
			p.expect("]")
			value = member(value, key)
		default:
			return value
		}
	}
	return nil
}

func member(of, key any) any {
	switch v := of.(type) {
	case map[string]any:
		if name, ok := key.(string); ok {
			return v[name]
		}
	case []any:
		if n, ok := number(key); ok && n >= 0 && int(n) < len(v) {
			return v[int(n)]
		}
	}
	return nil
}

func (p *parser) value() any {
	token, text := p.token, p.text
	p.next()
	switch token {
	case scanner.String:
		return text
	case scanner.Int, scanner.Float:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			p.fail(err)
		}
		return n
	case scanner.Ident:
		return p.named(text)
	case '(':
		value := p.either()
		p.expect(")")
		return value
	case '[':
		return p.list()
	case scanner.EOF:
		p.fail(errors.New("it ends too early"))
	default:
		p.fail(fmt.Errorf("%q is not expected there", text))
	}
	return nil
}

func (p *parser) list() any {
	out := []any{}
	for p.err == nil && !p.take("]") {
		out = append(out, p.either())
		if !p.is("]") {
			p.expect(",")
		}
	}
	return out
}

func (p *parser) named(name string) any {
	switch name {
	case "true", "false":
		return name == "true"
	case "nil", "null":
		return nil
	case "len":
		p.expect("(")
		value := p.either()
		p.expect(")")
		return float64(length(value))
	}
	value, ok := p.things[name]
	if !ok && !slices.Contains(absent, name) {
		p.fail(fmt.Errorf("there is no %q", name))
	}
	return value
}

// absent are names of values that not every place of a link has.
var absent = []string{"app", "application", "resource", "cluster", "project", "managedByURL"}

func length(value any) int {
	switch v := value.(type) {
	case string:
		return len(v)
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	}
	return 0
}
