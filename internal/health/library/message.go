// SPDX-License-Identifier: Apache-2.0

package library

import (
	"fmt"
	"strings"
)

// message is the sentence of a verdict: text with gaps, or what one of some conditions says.
type message struct {
	parts    []part
	speakers []string // types of conditions: the first that is there speaks
}

// part is text, and what comes behind it: the value of a field, or the message of a condition.
type part struct {
	text      string
	field     path
	condition string
}

// parseMessage reads text in which {status.field} stands for a value and {Ready} for a condition's message.
func parseMessage(text string) (m message, err error) {
	for text != "" {
		before, rest, gap := strings.Cut(text, "{")
		p := part{text: before}
		if gap {
			name, after, closed := strings.Cut(rest, "}")
			if !closed || name == "" {
				return message{}, fmt.Errorf("message: a brace is not closed, or holds nothing")
			}
			if isField(name) {
				p.field, err = parsePath(name)
			} else {
				p.condition = name
			}
			rest = after
		}
		if err != nil {
			return message{}, err
		}
		m.parts = append(m.parts, p)
		text = rest
	}
	return m, nil
}

// speaker is the message of a case that has none of its own: what the conditions say that it tests.
func speaker(tests []test) (m message) {
	for _, t := range tests {
		if t.condition != "" && (!t.not || t.op != present) {
			m.speakers = append(m.speakers, t.condition)
		}
	}
	return m
}

func (m message) of(v *view) string {
	if len(m.parts) == 0 {
		return m.spoken(v)
	}
	var b strings.Builder
	for _, p := range m.parts {
		b.WriteString(p.text)
		switch {
		case p.field != nil:
			value, _ := p.field.in(v)
			b.WriteString(text(value))
		case p.condition != "":
			b.WriteString(sentence(v.condition(p.condition)))
		}
	}
	return strings.TrimSpace(b.String())
}

// spoken prefers a condition that has something to say.
func (m message) spoken(v *view) string {
	for _, kind := range m.speakers {
		if s := sentence(v.condition(kind)); s != "" {
			return s
		}
	}
	return ""
}

// sentence is a condition's message, or its reason if it has none.
func sentence(condition map[string]any) string {
	if s := word(condition, "message"); s != "" {
		return s
	}
	return word(condition, "reason")
}
