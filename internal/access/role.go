// SPDX-License-Identifier: Apache-2.0

package access

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Roles are the roles of one project, compiled. They count for rights on what is in the project, and nowhere else.
type Roles struct {
	project string
	book    *book
}

// projectScoped are the resources whose objects begin with a project.
var projectScoped = []string{Applications, ApplicationSets, Logs, Exec, Clusters, Repositories}

// RoleSubject is how policies name a role of a project.
func RoleSubject(project, role string) string { return "proj:" + project + ":" + role }

// ParseRoleSubject takes such a name apart.
func ParseRoleSubject(subject string) (project, role string, ok bool) {
	parts := strings.Split(subject, ":")
	if len(parts) != 3 || parts[0] != "proj" || parts[1] == "" || parts[2] == "" {
		return "", "", false
	}
	return parts[1], parts[2], true
}

// ProjectOf returns the project whose roles count for a right; "" if the right is about no project's things.
func ProjectOf(right Right) string {
	switch {
	case right.Resource == Projects:
		return right.Object
	case slices.Contains(projectScoped, right.Resource):
		project, _, found := strings.Cut(right.Object, "/")
		if found {
			return project
		}
	}
	return ""
}

// NewRoles reads the roles of a project. A role with a line that is wrong has no rights at all, for the line could have been a
// denial; each such line is a fault.Mistake.
func NewRoles(project *v1alpha1.AppProject, mode MatchMode) (*Roles, []error) {
	r := &Roles{project: project.Name, book: newBook()}
	var problems []error
	for _, role := range project.Spec.Roles {
		lines, err := roleLines(project.Name, &role, mode)
		if err != nil {
			problems = append(problems, err)
		}
		for _, l := range lines {
			r.book.add(l)
		}
		where := r.where(role.Name)
		for i, group := range role.Groups {
			// As in Argo CD a group is a value of a line: one with a comma is in quotes.
			_, member, err := readLine("g, "+group+", "+RoleSubject(project.Name, role.Name), where, mode)
			if err != nil {
				problems = append(problems, fault.New(fault.Mistake, "use", where, fmt.Sprintf("groups[%d]", i), err.Error(), "correct the name; until then the group has not the role"))
				continue
			}
			r.book.link(member)
		}
	}
	return r, problems
}

func (r *Roles) where(role string) string { return whereRole(r.project, role) }

func whereRole(project, role string) string {
	return fmt.Sprintf("role %s of AppProject %s", role, project)
}

// roleLines returns the lines of a role, and the right to see its project, which each role has.
func roleLines(project string, role *v1alpha1.ProjectRole, mode MatchMode) ([]*line, error) {
	subject, where := RoleSubject(project, role.Name), whereRole(project, role.Name)
	see := &line{
		text: "p, " + subject + ", projects, get, " + project + ", allow", where: where, subject: subject,
		resource: exactTerm(Projects), action: exactTerm(Get), object: exactTerm(project),
	}
	lines := []*line{see}
	for i, text := range role.Policies {
		l, g, err := readLine(text, where, mode)
		switch {
		case errors.Is(err, errSkip):
			continue
		case err == nil && g != nil:
			err = fmt.Errorf("%q gives a role; lines of a project's role begin with p", strings.TrimSpace(text))
		case err == nil && l.subject != subject:
			err = fmt.Errorf("%q is about %s; lines of this role are about %s", l.text, l.subject, subject)
		}
		if err != nil {
			return lines[:1], fault.New(fault.Mistake, "use", where, fmt.Sprintf("policies[%d]", i), err.Error(), "correct the line; until then the role has no rights")
		}
		lines = append(lines, l)
	}
	return lines, nil
}

func exactTerm(text string) term {
	return term{match: literal(text), literal: text, fixed: true}
}
