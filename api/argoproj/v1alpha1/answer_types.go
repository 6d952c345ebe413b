// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// The types of this file are what the API answers about applications beside the kinds themselves.

// ApplicationWatchEvent is one change of a stream: ADDED, MODIFIED or DELETED.
type ApplicationWatchEvent struct {
	Type        string      `json:"type"`
	Application Application `json:"application"`
}

// ApplicationSetWatchEvent is one change of a stream: ADDED, MODIFIED or DELETED.
type ApplicationSetWatchEvent struct {
	Type           string         `json:"type"`
	ApplicationSet ApplicationSet `json:"applicationSet"`
}

// ApplicationSetTree is what came of an ApplicationSet.
type ApplicationSetTree struct {
	Nodes []ResourceNode `json:"nodes,omitempty"`
}

// ResourceDiff is one object of an application, as desired and as it is. The states are JSON documents, with the values of
// Secrets replaced.
type ResourceDiff struct {
	Group               string `json:"group,omitempty"`
	Kind                string `json:"kind,omitempty"`
	Namespace           string `json:"namespace,omitempty"`
	Name                string `json:"name,omitempty"`
	TargetState         string `json:"targetState,omitempty"`
	LiveState           string `json:"liveState,omitempty"`
	Diff                string `json:"diff,omitempty"`
	Hook                bool   `json:"hook,omitempty"`
	NormalizedLiveState string `json:"normalizedLiveState,omitempty"`
	PredictedLiveState  string `json:"predictedLiveState,omitempty"`
	ResourceVersion     string `json:"resourceVersion,omitempty"`
	Modified            bool   `json:"modified,omitempty"`
}

// ResourceAction is something that can be done with an object, beyond syncing it.
type ResourceAction struct {
	Name        string                `json:"name,omitempty"`
	Params      []ResourceActionParam `json:"params,omitempty"`
	Disabled    bool                  `json:"disabled,omitempty"`
	IconClass   string                `json:"iconClass,omitempty"`
	DisplayName string                `json:"displayName,omitempty"`
}

// ResourceActionParam is a parameter of an action.
type ResourceActionParam struct {
	Name string `json:"name,omitempty"`
}

// ResourceOverride is a customisation of a kind, as the settings have it.
type ResourceOverride struct {
	HealthLua             string             `json:"health.lua,omitempty"`
	UseOpenLibs           bool               `json:"health.lua.useOpenLibs,omitempty"`
	Actions               string             `json:"actions,omitempty"`
	IgnoreDifferences     OverrideIgnoreDiff `json:"ignoreDifferences,omitzero"`
	IgnoreResourceUpdates OverrideIgnoreDiff `json:"ignoreResourceUpdates,omitzero"`
	KnownTypeFields       []KnownTypeField   `json:"knownTypeFields,omitempty"`
}

// OverrideIgnoreDiff says which fields of a kind are not compared.
type OverrideIgnoreDiff struct {
	JSONPointers          []string `json:"jsonPointers,omitempty"`
	JQPathExpressions     []string `json:"jqPathExpressions,omitempty"`
	ManagedFieldsManagers []string `json:"managedFieldsManagers,omitempty"`
}

// KnownTypeField says of which type of Kubernetes a field is.
type KnownTypeField struct {
	Field string `json:"field,omitempty"`
	Type  string `json:"type,omitempty"`
}

// KustomizeOptions are how kustomize runs where a source says nothing.
type KustomizeOptions struct {
	BuildOptions string             `json:"buildOptions,omitempty"`
	BinaryPath   string             `json:"binaryPath,omitempty"`
	Versions     []KustomizeVersion `json:"versions,omitempty"`
}

// KustomizeVersion is a version of kustomize that sources may ask for.
type KustomizeVersion struct {
	Name         string `json:"name"`
	Path         string `json:"path"`
	BuildOptions string `json:"buildOptions,omitempty"`
}

// ConfigManagementPlugin is a plugin as older settings had it.
type ConfigManagementPlugin struct {
	Name     string   `json:"name,omitempty"`
	Init     *Command `json:"init,omitempty"`
	Generate Command  `json:"generate,omitzero"`
	LockRepo bool     `json:"lockRepo,omitempty"`
}

// Command is a program with its arguments.
type Command struct {
	Command []string `json:"command,omitempty"`
	Args    []string `json:"args,omitempty"`
}
