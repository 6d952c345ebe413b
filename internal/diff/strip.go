// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"bytes"
	"encoding/json"
	"maps"
	"strconv"
)

// skipped is a tree of the names (or places in a list) that lead to fields which are left out.
type skipped struct {
	all   bool // the field itself goes, with all that is in it
	below map[string]*skipped
}

func (s *skipped) add(path []string) {
	at := s
	for _, name := range path {
		next := at.below[name]
		if next == nil {
			next = &skipped{}
			if at.below == nil {
				at.below = map[string]*skipped{}
			}
			at.below[name] = next
		}
		at = next
	}
	at.all = true
}

func (s *skipped) clone() *skipped {
	out := &skipped{all: s.all, below: maps.Clone(s.below)}
	for name, child := range out.below {
		out.below[name] = child.clone()
	}
	return out
}

// strip returns an object's JSON without what is noise in it. It reads the text once, without decoding it: this runs at every
// event of every object that is watched. Text that is not JSON is returned whole. raw is not changed.
func (k *kindNoise) strip(raw []byte) []byte {
	s := stripper{in: raw, out: make([]byte, 0, len(raw)), fields: k.fields}
	s.space()
	s.value(k.skip, placeRoot)
	s.space()
	if s.broken || s.at != len(raw) {
		return raw
	}
	return s.out
}

// place is where in an object the stripper is, as far as it matters.
type place int

const (
	placeElsewhere place = iota
	placeRoot
	placeMetadata
	placeManaged // the list managedFields
	placeEntry   // an element of it
	placeFields  // its field set
)

func (p place) field(name []byte) place {
	switch {
	case p == placeRoot && string(name) == "metadata":
		return placeMetadata
	case p == placeMetadata && string(name) == "managedFields":
		return placeManaged
	case p == placeEntry && string(name) == "fieldsV1":
		return placeFields
	default:
		return placeElsewhere
	}
}

func (p place) item() place {
	if p == placeManaged {
		return placeEntry
	}
	return placeElsewhere
}

// stripper copies JSON text, leaving out fields. What it copies is as it was, commas and space between members apart.
type stripper struct {
	in     []byte
	at     int
	out    []byte
	fields *skipped
	broken bool
	depth  int
}

// maxStripDepth bounds the nesting; the API server's own limit is 10,000, and no object comes near this.
const maxStripDepth = 1000

// value copies the value at s.at without what skip names; gone if that left nothing of it.
func (s *stripper) value(skip *skipped, at place) (gone bool) {
	if s.depth++; s.at >= len(s.in) || s.depth > maxStripDepth {
		s.broken = true
		return false
	}
	defer func() { s.depth-- }()
	enter := skip != nil && len(skip.below) > 0 || at == placeRoot || at == placeMetadata || at == placeManaged || at == placeEntry
	switch c := s.in[s.at]; {
	case c == '{' && enter:
		return s.object(skip, at)
	case c == '[' && enter:
		return s.list(skip, at)
	default:
		start := s.at
		s.skim()
		s.broken = s.broken || s.at == start
		s.out = append(s.out, s.in[start:s.at]...)
		return false
	}
}

func (s *stripper) object(skip *skipped, at place) (gone bool) {
	before, members, left, ownsNothing := len(s.out), 0, 0, false
	for s.open('{'); s.more('}', members); members++ {
		key := s.key()
		name := nameOf(key)
		child := skip.child(name)
		if s.broken || child != nil && child.all || at == placeEntry && string(name) == "time" {
			s.skim()
			continue
		}
		inside := at.field(name)
		if inside == placeFields {
			child = s.fields
		}
		mark := len(s.out)
		s.out = append(append(s.out, key...), ':')
		if s.value(child, inside) {
			s.out = s.out[:mark]
			ownsNothing = ownsNothing || inside == placeFields
			continue
		}
		s.out = append(s.out, ',')
		left++
	}
	return s.close('}', before, ownsNothing || members > 0 && left == 0)
}

func (s *stripper) list(skip *skipped, at place) (gone bool) {
	before, items, left := len(s.out), 0, 0
	for s.open('['); s.more(']', items); items++ {
		var child *skipped
		if skip != nil && len(skip.below) > 0 {
			child = skip.below[strconv.Itoa(items)]
		}
		if s.broken || child != nil && child.all {
			s.skim()
			continue
		}
		if !s.value(child, at.item()) {
			s.out = append(s.out, ',')
			left++
		}
	}
	return s.close(']', before, items > 0 && left == 0)
}

// open begins an object or a list.
func (s *stripper) open(c byte) {
	s.at++
	s.out = append(s.out, c)
}

// close ends it, or takes it back if nothing of it was left.
func (s *stripper) close(c byte, before int, gone bool) bool {
	if gone {
		s.out = s.out[:before]
		return true
	}
	s.out = append(s.out, c)
	return false
}

// more goes to the next member of an object or list, of which n were read; false at its end.
func (s *stripper) more(end byte, n int) bool {
	s.space()
	switch {
	case s.broken || s.at >= len(s.in):
		s.broken = true
		return false
	case s.in[s.at] == end:
		s.at++
		return false
	case n > 0:
		s.expect(',')
		s.space()
	}
	return !s.broken
}

// key reads a member's name and the colon, and returns the name as it is written, in quotes.
func (s *stripper) key() []byte {
	start := s.at
	if s.at >= len(s.in) || s.in[s.at] != '"' {
		s.broken = true
		return nil
	}
	s.text()
	key := s.in[start:s.at]
	s.space()
	s.expect(':')
	s.space()
	return key
}

func (s *stripper) expect(c byte) {
	if s.at >= len(s.in) || s.in[s.at] != c {
		s.broken = true
		return
	}
	s.at++
}

func (s *stripper) space() {
	for s.at < len(s.in) {
		switch s.in[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// text passes a string.
func (s *stripper) text() {
	for at := s.at + 1; ; {
		i := bytes.IndexByte(s.in[at:], '"')
		if i < 0 {
			s.broken = true
			return
		}
		end := at + i
		escapes := 0
		for s.in[end-1-escapes] == '\\' {
			escapes++
		}
		at = end + 1
		if escapes%2 == 0 {
			s.at = at
			return
		}
	}
}

// skim passes a value.
func (s *stripper) skim() {
	for depth := 0; !s.broken && s.at < len(s.in); {
		switch s.in[s.at] {
		case '"':
			s.text()
		case '{', '[':
			depth++
			s.at++
		case '}', ']':
			if depth == 0 {
				return // of what holds the value
			}
			depth--
			s.at++
		case ',':
			if depth == 0 {
				return
			}
			s.at++
			continue
		default:
			s.at++
			continue
		}
		if depth == 0 {
			return
		}
	}
}

// child returns what is to be left out below a field.
func (s *skipped) child(name []byte) *skipped {
	if s == nil {
		return nil
	}
	return s.below[string(name)]
}

// nameOf returns a member's name without its quotes and escapes.
func nameOf(key []byte) []byte {
	if len(key) < 2 {
		return nil
	}
	name := key[1 : len(key)-1]
	if bytes.IndexByte(name, '\\') < 0 {
		return name
	}
	var text string
	if json.Unmarshal(key, &text) != nil {
		return name
	}
	return []byte(text)
}
