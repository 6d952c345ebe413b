// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"k8s.io/apimachinery/pkg/runtime"
	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
)

const crdRoot = "root"

// crdAtom turns a structural schema into the form server-side apply uses, by the list and map types of
// https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy: lists are single values and
// maps are merged unless the schema says otherwise.
func crdAtom(s map[string]any) smd.Atom {
	if preserved, _ := s["x-kubernetes-int-or-string"].(bool); preserved {
		return scalarAtom()
	}
	switch s["type"] {
	case "object":
		return smd.Atom{Map: crdMap(s)}
	case "array":
		return smd.Atom{List: crdList(s)}
	case nil:
		// Nothing is said: whatever is there is merged by its own form.
		return smd.Atom{}
	default:
		return scalarAtom()
	}
}

func scalarAtom() smd.Atom {
	scalar := smd.Untyped
	return smd.Atom{Scalar: &scalar}
}

func crdMap(s map[string]any) *smd.Map {
	m := &smd.Map{}
	if s["x-kubernetes-map-type"] == "atomic" {
		m.ElementRelationship = smd.Atomic
	}
	props, _ := s["properties"].(map[string]any)
	for name, p := range props {
		if p, ok := p.(map[string]any); ok {
			m.Fields = append(m.Fields, smd.StructField{Name: name, Type: smd.TypeRef{Inlined: crdAtom(p)}, Default: p["default"]})
		}
	}
	if extra, ok := s["additionalProperties"].(map[string]any); ok {
		m.ElementType = smd.TypeRef{Inlined: crdAtom(extra)}
	}
	return m
}

func crdList(s map[string]any) *smd.List {
	l := &smd.List{ElementRelationship: smd.Atomic}
	if items, ok := s["items"].(map[string]any); ok {
		l.ElementType = smd.TypeRef{Inlined: crdAtom(items)}
	}
	switch s["x-kubernetes-list-type"] {
	case "set":
		l.ElementRelationship = smd.Associative
	case "map":
		keys, _ := s["x-kubernetes-list-map-keys"].([]any)
		for _, k := range keys {
			if k, ok := k.(string); ok {
				l.Keys = append(l.Keys, k)
			}
		}
		if len(l.Keys) > 0 {
			l.ElementRelationship = smd.Associative
		}
	}
	return l
}

// admitCRD brings a value into the form the API server stores under a structural schema, in its order: fields the
// schema does not know are pruned, nulls of fields that may not be null are dropped, defaults are filled in
// (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting-and-nullable).
// v is changed.
func admitCRD(v any, s map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		admitMap(v, s)
	case []any:
		items, _ := s["items"].(map[string]any)
		for _, item := range v {
			admitCRD(item, items)
		}
	}
}

func admitMap(v, s map[string]any) {
	props, _ := s["properties"].(map[string]any)
	extra, _ := s["additionalProperties"].(map[string]any)
	for name, child := range v {
		p, known := props[name].(map[string]any)
		switch {
		case known:
		case extra != nil:
			p = extra
		case len(props) > 0 && !keepsUnknown(s):
			delete(v, name)
			continue
		}
		if child == nil && forbidsNull(p) {
			delete(v, name)
			continue
		}
		admitCRD(child, p)
	}
	for name, p := range props {
		p, ok := p.(map[string]any)
		if !ok {
			continue
		}
		if def, ok := p["default"]; ok && !has(v, name) {
			v[name] = normalNumbers(runtime.DeepCopyJSONValue(def))
			admitCRD(v[name], p)
		}
	}
}

// dropNulls drops the nulls that a structural schema does not allow. v is changed.
func dropNulls(v any, s map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		props, _ := s["properties"].(map[string]any)
		extra, _ := s["additionalProperties"].(map[string]any)
		for name, child := range v {
			p, known := props[name].(map[string]any)
			if !known {
				p = extra
			}
			if child == nil && forbidsNull(p) {
				delete(v, name)
				continue
			}
			dropNulls(child, p)
		}
	case []any:
		items, _ := s["items"].(map[string]any)
		for _, item := range v {
			dropNulls(item, items)
		}
	}
}

// forbidsNull reports whether a schema is known and does not allow null; nil is a schema that is not known.
func forbidsNull(s map[string]any) bool {
	nullable, _ := s["nullable"].(bool)
	return s != nil && !nullable && s["type"] != nil
}

func keepsUnknown(s map[string]any) bool {
	preserve, _ := s["x-kubernetes-preserve-unknown-fields"].(bool)
	embedded, _ := s["x-kubernetes-embedded-resource"].(bool)
	allowed, _ := s["additionalProperties"].(bool)
	return preserve || embedded || allowed
}

func has(m map[string]any, name string) bool {
	_, ok := m[name]
	return ok
}
