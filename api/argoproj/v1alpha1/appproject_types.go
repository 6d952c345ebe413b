// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AppProject says which sources, destinations and kinds its Applications may use, and who may act on them.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=appprojects,shortName=appproj;appprojs
type AppProject struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec AppProjectSpec `json:"spec"`
	// +optional
	Status AppProjectStatus `json:"status,omitzero"`
}

// AppProjectList is a list of AppProjects.
//
// +kubebuilder:object:root=true
type AppProjectList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []AppProject `json:"items"`
}

// AppProjectStatus mirrors the tokens of each role.
type AppProjectStatus struct {
	JWTTokensByRole map[string]JWTTokens `json:"jwtTokensByRole,omitempty"`
}

// AppProjectSpec are the rules of a project.
type AppProjectSpec struct {
	// SourceRepos are globs in which * stops at a slash; an entry that starts with ! denies.
	SourceRepos []string `json:"sourceRepos,omitempty"`
	// Destinations are globs for cluster and namespace; a value that starts with ! denies.
	Destinations []ApplicationDestination `json:"destinations,omitempty"`
	Description  string                   `json:"description,omitempty"`
	Roles        []ProjectRole            `json:"roles,omitempty"`
	// ClusterResourceWhitelist are the cluster-scoped kinds that are allowed; none when it is empty or missing.
	ClusterResourceWhitelist []ClusterResourceRestrictionItem `json:"clusterResourceWhitelist,omitempty"`
	// NamespaceResourceBlacklist are namespaced kinds that are denied.
	NamespaceResourceBlacklist []metav1.GroupKind                `json:"namespaceResourceBlacklist,omitempty"`
	OrphanedResources          *OrphanedResourcesMonitorSettings `json:"orphanedResources,omitempty"`
	SyncWindows                SyncWindows                       `json:"syncWindows,omitempty"`
	// NamespaceResourceWhitelist are the namespaced kinds that are allowed: all when it is nil, none when it is empty.
	// +optional
	NamespaceResourceWhitelist []metav1.GroupKind `json:"namespaceResourceWhitelist,omitzero"`
	// SignatureKeys are the keys that commits must be signed with. SourceIntegrity is the newer form; only one is used.
	SignatureKeys []SignatureKey `json:"signatureKeys,omitempty"`
	// ClusterResourceBlacklist are cluster-scoped kinds that are denied, whatever the whitelist says.
	ClusterResourceBlacklist []ClusterResourceRestrictionItem `json:"clusterResourceBlacklist,omitempty"`
	// SourceNamespaces are globs for the namespaces, besides that of the controller, where Applications may live.
	SourceNamespaces                []string                               `json:"sourceNamespaces,omitempty"`
	PermitOnlyProjectScopedClusters bool                                   `json:"permitOnlyProjectScopedClusters,omitempty"`
	DestinationServiceAccounts      []ApplicationDestinationServiceAccount `json:"destinationServiceAccounts,omitempty"`
	SourceIntegrity                 *SourceIntegrity                       `json:"sourceIntegrity,omitempty"`
}

// ClusterResourceRestrictionItem chooses cluster-scoped objects by group and kind, and by a glob for the name unless
// that is empty.
type ClusterResourceRestrictionItem struct {
	Group string `json:"group"`
	Kind  string `json:"kind"`
	Name  string `json:"name,omitempty"`
}

// OrphanedResourcesMonitorSettings turn on the search for objects that belong to no application.
type OrphanedResourcesMonitorSettings struct {
	// Warn asks for a condition on the application; nil means yes.
	Warn   *bool                 `json:"warn,omitempty"`
	Ignore []OrphanedResourceKey `json:"ignore,omitempty"`
}

// OrphanedResourceKey are globs for objects that are not orphans.
type OrphanedResourceKey struct {
	Group string `json:"group,omitempty"`
	Kind  string `json:"kind,omitempty"`
	Name  string `json:"name,omitempty"`
}

