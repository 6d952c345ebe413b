// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ApplicationSources are several sources whose objects together make one application.
type ApplicationSources []ApplicationSource

// ApplicationSource is one place that manifests come from: a path of a Git repository, a chart of a Helm repository,
// or an OCI artifact. At most one of Helm, Kustomize, Directory and Plugin is set.
type ApplicationSource struct {
	RepoURL string `json:"repoURL"`
	Path    string `json:"path,omitempty"`
	// TargetRevision is a branch, tag, commit or version constraint; empty means HEAD for Git and the newest version
	// for Helm.
	TargetRevision string                      `json:"targetRevision,omitempty"`
	Helm           *ApplicationSourceHelm      `json:"helm,omitempty"`
	Kustomize      *ApplicationSourceKustomize `json:"kustomize,omitempty"`
	Directory      *ApplicationSourceDirectory `json:"directory,omitempty"`
	Plugin         *ApplicationSourcePlugin    `json:"plugin,omitempty"`
	Chart          string                      `json:"chart,omitempty"`
	// Ref gives the source a name that value files of other sources use as $name/path.
	Ref string `json:"ref,omitempty"`
	// Name is shown to people and addresses the source in requests.
	Name string `json:"name,omitempty"`
	// TagPrefix restricts a version constraint to tags with this prefix, which is cut before versions are compared.
	TagPrefix string `json:"tagPrefix,omitempty"`
}

// ApplicationSourceType is the tool that renders a source.
type ApplicationSourceType string

// The tools.
const (
	ApplicationSourceTypeHelm      ApplicationSourceType = "Helm"
	ApplicationSourceTypeKustomize ApplicationSourceType = "Kustomize"
	ApplicationSourceTypeDirectory ApplicationSourceType = "Directory"
	ApplicationSourceTypePlugin    ApplicationSourceType = "Plugin"
)

// ApplicationSourceHelm are the settings of a Helm chart.
type ApplicationSourceHelm struct {
	ValueFiles     []string            `json:"valueFiles,omitempty"`
	Parameters     []HelmParameter     `json:"parameters,omitempty"`
	ReleaseName    string              `json:"releaseName,omitempty"`
	Values         string              `json:"values,omitempty"`
	FileParameters []HelmFileParameter `json:"fileParameters,omitempty"`
	Version        string              `json:"version,omitempty"`
	// PassCredentials sends the repository's credentials to other hosts too.
	PassCredentials         bool `json:"passCredentials,omitempty"`
	IgnoreMissingValueFiles bool `json:"ignoreMissingValueFiles,omitempty"`
	SkipCrds                bool `json:"skipCrds,omitempty"`
	// ValuesObject is any JSON object; when set, Values is ignored.
	//
	// +kubebuilder:pruning:PreserveUnknownFields
	ValuesObject         *runtime.RawExtension `json:"valuesObject,omitempty"`
	Namespace            string                `json:"namespace,omitempty"`
	KubeVersion          string                `json:"kubeVersion,omitempty"`
	APIVersions          []string              `json:"apiVersions,omitempty"`
	SkipTests            bool                  `json:"skipTests,omitempty"`
	SkipSchemaValidation bool                  `json:"skipSchemaValidation,omitempty"`
}

// HelmParameter is one --set of Helm, or one --set-string with ForceString.
type HelmParameter struct {
	Name        string `json:"name,omitempty"`
	Value       string `json:"value,omitempty"`
	ForceString bool   `json:"forceString,omitempty"`
}

// HelmFileParameter is one --set-file of Helm.
type HelmFileParameter struct {
	Name string `json:"name,omitempty"`
	Path string `json:"path,omitempty"`
}

// ApplicationSourceKustomize are the settings laid over a kustomization.
type ApplicationSourceKustomize struct {
	NamePrefix                string            `json:"namePrefix,omitempty"`
	NameSuffix                string            `json:"nameSuffix,omitempty"`
	Images                    KustomizeImages   `json:"images,omitempty"`
	CommonLabels              map[string]string `json:"commonLabels,omitempty"`
	Version                   string            `json:"version,omitempty"`
	CommonAnnotations         map[string]string `json:"commonAnnotations,omitempty"`
	ForceCommonLabels         bool              `json:"forceCommonLabels,omitempty"`
	ForceCommonAnnotations    bool              `json:"forceCommonAnnotations,omitempty"`
	Namespace                 string            `json:"namespace,omitempty"`
	CommonAnnotationsEnvsubst bool              `json:"commonAnnotationsEnvsubst,omitempty"`
	Replicas                  KustomizeReplicas `json:"replicas,omitempty"`
	Patches                   KustomizePatches  `json:"patches,omitempty"`
	Components                []string          `json:"components,omitempty"`
	IgnoreMissingComponents   bool              `json:"ignoreMissingComponents,omitempty"`
	LabelWithoutSelector      bool              `json:"labelWithoutSelector,omitempty"`
	KubeVersion               string            `json:"kubeVersion,omitempty"`
	APIVersions               []string          `json:"apiVersions,omitempty"`
	LabelIncludeTemplates     bool              `json:"labelIncludeTemplates,omitempty"`
}

