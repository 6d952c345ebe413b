// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ApplicationSet stamps out an Application from its template for each set of parameters that its generators produce.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=applicationsets,shortName=appset;appsets
// +kubebuilder:subresource:status
type ApplicationSet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec ApplicationSetSpec `json:"spec"`
	// +optional
	Status ApplicationSetStatus `json:"status,omitzero"`
}

// ApplicationSetList is a list of ApplicationSets.
//
// +kubebuilder:object:root=true
type ApplicationSetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []ApplicationSet `json:"items"`
}

// ApplicationSetSpec is what the user asks for.
type ApplicationSetSpec struct {
	// GoTemplate renders with Go's templates instead of plain replacement of {{name}}.
	GoTemplate      bool                        `json:"goTemplate,omitempty"`
	Generators      []ApplicationSetGenerator   `json:"generators"`
	Template        ApplicationSetTemplate      `json:"template"`
	SyncPolicy      *ApplicationSetSyncPolicy   `json:"syncPolicy,omitempty"`
	Strategy        *ApplicationSetStrategy     `json:"strategy,omitempty"`
	PreservedFields *ApplicationPreservedFields `json:"preservedFields,omitempty"`
	// GoTemplateOptions are options of Go's templates, such as missingkey=error.
	GoTemplateOptions []string `json:"goTemplateOptions,omitempty"`
	// ApplyNestedSelectors has no effect any more: selectors of nested generators always apply.
	ApplyNestedSelectors         bool                            `json:"applyNestedSelectors,omitempty"`
	IgnoreApplicationDifferences ApplicationSetIgnoreDifferences `json:"ignoreApplicationDifferences,omitempty"`
	// TemplatePatch is rendered and merged over the template; it needs GoTemplate.
	TemplatePatch *string `json:"templatePatch,omitempty"`
}

// ApplicationPreservedFields are annotation and label keys that others set on the Applications and that stay.
type ApplicationPreservedFields struct {
	Annotations []string `json:"annotations,omitempty"`
	Labels      []string `json:"labels,omitempty"`
}

// ApplicationSetIgnoreDifferences are rules about what may differ between an Application and its template.
type ApplicationSetIgnoreDifferences []ApplicationSetResourceIgnoreDifferences

// ApplicationSetResourceIgnoreDifferences names fields of the Application called Name, or of all when that is empty.
type ApplicationSetResourceIgnoreDifferences struct {
	Name              string   `json:"name,omitempty"`
	JSONPointers      []string `json:"jsonPointers,omitempty"`
	JQPathExpressions []string `json:"jqPathExpressions,omitempty"`
}

// ApplicationSetStrategy says in which order the Applications are brought up to date.
type ApplicationSetStrategy struct {
	// Type is AllAtOnce or RollingSync.
	Type        string                         `json:"type,omitempty"`
	RollingSync *ApplicationSetRolloutStrategy `json:"rollingSync,omitempty"`
	// DeletionOrder is AllAtOnce or Reverse.
	DeletionOrder string `json:"deletionOrder,omitempty"`
}

// ApplicationSetRolloutStrategy are the steps of a rolling sync.
type ApplicationSetRolloutStrategy struct {
	Steps []ApplicationSetRolloutStep `json:"steps,omitempty"`
}

// ApplicationSetRolloutStep is one step of a rolling sync. MaxUpdate is a number or a percentage of the chosen
// Applications; nil is all of them, 0 waits for a person.
type ApplicationSetRolloutStep struct {
	MatchExpressions []ApplicationMatchExpression `json:"matchExpressions,omitempty"`
	MaxUpdate        *intstr.IntOrString          `json:"maxUpdate,omitempty"`
}

// ApplicationMatchExpression chooses Applications by a label; Operator is In or NotIn.
type ApplicationMatchExpression struct {
	Key      string   `json:"key,omitempty"`
	Operator string   `json:"operator,omitempty"`
	Values   []string `json:"values,omitempty"`
}

// ApplicationsSyncPolicy says what may be done to the Applications of a set.
//
// +kubebuilder:validation:Enum=create-only;create-update;create-delete;sync
type ApplicationsSyncPolicy string

