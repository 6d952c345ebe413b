// SPDX-License-Identifier: Apache-2.0

package access

import (
	"slices"
	"strings"
)

// The roles that are built in, and the account that has one of them.
const (
	ReadOnlyRole = "role:readonly"
	AdminRole    = "role:admin"
	adminAccount = "admin"
)

// builtIn is where the lines are from that nobody wrote.
const builtIn = "built in"

// granted is what a built-in role may do to all objects of a resource.
type granted struct {
	role, resource string
	actions        []string
}

// builtins are Argo CD's two roles (its documentation on RBAC lists them), and the right to roll back, which is one of its own only
// where server.rbac.rollback.enforce.enable says so.
var builtins = []granted{
	{ReadOnlyRole, Applications, []string{Get}},
	{ReadOnlyRole, ApplicationSets, []string{Get}},
	{ReadOnlyRole, Certificates, []string{Get}},
	{ReadOnlyRole, Clusters, []string{Get}},
	{ReadOnlyRole, Repositories, []string{Get}},
	{ReadOnlyRole, WriteRepos, []string{Get}},
	{ReadOnlyRole, Projects, []string{Get}},
	{ReadOnlyRole, Accounts, []string{Get}},
	{ReadOnlyRole, GPGKeys, []string{Get}},
	{ReadOnlyRole, Logs, []string{Get}},

	{AdminRole, Applications, []string{Create, Update, "update/*", Delete, "delete/*", Sync, Rollback, Override, "action/*"}},
	{AdminRole, ApplicationSets, []string{Get, Create, Update, Delete}},
	{AdminRole, Certificates, []string{Create, Update, Delete}},
	{AdminRole, Clusters, []string{Create, Update, Delete}},
	{AdminRole, Repositories, []string{Create, Update, Delete}},
	{AdminRole, WriteRepos, []string{Create, Update, Delete}},
	{AdminRole, Projects, []string{Create, Update, Delete}},
	{AdminRole, Accounts, []string{Update}},
	{AdminRole, GPGKeys, []string{Create, Delete}},
	{AdminRole, Exec, []string{Create}},
}

// inProjects are the resources whose built-in lines are about <project>/<name>.
var inProjects = []string{Applications, ApplicationSets, Logs, Exec}

func (g granted) lines() []string {
	object := "*"
	if slices.Contains(inProjects, g.resource) {
		object = "*/*"
	}
	var out []string
	for _, action := range g.actions {
		out = append(out, strings.Join([]string{"p", g.role, g.resource, action, object, "allow"}, ", "))
	}
	return out
}

// addBuiltIns adds what everybody has. Its patterns are globs, whatever policy.matchMode says.
func addBuiltIns(b *book) {
	for _, g := range builtins {
		for _, text := range g.lines() {
			if l, _, err := readLine(text, builtIn, MatchGlob); err == nil {
				b.add(l)
			}
		}
	}
	b.link(&link{text: "g, role:admin, role:readonly", where: builtIn, member: AdminRole, role: ReadOnlyRole})
	b.link(&link{text: "g, admin, role:admin", where: builtIn, member: adminAccount, role: AdminRole, account: true})
}
