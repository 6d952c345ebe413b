// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ApplicationSetGenerator produces sets of parameters. Exactly one of its generators is set; Selector keeps the sets
// whose parameters match.
type ApplicationSetGenerator struct {
	List                    *ListGenerator        `json:"list,omitempty"`
	Clusters                *ClusterGenerator     `json:"clusters,omitempty"`
	Git                     *GitGenerator         `json:"git,omitempty"`
	SCMProvider             *SCMProviderGenerator `json:"scmProvider,omitempty"`
	ClusterDecisionResource *DuckTypeGenerator    `json:"clusterDecisionResource,omitempty"`
	PullRequest             *PullRequestGenerator `json:"pullRequest,omitempty"`
	Matrix                  *MatrixGenerator      `json:"matrix,omitempty"`
	Merge                   *MergeGenerator       `json:"merge,omitempty"`
	Selector                *metav1.LabelSelector `json:"selector,omitempty"`
	Plugin                  *PluginGenerator      `json:"plugin,omitempty"`
}

// ApplicationSetNestedGenerator is a generator inside a matrix or merge. A matrix or merge in it is kept as JSON: it may
// go one level deeper, see ApplicationSetTerminalGenerator.
//
// In the CRD each of its fields is an open object. Their schemas would repeat every generator, with its template, two
// more times, and the CRD would be too large for a client-side kubectl apply.
type ApplicationSetNestedGenerator struct {
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	List *ListGenerator `json:"list,omitempty"`
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Clusters *ClusterGenerator `json:"clusters,omitempty"`
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Git *GitGenerator `json:"git,omitempty"`
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	SCMProvider *SCMProviderGenerator `json:"scmProvider,omitempty"`
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	ClusterDecisionResource *DuckTypeGenerator `json:"clusterDecisionResource,omitempty"`
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	PullRequest *PullRequestGenerator `json:"pullRequest,omitempty"`
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Matrix *apiextensionsv1.JSON `json:"matrix,omitempty"`
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Merge *apiextensionsv1.JSON `json:"merge,omitempty"`
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Plugin *PluginGenerator `json:"plugin,omitempty"`
}

// NestedMatrixGenerator is what the JSON of a nested matrix holds.
type NestedMatrixGenerator struct {
	// +optional
	Generators ApplicationSetTerminalGenerators `json:"generators,omitzero"`
}

// NestedMergeGenerator is what the JSON of a nested merge holds.
type NestedMergeGenerator struct {
	// +optional
	Generators ApplicationSetTerminalGenerators `json:"generators,omitzero"`
	MergeKeys  []string                         `json:"mergeKeys"`
}

// ApplicationSetTerminalGenerators are generators at the deepest level.
type ApplicationSetTerminalGenerators []ApplicationSetTerminalGenerator

// ApplicationSetTerminalGenerator is a generator at the deepest level, where neither matrix nor merge is allowed.
type ApplicationSetTerminalGenerator struct {
	List                    *ListGenerator        `json:"list,omitempty"`
	Clusters                *ClusterGenerator     `json:"clusters,omitempty"`
	Git                     *GitGenerator         `json:"git,omitempty"`
	SCMProvider             *SCMProviderGenerator `json:"scmProvider,omitempty"`
	ClusterDecisionResource *DuckTypeGenerator    `json:"clusterDecisionResource,omitempty"`
	PullRequest             *PullRequestGenerator `json:"pullRequest,omitempty"`
	Selector                *metav1.LabelSelector `json:"selector,omitempty"`
	Plugin                  *PluginGenerator      `json:"plugin,omitempty"`
}

// ListGenerator produces one set for each element, from Elements and from the YAML text ElementsYaml.
type ListGenerator struct {
	// +optional
	Elements []apiextensionsv1.JSON `json:"elements,omitzero"`
	// +optional
	Template     ApplicationSetTemplate `json:"template,omitzero"`
	ElementsYaml string                 `json:"elementsYaml,omitempty"`
}

// MatrixGenerator produces the product of two generators.
type MatrixGenerator struct {
	// +optional
	Generators []ApplicationSetNestedGenerator `json:"generators,omitzero"`
	// +optional
	Template ApplicationSetTemplate `json:"template,omitzero"`
}