// KustomizeImage replaces an image: [old=]new[:tag][@digest].
type KustomizeImage string

// KustomizeImages are the image replacements of one source.
type KustomizeImages []KustomizeImage

// KustomizeReplicas are the replica counts of one source.
type KustomizeReplicas []KustomizeReplica

// KustomizeReplica sets the replicas of the object with this name. Count may be a string that is substituted.
type KustomizeReplica struct {
	Name  string             `json:"name"`
	Count intstr.IntOrString `json:"count"`
}

// KustomizePatches are the patches of one source.
type KustomizePatches []KustomizePatch

// KustomizePatch is a patch, inline or in a file, for the objects that Target chooses.
type KustomizePatch struct {
	Path    string             `json:"path,omitempty"`
	Patch   string             `json:"patch,omitempty"`
	Target  *KustomizeSelector `json:"target,omitempty"`
	Options map[string]bool    `json:"options,omitempty"`
}

// KustomizeSelector chooses objects for a patch; all its strings but the selectors are anchored regular expressions.
type KustomizeSelector struct {
	KustomizeResId     `json:",inline"`
	AnnotationSelector string `json:"annotationSelector,omitempty"`
	LabelSelector      string `json:"labelSelector,omitempty"`
}

// KustomizeResId is kind, name and namespace of objects.
type KustomizeResId struct {
	KustomizeGvk `json:",inline"`
	Name         string `json:"name,omitempty"`
	Namespace    string `json:"namespace,omitempty"`
}

// KustomizeGvk is group, version and kind of objects.
type KustomizeGvk struct {
	Group   string `json:"group,omitempty"`
	Version string `json:"version,omitempty"`
	Kind    string `json:"kind,omitempty"`
}

// ApplicationSourceDirectory are the settings of a directory of plain manifests.
type ApplicationSourceDirectory struct {
	Recurse bool `json:"recurse,omitempty"`
	// +optional
	Jsonnet ApplicationSourceJsonnet `json:"jsonnet,omitzero"`
	Exclude string                   `json:"exclude,omitempty"`
	Include string                   `json:"include,omitempty"`
	// DisableExtensionFilter reads files of every extension, not only .yaml, .yml, .json and .jsonnet.
	DisableExtensionFilter bool `json:"disableExtensionFilter,omitempty"`
}

// ApplicationSourceJsonnet are the variables and library paths of Jsonnet.
type ApplicationSourceJsonnet struct {
	ExtVars []JsonnetVar `json:"extVars,omitempty"`
	TLAs    []JsonnetVar `json:"tlas,omitempty"`
	Libs    []string     `json:"libs,omitempty"`
}

// JsonnetVar is a variable; with Code its value is an expression instead of a string.
type JsonnetVar struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Code  bool   `json:"code,omitempty"`
}

// ApplicationSourcePlugin chooses a config management plugin and gives it its input.
type ApplicationSourcePlugin struct {
	Name       string                            `json:"name,omitempty"`
	Env        Env                               `json:"env,omitempty"`
	Parameters ApplicationSourcePluginParameters `json:"parameters,omitempty"`
}

// Env is a list of environment variables.
type Env []*EnvEntry

// EnvEntry is one environment variable.
type EnvEntry struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ApplicationSourcePluginParameters are the parameters handed to a plugin.
type ApplicationSourcePluginParameters []ApplicationSourcePluginParameter

// ApplicationSourcePluginParameter is a named string, map or array. An empty map or array is handed on as such, a nil
// one is not handed on.
type ApplicationSourcePluginParameter struct {
	Name    string  `json:"name,omitempty"`
	String_ *string `json:"string,omitempty"`
	// +optional
	Map map[string]string `json:"map,omitzero"`
	// +optional
	Array []string `json:"array,omitzero"`
}

// SourceHydrator renders a dry source into a branch from which the application is then synced.
type SourceHydrator struct {
	DrySource  DrySource  `json:"drySource"`
	SyncSource SyncSource `json:"syncSource"`
	// HydrateTo is a branch to push to for review before it reaches the branch of SyncSource.
	HydrateTo *HydrateTo `json:"hydrateTo,omitempty"`
}

// DrySource is the source before rendering.
type DrySource struct {
	RepoURL        string                      `json:"repoURL"`
	TargetRevision string                      `json:"targetRevision"`
	Path           string                      `json:"path"`
	Helm           *ApplicationSourceHelm      `json:"helm,omitempty"`
	Kustomize      *ApplicationSourceKustomize `json:"kustomize,omitempty"`
	Directory      *ApplicationSourceDirectory `json:"directory,omitempty"`
	Plugin         *ApplicationSourcePlugin    `json:"plugin,omitempty"`
}

// SyncSource is where the rendered manifests are. Path is never the root of the repository; an empty RepoURL is that
// of the dry source.
type SyncSource struct {
	RepoURL      string `json:"repoURL,omitempty"`
	TargetBranch string `json:"targetBranch"`
	// +kubebuilder:validation:Pattern=`^.{2,}|[^./]$`
	Path string `json:"path"`
}

// HydrateTo names a staging branch.
type HydrateTo struct {
	TargetBranch string `json:"targetBranch"`
}
