// SPDX-License-Identifier: Apache-2.0

package project

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/plan"
)

// normalise brings the policies of roles into one form: one blank behind each comma.
func normalise(p *v1alpha1.AppProject) {
	for i := range p.Spec.Roles {
		policies := p.Spec.Roles[i].Policies
		for j, policy := range policies {
			parts := strings.Split(policy, ",")
			for k := range parts {
				parts[k] = strings.TrimSpace(parts[k])
			}
			policies[j] = strings.Join(parts, ", ")
		}
	}
}

// validate returns what is wrong with a project: its rules, its windows and its roles. Each is a fault.Mistake.
func validate(p *v1alpha1.AppProject) []error {
	problems := slices.Concat(access.Compile(p, access.Scoped{}).Validate(), plan.CompileWindows(p.Spec.SyncWindows).Problems(p.Name))
	v := &validation{project: p.Name, problems: problems}
	v.windows(p.Spec.SyncWindows)
	names := map[string]bool{}
	for i := range p.Spec.Roles {
		v.role(i, &p.Spec.Roles[i], names)
	}
	return v.problems
}

type validation struct {
	project  string
	problems []error
}

func (v *validation) add(field, cause, fix string) {
	v.problems = append(v.problems, fault.New(fault.Mistake, "use", thing(v.project), "spec."+field, cause, fix))
}

// windows refuses those that are about nothing: they look as if they did something.
func (v *validation) windows(all v1alpha1.SyncWindows) {
	for i, w := range all {
		if w != nil && len(w.Applications)+len(w.Namespaces)+len(w.Clusters) == 0 {
			v.add(fmt.Sprintf("syncWindows[%d]", i), "it is about no application, namespace or cluster", "name some, or \"*\"")
		}
	}
}

var roleName = regexp.MustCompile(`^[a-zA-Z0-9]([-_a-zA-Z0-9]*[a-zA-Z0-9])?$`)

func (v *validation) role(i int, role *v1alpha1.ProjectRole, names map[string]bool) {
	field := fmt.Sprintf("roles[%d]", i)
	if !roleName.MatchString(role.Name) {
		v.add(field+".name", fmt.Sprintf("%q is no name of a role", role.Name), "use letters, digits, - and _, and begin and end with a letter or digit")
	}
	if names[role.Name] {
		v.add(field+".name", "another role has this name", "choose another")
	}
	names[role.Name] = true
	for j, policy := range role.Policies {
		at := fmt.Sprintf("%s.policies[%d]", field, j)
		if slices.Contains(role.Policies[:j], policy) {
			v.add(at, "it is listed twice", "take one out")
		}
		v.policy(at, role.Name, policy)
	}
	for j, group := range role.Groups {
		at := fmt.Sprintf("%s.groups[%d]", field, j)
		if slices.Contains(role.Groups[:j], group) {
			v.add(at, "it is listed twice", "take one out")
		}
		v.group(at, group)
	}
}

// policy checks a line of a role: p, proj:<project>:<role>, resource, action, object, effect.
func (v *validation) policy(field, role, policy string) {
	parts := strings.Split(policy, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	subject := access.RoleSubject(v.project, role)
	switch {
	case len(parts) != 6 || parts[0] != "p":
		v.add(field, fmt.Sprintf("%q is not of the form p, subject, resource, action, object, effect", policy), "write all six")
	case parts[1] != subject:
		v.add(field, fmt.Sprintf("its subject is %q", parts[1]), "write "+subject)
	case !slices.Contains(scoped, parts[2]):
		v.add(field, fmt.Sprintf("%q is no resource of a project", parts[2]), "write one of "+strings.Join(scoped, ", "))
	case !isAction(parts[3]):
		v.add(field, fmt.Sprintf("there is no action %q", parts[3]), "write one of "+strings.Join(actions, ", ")+", or begin with "+strings.Join(actionPrefixes, ", "))
	case !isObject(v.project, parts[4]):
		v.add(field, fmt.Sprintf("the object %q is not in the project", parts[4]), fmt.Sprintf("write %s/*, %s/<name> or %s/<namespace>/<name>", v.project, v.project, v.project))
	case parts[5] != "allow" && parts[5] != "deny":
		v.add(field, fmt.Sprintf("%q is neither allow nor deny", parts[5]), "write one of the two")
	}
}

var (
	scoped         = []string{access.Applications, access.ApplicationSets, access.Logs, access.Exec, access.Clusters, access.Repositories}
	actions        = []string{access.Get, access.Create, access.Update, access.Delete, access.Sync, access.Rollback, access.Override, "*"}
	actionPrefixes = []string{"action/", "update/", "delete/"}
)

func isAction(action string) bool {
	return slices.Contains(actions, action) || slices.ContainsFunc(actionPrefixes, func(p string) bool { return strings.HasPrefix(action, p) })
}

// isObject reports whether every object that the pattern matches is in the project. A repository is named by its address, which
// may hold any letter of one.
func isObject(project, object string) bool {
	rest, ok := strings.CutPrefix(object, project+"/")
	return ok && rest != "" && !strings.ContainsAny(rest, " \t\r\n\"")
}

// group checks the name of a group as it stands in a line of a policy.
func (v *validation) group(field, group string) {
	inner := strings.TrimSpace(group)
	quoted := len(inner) > 1 && strings.HasPrefix(inner, `"`) && strings.HasSuffix(inner, `"`)
	if quoted {
		inner = inner[1 : len(inner)-1]
	}
	switch {
	case inner == "":
		v.add(field, "it is empty", "name a group")
	case group != strings.TrimSpace(group):
		v.add(field, "it begins or ends with a blank", "take the blank out")
	case !quoted && strings.Contains(inner, ","):
		v.add(field, fmt.Sprintf("%q holds a comma", group), "put it into quotes")
	case strings.ContainsAny(inner, "\"\n\r\t"):
		v.add(field, fmt.Sprintf("%q holds a quote or a control character", group), "take it out")
	}
}