// SyncWindows are the times at which syncs are allowed or denied.
type SyncWindows []*SyncWindow

// SyncWindow is a repeated time at which syncs of the chosen applications are allowed or denied.
type SyncWindow struct {
	// Kind is allow or deny.
	Kind string `json:"kind,omitempty"`
	// Schedule is the start as a cron expression, Duration the length.
	Schedule     string   `json:"schedule,omitempty"`
	Duration     string   `json:"duration,omitempty"`
	Applications []string `json:"applications,omitempty"`
	Namespaces   []string `json:"namespaces,omitempty"`
	Clusters     []string `json:"clusters,omitempty"`
	// ManualSync lets manual syncs through.
	ManualSync bool   `json:"manualSync,omitempty"`
	TimeZone   string `json:"timeZone,omitempty"`
	// UseAndOperator asks that every list that is set matches, instead of any.
	UseAndOperator bool   `json:"andOperator,omitempty"`
	Description    string `json:"description,omitempty"`
	// SyncOverrun lets a sync go on that began when it was allowed.
	SyncOverrun bool `json:"syncOverrun,omitempty"`
}

// The kinds of a SyncWindow.
const (
	SyncWindowKindAllow = "allow"
	SyncWindowKindDeny  = "deny"
)

// ProjectRole is a role inside a project.
type ProjectRole struct {
	Name        string     `json:"name"`
	Description string     `json:"description,omitempty"`
	Policies    []string   `json:"policies,omitempty"`
	JWTTokens   []JWTToken `json:"jwtTokens,omitempty"`
	Groups      []string   `json:"groups,omitempty"`
}

// JWTTokens is a list of tokens.
type JWTTokens struct {
	Items []JWTToken `json:"items,omitempty"`
}

// JWTToken is what is kept of a token that was given out: times in seconds since 1970 and the id, never the token.
type JWTToken struct {
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp,omitempty"`
	ID        string `json:"id,omitempty"`
}

// SignatureKey is a GnuPG key by its id.
type SignatureKey struct {
	KeyID string `json:"keyID"`
}

// ApplicationDestinationServiceAccount says as which service account (name or namespace:name) objects are applied to
// the destinations that match. The first match counts.
type ApplicationDestinationServiceAccount struct {
	Server                string `json:"server"`
	Namespace             string `json:"namespace,omitempty"`
	DefaultServiceAccount string `json:"defaultServiceAccount"`
}

// SourceIntegrity are the demands on the signatures of sources.
type SourceIntegrity struct {
	Git *SourceIntegrityGit `json:"git"`
}

// SourceIntegrityGit are the demands on Git repositories.
type SourceIntegrityGit struct {
	Policies []*SourceIntegrityGitPolicy `json:"policies"`
}

// SourceIntegrityGitPolicy is the demand on some repositories.
type SourceIntegrityGitPolicy struct {
	Repos []SourceIntegrityGitPolicyRepo `json:"repos"`
	GPG   *SourceIntegrityGitPolicyGPG   `json:"gpg"`
}

// SourceIntegrityGitPolicyRepo is a glob for the URL of repositories.
type SourceIntegrityGitPolicyRepo struct {
	URL string `json:"url"`
}

// SourceIntegrityGitPolicyGPG asks for signatures by one of Keys.
type SourceIntegrityGitPolicyGPG struct {
	Mode SourceIntegrityGitPolicyGPGMode `json:"mode"`
	Keys []string                        `json:"keys"`
}

// SourceIntegrityGitPolicyGPGMode says which commits must be signed.
type SourceIntegrityGitPolicyGPGMode string

// The modes: no commit, the one that is synced, or the whole history back to seal commits.
const (
	SourceIntegrityGitPolicyGPGModeNone   SourceIntegrityGitPolicyGPGMode = "none"
	SourceIntegrityGitPolicyGPGModeHead   SourceIntegrityGitPolicyGPGMode = "head"
	SourceIntegrityGitPolicyGPGModeStrict SourceIntegrityGitPolicyGPGMode = "strict"
)