// The policies; ApplicationsSyncPolicySync, which allows all, is the default.
const (
	ApplicationsSyncPolicyCreateOnly   ApplicationsSyncPolicy = "create-only"
	ApplicationsSyncPolicyCreateUpdate ApplicationsSyncPolicy = "create-update"
	ApplicationsSyncPolicyCreateDelete ApplicationsSyncPolicy = "create-delete"
	ApplicationsSyncPolicySync         ApplicationsSyncPolicy = "sync"
)

// ApplicationSetSyncPolicy says what may be done to the Applications and to their objects.
type ApplicationSetSyncPolicy struct {
	// PreserveResourcesOnDeletion leaves the objects in place when an Application goes.
	PreserveResourcesOnDeletion bool                    `json:"preserveResourcesOnDeletion,omitempty"`
	ApplicationsSync            *ApplicationsSyncPolicy `json:"applicationsSync,omitempty"`
}

// ApplicationSetTemplate is what an Application is made from. In a generator it is laid over the template of the set.
type ApplicationSetTemplate struct {
	ApplicationSetTemplateMeta `json:"metadata"`
	Spec                       ApplicationSpec `json:"spec"`
}

// ApplicationSetTemplateMeta is the metadata of the Applications.
type ApplicationSetTemplateMeta struct {
	Name        string            `json:"name,omitempty"`
	Namespace   string            `json:"namespace,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Finalizers  []string          `json:"finalizers,omitempty"`
}

// ApplicationSetStatus is what was found and done.
type ApplicationSetStatus struct {
	Conditions        []ApplicationSetCondition         `json:"conditions,omitempty"`
	ApplicationStatus []ApplicationSetApplicationStatus `json:"applicationStatus,omitempty"`
	// Resources are the first Applications; ResourcesCount is the number of all.
	Resources      []ResourceStatus `json:"resources,omitempty"`
	ResourcesCount int64            `json:"resourcesCount,omitempty"`
	// +optional
	Health HealthStatus `json:"health,omitzero"`
}

// ApplicationSetCondition is something that a person should know about an ApplicationSet.
type ApplicationSetCondition struct {
	Type               ApplicationSetConditionType   `json:"type"`
	Message            string                        `json:"message"`
	LastTransitionTime *metav1.Time                  `json:"lastTransitionTime,omitempty"`
	Status             ApplicationSetConditionStatus `json:"status"`
	Reason             string                        `json:"reason"`
}

// ApplicationSetConditionType is the kind of an ApplicationSetCondition.
type ApplicationSetConditionType string

// The condition types.
const (
	ApplicationSetConditionErrorOccurred       ApplicationSetConditionType = "ErrorOccurred"
	ApplicationSetConditionParametersGenerated ApplicationSetConditionType = "ParametersGenerated"
	ApplicationSetConditionResourcesUpToDate   ApplicationSetConditionType = "ResourcesUpToDate"
	ApplicationSetConditionRolloutProgressing  ApplicationSetConditionType = "RolloutProgressing"
)

// ApplicationSetConditionStatus is whether a condition holds.
type ApplicationSetConditionStatus string

// The condition statuses.
const (
	ApplicationSetConditionStatusTrue    ApplicationSetConditionStatus = "True"
	ApplicationSetConditionStatusFalse   ApplicationSetConditionStatus = "False"
	ApplicationSetConditionStatusUnknown ApplicationSetConditionStatus = "Unknown"
)

// ApplicationSetApplicationStatus is how far one Application has come in a rolling sync.
type ApplicationSetApplicationStatus struct {
	Application        string       `json:"application"`
	LastTransitionTime *metav1.Time `json:"lastTransitionTime,omitempty"`
	Message            string       `json:"message"`
	// Status is Waiting, Pending, Progressing or Healthy.
	Status          ProgressiveSyncStatusCode `json:"status"`
	Step            string                    `json:"step"`
	TargetRevisions []string                  `json:"targetRevisions"`
}

// ProgressiveSyncStatusCode is how far an Application has come in a rolling sync.
type ProgressiveSyncStatusCode string

// The codes, in their order.
const (
	ProgressiveSyncWaiting     ProgressiveSyncStatusCode = "Waiting"
	ProgressiveSyncPending     ProgressiveSyncStatusCode = "Pending"
	ProgressiveSyncProgressing ProgressiveSyncStatusCode = "Progressing"
	ProgressiveSyncHealthy     ProgressiveSyncStatusCode = "Healthy"
)
