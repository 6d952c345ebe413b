// SPDX-License-Identifier: Apache-2.0

package access

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

func policy(t testing.TB, data map[string]string) *Policy {
	t.Helper()
	p, problems := NewPolicy(data)
	if len(problems) > 0 {
		t.Fatalf("the policy is broken: %v", problems)
	}
	return p
}

// appProject returns a project with one role, whose lines are given, for one group.
func appProject(name, role, group string, lines ...string) *v1alpha1.AppProject {
	p := &v1alpha1.AppProject{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.Roles = []v1alpha1.ProjectRole{{Name: role, Policies: lines}}
	if group != "" {
		p.Spec.Roles[0].Groups = []string{group}
	}
	return p
}

func right(text string) Right {
	parts := strings.SplitN(text, " ", 3)
	return Right{Resource: parts[0], Action: parts[1], Object: parts[2]}
}

const ofTeam = `
p, role:dev, applications, *, team/*, allow
p, role:dev, applications, delete, team/*, deny
p, role:dev, logs, get, team/*, allow
p, alice, applications, get, other/web, allow
p, role:limits, applications, sync, team/db, deny
p, nested, applications, get, */*, allow
g, alice, role:dev
g, devs, role:dev
g, devs, role:limits
g, "Doe, Jane", role:dev
g, eve, role:admin
`

func TestRule(t *testing.T) {
	sso := func(name string, groups ...string) Subject { return Subject{Name: name, Groups: groups} }
	local := func(name string) Subject { return Subject{Name: name, Local: true} }
	tests := []struct {
		reason  string
		who     Subject
		right   string
		want    bool
		through string
	}{
		{"admin may do all", local("admin"), "applications delete team/web", true, "admin → role:admin"},
		{"admin reads through readonly", local("admin"), "logs get team/web", true, "admin → role:admin → role:readonly"},
		{"an object of an application", local("admin"), "applications delete/apps/Deployment/team/web team/web", true, ""},
		{"extensions are nobody's by default", local("admin"), "extensions invoke x", false, ""},
		{"nobody else is admin by being called so", sso("admin"), "applications get team/web", false, ""},
		{"nor by a group of that name", sso("mallory", "admin"), "applications get team/web", false, ""},
		{"nor by a group called as a role", sso("mallory", "role:admin"), "applications get team/web", false, ""},
		{"nor by being called as a role", sso("role:admin"), "applications get team/web", false, ""},
		{"nor as a role of a project", sso("proj:team:ci"), "projects get team", false, ""},
		{"whoever is given the role is", sso("eve"), "clusters delete https://a", true, ""},
		{"nobody has nothing", Subject{}, "applications get team/web", false, ""},
		{"a user by a role", sso("alice"), "applications sync team/web", true, "alice → role:dev"},
		{"a user by their own line", sso("alice"), "applications get other/web", true, "alice"},
		{"a denial wins over an allowance", sso("alice"), "applications delete team/web", false, "alice → role:dev"},
		{"by a group", sso("x", "devs"), "applications get team/web", true, "devs → role:dev"},
		{"a denial in another role of the group", sso("x", "devs"), "applications sync team/db", false, "devs → role:limits"},
		{"each name is judged alone: one is enough", sso("alice", "devs"), "applications sync team/db", true, "alice → role:dev"},
		{"a quoted group", sso("x", "Doe, Jane"), "logs get team/web", true, ""},
		{"a group that no role is given to has no lines", sso("x", "nested"), "applications get team/web", false, ""},
		{"the same name as a user has", sso("nested"), "applications get team/web", true, "nested"},
		{"logs are a right of their own", sso("eve"), "exec create team/web", true, ""},
		{"another project", sso("alice"), "applications get third/web", false, ""},
	}
	p := policy(t, map[string]string{"policy.csv": ofTeam})
	for _, tt := range tests {
		got := p.Rule(tt.who, right(tt.right), nil)
		if got.Allowed != tt.want || tt.through != "" && strings.Join(got.Through, " → ") != tt.through {
			t.Errorf("%s: %s of %v: got %+v, want allowed %v through %q", tt.reason, tt.right, tt.who, got, tt.want, tt.through)
		}
	}
}

func TestDefaultRoleCannotBeDenied(t *testing.T) {
	p := policy(t, map[string]string{"policy.csv": "p, alice, applications, get, */*, deny", "policy.default": "role:readonly"})
	for _, who := range []Subject{{}, {Name: "alice"}, {Name: "proj:a:b", Role: true}} {
		if got := p.Rule(who, right("applications get a/b"), nil); !got.Allowed || got.Through[0] != ReadOnlyRole {
			t.Errorf("%+v: got %+v, want the default role to allow it", who, got)
		}
	}
}

func TestAllKeysOfThePolicyCount(t *testing.T) {
	p := policy(t, map[string]string{
		"policy.csv": "g, a, role:x", "policy.more.csv": "p, role:x, projects, get, *, allow", "policyx.csv": "nonsense", "policy.txt": "nonsense",
	})
	got := p.Rule(Subject{Name: "a"}, right("projects get p"), nil)
	if !got.Allowed || got.Where != "policy.more.csv line 1" {
		t.Errorf("got %+v, want it allowed by policy.more.csv line 1", got)
	}
}

func TestRegexMode(t *testing.T) {
	p := policy(t, map[string]string{
		"policy.matchMode": "regex",
		"policy.csv":       "p, a, applications, ^(get|sync)$, ^team/web-[0-9]+$, allow",
	})
	for object, want := range map[string]bool{"team/web-1": true, "team/web-1x": false} {
		if got := p.Rule(Subject{Name: "a"}, right("applications sync "+object), nil); got.Allowed != want {
			t.Errorf("%s: got %+v, want %v", object, got, want)
		}
	}
	if got := p.Rule(Subject{Name: "admin", Local: true}, right("applications get a/b"), nil); !got.Allowed {
		t.Errorf("what is built in stays a glob: got %+v", got)
	}
}

func TestBrokenPolicies(t *testing.T) {
	tests := []struct{ reason, key, value, mention string }{
		{"a short line", "policy.csv", "\np, a, b", "policy.csv line 2"},
		{"a long role", "policy.csv", "g, a, b, c", "has 4 values"},
		{"another letter", "policy.a.csv", "x, a, b", "begins neither"},
		{"an effect that is none", "policy.csv", "p, a, b, c, d, permit", `"permit"`},
		{"no subject", "policy.csv", "p, , applications, get, *, allow", "names nobody"},
		{"a pattern that is none", "policy.csv", "p, a, applications, get, [x, deny", "[x"},
		{"quotes that are open", "policy.csv", `p, "a, b`, "comma-separated"},
		{"another language", "policy.matchMode", "fuzzy", "neither glob nor regex"},
		{"scopes", "scopes", "{a: b}", "scopes"},
	}
	for _, tt := range tests {
		p, problems := NewPolicy(map[string]string{tt.key: tt.value})
		if p != nil || len(problems) != 1 || !strings.Contains(problems[0].Error(), tt.mention) || !fault.Is(problems[0], fault.Mistake) {
			t.Errorf("%s: got %v, %v; want one mistake that mentions %q", tt.reason, p, problems, tt.mention)
		}
	}
}

func TestScopes(t *testing.T) {
	for raw, want := range map[string]string{"": "groups", "[email, groups]": "email groups", "email": "email", `"email"`: "email", "'[groups]'": "[groups]"} {
		if got := strings.Join(policy(t, map[string]string{"scopes": raw}).Scopes, " "); got != want {
			t.Errorf("scopes %q: got %q, want %q", raw, got, want)
		}
	}
}

func TestLinksEnd(t *testing.T) {
	var lines strings.Builder
	lines.WriteString("g, a, r0\np, r9, projects, get, *, allow\np, r10, projects, create, *, allow\ng, r9, a\n")
	for i := range 11 {
		lines.WriteString("g, r" + string(rune('0'+i%10)) + ", r" + map[bool]string{true: "10", false: string(rune('1' + i%10))}[i%10 == 9] + "\n")
	}
	p := policy(t, map[string]string{"policy.csv": lines.String()})
	if got := p.Rule(Subject{Name: "a"}, right("projects get x"), nil); !got.Allowed || len(got.Through) != 11 {
		t.Errorf("ten roles in a row: got %+v, want it allowed", got)
	}
	if got := p.Rule(Subject{Name: "a"}, right("projects create x"), nil); got.Allowed {
		t.Errorf("eleven roles in a row: got %+v, want it refused", got)
	}
}
