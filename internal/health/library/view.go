// SPDX-License-Identifier: Apache-2.0

package library

import (
	"fmt"
	"strconv"
	"strings"
)

// view is an object as tests see it, or one entry of a list in it: then the conditions are the entry's.
type view struct {
	obj        map[string]any
	entry      any
	status     map[string]any
	conditions []any
	generation int64
}

func viewOf(obj map[string]any) *view {
	v := &view{obj: obj}
	v.status, _ = obj["status"].(map[string]any)
	v.conditions, _ = v.status["conditions"].([]any)
	metadata, _ := obj["metadata"].(map[string]any)
	v.generation, _ = integer(metadata["generation"])
	return v
}

// of returns the view of an entry.
func (v *view) of(entry any) *view {
	e := *v
	e.entry = entry
	fields, _ := entry.(map[string]any)
	e.conditions, _ = fields["conditions"].([]any)
	return &e
}

// condition returns the entry of a type; nil if there is none.
func (v *view) condition(kind string) map[string]any {
	for _, entry := range v.conditions {
		if c, ok := entry.(map[string]any); ok && c["type"] == kind {
			return c
		}
	}
	return nil
}

// anyBehind reports whether a condition is of an older generation.
func (v *view) anyBehind() bool {
	for _, entry := range v.conditions {
		c, _ := entry.(map[string]any)
		if seen, ok := integer(c["observedGeneration"]); ok && seen < v.generation {
			return true
		}
	}
	return false
}

// number returns the number at a path, 0 if there is none.
func (v *view) number(p path) float64 {
	value, _ := p.in(v)
	switch n := value.(type) {
	case int64:
		return float64(n)
	case float64:
		return n
	}
	return 0
}

func (v *view) operand(o operand) float64 {
	if o.field != nil {
		return v.number(o.field)
	}
	return o.number
}

func parseOperand(text string) (o operand, err error) {
	if isField(text) {
		o.field, err = parsePath(text)
		return o, err
	}
	o.number, err = strconv.ParseFloat(text, 64)
	return o, err
}

// path leads to a field.
type path []string

func isField(text string) bool {
	root, _, _ := strings.Cut(text, ".")
	return root == "spec" || root == "status" || root == "metadata" || root == "entry"
}

// parsePath reads "a.b[c.d/e].f".
func parsePath(text string) (path, error) {
	var out path
	for text != "" {
		name, rest := text, ""
		if inside, ok := strings.CutPrefix(text, "["); ok {
			if name, rest, ok = strings.Cut(inside, "]"); !ok {
				return nil, fmt.Errorf("a bracket is not closed")
			}
		} else if i := strings.IndexAny(text, ".["); i >= 0 {
			name, rest = text[:i], text[i:]
		}
		if name == "" {
			return nil, fmt.Errorf("a name is empty")
		}
		out = append(out, name)
		text = strings.TrimPrefix(rest, ".")
	}
	return out, nil
}

func (p path) in(v *view) (any, bool) {
	var at any = v.obj
	if p[0] == "entry" {
		at, p = v.entry, p[1:]
	}
	for _, name := range p {
		fields, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		if at, ok = fields[name]; !ok || at == nil {
			return nil, false
		}
	}
	return at, true
}

func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case float64:
		return int64(n), true
	case string: // some kinds write their observed generation as text
		i, err := strconv.ParseInt(n, 10, 64)
		return i, err == nil
	}
	return 0, false
}

func word(fields map[string]any, name string) string {
	s, _ := fields[name].(string)
	return s
}

// text returns a scalar as it stands in a file; "" for lists and objects.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// empty reports whether a value is text or a list without anything in it. An object without fields is something: it was asked for.
func empty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	}
	return false
}
