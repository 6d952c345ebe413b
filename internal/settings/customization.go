// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// Customization is what one key of argocd-cm says of the kinds that Group and Kind match, both globs.
type Customization struct {
	Group, Kind string
	// Where is the key of argocd-cm that says so, for messages.
	Where string

	HealthLua string // source of a health check in Lua; "" for none
	HealthCEL string // expression of a health check in CEL; "" for none
	// OpenLibs is whether HealthLua gets the standard libraries: what is said for the same pattern, be it in another key;
	// nil if nothing is.
	OpenLibs *bool
	Actions  string // YAML: discovery.lua, definitions, mergeBuiltinActions; "" for none
	// KnownTypes are fields that hold values of built-in types. Those of all customizations that match count.
	KnownTypes []KnownType
	// IgnoreUpdates are the fields whose changes cause no work; nil if nothing is said of them. Those of all
	// customizations that match count.
	IgnoreUpdates *v1alpha1.ResourceIgnoreDifferences
}

// KnownType says that a field of a custom resource holds a value of a built-in type.
type KnownType struct {
	Field string `json:"field"` // names with dots between them; lists on the way are entered
	Type  string `json:"type"`  // core/v1/PodSpec, core/Quantity, meta/v1/Duration and the like
}

// Matcher returns what tells whether the customization is for a kind. An error means that Group or Kind is no glob.
func (c Customization) Matcher() (func(group, kind string) bool, error) {
	if !isPattern(c.Group) && !isPattern(c.Kind) {
		return func(group, kind string) bool { return group == c.Group && kind == c.Kind }, nil
	}
	groups, err := object.CompileGlob(c.Group)
	if err != nil {
		return nil, err
	}
	kinds, err := object.CompileGlob(c.Kind)
	if err != nil {
		return nil, err
	}
	return func(group, kind string) bool { return groups.Match(group) && kinds.Match(kind) }, nil
}

// isPattern reports whether the text may match anything but itself.
func isPattern(glob string) bool { return strings.ContainsAny(glob, `*?[{\`) }

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
