// SPDX-License-Identifier: Apache-2.0

package links

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

func (p *parser) compare(operator string, left, right any) any {
	switch operator {
	case "==":
		return same(left, right)
	case "!=":
		return !same(left, right)
	case "in":
		return within(left, right)
	case "<", "<=", ">", ">=":
		return p.ordered(operator, left, right)
	}
	l, lok := left.(string)
	r, rok := right.(string)
	if left == nil {
		return false
	}
	if !lok || !rok {
		p.fail(fmt.Errorf("%s is for texts", operator))
		return false
	}
	switch operator {
	case "contains":
		return strings.Contains(l, r)
	case "startsWith":
		return strings.HasPrefix(l, r)
	case "endsWith":
		return strings.HasSuffix(l, r)
	case "matches":
		pattern, err := regexp.Compile(r)
		if err != nil {
			p.fail(err)
			return false
		}
		return pattern.MatchString(l)
	}
	p.fail(fmt.Errorf("%q is no operator", operator))
	return false
}

func same(left, right any) bool {
	if l, ok := number(left); ok {
		r, ok := number(right)
		return ok && l == r
	}
	return reflect.DeepEqual(left, right)
}

func number(value any) (float64, bool) {
	switch v := value.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case int:
		return float64(v), true
	}
	return 0, false
}

// within reports whether a list has an element, or a map a key.
func within(left, right any) bool {
	switch r := right.(type) {
	case []any:
		for _, one := range r {
			if same(left, one) {
				return true
			}
		}
	case map[string]any:
		key, ok := left.(string)
		_, has := r[key]
		return ok && has
	}
	return false
}

func (p *parser) ordered(operator string, left, right any) bool {
	l, lok := number(left)
	r, rok := number(right)
	if !lok || !rok {
		ls, lok := left.(string)
		rs, rok := right.(string)
		if !lok || !rok {
			p.fail(fmt.Errorf("%s is for two numbers or two texts", operator))
			return false
		}
		l, r = float64(strings.Compare(ls, rs)), 0
	}
	switch operator {
	case "<":
		return l < r
	case "<=":
		return l <= r
	case ">":
		return l > r
	default:
		return l >= r
	}
}
