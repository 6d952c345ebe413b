// SPDX-License-Identifier: Apache-2.0

package rpc

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// MayQuery asks for rights of the caller.
type MayQuery struct {
	// Rights are each written as policies write them: "applications, sync, default/web".
	Rights []string `json:"rights"`
}

// MayAnswer says which rights the caller has, in the order of the question.
type MayAnswer struct {
	Allowed []bool `json:"allowed"`
}

// SignOutRequest says whose sessions end; "" is the caller.
type SignOutRequest struct {
	Account string `json:"account,omitempty"`
}

// SignOutAnswer says from when on sessions count again. Own says that the caller's session was among those that ended.
type SignOutAnswer struct {
	Since metav1.Time `json:"since"`
	Own   bool        `json:"own,omitempty"`
}

// StateQuery asks how Bowline is doing.
type StateQuery struct{}

// State is how Bowline itself is doing. What a caller may not see of clusters and repositories is left out.
type State struct {
	Version string      `json:"version"`
	Started metav1.Time `json:"started"`
	// Leads says that this process acts; else another does, or nobody: Because says which. Observes that it never acts.
	Leads    bool   `json:"leads"`
	Observes bool   `json:"observes,omitempty"`
	Because  string `json:"because,omitempty"`
	// Checks are those of /readyz; the text is "ok" or what is missing.
	Checks map[string]string `json:"checks"`
	// MemoryBytes and Goroutines are of this process.
	MemoryBytes int64 `json:"memoryBytes"`
	Goroutines  int64 `json:"goroutines"`
	// Settings are what of the settings is not known or not valid, each a sentence with its key.
	Settings []string `json:"settings,omitempty"`
	// Clusters are those that the caller may see.
	Clusters []ClusterSummary `json:"clusters"`
	// Repositories are those that cannot be read at the moment, of those that the caller may see.
	Repositories []RepositoryTrouble `json:"repositories,omitempty"`
}

// ClusterSummary sums up what is known of a cluster; ClusterState has it by kind.
type ClusterSummary struct {
	Server       string       `json:"server"`
	Name         string       `json:"name"`
	Connected    bool         `json:"connected"`
	Error        string       `json:"error,omitempty"`
	Version      string       `json:"version,omitempty"`
	Applications int64        `json:"applications"`
	Objects      int64        `json:"objects"`
	Kinds        int64        `json:"kinds"`
	Unknown      int64        `json:"unknown"` // kinds that are not known
	LastEvent    *metav1.Time `json:"lastEvent,omitempty"`
	Waiting      int64        `json:"waiting"`
	Running      int64        `json:"running"`
}

// RepositoryTrouble is a repository that cannot be read.
type RepositoryTrouble struct {
	Repo  string `json:"repo"`
	Error string `json:"error"`
	// Since is when it could last be read; absent if it never could.
	Since *metav1.Time `json:"since,omitempty"`
}
