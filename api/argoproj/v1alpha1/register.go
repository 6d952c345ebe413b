// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group is the API group of all kinds in this package.
const Group = "argoproj.io"

// Version is the only version of the group that is served.
const Version = "v1alpha1"

// Kinds of the group.
const (
	ApplicationKind    = "Application"
	AppProjectKind     = "AppProject"
	ApplicationSetKind = "ApplicationSet"
)

// Resource names of the group, as they stand in API paths and RBAC rules.
const (
	ApplicationPlural    = "applications"
	AppProjectPlural     = "appprojects"
	ApplicationSetPlural = "applicationsets"
)

var (
	// SchemeGroupVersion is the group and version of all kinds in this package.
	SchemeGroupVersion = schema.GroupVersion{Group: Group, Version: Version}

	// ApplicationSchemaGroupVersionKind identifies Application.
	ApplicationSchemaGroupVersionKind = SchemeGroupVersion.WithKind(ApplicationKind)
	// AppProjectSchemaGroupVersionKind identifies AppProject.
	AppProjectSchemaGroupVersionKind = SchemeGroupVersion.WithKind(AppProjectKind)
	// ApplicationSetSchemaGroupVersionKind identifies ApplicationSet.
	ApplicationSetSchemaGroupVersionKind = SchemeGroupVersion.WithKind(ApplicationSetKind)

	// SchemeBuilder collects what AddToScheme registers.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)
	// AddToScheme registers the kinds of this package in a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

// Resource qualifies a resource name with the group.
func Resource(resource string) schema.GroupResource {
	return SchemeGroupVersion.WithResource(resource).GroupResource()
}

func addKnownTypes(s *runtime.Scheme) error {
	s.AddKnownTypes(SchemeGroupVersion,
		&Application{}, &ApplicationList{},
		&AppProject{}, &AppProjectList{},
		&ApplicationSet{}, &ApplicationSetList{},
	)
	metav1.AddToGroupVersion(s, SchemeGroupVersion)
	return nil
}
