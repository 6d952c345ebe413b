// SPDX-License-Identifier: Apache-2.0

// Package rpc describes the part of the API that is Bowline's own, in the terms of api/argoproj/rpc: lists of applications in
// pages and as live views, one application and its objects live, plans and their approval, holds, previews, why a right is
// granted or not, and how Bowline itself and what it knows of clusters is doing. It is served as JSON only, below Prefix.
package rpc

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Prefix is where all paths of this API begin.
const Prefix = "/api/bowline/v1"

// Service is Bowline's own API.
type Service interface {
	Applications
	Access
	States
}

// Applications is the part about applications.
type Applications interface {
	// ListApplications returns a page of applications with what can be chosen further.
	ListApplications(ctx context.Context, request *ApplicationsQuery) (*ApplicationsPage, error)
	// WatchApplications sends a window of the list of applications as rows, and what changes in it.
	WatchApplications(ctx context.Context, request *ApplicationsQuery, send func(*ApplicationsView) error) error
	// WatchApplication sends one application with its objects, and what changes of them.
	WatchApplication(ctx context.Context, request *ApplicationName, send func(*ApplicationView) error) error
	// ViewObject shows one object of an application: as desired, as it is, and what differs by whose hand.
	ViewObject(ctx context.Context, request *ObjectQuery) (*ObjectView, error)
	// TryPatch says what a patch would make of an object, without writing anything.
	TryPatch(ctx context.Context, request *ObjectPatch) (*ObjectTrial, error)
	// Compare says what changed between two deployments of an application, or since one.
	Compare(ctx context.Context, request *CompareQuery) (*Comparison, error)
	// Preview says what would become of an application that is not saved: what is wrong with it, and what it would create.
	Preview(ctx context.Context, request *PreviewRequest) (*PreviewAnswer, error)
	// Plan says what a sync would do now, and what of it waits for an approval.
	Plan(ctx context.Context, request *PlanQuery) (*Plan, error)
	// Approve lets the deletions go ahead that wait under a digest.
	Approve(ctx context.Context, request *ApproveRequest) (*v1alpha1.Application, error)
	// Hold keeps what is desired now from being applied by itself; Release ends that.
	Hold(ctx context.Context, request *HoldRequest) (*v1alpha1.Application, error)
	Release(ctx context.Context, request *ApplicationName) (*v1alpha1.Application, error)
}

// Access is the part about who may do what.
type Access interface {
	// Explain says which rule grants or refuses a right, to the caller or, for those who may ask, to somebody else.
	Explain(ctx context.Context, request *ExplainQuery) (*Explanation, error)
	// May says which of some rights the caller has.
	May(ctx context.Context, request *MayQuery) (*MayAnswer, error)
	// SignOutEverywhere ends all sessions of the caller, or of somebody whose account the caller may change.
	SignOutEverywhere(ctx context.Context, request *SignOutRequest) (*SignOutAnswer, error)
}

// States is the part about how things are doing.
type States interface {
	// State says how Bowline itself is doing.
	State(ctx context.Context, request *StateQuery) (*State, error)
	// ClusterState says how fresh what is known of a cluster is, by kind, and what waits to be done there.
	ClusterState(ctx context.Context, request *ClusterStateQuery) (*ClusterState, error)
}

// ApplicationName names an application. AppNamespace "" is the control namespace.
type ApplicationName struct {
	Name         string `json:"name"`
	AppNamespace string `json:"appNamespace,omitempty"`
}

// ApplicationsQuery chooses applications. Values within a field are alternatives, fields all have to match; an empty field lets
// everything through.
type ApplicationsQuery struct {
	// Search finds what is contained in names, projects, namespaces, clusters, repositories or labels, letter case aside; words
	// all have to be found.
	Search string `json:"search,omitempty"`
	// Selector is a label selector.
	Selector string `json:"selector,omitempty"`
	// Names are applications, each as NAMESPACE/NAME: those that somebody keeps at hand.
	Names      []string `json:"names,omitempty"`
	Projects   []string `json:"projects,omitempty"`
	Namespaces []string `json:"namespaces,omitempty"` // of the destination
	Clusters   []string `json:"clusters,omitempty"`   // URL or name
	Repos      []string `json:"repos,omitempty"`
	Sync       []string `json:"sync,omitempty"`   // Synced, OutOfSync, Unknown
	Health     []string `json:"health,omitempty"` // Healthy, Progressing, Degraded, Suspended, Missing, Unknown
	Operation  []string `json:"operation,omitempty"`
	AutoSync   []string `json:"autoSync,omitempty"` // on, off
	Labels     []string `json:"labels,omitempty"`   // key=value; values of one key are alternatives, keys all have to match
	Owners     []string `json:"owners,omitempty"`   // what made the application: KIND/NAME
	// Attention is what an application asks for: see Row.
	Attention    []string `json:"attention,omitempty"`
	AppNamespace string   `json:"appNamespace,omitempty"`
	// Sort is a key, with "-" before it downwards: name (default), project, health, sync, created, synced, attention (worst
	// first, and within that what is so for longest).
	Sort string `json:"sort,omitempty"`
	// Limit is the size of a page: 100 if it is 0, at most 1000. Continue is where the page begins, from the page before.
	Limit    int64  `json:"limit,omitempty"`
	Continue string `json:"continue,omitempty"`
	// Offset is how many rows are before the window, for WatchApplications.
	Offset int64 `json:"offset,omitempty"`
	// Group puts together what has the same value in a facet (the first where there are several), or of a label: projects,
	// namespaces, clusters, repos, sync, health, operation, autoSync, owners, attention, label:KEY. Only WatchApplications
	// groups; rows of the groups in Folded are left out.
	Group  string   `json:"group,omitempty"`
	Folded []string `json:"folded,omitempty"`
	// Fields are the fields that are wanted, as for Argo CD's list: items.metadata.name,items.status.health … , with "-" before
	// the first those that are not.
	Fields string `json:"fields,omitempty"`
}

