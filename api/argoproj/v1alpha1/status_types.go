// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ApplicationStatus is what was found and done. Nothing in it is proof: whoever may edit the resource may have written it.
type ApplicationStatus struct {
	Resources []ResourceStatus `json:"resources,omitempty"`
	// +optional
	Sync SyncStatus `json:"sync,omitzero"`
	// +optional
	Health     AppHealthStatus        `json:"health,omitzero"`
	History    RevisionHistories      `json:"history,omitempty"`
	Conditions []ApplicationCondition `json:"conditions,omitempty"`
	// ReconciledAt is when the last comparison ended. Clients wait for it to pass the end of an operation.
	ReconciledAt   *metav1.Time    `json:"reconciledAt,omitempty"`
	OperationState *OperationState `json:"operationState,omitempty"`
	// ObservedAt is no longer written; it is kept so that old resources decode.
	ObservedAt *metav1.Time          `json:"observedAt,omitempty"`
	SourceType ApplicationSourceType `json:"sourceType,omitempty"`
	// +optional
	Summary ApplicationSummary `json:"summary,omitzero"`
	// ResourceHealthSource says where the health of resources is kept: here when empty, else in the resource tree.
	ResourceHealthSource ResourceHealthLocation  `json:"resourceHealthSource,omitempty"`
	SourceTypes          []ApplicationSourceType `json:"sourceTypes,omitempty"`
	// ControllerNamespace is the namespace of the controller that wrote this status.
	ControllerNamespace string `json:"controllerNamespace,omitempty"`
	// +optional
	SourceHydrator SourceHydratorStatus `json:"sourceHydrator,omitzero"`
}

// ResourceHealthLocation is where the health of an application's resources is found.
type ResourceHealthLocation string

// The locations.
const (
	ResourceHealthLocationInline  ResourceHealthLocation = ""
	ResourceHealthLocationAppTree ResourceHealthLocation = "appTree"
)

// SyncStatus is the outcome of the last comparison, and what was compared.
type SyncStatus struct {
	Status SyncStatusCode `json:"status"`
	// +optional
	ComparedTo ComparedTo `json:"comparedTo,omitzero"`
	Revision   string     `json:"revision,omitempty"`
	Revisions  []string   `json:"revisions,omitempty"`
}

// SyncStatusCode is the verdict of a comparison.
type SyncStatusCode string

// The verdicts. Unknown means that no comparison came to an end; it is never shown as one of the others.
const (
	SyncStatusCodeUnknown   SyncStatusCode = "Unknown"
	SyncStatusCodeSynced    SyncStatusCode = "Synced"
	SyncStatusCodeOutOfSync SyncStatusCode = "OutOfSync"
)

// ComparedTo are the parts of the spec that the comparison used; when they differ from the spec it is out of date.
type ComparedTo struct {
	// +optional
	Source            ApplicationSource      `json:"source,omitzero"`
	Destination       ApplicationDestination `json:"destination"`
	Sources           ApplicationSources     `json:"sources,omitempty"`
	IgnoreDifferences IgnoreDifferences      `json:"ignoreDifferences,omitempty"`
}

// HealthStatusCode is a verdict about health.
type HealthStatusCode string

// The verdicts about health.
const (
	HealthStatusUnknown     HealthStatusCode = "Unknown"
	HealthStatusProgressing HealthStatusCode = "Progressing"
	HealthStatusHealthy     HealthStatusCode = "Healthy"
	HealthStatusSuspended   HealthStatusCode = "Suspended"
	HealthStatusDegraded    HealthStatusCode = "Degraded"
	HealthStatusMissing     HealthStatusCode = "Missing"
)

// AppHealthStatus is the health of an application, folded from its resources.
type AppHealthStatus struct {
	Status             HealthStatusCode `json:"status,omitempty"`
	LastTransitionTime *metav1.Time     `json:"lastTransitionTime,omitempty"`
	Message            string           `json:"message,omitempty"`
}

// HealthStatus is the health of one resource.
type HealthStatus struct {
	Status             HealthStatusCode `json:"status,omitempty"`
	Message            string           `json:"message,omitempty"`
	LastTransitionTime *metav1.Time     `json:"lastTransitionTime,omitempty"`
}

