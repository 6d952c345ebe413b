// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Operation is a request to act on an application.
type Operation struct {
	Sync *SyncOperation `json:"sync,omitempty"`
	// +optional
	InitiatedBy OperationInitiator `json:"initiatedBy,omitzero"`
	Info        []*Info            `json:"info,omitempty"`
	// +optional
	Retry RetryStrategy `json:"retry,omitzero"`
}

// OperationInitiator is who asked: a user by name, or the automated sync.
type OperationInitiator struct {
	Username  string `json:"username,omitempty"`
	Automated bool   `json:"automated,omitempty"`
}

// SyncOperation is a request to make the cluster equal to a revision.
type SyncOperation struct {
	// Revision is what to sync to; empty means the target revision of the spec.
	Revision string `json:"revision,omitempty"`
	Prune    bool   `json:"prune,omitempty"`
	DryRun   bool   `json:"dryRun,omitempty"`
	// SyncStrategy says whether hooks run; nil means with hooks.
	SyncStrategy *SyncStrategy `json:"syncStrategy,omitempty"`
	// Resources limits the sync to these objects; empty means all.
	Resources []SyncOperationResource `json:"resources,omitempty"`
	// Source stands in for spec.source, for a rollback.
	Source *ApplicationSource `json:"source,omitempty"`
	// Manifests stand in for what the sources give.
	Manifests   []string           `json:"manifests,omitempty"`
	SyncOptions SyncOptions        `json:"syncOptions,omitempty"`
	Sources     ApplicationSources `json:"sources,omitempty"`
	// Revisions are the revisions of Sources, in their order.
	Revisions []string `json:"revisions,omitempty"`
	// SelfHealAttemptsCount is how many self-heals of the same revision came before this one.
	SelfHealAttemptsCount int64 `json:"autoHealAttemptsCount,omitempty"`
}

// SyncOperationResource names an object to sync. "*" is a wildcard and an empty Namespace matches any.
type SyncOperationResource struct {
	Group     string `json:"group,omitempty"`
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
}

// SyncStrategy chooses how to sync: Apply without hooks, Hook (the default) with them.
type SyncStrategy struct {
	Apply *SyncStrategyApply `json:"apply,omitempty"`
	Hook  *SyncStrategyHook  `json:"hook,omitempty"`
}

// SyncStrategyApply syncs without hooks. Force deletes and creates anew what cannot be patched.
type SyncStrategyApply struct {
	Force bool `json:"force,omitempty"`
}

// SyncStrategyHook syncs with hooks.
type SyncStrategyHook struct {
	SyncStrategyApply `json:",inline"`
}

// OperationState is the record of the running or last operation. While a failed sync waits for its next try the phase
// is OperationRunning and FinishedAt is set.
type OperationState struct {
	Operation  Operation            `json:"operation"`
	Phase      OperationPhase       `json:"phase"`
	Message    string               `json:"message,omitempty"`
	SyncResult *SyncOperationResult `json:"syncResult,omitempty"`
	StartedAt  metav1.Time          `json:"startedAt"`
	FinishedAt *metav1.Time         `json:"finishedAt,omitempty"`
	RetryCount int64                `json:"retryCount,omitempty"`
}

// OperationPhase is how far an operation, or a hook, has come.
type OperationPhase string

// The phases of an operation.
const (
	OperationRunning     OperationPhase = "Running"
	OperationTerminating OperationPhase = "Terminating"
	OperationFailed      OperationPhase = "Failed"
	OperationError       OperationPhase = "Error"
	OperationSucceeded   OperationPhase = "Succeeded"
)

// Completed says whether the operation has come to its end, well or badly.
func (p OperationPhase) Completed() bool {
	return p == OperationFailed || p == OperationError || p == OperationSucceeded
}

// Running says whether the operation is under way.
func (p OperationPhase) Running() bool { return p == OperationRunning }

// Successful says whether the operation ended well.
func (p OperationPhase) Successful() bool { return p == OperationSucceeded }

// Failed says whether the operation ended because an object could not be made right.
func (p OperationPhase) Failed() bool { return p == OperationFailed }

// SyncOperationResult is what a sync did.
type SyncOperationResult struct {
	Resources ResourceResults `json:"resources,omitempty"`
	Revision  string          `json:"revision"`
	// +optional
	Source                   ApplicationSource         `json:"source,omitzero"`
	Sources                  ApplicationSources        `json:"sources,omitempty"`
	Revisions                []string                  `json:"revisions,omitempty"`
	ManagedNamespaceMetadata *ManagedNamespaceMetadata `json:"managedNamespaceMetadata,omitempty"`
}

// ResourceResults are the results of one sync, one for each object or hook.
type ResourceResults []*ResourceResult

// ResourceResult is what a sync did to one object.
type ResourceResult struct {
	Group     string     `json:"group"`
	Version   string     `json:"version"`
	Kind      string     `json:"kind"`
	Namespace string     `json:"namespace"`
	Name      string     `json:"name"`
	Status    ResultCode `json:"status,omitempty"`
	Message   string     `json:"message,omitempty"`
	// HookType is set for hooks only.
	HookType HookType `json:"hookType,omitempty"`
	// HookPhase is how far the hook, or the object's health, has come.
	HookPhase OperationPhase `json:"hookPhase,omitempty"`
	SyncPhase SyncPhase      `json:"syncPhase,omitempty"`
	Images    []string       `json:"images,omitempty"`
}

// ResultCode is the outcome of applying or pruning one object.
type ResultCode string

// The outcomes.
const (
	ResultCodeSynced       ResultCode = "Synced"
	ResultCodeSyncFailed   ResultCode = "SyncFailed"
	ResultCodePruned       ResultCode = "Pruned"
	ResultCodePruneSkipped ResultCode = "PruneSkipped"
)

// SyncPhase is the part of a sync in which an object is applied.
type SyncPhase string

// The phases of a sync, in their order; SyncFail runs only when another failed.
const (
	SyncPhasePreSync  SyncPhase = "PreSync"
	SyncPhaseSync     SyncPhase = "Sync"
	SyncPhasePostSync SyncPhase = "PostSync"
	SyncPhaseSyncFail SyncPhase = "SyncFail"
)

// HookType is a value of the hook annotation.
type HookType string

// The hook types.
const (
	HookTypePreSync    HookType = "PreSync"
	HookTypeSync       HookType = "Sync"
	HookTypePostSync   HookType = "PostSync"
	HookTypeSyncFail   HookType = "SyncFail"
	HookTypePreDelete  HookType = "PreDelete"
	HookTypePostDelete HookType = "PostDelete"
	HookTypeSkip       HookType = "Skip"
)

// HookDeletePolicy says when a hook's object is deleted.
type HookDeletePolicy string

// The delete policies; HookDeletePolicyBeforeHookCreation is the default.
const (
	HookDeletePolicyHookSucceeded      HookDeletePolicy = "HookSucceeded"
	HookDeletePolicyHookFailed         HookDeletePolicy = "HookFailed"
	HookDeletePolicyBeforeHookCreation HookDeletePolicy = "BeforeHookCreation"
)