// ApplicationsPage is a page of applications. Its metadata has where the next page begins and how many come behind.
type ApplicationsPage struct {
	metav1.ListMeta `json:"metadata"`
	Items           []v1alpha1.Application `json:"items"`
	// Total is how many applications were found, of all that the caller may see.
	Total int64 `json:"total"`
	// Facets count, for each field that can be chosen by, how many applications a value would leave if it were chosen beside
	// what is chosen in the other fields. Labels and owners have the 200 most frequent values, and those that are chosen.
	Facets map[string][]FacetCount `json:"facets"`
}

// FacetCount is a value and how many applications have it.
type FacetCount struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// PlanQuery asks for the plan of a sync.
type PlanQuery struct {
	Name         string `json:"name"`
	AppNamespace string `json:"appNamespace,omitempty"`
	Prune        bool   `json:"prune,omitempty"`
	Revision     string `json:"revision,omitempty"`
	// Revisions stand in for the target revisions of an application with several sources, in their order.
	Revisions []string `json:"revisions,omitempty"`
	// Resources limit the sync to objects, each as GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME.
	Resources []string `json:"resources,omitempty"`
	// ByHand asks for the sync that a person would begin, also where automated sync is on. The fields above and below imply it;
	// without any the plan is that of the sync that would come next.
	ByHand bool `json:"byHand,omitempty"`
	// ApplyOnly leaves out hooks; Force and SyncOptions are those of the sync.
	ApplyOnly   bool     `json:"applyOnly,omitempty"`
	Force       bool     `json:"force,omitempty"`
	SyncOptions []string `json:"syncOptions,omitempty"`
}

// Plan is what a sync would do.
type Plan struct {
	Application string   `json:"application"`
	Revisions   []string `json:"revisions,omitempty"`
	// Automated says that the plan is what automated sync would do; Begins that it is about to, Because why or why not.
	Automated bool   `json:"automated,omitempty"`
	Begins    bool   `json:"begins,omitempty"`
	Because   string `json:"because,omitempty"`
	// Approve is the digest to approve for what waits; "" if nothing does, or if the controller has not noted it yet.
	Approve string `json:"approve,omitempty"`
	// Text is the plan for people.
	Text string `json:"text"`
	// Work is the plan for programs: phases, waves and steps, as `bowline app plan -o json` prints them.
	Work runtime.RawExtension `json:"work"`
}

// ApproveRequest approves what waits.
type ApproveRequest struct {
	Name         string `json:"name"`
	AppNamespace string `json:"appNamespace,omitempty"`
	Digest       string `json:"digest"`
}

// HoldRequest holds an application.
type HoldRequest struct {
	Name         string `json:"name"`
	AppNamespace string `json:"appNamespace,omitempty"`
	Reason       string `json:"reason,omitempty"`
	// Until is when the hold ends by itself; nil is never.
	Until *metav1.Time `json:"until,omitempty"`
}

// ExplainQuery asks for a right.
type ExplainQuery struct {
	Resource string `json:"resource"`
	Action   string `json:"action"`
	Object   string `json:"object"`
	// Subject and Groups ask for somebody else than the caller.
	Subject string   `json:"subject,omitempty"`
	Groups  []string `json:"groups,omitempty"`
}

// Explanation says why a right is granted or not.
type Explanation struct {
	Allowed bool     `json:"allowed"`
	Rule    string   `json:"rule,omitempty"`
	Where   string   `json:"where,omitempty"`
	Through []string `json:"through,omitempty"`
	Reason  string   `json:"reason"`
}

// ClusterStateQuery names a cluster by URL or name.
type ClusterStateQuery struct {
	Cluster string `json:"cluster"`
}

// ClusterState is how fresh what is known of a cluster is.
type ClusterState struct {
	Server string      `json:"server"`
	Name   string      `json:"name"`
	Error  string      `json:"error,omitempty"`
	Kinds  []KindState `json:"kinds"`
	// Waiting is how many applications of the cluster wait for their turn, Running how many are being looked at.
	Waiting int64 `json:"waiting"`
	Running int64 `json:"running"`
}

// KindState is how fresh what is known of a kind is.
type KindState struct {
	Group   string `json:"group,omitempty"`
	Version string `json:"version"`
	Kind    string `json:"kind"`
	Objects int64  `json:"objects"`
	// LastEvent is when the watch was last heard of; nil if never.
	LastEvent *metav1.Time `json:"lastEvent,omitempty"`
	// Error says why the kind is not known.
	Error string `json:"error,omitempty"`
}
