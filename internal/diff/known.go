// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/fault"
)

// knownField is a field of a custom resource whose Go type is known.
type knownField struct {
	path []string
	typ  reflect.Type
}

// builtInKnown are the known-type fields that hold without any setting: pod templates of kinds whose controllers or webhooks
// write the object back through its Go type, and so in other spellings.
var builtInKnown = map[schema.GroupKind][]KnownType{
	{Group: "argoproj.io", Kind: "Rollout"}:               podTemplate,
	{Group: "apps.kruise.io", Kind: "CloneSet"}:           podTemplate,
	{Group: "apps.kruise.io", Kind: "DaemonSet"}:          podTemplate,
	{Group: "apps.kruise.io", Kind: "StatefulSet"}:        podTemplate,
	{Group: "serving.knative.dev", Kind: "Service"}:       podTemplate,
	{Group: "serving.knative.dev", Kind: "Configuration"}: podTemplate,
	{Group: "keda.sh", Kind: "ScaledJob"}:                 {{Field: "spec.jobTargetRef.template.spec", Type: "core/v1/PodSpec"}},
	{Group: "jobset.x-k8s.io", Kind: "JobSet"}:            {{Field: "spec.replicatedJobs.template.spec.template.spec", Type: "core/v1/PodSpec"}},
}

var podTemplate = []KnownType{{Field: "spec.template.spec", Type: "core/v1/PodSpec"}}

func builtInKnownFields(gk schema.GroupKind) []knownField {
	fields, err := knownFields(gk, nil)
	if err != nil {
		panic("diff: " + err.Error())
	}
	return fields
}

func knownFields(gk schema.GroupKind, given []KnownType) ([]knownField, error) {
	var fields []knownField
	for _, k := range slices.Concat(builtInKnown[gk], given) {
		typ, ok := typesByName()[k.Type]
		if !ok {
			return nil, fault.New(fault.Mistake, "use the known-type fields of", gk.String(), k.Field,
				fmt.Sprintf("there is no type %q", k.Type), "write group/version/Type of a built-in type, such as core/v1/PodSpec")
		}
		fields = append(fields, knownField{path: strings.Split(k.Field, "."), typ: typ})
	}
	return fields, nil
}

// typesByName holds every struct type that the built-in kinds are made of as "group/version/Type" (the core group
// is called core), and the few scalars with several spellings.
var typesByName = sync.OnceValue(func() map[string]reflect.Type {
	names := map[string]reflect.Type{
		"core/Quantity":    reflect.TypeFor[resource.Quantity](),
		"meta/v1/Duration": reflect.TypeFor[metav1.Duration](),
		"meta/v1/Time":     reflect.TypeFor[metav1.Time](),
	}
	seen := map[reflect.Type]bool{}
	for _, t := range typedScheme().AllKnownTypes() {
		collectTypes(t, names, seen)
	}
	return names
})

func collectTypes(t reflect.Type, names map[string]reflect.Type, seen map[reflect.Type]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		collectTypes(t.Elem(), names, seen)
		return
	case reflect.Struct:
	default:
		return
	}
	if seen[t] {
		return
	}
	seen[t] = true
	if path, ok := strings.CutPrefix(t.PkgPath(), "k8s.io/api/"); ok {
		names[path+"/"+t.Name()] = t
	}
	for f := range t.Fields() {
		collectTypes(f.Type, names, seen)
	}
}

// canonicalKnown brings the known-type fields of doc into canonical form, keeping to the fields that are there.
func canonicalKnown(doc map[string]any, fields []knownField) {
	for _, f := range fields {
		canonicalAt(doc, f.path, f.typ)
	}
}

func canonicalAt(v any, path []string, typ reflect.Type) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			canonicalAt(item, path, typ)
		}
	case map[string]any:
		child, ok := v[path[0]]
		if !ok {
			return
		}
		if len(path) > 1 {
			canonicalAt(child, path[1:], typ)
			return
		}
		v[path[0]] = canonicalValue(child, typ)
	}
}

// canonicalValue decodes a value into its Go type and encodes it again. What does not fit stays as it is.
func canonicalValue(v any, typ reflect.Type) any {
	if list, ok := v.([]any); ok {
		for i := range list {
			list[i] = canonicalValue(list[i], typ)
		}
		return list
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return v
	}
	typed := reflect.New(typ)
	if err := json.Unmarshal(raw, typed.Interface()); err != nil {
		return v
	}
	if raw, err = json.Marshal(typed.Interface()); err != nil {
		return v
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		return v
	}
	return keepAsked(normalNumbers(out), v)
}

// keepAsked drops from canonical what raw does not have, and keeps what raw has though the type does not know it:
// the custom resource's own schema may be wider.
func keepAsked(canonical, raw any) any {
	switch r := raw.(type) {
	case map[string]any:
		c, ok := canonical.(map[string]any)
		if !ok {
			return raw
		}
		out := make(map[string]any, len(r))
		for _, name := range slices.Collect(maps.Keys(r)) {
			if isZero(r[name]) && !has(c, name) {
				continue // a zero that the type leaves out
			}
			out[name] = r[name]
			if child, ok := c[name]; ok {
				out[name] = keepAsked(child, r[name])
			}
		}
		return out
	case []any:
		c, ok := canonical.([]any)
		if !ok || len(c) != len(r) {
			return raw
		}
		for i := range r {
			c[i] = keepAsked(c[i], r[i])
		}
		return c
	default:
		return canonical
	}
}

func isZero(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case int64:
		return v == 0
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	default:
		return false
	}
}
