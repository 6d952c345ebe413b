// SPDX-License-Identifier: Apache-2.0

package access

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/gobwas/glob"
)

// conf says in the words of the engine that Argo CD uses what a line means.
const conf = `
[request_definition]
r = sub, res, act, obj
[policy_definition]
p = sub, res, act, obj, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub, p.sub) && alike(r.res, p.res) && alike(r.act, p.act) && alike(r.obj, p.obj)
`

// oracle answers as that engine does for one name.
func oracle(t *testing.T, lines [][]string) func(sub string, r Right) bool {
	t.Helper()
	m, err := model.NewModelFromString(conf)
	if err != nil {
		t.Fatal(err)
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		t.Fatal(err)
	}
	e.AddFunction("alike", func(args ...any) (any, error) {
		g, err := glob.Compile(args[1].(string))
		return err == nil && g.Match(args[0].(string)), nil
	})
	for _, cols := range lines {
		if cols[0] == "g" {
			_, err = e.AddGroupingPolicy(cols[1], cols[2])
		} else {
			_, err = e.AddPolicy(cols[1], cols[2], cols[3], cols[4], cols[5])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return func(sub string, r Right) bool {
		ok, err := e.Enforce(sub, r.Resource, r.Action, r.Object)
		return ok && err == nil
	}
}

// TestAgainstCasbin makes policies by chance and compares every decision with that of the engine that Argo CD uses.
func TestAgainstCasbin(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	subjects := []string{"alice", "bob", "devs", "role:a", "role:b", "role:c"}
	resources := []string{"applications", "logs", "clusters", "app*", "*"}
	actions := []string{"get", "sync", "action/apps/Deployment/restart", "action/*", "*", "action/?pps/*/restart", "{get,sync}"}
	objects := []string{"team/web", "team/*", "*/*", "*", "te*/w*b", "team/ns/web", "https://a.example/*", "t[ea]*", "*/web", "team/{web,db}", `te\am/web`, ""}
	asked := []string{"team/web", "team/db", "team/ns/web", "team", "https://a.example/b/c", "other/web", "team/", ""}
	for range 300 {
		var lines [][]string
		for range random.IntN(12) {
			if random.IntN(3) == 0 {
				lines = append(lines, []string{"g", pick(subjects...), pick(subjects...)})
				continue
			}
			lines = append(lines, []string{"p", pick(subjects...), pick(resources...), pick(actions...), pick(objects...), pick("allow", "allow", "deny")})
		}
		want, ours := oracle(t, lines), newBook()
		var text []string
		for _, cols := range lines {
			for i := range cols { // as they would be written
				if strings.ContainsAny(cols[i], ",") {
					cols[i] = `"` + cols[i] + `"`
				}
			}
			text = append(text, strings.Join(cols, ", "))
			if err := ours.read(strings.Join(cols, ", "), "", MatchGlob); err != nil {
				t.Fatal(err)
			}
		}
		p := &Policy{book: ours}
		for range 60 {
			sub, r := pick(subjects...), Right{pick("applications", "logs", "clusters"), pick("get", "sync", "action/apps/Deployment/restart", "delete"), pick(asked...)}
			if got := p.judge(sub, r, nil, false).allows(); got != want(sub, r) {
				t.Fatalf("%s asks for %s: got %v, the oracle says otherwise, of\n%s", sub, r, got, strings.Join(text, "\n"))
			}
		}
	}
}
