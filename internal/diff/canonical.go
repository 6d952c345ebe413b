// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// typedScheme knows the Go types of all built-in kinds.
var typedScheme = sync.OnceValue(func() *runtime.Scheme {
	s := runtime.NewScheme()
	if err := scheme.AddToScheme(s); err != nil {
		panic("diff: " + err.Error())
	}
	if err := apiextensionsv1.AddToScheme(s); err != nil {
		panic("diff: " + err.Error())
	}
	return s
})

// canonicalLive returns a live object's content in canonical form. content is not changed.
func (s *Schema) canonicalLive(gvk schema.GroupVersionKind, content map[string]any) map[string]any {
	doc := normalNumbers(runtime.DeepCopyJSON(content)).(map[string]any)
	if s.builtIn {
		if typed, ok := throughType(gvk, doc); ok {
			return withoutEmpty(typed).(map[string]any)
		}
		return doc
	}
	canonicalMetadata(doc)
	canonicalKnown(doc, s.known)
	return doc
}

// canonicalDesired returns a desired object's content in canonical form, with no field that content does not
// have, except inside of what is a single value to the API server: there its defaults are part of the value.
// content is not changed.
func (s *Schema) canonicalDesired(gvk schema.GroupVersionKind, content map[string]any) map[string]any {
	raw := normalNumbers(runtime.DeepCopyJSON(content)).(map[string]any)
	if s.builtIn {
		typed, ok := throughType(gvk, raw)
		if !ok {
			return raw
		}
		return withoutEmpty(s.onlyAsked(typed, raw)).(map[string]any)
	}
	doc := raw
	if s.crd != nil {
		doc = runtime.DeepCopyJSON(raw)
		for name := range doc {
			if props, ok := s.crd["properties"].(map[string]any); ok && name != "metadata" {
				if p, ok := props[name].(map[string]any); ok {
					admitCRD(doc[name], p)
				}
			}
		}
		doc = s.onlyAsked(doc, raw).(map[string]any)
	}
	canonicalMetadata(doc)
	canonicalKnown(doc, s.known)
	return doc
}

// throughType decodes content into its Go type and encodes it again, which is what the API server does to it:
// quantities, times and base64 get one spelling, zeros that are left out stay out. ok is false if the content does not fit the type; the API server will say why.
func throughType(gvk schema.GroupVersionKind, content map[string]any) (map[string]any, bool) {
	obj, err := typedScheme().New(gvk)
	if err != nil {
		return nil, false
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, obj); err != nil {
		return nil, false
	}
	typed, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, false
	}
	typed = normalNumbers(typed).(map[string]any)
	keepUnknown(typed, content)
	if gvk.Group == "" && gvk.Kind == "Endpoints" {
		sortSubsets(typed)
	}
	return typed, true
}

// sortSubsets brings the subsets of Endpoints, and what is in them, into one order. The API server sorts them by a rule of
// its own, so that their order is nobody's.
func sortSubsets(content map[string]any) {
	subsets, _ := content["subsets"].([]any)
	for _, subset := range subsets {
		m, _ := subset.(map[string]any)
		for _, name := range []string{"addresses", "notReadyAddresses", "ports"} {
			list, _ := m[name].([]any)
			slices.SortFunc(list, byText)
		}
	}
	slices.SortFunc(subsets, byText)
}

func byText(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }

// keepUnknown puts back what the Go type does not have. The API server may be newer than the type and know the field;
// if it does not, the dry run says so.
func keepUnknown(typed, raw any) {
	switch r := raw.(type) {
	case map[string]any:
		t, ok := typed.(map[string]any)
		if !ok {
			return
		}
		for name, v := range r {
			if child, ok := t[name]; ok {
				keepUnknown(child, v)
			} else if !isEmpty(v) {
				t[name] = v
			}
		}
	case []any:
		t, ok := typed.([]any)
		if !ok || len(t) != len(r) {
			return
		}
		for i := range r {
			keepUnknown(t[i], r[i])
		}
	}
}

