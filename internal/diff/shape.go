// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
)

// shape is what is known of the type of one field. The zero shape knows nothing: its maps are merged key by key
// and its lists are single values, which is how the API server treats fields without a schema.
type shape struct {
	types *smd.Schema
	atom  smd.Atom
}

// listKind says how the API server treats a list.
type listKind int

const (
	listAtomic listKind = iota // one value: order and every element count
	listSet                    // scalars, each owned by itself
	listKeyed                  // objects told apart by key fields
)

func (s shape) resolve(ref smd.TypeRef) shape {
	if s.types == nil {
		return shape{}
	}
	atom, ok := s.types.Resolve(ref)
	if !ok {
		return shape{}
	}
	return shape{types: s.types, atom: atom}
}

// field returns the shape of a map's field.
func (s shape) field(name string) shape {
	if s.atom.Map == nil {
		return shape{}
	}
	if f, ok := s.atom.FindField(name); ok {
		return s.resolve(f.Type)
	}
	return s.resolve(s.atom.Map.ElementType)
}

// item returns the shape of a list's elements.
func (s shape) item() shape {
	if s.atom.List == nil {
		return shape{}
	}
	return s.resolve(s.atom.List.ElementType)
}

func (s shape) atomicMap() bool {
	return s.atom.Map != nil && s.atom.Map.ElementRelationship == smd.Atomic
}

// list returns how the list is treated and, for a keyed list, its key fields.
func (s shape) list() (listKind, []string) {
	l := s.atom.List
	switch {
	case l == nil || l.ElementRelationship != smd.Associative:
		return listAtomic, nil
	case len(l.Keys) > 0:
		return listKeyed, l.Keys
	default:
		return listSet, nil
	}
}

// keyDefault returns the default of a key field of a keyed list's elements, nil if it has none: ports of a
// Service without a protocol are the TCP ones.
func (s shape) keyDefault(name string) any {
	item := s.item()
	if item.atom.Map == nil {
		return nil
	}
	f, _ := item.atom.FindField(name)
	return normalNumbers(f.Default)
}

// builtInTypes is the schema of every built-in kind, as the API server itself builds it for server-side apply.
// client-go embeds it as text; reading it takes some 60 ms and under 1 MB, once.
var builtInTypes = sync.OnceValue(func() *smd.Schema {
	// The parser is internal to client-go; a converted object leads to its schema.
	probe := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
	typed, err := applyconfigurations.NewTypeConverter(scheme.Scheme).ObjectToTyped(probe)
	if err != nil {
		panic("diff: client-go's schema does not hold ConfigMap: " + err.Error())
	}
	return typed.Schema()
})

// builtInShape returns the shape of a built-in kind; ok is false for others.
func builtInShape(gvk schema.GroupVersionKind) (s shape, ok bool) {
	name, err := scheme.Scheme.ToOpenAPIDefinitionName(gvk)
	if err != nil {
		return shape{}, false
	}
	return namedShape(name)
}

func namedShape(name string) (s shape, ok bool) {
	def, ok := builtInTypes().FindNamedType(name)
	return shape{types: builtInTypes(), atom: def.Atom}, ok
}

// metadataShape returns the shape of metadata, which is the same in every kind.
var metadataShape = sync.OnceValue(func() shape {
	s, ok := namedShape("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
	if !ok {
		panic("diff: client-go's schema does not hold ObjectMeta")
	}
	return s
})