// MergeGenerator lays the sets of later generators over those of the first that have the same MergeKeys.
type MergeGenerator struct {
	// +optional
	Generators []ApplicationSetNestedGenerator `json:"generators,omitzero"`
	MergeKeys  []string                        `json:"mergeKeys"`
	// +optional
	Template ApplicationSetTemplate `json:"template,omitzero"`
}

// ClusterGenerator produces one set for each cluster that is known, or with FlatList one for all.
type ClusterGenerator struct {
	// Selector matches the labels of cluster Secrets. Only an empty one takes in the local cluster without a Secret.
	// +optional
	Selector metav1.LabelSelector `json:"selector,omitzero"`
	// +optional
	Template ApplicationSetTemplate `json:"template,omitzero"`
	Values   map[string]string      `json:"values,omitempty"`
	FlatList bool                   `json:"flatList,omitempty"`
}

// DuckTypeGenerator produces one set for each cluster that the status of some other resource lists. The ConfigMap
// ConfigMapRef says which kind and where in its status.
type DuckTypeGenerator struct {
	ConfigMapRef        string `json:"configMapRef"`
	Name                string `json:"name,omitempty"`
	RequeueAfterSeconds *int64 `json:"requeueAfterSeconds,omitempty"`
	// +optional
	LabelSelector metav1.LabelSelector `json:"labelSelector,omitzero"`
	// +optional
	Template ApplicationSetTemplate `json:"template,omitzero"`
	Values   map[string]string      `json:"values,omitempty"`
}

// GitGenerator produces one set for each directory, or for each file, of a repository.
type GitGenerator struct {
	RepoURL             string                      `json:"repoURL"`
	Directories         []GitDirectoryGeneratorItem `json:"directories,omitempty"`
	Files               []GitFileGeneratorItem      `json:"files,omitempty"`
	Revision            string                      `json:"revision"`
	RequeueAfterSeconds *int64                      `json:"requeueAfterSeconds,omitempty"`
	// +optional
	Template        ApplicationSetTemplate `json:"template,omitzero"`
	PathParamPrefix string                 `json:"pathParamPrefix,omitempty"`
	Values          map[string]string      `json:"values,omitempty"`
}

// GitDirectoryGeneratorItem is a glob for directories to take, or with Exclude to leave out.
type GitDirectoryGeneratorItem struct {
	Path    string `json:"path"`
	Exclude bool   `json:"exclude,omitempty"`
}

// GitFileGeneratorItem is a glob for files to take, or with Exclude to leave out.
type GitFileGeneratorItem struct {
	Path    string `json:"path"`
	Exclude bool   `json:"exclude,omitempty"`
}

// PluginGenerator asks a service for sets.
type PluginGenerator struct {
	ConfigMapRef PluginConfigMapRef `json:"configMapRef"`
	// +optional
	Input               PluginInput `json:"input,omitzero"`
	RequeueAfterSeconds *int64      `json:"requeueAfterSeconds,omitempty"`
	// +optional
	Template ApplicationSetTemplate `json:"template,omitzero"`
	Values   map[string]string      `json:"values,omitempty"`
}

// PluginConfigMapRef names the ConfigMap that says where the service is.
type PluginConfigMapRef struct {
	Name string `json:"name"`
}

// PluginInput is what is sent to the service.
type PluginInput struct {
	Parameters PluginParameters `json:"parameters,omitempty"`
}

// PluginParameters are parameters of any JSON value.
type PluginParameters map[string]apiextensionsv1.JSON

// SecretRef names a key of a Secret in the namespace of the ApplicationSet.
type SecretRef struct {
	SecretName string `json:"secretName"`
	Key        string `json:"key"`
}

// ConfigMapKeyRef names a key of a ConfigMap in the namespace of the ApplicationSet.
type ConfigMapKeyRef struct {
	ConfigMapName string `json:"configMapName"`
	Key           string `json:"key"`
}

// BasicAuthBitbucketServer are a name and password.
type BasicAuthBitbucketServer struct {
	Username    string     `json:"username"`
	PasswordRef *SecretRef `json:"passwordRef"`
}

// BearerTokenBitbucket is a token for Bitbucket Server.
type BearerTokenBitbucket struct {
	TokenRef *SecretRef `json:"tokenRef"`
}

// BearerTokenBitbucketCloud is a token for Bitbucket Cloud.
type BearerTokenBitbucketCloud struct {
	TokenRef *SecretRef `json:"tokenRef"`
}
