// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import "strings"

// ApplicationConditionType is the kind of an ApplicationCondition. Types that end in Error are errors, those that end
// in Warning are not.
type ApplicationConditionType string

// The condition types of Argo CD.
const (
	ApplicationConditionDeletionError           ApplicationConditionType = "DeletionError"
	ApplicationConditionInvalidSpecError        ApplicationConditionType = "InvalidSpecError"
	ApplicationConditionComparisonError         ApplicationConditionType = "ComparisonError"
	ApplicationConditionSyncError               ApplicationConditionType = "SyncError"
	ApplicationConditionUnknownError            ApplicationConditionType = "UnknownError"
	ApplicationConditionSharedResourceWarning   ApplicationConditionType = "SharedResourceWarning"
	ApplicationConditionRepeatedResourceWarning ApplicationConditionType = "RepeatedResourceWarning"
	ApplicationConditionExcludedResourceWarning ApplicationConditionType = "ExcludedResourceWarning"
	ApplicationConditionOrphanedResourceWarning ApplicationConditionType = "OrphanedResourceWarning"
)

// IsError says whether the condition is an error, which by the convention of the resource its name tells.
func (t ApplicationConditionType) IsError() bool { return strings.HasSuffix(string(t), "Error") }
