// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Application says what is to run on which cluster, and what was found there. It has no status subresource: status and
// operation are written by ordinary patches, which raise metadata.generation.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=applications,shortName=app;apps
// +kubebuilder:printcolumn:name="Sync Status",type=string,JSONPath=`.status.sync.status`
// +kubebuilder:printcolumn:name="Health Status",type=string,JSONPath=`.status.health.status`
// +kubebuilder:printcolumn:name="Revision",type=string,JSONPath=`.status.sync.revision`,priority=10
// +kubebuilder:printcolumn:name="Project",type=string,JSONPath=`.spec.project`,priority=10
type Application struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec ApplicationSpec `json:"spec"`
	// +optional
	Status ApplicationStatus `json:"status,omitzero"`
	// Operation is a request for a sync; the controller takes it over into status.operationState and removes it here.
	Operation *Operation `json:"operation,omitempty"`
}

// ApplicationList is a list of Applications.
//
// +kubebuilder:object:root=true
type ApplicationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []Application `json:"items"`
}

// ApplicationSpec is what the user asks for.
type ApplicationSpec struct {
	// Source is where the manifests come from. It is ignored when Sources is not empty.
	Source      *ApplicationSource     `json:"source,omitempty"`
	Destination ApplicationDestination `json:"destination"`
	// Project is the name of an AppProject; empty is read as DefaultAppProjectName.
	Project           string            `json:"project,omitempty"`
	SyncPolicy        *SyncPolicy       `json:"syncPolicy,omitempty"`
	IgnoreDifferences IgnoreDifferences `json:"ignoreDifferences,omitempty"`
	Info              []Info            `json:"info,omitempty"`
	// RevisionHistoryLimit is how many entries status.history keeps; nil means RevisionHistoryLimitDefault.
	RevisionHistoryLimit *int64             `json:"revisionHistoryLimit,omitempty"`
	Sources              ApplicationSources `json:"sources,omitempty"`
	SourceHydrator       *SourceHydrator    `json:"sourceHydrator,omitempty"`
}

// ApplicationDestination is a cluster, by Server (its URL) or by Name but not both, and a namespace for the objects
// that name none.
type ApplicationDestination struct {
	Server    string `json:"server,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
}

// Info is a free key and value shown with the application; in an operation it goes into the record.
type Info struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// IgnoreDifferences are the rules of one application about what does not count as a difference.
type IgnoreDifferences []ResourceIgnoreDifferences

// ResourceIgnoreDifferences chooses objects (Group and Kind are globs, empty Name and Namespace match all) and names
// the fields of them that are not compared.
type ResourceIgnoreDifferences struct {
	Group             string   `json:"group,omitempty"`
	Kind              string   `json:"kind"`
	Name              string   `json:"name,omitempty"`
	Namespace         string   `json:"namespace,omitempty"`
	JSONPointers      []string `json:"jsonPointers,omitempty"`
	JQPathExpressions []string `json:"jqPathExpressions,omitempty"`
	// ManagedFieldsManagers ignores every field that one of these field managers owns on the live object.
	ManagedFieldsManagers []string `json:"managedFieldsManagers,omitempty"`
}

// SyncPolicy says when and how syncs happen.
type SyncPolicy struct {
	// Automated turns automated sync on. An empty object is on with all defaults, nil is off.
	Automated   *SyncPolicyAutomated `json:"automated,omitempty"`
	SyncOptions SyncOptions          `json:"syncOptions,omitempty"`
	Retry       *RetryStrategy       `json:"retry,omitempty"`
	// ManagedNamespaceMetadata takes effect only together with the sync option CreateNamespace=true.
	ManagedNamespaceMetadata *ManagedNamespaceMetadata `json:"managedNamespaceMetadata,omitempty"`
}

// SyncPolicyAutomated are the switches of automated sync. They are pointers because "not said" and false differ: a nil
// Enabled is on, a nil Prune, SelfHeal or AllowEmpty is off but may be overlaid.
type SyncPolicyAutomated struct {
	Prune      *bool `json:"prune,omitempty"`
	SelfHeal   *bool `json:"selfHeal,omitempty"`
	AllowEmpty *bool `json:"allowEmpty,omitempty"`
	Enabled    *bool `json:"enabled,omitempty"`
}

// SyncOptions are options of the form Key=value.
type SyncOptions []string

// RetryStrategy says how often and how fast a failed sync is tried again.
type RetryStrategy struct {
	// Limit is the number of tries after the first; below zero means without end, zero means none.
	Limit   int64    `json:"limit,omitempty"`
	Backoff *Backoff `json:"backoff,omitempty"`
	// Refresh resolves the revision anew for each retry of an automated sync.
	Refresh bool `json:"refresh,omitempty"`
}

// Backoff is the time between tries. Durations are Go durations or a bare number of seconds; an empty Duration, nil
// Factor and empty MaxDuration mean 5s, 2 and 3m.
type Backoff struct {
	Duration    string `json:"duration,omitempty"`
	Factor      *int64 `json:"factor,omitempty"`
	MaxDuration string `json:"maxDuration,omitempty"`
}

// ManagedNamespaceMetadata are the labels and annotations given to the destination namespace. A map that is present
// but empty takes away what an earlier sync set.
type ManagedNamespaceMetadata struct {
	// +optional
	Labels map[string]string `json:"labels,omitzero"`
	// +optional
	Annotations map[string]string `json:"annotations,omitzero"`
}
