// SPDX-License-Identifier: Apache-2.0

package settings

import "github.com/bowline-cd/bowline/api/argoproj/v1alpha1"

// Customization is what argocd-cm says of the kinds that Group and Kind match, both globs.
type Customization struct {
	Group, Kind string
	// Where is the key of argocd-cm that says so, for messages.
	Where string

	HealthLua string // source of a health check in Lua; "" for none
	HealthCEL string // expression of a health check in CEL; "" for none
	OpenLibs  *bool  // whether Lua programs get the standard libraries; nil if nothing is said of it
	Actions   string // YAML: discovery.lua, definitions, mergeBuiltinActions; "" for none
	// KnownTypes are fields that hold values of built-in types.
	KnownTypes []KnownType
	// IgnoreUpdates are the fields whose changes cause no work; nil if nothing is said of them.
	IgnoreUpdates *v1alpha1.ResourceIgnoreDifferences
}

// KnownType says that a field of a custom resource holds a value of a built-in type.
type KnownType struct {
	Field string `json:"field"` // names with dots between them; lists on the way are entered
	Type  string `json:"type"`  // core/v1/PodSpec, core/Quantity, meta/v1/Duration and the like
}

// RespectRBAC says what is done about kinds that a cluster's account may not list.
type RespectRBAC string

// The values of resource.respectRBAC.
const (
	// RBACIgnored calls such a kind unknown, which whoever has objects of it sees.
	RBACIgnored RespectRBAC = ""
	// RBACNormal leaves such a kind out as if it were excluded, once a list was refused.
	RBACNormal RespectRBAC = "normal"
	// RBACStrict asks for the right by a SelfSubjectAccessReview when a list was refused.
	RBACStrict RespectRBAC = "strict"
)

// EventBudget bounds how often one application is looked at again because of its objects' events: PerSecond in the long
// run, Burst at once.
type EventBudget struct {
	PerSecond float64
	Burst     int
}
