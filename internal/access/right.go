// SPDX-License-Identifier: Apache-2.0

package access

import (
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Right is something that a caller may do or not: an action on an object of a resource, in the words of argocd-rbac-cm.
type Right struct {
	// Resource is a kind of thing, such as applications, logs or exec.
	Resource string
	// Action is what is done: get, create, update, delete, sync, override, action/<group>/<kind>/<name> …
	Action string
	// Object is what it is done to: <project>/<application>, or the name or URL of a thing.
	Object string
}

// String is the right in words for people. A password that somebody wrote into the address of a repository or a cluster is not
// among them: the text goes into answers and logs.
func (r Right) String() string {
	object := r.Object
	if strings.Contains(object, "://") {
		object = fault.RedactURL(object)
	}
	return r.Resource + ", " + r.Action + ", " + object
}

// AddressObject is how policies name what has an address, such as a repository or a cluster: <project>/<address> if a project has
// it for itself, else the address. An address that is for all, and reads as if it were in a project, gets a slash before it: the
// roles of that project are not about it.
func AddressObject(project, address string) string {
	if project != "" {
		return project + "/" + address
	}
	head, _, found := strings.Cut(address, "/")
	if found && head != "" && !strings.ContainsAny(head, ":.@") {
		return "/" + address
	}
	return address
}

// Subject is whom roles are given to: a name and the groups that go with it.
type Subject struct {
	Name   string
	Groups []string
	// Local says that the name is that of an account of ours, not one that an identity provider chose: only then does the name
	// admin have the role that is built in for it.
	Local bool
	// Role says that the name is that of a project's role (proj:<project>:<role>), and who shows it has a token of that role.
	// Nobody else can have such a name.
	Role bool
}

// Ruling says whether a subject has a right, and why.
type Ruling struct {
	Allowed bool
	// Rule is the line that decided, as it is written; "" if no line is about the right.
	Rule string
	// Where is where the line is: a key of argocd-rbac-cm, "built in", or the role of a project.
	Where string
	// Through is how the subject comes to the rule: itself, its group, then the roles in between.
	Through []string
	// Reason is all of this in one sentence for people.
	Reason string
}

// The resources.
const (
	Applications    = "applications"
	ApplicationSets = "applicationsets"
	Clusters        = "clusters"
	Projects        = "projects"
	Repositories    = "repositories"
	WriteRepos      = "write-repositories"
	Accounts        = "accounts"
	Certificates    = "certificates"
	GPGKeys         = "gpgkeys"
	Logs            = "logs"
	Exec            = "exec"
	Extensions      = "extensions"
)

// The actions.
const (
	Get      = "get"
	Create   = "create"
	Update   = "update"
	Delete   = "delete"
	Sync     = "sync"
	Rollback = "rollback"
	Override = "override"
	Invoke   = "invoke"
	// Action is what goes before the group, kind and name of an action on an object: action/<group>/<kind>/<name>.
	Action = "action"
)

// Resources and Actions are all that there are. Some actions have more behind a slash.
var (
	Resources = []string{
		Clusters, Projects, Applications, ApplicationSets, Repositories, WriteRepos, Certificates, Accounts, GPGKeys, Logs, Exec, Extensions,
	}
	Actions = []string{Get, Create, Update, Delete, Sync, Rollback, Override, Action, Invoke}
)

// InProjects reports whether the objects of a resource are <project>/<name> or <project>/<namespace>/<name>.
func InProjects(resource string) bool { return slices.Contains(inProjects, resource) }
