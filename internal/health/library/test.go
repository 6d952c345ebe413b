// SPDX-License-Identifier: Apache-2.0

package library

import (
	"fmt"
	"slices"
	"strings"
)

// test is one sentence about an object:
//
//	behind                  status.observedGeneration is there and older than metadata.generation
//	unseen                  status.observedGeneration is not there, or older than metadata.generation
//	Ready behind            so for the observedGeneration of that condition; of any condition: * behind
//	!behind                 not so; ! stands in front of the other two as well
//	Ready, !Ready           there is a condition of that type; there is none
//	Ready=False,Unknown     its status is one of these; != it is not there, or another
//	Ready=False:Err*,Oops   … and its reason is one of these, "*" at the end stands for anything
//	status.phase            that field has a value that is not empty (in metadata: any value); ! in front: it has none
//	status.phase=A,Err*     its value is one of these; != it is not there, or another
//	status.ready<spec.size  as numbers, what is not there is 0; the right side may be a number; also >
//
// What begins with "spec", "status" or "metadata" is a field, a name with dots stands in brackets:
// metadata.annotations[example.com/paused]. In a test of a list's entries, "entry" is the entry, and conditions are its own.
type test struct {
	op        op
	not       bool
	condition string   // type of the condition that it is about; "" for a field
	field     path     // the field that it is about
	values    []string // statuses, or values
	reasons   []string
	right     operand
}

type op int

const (
	present op = iota
	equal
	less
	greater
	behind
	unseen
)

// operand is the right side of a comparison of numbers.
type operand struct {
	field  path
	number float64
}

func parseTests(texts []string) ([]test, error) {
	var out []test
	for _, text := range texts {
		t, err := parseTest(text)
		if err != nil {
			return nil, fmt.Errorf("test %q: %w", text, err)
		}
		out = append(out, t)
	}
	return out, nil
}

func parseTest(text string) (t test, err error) {
	bare, not := strings.CutPrefix(text, "!")
	switch bare {
	case "behind":
		return test{op: behind, not: not}, nil
	case "unseen":
		return test{op: unseen, not: not}, nil
	}
	if kind, ok := strings.CutSuffix(bare, " behind"); ok {
		return test{op: behind, not: not, condition: kind}, nil
	}
	subject, rest := text, ""
	if i := operatorAt(text); i >= 0 {
		subject, rest = text[:i], text[i:]
	}
	if subject, t.not = strings.CutPrefix(subject, "!"); t.not && rest != "" {
		return t, fmt.Errorf("both ! and a comparison")
	}
	if isField(subject) {
		t.field, err = parsePath(subject)
	} else {
		t.condition = subject
	}
	if err == nil && subject == "" {
		err = fmt.Errorf("nothing to the left")
	}
	if err != nil || rest == "" {
		return t, err
	}
	return t, t.compare(rest)
}

// operatorAt returns where the comparison begins, behind names in brackets; -1 if there is none.
func operatorAt(text string) int {
	depth := 0
	for i, r := range text {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		case '=', '<', '>':
			if depth == 0 {
				return i
			}
		case '!':
			if depth == 0 && i > 0 {
				return i
			}
		}
	}
	return -1
}

// compare reads an operator and its right side.
func (t *test) compare(text string) (err error) {
	switch text[0] {
	case '<', '>':
		t.op = map[byte]op{'<': less, '>': greater}[text[0]]
		if t.condition != "" {
			return fmt.Errorf("a condition is not a number")
		}
		t.right, err = parseOperand(text[1:])
		return err
	case '!':
		t.not = true
		text = text[1:]
	}
	right, ok := strings.CutPrefix(text, "=")
	if !ok || right == "" {
		return fmt.Errorf("want = or != and a value")
	}
	t.op = equal
	if t.condition != "" {
		var reasons string
		if right, reasons, ok = strings.Cut(right, ":"); ok {
			t.reasons = strings.Split(reasons, ",")
		}
	}
	t.values = strings.Split(right, ",")
	for _, pattern := range slices.Concat(t.values, t.reasons) {
		if strings.Contains(strings.TrimSuffix(pattern, "*"), "*") {
			return fmt.Errorf("%q: * stands only at the end", pattern)
		}
	}
	return nil
}

func (t *test) holds(v *view) bool { return t.says(v) != t.not }

func (t *test) says(v *view) bool {
	switch t.op {
	case behind, unseen:
		return t.isBehind(v)
	case less:
		return v.number(t.field) < v.operand(t.right)
	case greater:
		return v.number(t.field) > v.operand(t.right)
	}
	if t.condition == "" {
		return t.ofField(v)
	}
	c := v.condition(t.condition)
	if c == nil {
		return false
	}
	if t.op == present {
		return true
	}
	return slices.Contains(t.values, word(c, "status")) && (t.reasons == nil || slices.ContainsFunc(t.reasons, func(pattern string) bool {
		return like(pattern, word(c, "reason"))
	}))
}

func (t *test) isBehind(v *view) bool {
	at := v.status
	switch t.condition {
	case "":
	case "*":
		return v.anyBehind()
	default:
		at = v.condition(t.condition)
	}
	seen, ok := integer(at["observedGeneration"])
	if !ok {
		return t.op == unseen
	}
	return seen < v.generation
}

func (t *test) ofField(v *view) bool {
	value, ok := t.field.in(v)
	if t.op == present { // a label or annotation may be there for its name alone
		return ok && (!empty(value) || t.field[0] == "metadata")
	}
	if !ok {
		return false
	}
	got := text(value)
	return slices.ContainsFunc(t.values, func(pattern string) bool { return like(pattern, got) })
}

func like(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}
