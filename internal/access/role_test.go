// SPDX-License-Identifier: Apache-2.0

package access

import (
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

func rolesOf(t *testing.T, p *v1alpha1.AppProject) *Roles {
	t.Helper()
	roles, problems := NewRoles(p, MatchGlob)
	if len(problems) > 0 {
		t.Fatalf("the roles are broken: %v", problems)
	}
	return roles
}

func TestRolesOfAProject(t *testing.T) {
	team := rolesOf(t, appProject("team", "ci", `"Doe, Jane"`, "p, proj:team:ci, applications, sync, team/*, allow", "p, proj:team:ci, applications, sync, team/db, deny"))
	other := rolesOf(t, appProject("other", "ci", "devs"))
	token := Subject{Name: "proj:team:ci", Role: true}
	jane := Subject{Name: "jane", Groups: []string{"Doe, Jane"}}
	tests := []struct {
		reason string
		who    Subject
		right  string
		roles  *Roles
		want   bool
	}{
		{"a token has what its role has", token, "applications sync team/web", team, true},
		{"and not what its role is denied", token, "applications sync team/db", team, false},
		{"and not more", token, "applications get team/web", team, false},
		{"it sees its project", token, "projects get team", team, true},
		{"it does not change it", token, "projects update team", team, false},
		{"it sees no other project", token, "projects get other", other, false},
		{"a group has the role", jane, "applications sync team/web", team, true},
		{"who is called as the role but shows no token of it has not", Subject{Name: "proj:team:ci"}, "applications sync team/web", team, false},
		{"nor an account of that name", Subject{Name: "proj:team:ci", Local: true}, "applications sync team/web", team, false},
		{"a token with another name has nothing", Subject{Name: "jane", Role: true}, "applications sync team/web", team, false},
		{"roles of another project do not count", Subject{Groups: []string{"devs"}}, "applications sync team/web", team, false},
	}
	p := policy(t, map[string]string{"policy.csv": "p, proj:other:ci, applications, get, *, allow"})
	for _, tt := range tests {
		if got := p.Rule(tt.who, right(tt.right), tt.roles); got.Allowed != tt.want {
			t.Errorf("%s: got %+v, want %v", tt.reason, got, tt.want)
		}
	}
}

// What somebody writes into a project must not reach beyond it.
func TestRolesOfAProjectStayInIt(t *testing.T) {
	for _, line := range []string{
		"p, role:readonly, applications, *, */*, allow",
		"p, mallory, applications, *, team/*, allow",
		"g, mallory, role:admin",
		"g, mallory, proj:team:ci",
		"p, proj:team:admins, applications, *, team/*, allow",
		"p, proj:team:ci, applications, get, [team, deny",
		"p, proj:team:ci, applications",
	} {
		fine := "p, proj:team:ci, applications, sync, team/*, allow"
		roles, problems := NewRoles(appProject("team", "ci", "devs", fine, line), MatchGlob)
		if len(problems) != 1 || !strings.Contains(problems[0].Error(), "policies[1]") {
			t.Errorf("%s: got problems %v, want one about policies[1]", line, problems)
		}
		p := BuiltIn()
		for _, who := range []Subject{{Name: "mallory"}, {Name: "proj:team:ci", Role: true}, {Groups: []string{"devs"}}, {Name: "proj:team:admins", Role: true}} {
			for _, ask := range []string{"applications sync team/web", "applications get team/web", "clusters get https://a"} {
				if got := p.Rule(who, right(ask), roles); got.Allowed {
					t.Errorf("%s: %+v got %s by %+v; a role with a broken line has no rights", line, who, ask, got)
				}
			}
		}
	}
}

func TestProjectOf(t *testing.T) {
	for ask, want := range map[string]string{
		"applications get team/web": "team", "logs get team/ns/web": "team", "projects get team": "team", "clusters get https://a/b": "https:",
		"clusters get team/https://a": "team", "certificates get a/b": "", "applications get web": "", "accounts get team/x": "",
	} {
		if got := ProjectOf(right(ask)); got != want {
			t.Errorf("%s: got %q, want %q", ask, got, want)
		}
	}
}
