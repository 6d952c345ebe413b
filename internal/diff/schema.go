// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
)

// Schema says how objects of one kind and version are brought into canonical form and how their lists are
// treated. It is immutable and may be shared by all objects of the kind. A nil *Schema is found by the object's
// own kind: built in, or unknown.
type Schema struct {
	builtIn bool
	root    shape
	crd     map[string]any // structural schema, nil if there is none
	known   []knownField
}

// KnownType says that a field of a custom resource holds a value of a built-in type, so that spellings that mean
// the same there are equal (key resource.customizations.knownTypeFields.<group>_<Kind> of argocd-cm).
type KnownType struct {
	Field string `json:"field"` // path of field names with dots; lists on the way are entered
	Type  string `json:"type"`  // core/v1/PodSpec, core/Quantity, meta/v1/Duration and the like
}

var builtIns sync.Map // schema.GroupVersionKind -> *Schema; nil for kinds that are not built in

// BuiltIn returns the schema of a kind that is part of Kubernetes, nil for any other.
func BuiltIn(gvk schema.GroupVersionKind) *Schema {
	if s, ok := builtIns.Load(gvk); ok {
		return s.(*Schema)
	}
	var s *Schema
	if typedScheme().Recognizes(gvk) {
		// Kinds that client-go's schema lacks (CustomResourceDefinition) have a typed form all the same.
		root, _ := builtInShape(gvk)
		s = &Schema{builtIn: true, root: root}
	}
	builtIns.Store(gvk, s)
	return s
}

// ForCRD returns the schema of a custom resource from the openAPIV3Schema of its version, as JSON data, and the
// fields that are known to be of built-in types. An unknown type name is an error; the schema itself is taken as
// the API server published it. A nil openAPIV3Schema gives a kind of which nothing is known but those fields.
func ForCRD(gvk schema.GroupVersionKind, openAPIV3Schema map[string]any, known []KnownType) (*Schema, error) {
	fields, err := knownFields(gvk.GroupKind(), known)
	if err != nil {
		return nil, err
	}
	s := &Schema{crd: openAPIV3Schema, known: fields}
	if openAPIV3Schema != nil {
		types := &smd.Schema{Types: []smd.TypeDef{{Name: crdRoot, Atom: crdAtom(openAPIV3Schema)}}}
		s.root = shape{types: types, atom: types.Types[0].Atom}
	}
	return s, nil
}

// schemaOf returns the schema to compare u by.
func schemaOf(u *unstructured.Unstructured, given *Schema) *Schema {
	if given != nil {
		return given
	}
	if s := BuiltIn(u.GroupVersionKind()); s != nil {
		return s
	}
	return &Schema{known: builtInKnownFields(u.GroupVersionKind().GroupKind())}
}

// top returns the shape of a top-level field.
func (s *Schema) top(name string) shape {
	if name == "metadata" {
		return metadataShape()
	}
	return s.root.field(name)
}
