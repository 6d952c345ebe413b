// SPDX-License-Identifier: Apache-2.0

package access

import (
	"regexp"
	"strings"

	"github.com/bowline-cd/bowline/internal/object"
)

// MatchMode says in which language the lines of a policy name resources, actions and objects.
type MatchMode string

// The values of policy.matchMode.
const (
	// MatchGlob: patterns in which "*" stands for any text, "/" included. It is the default.
	MatchGlob MatchMode = "glob"
	// MatchRegex: regular expressions that may match anywhere in the value.
	MatchRegex MatchMode = "regex"
)

// term is one column of a policy line.
type term struct {
	match matcher
	// literal is the value if only one can match; fixed says so.
	literal string
	fixed   bool
	// head is what every match begins with; "" if that is not known.
	head string
}

// stars is a glob whose only special character is "*": the texts between the stars, which have to come in this order.
type stars []string

func (s stars) Match(value string) bool {
	rest, ok := strings.CutPrefix(value, s[0])
	last := len(s) - 1
	if !ok || !strings.HasSuffix(rest, s[last]) {
		return false
	}
	rest = rest[:len(rest)-len(s[last])]
	for _, part := range s[1:last] {
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return true
}

// special are the characters that mean something in a glob.
const special = `*?[]{}\`

func newTerm(text string, mode MatchMode) (term, error) {
	if mode == MatchRegex {
		re, err := regexp.Compile(text)
		return term{match: expression{re}}, err
	}
	at := strings.IndexAny(text, special)
	if at < 0 {
		return term{match: literal(text), literal: text, fixed: true}, nil
	}
	t := term{head: text[:at]}
	if !strings.ContainsAny(text, special[1:]) {
		t.match = stars(strings.Split(text, "*"))
		return t, nil
	}
	g, err := object.CompileGlob(text)
	t.match = g
	return t, err
}
