// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// What an application asks of people, worst first. Every application is in exactly one.
const (
	// Broken: an operation failed, something is Degraded or Missing, or its source cannot be read or rendered.
	Broken = "broken"
	// Waiting: somebody has to do something before it goes on: approve deletions, release a hold, end a suspension.
	Waiting = "waiting"
	// Stale: what is known of it may not be true any more. Unknown states belong here.
	Stale = "stale"
	// Drifting: the cluster is not what its source says, and nothing is on its way to change that.
	Drifting = "drifting"
	// Working: an operation runs, or what it changed is on its way.
	Working = "working"
	// Fine: none of these.
	Fine = "fine"
)

// ApplicationsView is a message about a window of the list of applications. The first has all of it; each later one has the
// order of the window anew, and of the rows only those that changed or came: also those that were in the window before, had
// left it and are back.
type ApplicationsView struct {
	// Rows are those of the window that are new to the receiver, or changed.
	Rows []Row `json:"rows"`
	// Order names the rows of the window: NAMESPACE/NAME.
	Order []string `json:"order"`
	// Offset is how many rows are before the window: fewer than were asked for if there are not that many. Total is how many rows there are, without those of folded groups; Found how
	// many applications were found, with them.
	Offset int64 `json:"offset"`
	Total  int64 `json:"total"`
	Found  int64 `json:"found"`
	// Facets count as in ApplicationsPage. A later message has only those that changed, whole.
	Facets map[string][]FacetCount `json:"facets,omitempty"`
	// Groups are the groups in the order of the rows, that of what has no value last: by their values, and where the rows are
	// sorted by attention those with the worst first. Empty without grouping.
	Groups []Group `json:"groups,omitempty"`
	// Attention counts all applications that the caller may see, whatever is chosen, by what they ask for. All has how many
	// they are.
	Attention map[string]int64 `json:"attention"`
	All       int64            `json:"all"`
}

// Group is a group of rows.
type Group struct {
	Value  string `json:"value"` // "" for what has none
	Count  int64  `json:"count"`
	Folded bool   `json:"folded,omitempty"`
	// Attention counts the applications of the group by what they ask for.
	Attention map[string]int64 `json:"attention"`
}

// Row is one application in a list.
type Row struct {
	Namespace string            `json:"namespace"` // of the Application
	Name      string            `json:"name"`
	Project   string            `json:"project"`
	Labels    map[string]string `json:"labels,omitempty"`
	Owner     string            `json:"owner,omitempty"` // KIND/NAME of what made it

	Sync   string `json:"sync"`
	Health string `json:"health"`
	// Operation is the phase of the last operation; "" if there never was one.
	Operation string `json:"operation,omitempty"`
	AutoSync  bool   `json:"autoSync,omitempty"`
	Held      bool   `json:"held,omitempty"`

	// Attention is what the application asks for, Why the reason in a sentence ("" for what is fine), Since when.
	Attention string       `json:"attention"`
	Why       string       `json:"why,omitempty"`
	Since     *metav1.Time `json:"since,omitempty"`

	Cluster              string `json:"cluster"` // its name, or its address if it has none
	DestinationNamespace string `json:"destinationNamespace,omitempty"`
	// Repo, Path and TargetRevision are of the first source, Sources is how many there are. Path is a chart where there is one.
	Repo           string `json:"repo,omitempty"`
	Path           string `json:"path,omitempty"`
	TargetRevision string `json:"targetRevision,omitempty"`
	Sources        int64  `json:"sources"`
	// Revision is what it was compared to last.
	Revision string `json:"revision,omitempty"`

	Created  metav1.Time  `json:"created"`
	Synced   *metav1.Time `json:"synced,omitempty"`   // end of the last operation
	Compared *metav1.Time `json:"compared,omitempty"` // when it was last compared

	// May are the actions on the application that the caller may take: sync, update, delete, override, rollback.
	May []string `json:"may,omitempty"`
}

// ApplicationView is a message about one application. The first has all of it, each later one what changed. Objects that take
// more than half a second to be known follow the first.
type ApplicationView struct {
	// Application is the application, as Argo CD's API answers it; nil if it did not change.
	Application *v1alpha1.Application `json:"application,omitempty"`
	// Row sums it up; nil if it did not change. Row.May has the caller's rights.
	Row *Row `json:"row,omitempty"`
	// Whole says that Nodes are all there are: what was known before does not count any more.
	Whole bool `json:"whole,omitempty"`
	// Nodes are those that are new or changed, Gone the IDs of those that are no more.
	Nodes []Node   `json:"nodes,omitempty"`
	Gone  []string `json:"gone,omitempty"`
	// Hosts are the cluster's nodes that Pods of the application run on; nil if they did not change.
	Hosts []v1alpha1.HostInfo `json:"hosts,omitempty"`
	// Unknown says why the objects are not known at the moment; what was sent of them before is old then. Known says that it
	// ended.
	Unknown string `json:"unknown,omitempty"`
	Known   bool   `json:"known,omitempty"`
	// Deleted says that the application is gone. It is the last message.
	Deleted bool `json:"deleted,omitempty"`
}

// Node is an object in the tree of an application: one of its own, or one that came of these.
type Node struct {
	ID        string       `json:"id"`                // GROUP/KIND/NAMESPACE/NAME
	Parents   []string     `json:"parents,omitempty"` // IDs; none for the application's own
	Group     string       `json:"group,omitempty"`
	Version   string       `json:"version,omitempty"`
	Kind      string       `json:"kind"`
	Namespace string       `json:"namespace,omitempty"`
	Name      string       `json:"name"`
	UID       string       `json:"uid,omitempty"` // "" for an object that is not there
	Revision  string       `json:"resourceVersion,omitempty"`
	Created   *metav1.Time `json:"created,omitempty"`

	// Managed says that it is one of the application's own, and Sync is how it compares; Hook that it is a hook; Orphan that it
	// belongs to no application.
	Managed bool   `json:"managed,omitempty"`
	Sync    string `json:"sync,omitempty"`
	Hook    bool   `json:"hook,omitempty"`
	Orphan  bool   `json:"orphan,omitempty"`
	// Prune says that it is no longer desired, Confirm that its deletion waits for a person, SharedWith is the application
	// that has it instead of this one.
	Prune      bool   `json:"prune,omitempty"`
	Confirm    bool   `json:"confirm,omitempty"`
	SharedWith string `json:"sharedWith,omitempty"`
	Wave       int64  `json:"wave,omitempty"`
	// Differs is how many fields differ; Reason says why its state is not known, refused or missing.
	Differs int64  `json:"differs,omitempty"`
	Reason  string `json:"reason,omitempty"`

	Health  *v1alpha1.HealthStatus           `json:"health,omitempty"`
	Images  []string                         `json:"images,omitempty"`
	Info    []v1alpha1.InfoItem              `json:"info,omitempty"`
	Network *v1alpha1.ResourceNetworkingInfo `json:"network,omitempty"`
}