// isEmpty reports whether v is zero or holds nothing but zeros, which is what Go types leave out.
func isEmpty(v any) bool {
	m, ok := v.(map[string]any)
	if !ok {
		return isZero(v)
	}
	for _, child := range m {
		if !isEmpty(child) {
			return false
		}
	}
	return true
}

// onlyAsked drops from canonical what raw does not have.
func (s *Schema) onlyAsked(canonical, raw map[string]any) any {
	for name := range canonical {
		if !has(raw, name) {
			delete(canonical, name)
			continue
		}
		onlyAsked(canonical[name], raw[name], s.top(name))
	}
	return canonical
}

func onlyAsked(canonical, raw any, s shape) {
	switch c := canonical.(type) {
	case map[string]any:
		r, ok := raw.(map[string]any)
		if !ok || s.atomicMap() {
			return
		}
		for name := range c {
			if !has(r, name) {
				delete(c, name)
				continue
			}
			onlyAsked(c[name], r[name], s.field(name))
		}
	case []any:
		r, ok := raw.([]any)
		if kind, _ := s.list(); !ok || kind != listKeyed || len(r) != len(c) {
			return
		}
		for i := range c {
			onlyAsked(c[i], r[i], s.item())
		}
	}
}

// withoutEmpty drops nulls and empty lists, which mean "not there" in the built-in kinds. Empty objects stay:
// `emptyDir: {}` and `podSelector: {}` mean something, and where they do not, the typed form has them on both sides.
func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			if list, ok := child.([]any); child == nil || ok && len(list) == 0 {
				delete(v, name)
				continue
			}
			withoutEmpty(child)
		}
	case []any:
		for _, child := range v {
			withoutEmpty(child)
		}
	}
	return v
}

// withoutNulls returns v without nulls in its objects. v is not changed.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, child := range v {
			if child != nil {
				out[name] = withoutNulls(child)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, child := range v {
			out[i] = withoutNulls(child)
		}
		return out
	default:
		return v
	}
}

// canonicalMetadata drops empty fields of metadata, whose Go type is the same in every kind and leaves them out.
func canonicalMetadata(doc map[string]any) {
	metadata, _ := doc["metadata"].(map[string]any)
	for name, v := range metadata {
		if isZero(v) {
			delete(metadata, name)
		}
	}
}

// normalNumbers writes every number one way: whole numbers as int64, others as float64. v is changed.
func normalNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			v[name] = normalNumbers(child)
		}
	case []any:
		for i, child := range v {
			v[i] = normalNumbers(child)
		}
	case int:
		return int64(v)
	case int32:
		return int64(v)
	case float32:
		return normalNumbers(float64(v))
	case float64:
		// 2^53: up to here a float is the whole number that it shows.
		if v == math.Trunc(v) && math.Abs(v) <= 1<<53 {
			return int64(v)
		}
	}
	return v
}

// foldStringData moves a Secret's stringData into data, as the API server does, and writes null values as empty
// ones. Under server-side apply a key that leaves stringData would stay in data for ever. content is changed.
func foldStringData(content map[string]any) {
	data, _ := content["data"].(map[string]any)
	for k, v := range data {
		if v == nil {
			data[k] = ""
		}
	}
	plain, _ := content["stringData"].(map[string]any)
	for _, v := range plain {
		if _, ok := v.(string); !ok && v != nil {
			return // a number, say: the API server refuses it by name, which beats guessing its text
		}
	}
	delete(content, "stringData")
	if len(plain) == 0 {
		return
	}
	if data == nil {
		data = map[string]any{}
		content["data"] = data
	}
	for k, v := range plain {
		text, _ := v.(string)
		data[k] = base64.StdEncoding.EncodeToString([]byte(text))
	}
}

func isSecret(u *unstructured.Unstructured) bool {
	gvk := u.GroupVersionKind()
	return gvk.Group == "" && gvk.Kind == "Secret"
}
