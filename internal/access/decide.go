// SPDX-License-Identifier: Apache-2.0

package access

import (
	"slices"
	"strings"
)

// maxLinks is how many roles may lie between a subject and a line, as in the engine that Argo CD uses.
const maxLinks = 10

// Rule says whether the subject has the right. roles are those of the project the right is about (ProjectOf); nil if it is
// about none, or about one that does not exist.
//
// The default role comes first: what it grants cannot be denied. Then the subject by its name, then each of its groups: each of
// them alone is granted a right that some of its lines allow and none denies, and one of them is enough.
func (p *Policy) Rule(s Subject, right Right, roles *Roles) Ruling {
	if p.Default != "" {
		if v := p.judge(p.Default, right, roles, false); v.allows() {
			return v.ruling(right)
		}
	}
	own, _, isRole := ParseRoleSubject(s.Name)
	switch {
	case s.Role != isRole, !s.Role && !s.Local && reserved(s.Name):
		s.Name = ""
	case s.Role && roles != nil && roles.project != own:
		return Ruling{Reason: "a token of project " + own + " has no rights in project " + roles.project}
	}
	best := p.judge(s.Name, right, roles, s.Local)
	if best.allows() || s.Role {
		return best.ruling(right)
	}
	for _, group := range s.Groups {
		if reserved(group) || !p.member(group, roles) {
			continue
		}
		v := p.judge(group, right, roles, false)
		if v.allows() {
			return v.ruling(right)
		}
		if best.line == nil {
			best = v
		}
	}
	return best.ruling(right)
}

// reserved reports whether a name is that of a role: nobody can be called so, whatever an identity provider claims.
func reserved(name string) bool {
	return strings.HasPrefix(name, "role:") || strings.HasPrefix(name, "proj:")
}

// member reports whether a line gives a role to the group. Lines that grant something to a group by itself do not count unless
// one does, as in Argo CD.
func (p *Policy) member(group string, roles *Roles) bool {
	given := func(l *link) bool { return !l.account }
	return slices.ContainsFunc(p.book.links[group], given) || roles != nil && len(roles.book.links[group]) > 0
}

// finding is what the lines say of one name.
type finding struct {
	line    *line // nil: none is about the right
	through []string
}

func (v finding) allows() bool { return v.line != nil && !v.line.deny }

func (v finding) ruling(right Right) Ruling {
	if v.line == nil {
		return Ruling{Reason: "no rule allows " + right.String()}
	}
	r := Ruling{Allowed: !v.line.deny, Rule: v.line.text, Where: v.line.where, Through: v.through}
	word := "denied"
	if r.Allowed {
		word = "allowed"
	}
	r.Reason = word + " by \"" + r.Rule + "\" (" + r.Where + "), through " + strings.Join(v.through, " → ")
	return r
}

// step is a name on the way to a line, and the step before it.
type step struct {
	name   string
	before int // -1 for the first
	depth  int
}

// judge collects what the name and the roles it leads to say: a denial anywhere wins.
func (p *Policy) judge(name string, right Right, roles *Roles, account bool) finding {
	if name == "" {
		return finding{}
	}
	var room [8]step
	steps := append(room[:0], step{name: name, before: -1})
	var found *line
	at := 0
	for i := 0; i < len(steps); i++ {
		for _, b := range p.books(roles) {
			l := b.find(steps[i].name, right)
			if l != nil && (found == nil || l.deny) {
				found, at = l, i
			}
			if l != nil && l.deny {
				return finding{found, way(steps, at)}
			}
			steps = follow(steps, i, b.links[steps[i].name], account)
		}
	}
	if found == nil {
		return finding{}
	}
	return finding{found, way(steps, at)}
}

func (p *Policy) books(roles *Roles) []*book {
	if roles == nil {
		return []*book{p.book}
	}
	return []*book{p.book, roles.book}
}

// follow adds the roles that links lead to.
func follow(steps []step, from int, links []*link, account bool) []step {
	if steps[from].depth >= maxLinks {
		return steps
	}
	for _, l := range links {
		if l.account && (!account || from != 0) {
			continue
		}
		if !slices.ContainsFunc(steps, func(s step) bool { return s.name == l.role }) {
			steps = append(steps, step{l.role, from, steps[from].depth + 1})
		}
	}
	return steps
}

// way lists the names from the first to that of a step.
func way(steps []step, at int) []string {
	var out []string
	for ; at >= 0; at = steps[at].before {
		out = append(out, steps[at].name)
	}
	slices.Reverse(out)
	return out
}
