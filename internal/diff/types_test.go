// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// goType is a Go type of the Kubernetes API.
type goType struct{ reflect.Type }

func (t goType) bare() reflect.Type {
	at := t.Type
	for at.Kind() == reflect.Pointer {
		at = at.Elem()
	}
	return at
}

var goScalars = []reflect.Type{
	reflect.TypeFor[resource.Quantity](), reflect.TypeFor[intstr.IntOrString](), reflect.TypeFor[metav1.Time](), reflect.TypeFor[metav1.MicroTime](),
	reflect.TypeFor[metav1.Duration](), reflect.TypeFor[runtime.RawExtension](), reflect.TypeFor[metav1.FieldsV1](), reflect.TypeFor[[]byte](),
}

func (t goType) isScalar() bool { return slices.Contains(goScalars, t.bare()) }

func (t goType) fields() (all, required []string) {
	if t.bare().Kind() != reflect.Struct || t.isScalar() {
		return nil, nil
	}
	eachField(t.bare(), func(name string, optional bool, _ reflect.Type) {
		all = append(all, name)
		if !optional || name == "name" { // by which most lists tell their elements apart
			required = append(required, name)
		}
	})
	return all, required
}

// eachField lists the fields of a struct as its JSON has them.
func eachField(t reflect.Type, do func(name string, optional bool, typ reflect.Type)) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case name == "" && f.Anonymous:
			if f.Type.Kind() == reflect.Struct {
				eachField(f.Type, do)
			}
		case name != "":
			do(name, strings.Contains(options, "omit"), f.Type)
		}
	}
}

func (t goType) oneOf() bool {
	n, pointers := 0, true
	for f := range t.bare().Fields() {
		n++
		pointers = pointers && f.Type.Kind() == reflect.Pointer
	}
	return n > 2 && pointers
}

func (t goType) field(name string) typeOf {
	var found typeOf
	eachField(t.bare(), func(n string, _ bool, typ reflect.Type) {
		if n == name {
			found = goType{typ}
		}
	})
	return found
}

func (t goType) inside() (typeOf, bool) {
	if t.isScalar() {
		return nil, false
	}
	switch at := t.bare(); at.Kind() {
	case reflect.Slice:
		return goType{at.Elem()}, true
	case reflect.Map:
		return goType{at.Elem()}, false
	}
	return nil, false
}

func (t goType) scalar(rng *rand.Rand, name string) any {
	at := t.bare()
	switch at {
	case goScalars[0]:
		return quantities[rng.IntN(len(quantities))]
	case goScalars[1]:
		return pick[any](rng, int64(1), int64(80), "50%", "http", "1")
	case goScalars[2]:
		return pick[any](rng, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00")
	case goScalars[3]:
		return pick[any](rng, "2026-01-01T00:00:00.000000Z", "2026-01-01T01:00:00.500000+01:00", "2026-01-01T00:00:00Z")
	case goScalars[4]:
		return pick[any](rng, "60s", "1m", "1m0s", "90m")
	case goScalars[5], goScalars[6]:
		return map[string]any{"a": "b"}
	case goScalars[7]:
		text := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "some secret value %d", rng.IntN(5)))
		return pick(rng, text, text[:8]+"\n"+text[8:])
	}
	switch at.Kind() {
	case reflect.Bool:
		return rng.IntN(2) == 0
	case reflect.Int, reflect.Int32, reflect.Int64:
		return pick(rng, int64(0), 1, 2, 30, 8080)
	case reflect.Float32, reflect.Float64:
		return 0.5
	}
	if of := words[name]; of != nil {
		return of[rng.IntN(len(of))]
	}
	return fmt.Sprintf("w%d", rng.IntN(6))
}

// crdType is a structural schema.
type crdType struct{ schema map[string]any }

func (t crdType) fields() (all, required []string) {
	props, _ := t.schema["properties"].(map[string]any)
	all = slices.Sorted(maps.Keys(props))
	of, _ := t.schema["required"].([]any)
	for _, name := range of {
		required = append(required, name.(string))
	}
	return all, required
}

func (t crdType) oneOf() bool { return false }

func (t crdType) field(name string) typeOf {
	props, _ := t.schema["properties"].(map[string]any)
	if p, ok := props[name].(map[string]any); ok {
		return crdType{p}
	}
	return nil
}

func (t crdType) inside() (typeOf, bool) {
	if items, ok := t.schema["items"].(map[string]any); ok {
		return crdType{items}, true
	}
	if extra, ok := t.schema["additionalProperties"].(map[string]any); ok {
		return crdType{extra}, false
	}
	return nil, false
}

func (t crdType) scalar(rng *rand.Rand, name string) any {
	word := fmt.Sprintf("w%d", rng.IntN(6))
	embedded, _ := t.schema["x-kubernetes-embedded-resource"].(bool)
	either, _ := t.schema["x-kubernetes-int-or-string"].(bool)
	options, _ := t.schema["enum"].([]any)
	switch {
	case len(options) > 0:
		return options[rng.IntN(len(options))]
	case embedded:
		return map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": word, "labels": map[string]any{word: "x"}},
			"data": map[string]any{"list": []any{int64(1), nil, map[string]any{}}}}
	case t.schema["pattern"] != nil:
		return pick[any](rng, "1", "1000m", "1Gi", int64(2), "0.5")
	case either:
		return pick[any](rng, int64(1), "50%", "1")
	}
	switch t.schema["type"] {
	case "boolean":
		return rng.IntN(2) == 0
	case "integer":
		return pick(rng, int64(0), 1, 5, 80)
	case "number":
		return pick[any](rng, 0.5, int64(2), 2.0, int64(0))
	case "object":
		return pick[any](rng, map[string]any{}, map[string]any{word: map[string]any{"x": []any{int64(1), "2"}, "empty": map[string]any{}, "null": nil}}, map[string]any{"a": word})
	}
	switch t.schema["format"] {
	case "date-time":
		return pick(rng, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00")
	case "byte":
		return "c29tZQ=="
	}
	return word
}

// anyType is a kind of which nothing is known.
type anyType struct{ deep bool }

func (t anyType) fields() (all, required []string) {
	if t.deep {
		return nil, nil
	}
	return []string{"spec", "a", "b", "c", "list"}, nil
}

func (t anyType) oneOf() bool { return false }

func (t anyType) field(name string) typeOf { return anyType{deep: name != "spec"} }

func (t anyType) inside() (typeOf, bool) { return nil, false }

func (t anyType) scalar(rng *rand.Rand, _ string) any {
	return pick[any](rng, int64(1), "text", true, nil, map[string]any{}, []any{}, 1.5, map[string]any{"x": nil, "y": []any{int64(1), map[string]any{"name": "a"}}}, []any{"a", "b"})
}
