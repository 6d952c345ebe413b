// SPDX-License-Identifier: Apache-2.0

package access

import (
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
)

// line is a line of a policy that grants or denies: p, subject, resource, action, object, effect.
type line struct {
	text, where              string
	subject                  string
	deny                     bool
	resource, action, object term
}

func (l *line) matches(right Right) bool {
	return l.resource.match.Match(right.Resource) && l.action.match.Match(right.Action) && l.object.match.Match(right.Object)
}

// link is a line of a policy that gives a role: g, member, role.
type link struct {
	text, where  string
	member, role string
	// account: only an account of ours may be the member.
	account bool
}

// errSkip is answered for lines that say nothing: blank ones and comments.
var errSkip = errors.New("nothing is said")

// columns splits a line as the policies of Argo CD are read: comma-separated values, quotes where a value has a comma, blanks
// before a value do not count, "#" begins a comment at the start of a line.
func columns(text string) ([]string, error) {
	text = strings.TrimSpace(text)
	if text == "" || text[0] == '#' {
		return nil, errSkip
	}
	r := csv.NewReader(strings.NewReader(text))
	r.TrimLeadingSpace = true
	out, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%q is no line of comma-separated values: %w", text, errors.Unwrap(err))
	}
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out, nil
}

// readLine reads one line. Exactly one of the results is set.
func readLine(text, where string, mode MatchMode) (*line, *link, error) {
	cols, err := columns(text)
	if err != nil {
		return nil, nil, err
	}
	text = strings.TrimSpace(text)
	switch {
	case cols[0] == "p" && len(cols) == 6:
		l, err := newLine(cols, text, where, mode)
		return l, nil, err
	case cols[0] == "g" && len(cols) == 3:
		if cols[1] == "" || cols[2] == "" {
			return nil, nil, fmt.Errorf("%q names nobody", text)
		}
		return nil, &link{text: text, where: where, member: cols[1], role: cols[2]}, nil
	case cols[0] == "p":
		return nil, nil, fmt.Errorf("%q has %d values where a line of that kind has 6: p, subject, resource, action, object, effect", text, len(cols))
	case cols[0] == "g":
		return nil, nil, fmt.Errorf("%q has %d values where a line of that kind has 3: g, subject, role", text, len(cols))
	}
	return nil, nil, fmt.Errorf("%q begins neither with p nor with g", text)
}

func newLine(cols []string, text, where string, mode MatchMode) (*line, error) {
	l := &line{text: text, where: where, subject: cols[1], deny: cols[5] == "deny"}
	if l.subject == "" {
		return nil, fmt.Errorf("%q names nobody", text)
	}
	if !l.deny && cols[5] != "allow" {
		return nil, fmt.Errorf("%q ends in %q, which is neither allow nor deny", text, cols[5])
	}
	for i, t := range []*term{&l.resource, &l.action, &l.object} {
		var err error
		if *t, err = newTerm(cols[2+i], mode); err != nil {
			return nil, fmt.Errorf("%q holds %q, which is not a valid pattern: %w", text, cols[2+i], err)
		}
	}
	return l, nil
}
