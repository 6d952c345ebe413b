// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// ObjectQuery names an object in the tree of an application.
type ObjectQuery struct {
	Name         string `json:"name"`
	AppNamespace string `json:"appNamespace,omitempty"`
	Group        string `json:"group,omitempty"`
	Version      string `json:"version,omitempty"`
	Kind         string `json:"kind"`
	Namespace    string `json:"namespace,omitempty"`
	ResourceName string `json:"resourceName"`
}

// ObjectView is an object: values of Secrets are replaced in all of it.
type ObjectView struct {
	// Desired is what the source wants, Live what the cluster has; each is absent where there is no such object.
	Desired *runtime.RawExtension `json:"desired,omitempty"`
	Live    *runtime.RawExtension `json:"live,omitempty"`
	// Compared and Predicted are what is held against each other: live in canonical form without what is not compared, and
	// that as the next sync would leave it.
	Compared  *runtime.RawExtension `json:"compared,omitempty"`
	Predicted *runtime.RawExtension `json:"predicted,omitempty"`
	// Differences are the fields that differ, by path.
	Differences []Difference `json:"differences,omitempty"`
	// Reason says why it is not known how the object compares; "" if it is known, or if the object is not managed.
	Reason string `json:"reason,omitempty"`
	// Managed says that it is one of the application's own.
	Managed bool `json:"managed,omitempty"`
	// Owners are those who wrote fields of the live object, newest first.
	Owners []FieldOwner `json:"owners,omitempty"`
	// May are what the caller may do with it: update, delete, logs, exec.
	May []string `json:"may,omitempty"`
	// Actions are what can be done with it beside that; those that are disabled or that the caller may not take are named with
	// Disabled.
	Actions []v1alpha1.ResourceAction `json:"actions,omitempty"`
	// ActionsUnknown says why it is not known what can be done with it.
	ActionsUnknown string `json:"actionsUnknown,omitempty"`
}

// ObjectPatch is a change of a live object that is to be tried.
type ObjectPatch struct {
	Name         string `json:"name"`
	AppNamespace string `json:"appNamespace,omitempty"`
	Group        string `json:"group,omitempty"`
	Version      string `json:"version,omitempty"`
	Kind         string `json:"kind"`
	Namespace    string `json:"namespace,omitempty"`
	ResourceName string `json:"resourceName"`
	// Patch is a merge patch (RFC 7386) in JSON.
	Patch string `json:"patch"`
}

// ObjectTrial is a live object before and after a change, without managedFields: values of Secrets are replaced in both.
type ObjectTrial struct {
	Before *runtime.RawExtension `json:"before"`
	After  *runtime.RawExtension `json:"after"`
}

// Difference is a field that is not as desired.
type Difference struct {
	Path string `json:"path"` // such as spec.template.spec.containers[name="web"].image
	// Desired and Live are the values in JSON; "" where there is none.
	Desired string `json:"desired,omitempty"`
	Live    string `json:"live,omitempty"`
	// Reordered says that a list has the same elements in another order.
	Reordered bool `json:"reordered,omitempty"`
	// Owners are those who hold the field of the live object, or something in it, newest first.
	Owners []FieldOwner `json:"owners,omitempty"`
}

// FieldOwner is who wrote fields of an object, by its managedFields.
type FieldOwner struct {
	Manager     string       `json:"manager"`
	Operation   string       `json:"operation,omitempty"` // Apply or Update
	Subresource string       `json:"subresource,omitempty"`
	Time        *metav1.Time `json:"time,omitempty"`
	// Ours says that it is Bowline, in a sync of this application.
	Ours bool `json:"ours,omitempty"`
}

// CompareQuery names two deployments of the history by their numbers. Without To the other side is what the application's
// source says now.
type CompareQuery struct {
	Name         string `json:"name"`
	AppNamespace string `json:"appNamespace,omitempty"`
	From         int64  `json:"from"`
	To           *int64 `json:"to,omitempty"`
}

// Comparison is what changed between two deployments.
type Comparison struct {
	// From and To are the revisions of the sources.
	From []string `json:"from"`
	To   []string `json:"to"`
	// Sources says that not only revisions changed but what the application says of its sources: paths, values, parameters.
	Sources []Difference    `json:"sources,omitempty"`
	Objects []ChangedObject `json:"objects"`
	Same    int64           `json:"same"` // objects that did not change
}

// ChangedObject is an object that changed between two deployments.
type ChangedObject struct {
	Group     string `json:"group,omitempty"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	Change    string `json:"change"` // added, removed, changed
	// Differences are the fields that changed: Live is the value before, Desired the one after.
	Differences []Difference `json:"differences,omitempty"`
}

// PreviewRequest is an application that is not saved. One of the same name may exist: then this is what it would become.
type PreviewRequest struct {
	Application v1alpha1.Application `json:"application"`
}

// PreviewAnswer is what would become of an application.
type PreviewAnswer struct {
	// Problems are what is wrong with it; with any Plan is nil.
	Problems []Problem `json:"problems,omitempty"`
	// Exists says that there is an application of the name already.
	Exists bool  `json:"exists,omitempty"`
	Plan   *Plan `json:"plan,omitempty"`
	// Manifests are what it asks for, in JSON, with values of Secrets replaced.
	Manifests []string `json:"manifests,omitempty"`
	// SourceTypes are what its sources are: Directory, Helm, Kustomize, Plugin.
	SourceTypes []string `json:"sourceTypes,omitempty"`
}

// Problem is something that is wrong with what was sent.
type Problem struct {
	Field   string `json:"field,omitempty"` // such as spec.source.repoURL; "" for the whole
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}
