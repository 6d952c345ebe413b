// SPDX-License-Identifier: Apache-2.0

package openapi

import (
	"encoding/json"
	"path"
	"reflect"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// schemas are the schemas of Go types. Those of structs have a name, so that they may hold themselves.
type schemas struct{ known object }

func reference(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// written are types that have a form of their own in JSON.
var written = map[reflect.Type]object{
	reflect.TypeFor[metav1.Time]():            {"type": []any{"string", "null"}, "format": "date-time"},
	reflect.TypeFor[metav1.MicroTime]():       {"type": []any{"string", "null"}, "format": "date-time"},
	reflect.TypeFor[metav1.Duration]():        {"type": "string"},
	reflect.TypeFor[metav1.FieldsV1]():        {},
	reflect.TypeFor[intstr.IntOrString]():     {"type": []any{"integer", "string"}},
	reflect.TypeFor[resource.Quantity]():      {"type": []any{"string", "number"}},
	reflect.TypeFor[runtime.RawExtension]():   {},
	reflect.TypeFor[apiextensionsv1.JSON]():   {},
	reflect.TypeFor[json.RawMessage]():        {},
	reflect.TypeFor[[]byte]():                 {"type": []any{"string", "null"}, "contentEncoding": "base64"},
	reflect.TypeFor[map[string]interface{}](): {"type": []any{"object", "null"}},
}

var marshals = reflect.TypeFor[json.Marshaler]()

// of is the schema of a type.
func (s *schemas) of(typ reflect.Type) object {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if known, ok := written[typ]; ok {
		return known
	}
	switch typ.Kind() {
	case reflect.Struct:
		if typ.Implements(marshals) || reflect.PointerTo(typ).Implements(marshals) {
			return object{}
		}
		return s.structure(typ, false)
	case reflect.Slice, reflect.Array:
		return object{"type": []any{"array", "null"}, "items": s.element(typ.Elem())}
	case reflect.Map:
		return object{"type": []any{"object", "null"}, "additionalProperties": s.element(typ.Elem())}
	}
	return scalar(typ)
}

// element is the schema of what a list or a map holds; a pointer in it may be null.
func (s *schemas) element(typ reflect.Type) object {
	of := s.of(typ)
	if typ.Kind() == reflect.Pointer {
		return object{"anyOf": []any{of, object{"type": "null"}}}
	}
	return of
}

func scalar(typ reflect.Type) object {
	switch typ.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return object{"type": "integer"}
	case reflect.Int64, reflect.Uint, reflect.Uint64:
		return object{"type": "integer", "format": "int64"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	}
	return object{}
}

// request is the schema of a body. One that is strict has no fields that are not named.
func (s *schemas) request(typ reflect.Type, strict bool) object {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if _, own := written[typ]; own || typ.Kind() != reflect.Struct || !strict {
		return s.of(typ)
	}
	return s.structure(typ, true)
}

func (s *schemas) structure(typ reflect.Type, strict bool) object {
	name := path.Base(path.Dir(typ.PkgPath())) + "." + path.Base(typ.PkgPath()) + "." + typ.Name()
	if s.known[name] != nil {
		return reference(name)
	}
	properties := object{}
	out := object{"type": "object", "properties": properties}
	if strict {
		out["additionalProperties"] = false
	}
	s.known[name] = out
	// What our own answers always have is told, so that programs need not ask whether it is there. Argo CD's messages are both
	// questions and answers, and nothing of a question is required.
	answers := !strict && strings.HasSuffix(typ.PkgPath(), "/api/bowline/rpc")
	var required []any
	for _, f := range fieldsOf(typ) {
		schema := s.of(f.typ)
		if f.typ.Kind() == reflect.Pointer && !f.omitted {
			schema = object{"anyOf": []any{schema, object{"type": "null"}}}
		}
		properties[f.name] = schema
		if answers && !f.omitted {
			required = append(required, f.name)
		}
	}
	if len(required) > 0 {
		out["required"] = required
	}
	return reference(name)
}

// field is a field of a struct as JSON has it.
type field struct {
	name    string
	typ     reflect.Type
	omitted bool
}

func fieldsOf(typ reflect.Type) []field {
	var out []field
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		for inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case name == "-":
		case f.Anonymous && name == "" && inner.Kind() == reflect.Struct:
			out = append(out, fieldsOf(inner)...)
		case !f.IsExported():
		case name == "":
			out = append(out, field{f.Name, f.Type, false})
		default:
			out = append(out, field{name, f.Type, strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")})
		}
	}
	return out
}
