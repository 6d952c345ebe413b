// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/itchyny/gojq"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// condition is something that holds for an object (nil if it does not exist) or not.
type condition struct {
	text  string
	holds func(u *unstructured.Unstructured) (bool, string, error)
}

// words are conditions of Applications with a name of their own.
var words = map[string]string{
	"synced": ".status.sync.status=Synced", "outofsync": ".status.sync.status=OutOfSync", "unknown": ".status.sync.status=Unknown",
	"healthy": ".status.health.status=Healthy", "progressing": ".status.health.status=Progressing", "degraded": ".status.health.status=Degraded",
	"missing": ".status.health.status=Missing", "suspended": ".status.health.status=Suspended",
	"no-conditions": ".status.conditions//[]|length=0", "no-operation": ".operation=null",
}

// prefixes are conditions of Applications that have a value.
var prefixes = map[string]string{
	"phase=": ".status.operationState.phase=", "revision=": ".status.sync.revision=", "operation=": ".status.operationState.syncResult.revision=",
	"message~": ".status.operationState.message~", "history=": ".status.history//[]|length=",
}

// parseCondition reads exists, gone, a word, condition=TYPE[:REGEXP], no-condition=TYPE, or a jq query with =, !=, ~ or
// !~ and what its output (as text; lines are joined by commas) has to be.
func parseCondition(text string) (condition, error) {
	c := condition{text: text}
	switch text {
	case "exists":
		c.holds = func(u *unstructured.Unstructured) (bool, string, error) { return u != nil, presence(u), nil }
		return c, nil
	case "gone":
		c.holds = func(u *unstructured.Unstructured) (bool, string, error) { return u == nil, presence(u), nil }
		return c, nil
	}
	full := text
	if word, ok := words[text]; ok {
		full = word
	}
	for prefix, stands := range prefixes {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			full = stands + rest
		}
	}
	if rest, ok := strings.CutPrefix(text, "no-condition="); ok {
		full = fmt.Sprintf(".status.conditions//[]|map(select(.type==%q))|length=0", rest)
	} else if rest, ok := strings.CutPrefix(text, "condition="); ok {
		kind, expression, _ := strings.Cut(rest, ":")
		full = fmt.Sprintf(".status.conditions//[]|map(select(.type==%q))|.[].message~%s", kind, expression)
	}
	query, operator, value := split(full)
	if operator == "" {
		return c, fmt.Errorf("%q is no condition: a word, or a jq query with =, !=, ~ or !~ and a value", text)
	}
	code, err := compile(query)
	if err != nil {
		return c, fmt.Errorf("%q: %w", query, err)
	}
	compare, err := comparison(operator, value)
	if err != nil {
		return c, err
	}
	c.holds = func(u *unstructured.Unstructured) (bool, string, error) {
		if u == nil {
			return false, "it does not exist", nil
		}
		found, err := evaluate(code, u)
		return err == nil && compare(found), found, err
	}
	return c, nil
}

func presence(u *unstructured.Unstructured) string {
	if u == nil {
		return "it does not exist"
	}
	return "it exists"
}

// split finds the operator that is outside of strings and brackets.
func split(text string) (query, operator, value string) {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' && (i == 0 || text[i-1] != '\\'):
			quoted = !quoted
		case quoted:
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth--
		case depth == 0 && c == '!' && i+1 < len(text):
			return text[:i], text[i : i+2], text[i+2:]
		case depth == 0 && (c == '=' || c == '~'):
			return text[:i], text[i : i+1], text[i+1:]
		}
	}
	return text, "", ""
}

func comparison(operator, value string) (func(string) bool, error) {
	switch operator {
	case "=":
		return func(found string) bool { return found == value }, nil
	case "!=":
		return func(found string) bool { return found != value }, nil
	}
	re, err := regexp.Compile("(?s)" + value)
	if err != nil {
		return nil, err
	}
	// No output at all matches nothing: what is not there says nothing.
	if operator == "~" {
		return func(found string) bool { return found != "" && re.MatchString(found) }, nil
	}
	return func(found string) bool { return !re.MatchString(found) }, nil
}

func compile(query string) (*gojq.Code, error) {
	parsed, err := gojq.Parse(query)
	if err != nil {
		return nil, err
	}
	return gojq.Compile(parsed)
}

func evaluate(code *gojq.Code, u *unstructured.Unstructured) (string, error) {
	in, err := plain(u)
	if err != nil {
		return "", err
	}
	var out []string
	for iter := code.Run(in); ; {
		v, ok := iter.Next()
		if !ok {
			return strings.Join(out, ","), nil
		}
		switch v := v.(type) {
		case error:
			return "", v
		case string:
			out = append(out, v)
		default:
			raw, err := json.Marshal(v)
			if err != nil {
				return "", err
			}
			out = append(out, string(raw))
		}
	}
}

// failing returns what each condition that does not hold found instead; nothing if all hold.
func failing(conditions []condition, u *unstructured.Unstructured) []string {
	var out []string
	for _, c := range conditions {
		holds, found, err := c.holds(u)
		if err != nil {
			found = err.Error()
		}
		if !holds {
			out = append(out, fmt.Sprintf("%s, but it is %q", c.text, found))
		}
	}
	return slices.Clip(out)
}
