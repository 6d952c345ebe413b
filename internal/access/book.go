// SPDX-License-Identifier: Apache-2.0

package access

// book holds lines in a way that those about a right are found without looking at the others.
type book struct {
	lines map[string]*shelf // by subject
	links map[string][]*link
}

// shelf are the lines of one subject. A line is in exactly one of the maps' lists.
type shelf struct {
	exact map[place][]*line // lines for one object
	heads map[place][]*line // lines for objects that begin with a text; "" for all others
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
		for _, lines := range [...][]*line{
			s.exact[place{resource, right.Object}], s.heads[place{resource, headOf(right.Object)}], s.heads[place{resource, ""}],
		} {
			if l := choose(lines, right); l != nil && (found == nil || l.deny) {
				found = l
			}
			if found != nil && found.deny {
				return found
			}
		}
		if right.Resource == "" {
			break
		}
	}
	return found
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