// ResourceStatus is the state of one resource of an application.
type ResourceStatus struct {
	Group     string `json:"group,omitempty"`
	Version   string `json:"version,omitempty"`
	Kind      string `json:"kind,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	// Status is empty for what carries no verdict, such as hooks.
	Status          SyncStatusCode `json:"status,omitempty"`
	Health          *HealthStatus  `json:"health,omitempty"`
	Hook            bool           `json:"hook,omitempty"`
	RequiresPruning bool           `json:"requiresPruning,omitempty"`
	SyncWave        int64          `json:"syncWave,omitempty"`
	// RequiresDeletionConfirmation means that it is kept until a person confirms the deletion.
	RequiresDeletionConfirmation bool `json:"requiresDeletionConfirmation,omitempty"`
}

// RevisionHistories are the past deployments, oldest first.
type RevisionHistories []RevisionHistory

// RevisionHistory is one past deployment.
type RevisionHistory struct {
	// Revision is what was deployed; with several sources it is empty and Revisions is set.
	Revision   string      `json:"revision,omitempty"`
	DeployedAt metav1.Time `json:"deployedAt"`
	ID         int64       `json:"id"`
	// +optional
	Source          ApplicationSource  `json:"source,omitzero"`
	DeployStartedAt *metav1.Time       `json:"deployStartedAt,omitempty"`
	Sources         ApplicationSources `json:"sources,omitempty"`
	Revisions       []string           `json:"revisions,omitempty"`
	// +optional
	InitiatedBy OperationInitiator `json:"initiatedBy,omitzero"`
}

// ApplicationSummary is what lists and image updaters show of an application.
type ApplicationSummary struct {
	ExternalURLs []string `json:"externalURLs,omitempty"`
	Images       []string `json:"images,omitempty"`
	IsAppOfApps  bool     `json:"isAppOfApps,omitempty"`
}

// ApplicationCondition is something that a person should know about an application.
type ApplicationCondition struct {
	Type               ApplicationConditionType `json:"type"`
	Message            string                   `json:"message"`
	LastTransitionTime *metav1.Time             `json:"lastTransitionTime,omitempty"`
}

// SourceHydratorStatus is how far the rendering of the dry source has come.
type SourceHydratorStatus struct {
	LastSuccessfulOperation *SuccessfulHydrateOperation `json:"lastSuccessfulOperation,omitempty"`
	CurrentOperation        *HydrateOperation           `json:"currentOperation,omitempty"`
	LastComparedDryRevision string                      `json:"lastComparedDryRevision,omitempty"`
}

// HydrateOperation is the running or last rendering.
type HydrateOperation struct {
	// +optional
	StartedAt  metav1.Time           `json:"startedAt,omitzero"`
	FinishedAt *metav1.Time          `json:"finishedAt,omitempty"`
	Phase      HydrateOperationPhase `json:"phase"`
	Message    string                `json:"message"`
	// DrySHA is the commit that was rendered, HydratedSHA the commit that holds the result.
	DrySHA      string `json:"drySHA,omitempty"`
	HydratedSHA string `json:"hydratedSHA,omitempty"`
	// +optional
	SourceHydrator SourceHydrator `json:"sourceHydrator,omitzero"`
}

// SuccessfulHydrateOperation is the last rendering that ended well.
type SuccessfulHydrateOperation struct {
	DrySHA      string `json:"drySHA,omitempty"`
	HydratedSHA string `json:"hydratedSHA,omitempty"`
	// +optional
	SourceHydrator SourceHydrator `json:"sourceHydrator,omitzero"`
}

// HydrateOperationPhase is how far a rendering has come.
//
// +kubebuilder:validation:Enum=Hydrating;Failed;Hydrated
type HydrateOperationPhase string

// The phases of a rendering.
const (
	HydrateOperationPhaseHydrating HydrateOperationPhase = "Hydrating"
	HydrateOperationPhaseFailed    HydrateOperationPhase = "Failed"
	HydrateOperationPhaseHydrated  HydrateOperationPhase = "Hydrated"
)
