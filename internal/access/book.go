// SPDX-License-Identifier: Apache-2.0

package access

import "slices"

// book holds lines in a way that those about a right are found without looking at the others.
type book struct {
	lines map[string]*shelf // by subject
	links map[string][]*link
}

// shelf are the lines of one subject. A line is in exactly one of the maps' lists.
type shelf struct {
	exact map[place][]*line // lines for one object
	heads map[place][]*line // lines for objects that begin with a text; "" for all others
	// lengths are those of the texts in heads, the longest first.
	lengths []int
}

// place is a resource, "" if the line does not name a single one, and an object or the beginning of one.
type place struct{ resource, object string }

func newBook() *book { return &book{lines: map[string]*shelf{}, links: map[string][]*link{}} }

func (b *book) add(l *line) {
	s := b.lines[l.subject]
	if s == nil {
		s = &shelf{exact: map[place][]*line{}, heads: map[place][]*line{}}
		b.lines[l.subject] = s
	}
	at := place{resource: l.resource.literal}
	if l.object.fixed {
		at.object = l.object.literal
		s.exact[at] = append(s.exact[at], l)
		return
	}
	at.object = l.object.head
	s.heads[at] = append(s.heads[at], l)
	if i, there := slices.BinarySearchFunc(s.lengths, len(at.object), func(a, b int) int { return b - a }); !there {
		s.lengths = slices.Insert(s.lengths, i, len(at.object))
	}
}

func (b *book) link(l *link) { b.links[l.member] = append(b.links[l.member], l) }

// find returns the first line of the subject that denies the right, or else the first that allows it; nil if no line is
// about it.
func (b *book) find(subject string, right Right) *line {
	s := b.lines[subject]
	if s == nil {
		return nil
	}
	var found *line
	for _, resource := range [...]string{right.Resource, ""} {
		if found = worse(found, choose(s.exact[place{resource, right.Object}], right)); found != nil && found.deny {
			return found
		}
		for _, n := range s.lengths {
			if n > len(right.Object) {
				continue
			}
			if found = worse(found, choose(s.heads[place{resource, right.Object[:n]}], right)); found != nil && found.deny {
				return found
			}
		}
		if right.Resource == "" {
			break
		}
	}
	return found
}

// worse returns the first of two lines, unless the other denies.
func worse(first, other *line) *line {
	if first == nil || other != nil && other.deny {
		return other
	}
	return first
}

func choose(lines []*line, right Right) *line {
	var found *line
	for _, l := range lines {
		if (found == nil || l.deny) && l.matches(right) {
			if l.deny {
				return l
			}
			found = l
		}
	}
	return found
}
