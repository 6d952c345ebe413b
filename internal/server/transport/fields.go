// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"bytes"
	"encoding/json"
	"strings"
)

// selection are fields of an answer: items.metadata.name,items.spec keeps those, and with "-" before the first everything else is
// kept (https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs). Lists are walked through without a name of
// their own.
type selection struct {
	without bool
	root    *branch
}

// branch is a part of the paths. A path ends at it if whole.
type branch struct {
	whole bool
	below map[string]*branch
}

func newSelection(fields string) *selection {
	s := &selection{root: &branch{}}
	fields, s.without = strings.CutPrefix(fields, "-")
	for field := range strings.SplitSeq(fields, ",") {
		at := s.root
		for name := range strings.SplitSeq(strings.TrimPrefix(strings.TrimSpace(field), "-"), ".") {
			if at.below == nil {
				at.below = map[string]*branch{}
			}
			if at.below[name] == nil {
				at.below[name] = &branch{}
			}
			at = at.below[name]
		}
		at.whole = true
	}
	return s
}

// apply returns the fields that are selected of a text that json.Marshal made: valid, and without blanks. The text is copied and
// not decoded, as a list of ten thousand applications would take a multiple of its size as a tree of values.
func (s *selection) apply(text []byte) []byte {
	c := copier{selection: s, text: text}
	c.value(s.root)
	return c.out
}

// copier copies a text from where it has come to, and leaves out what is not selected.
type copier struct {
	*selection
	text, out []byte
	at        int
}

func (c *copier) value(at *branch) {
	switch c.text[c.at] {
	case '{':
		c.object(at)
	case '[':
		c.list(at)
	default:
		c.whole()
	}
}

// whole copies a value with all it holds.
func (c *copier) whole() {
	end := past(c.text, c.at)
	c.out = append(c.out, c.text[c.at:end]...)
	c.at = end
}

func (c *copier) list(at *branch) {
	for c.text[c.at] != ']' { // at the bracket that opens it, or a comma
		c.out = append(c.out, c.text[c.at])
		if c.at++; c.text[c.at] != ']' {
			c.value(at)
		}
	}
	c.out = append(c.out, ']')
	c.at++
}

func (c *copier) object(at *branch) {
	c.out = append(c.out, '{')
	for empty := true; c.text[c.at] != '}'; {
		if c.at++; c.text[c.at] == '}' {
			break
		}
		key := c.text[c.at:past(c.text, c.at)]
		c.at += len(key) + 1 // and the colon
		next := at.child(key)
		if next == nil && !c.without || next != nil && next.whole && c.without {
			c.at = past(c.text, c.at)
			continue
		}
		if !empty {
			c.out = append(c.out, ',')
		}
		empty = false
		c.out = append(append(c.out, key...), ':')
		if next != nil && !next.whole {
			c.value(next)
		} else {
			c.whole()
		}
	}
	c.out = append(c.out, '}')
	c.at++
}

// child returns the branch of a key, which is in quotes; nil if there is none.
func (b *branch) child(key []byte) *branch {
	if bytes.IndexByte(key, '\\') < 0 {
		return b.below[string(key[1:len(key)-1])]
	}
	var name string
	_ = json.Unmarshal(key, &name) // it is a text that json.Marshal wrote
	return b.below[name]
}

// past returns where the value that begins at from has ended.
func past(text []byte, from int) int {
	depth := 0
	for at := from; ; {
		switch text[at] {
		case '"':
			at = pastText(text, at)
		case '{', '[':
			depth++
			at++
		case '}', ']':
			depth--
			at++
		case ',', ':':
			at++
		default: // a number, true, false or null
			for at < len(text) && text[at] != ',' && text[at] != ']' && text[at] != '}' {
				at++
			}
		}
		if depth == 0 {
			return at
		}
	}
}

// pastText returns where the text has ended whose first quote is at from.
func pastText(text []byte, from int) int {
	for at := from + 1; ; at++ {
		switch text[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		}
	}
}
