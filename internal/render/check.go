// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// check refuses what would be taken for another object than its author means: the accessors of unstructured objects
// read fields of a wrong type as if they were not there.
func check(doc map[string]any, origin object.Origin) error {
	for _, field := range []string{"apiVersion", "kind"} {
		if s, ok := doc[field].(string); !ok || s == "" {
			return badObject(origin, field+" is missing or not a text")
		}
	}
	if _, err := schema.ParseGroupVersion(doc["apiVersion"].(string)); err != nil {
		return badObject(origin, fmt.Sprintf("apiVersion %q is not of the form group/version", doc["apiVersion"]))
	}
	meta, ok := doc["metadata"].(map[string]any)
	if !ok {
		return badObject(origin, fmt.Sprintf("metadata of this %v is missing or not a mapping", doc["kind"]))
	}
	for _, field := range []string{"name", "generateName", "namespace"} {
		if err := checkText("metadata."+field, meta[field], origin); err != nil {
			return err
		}
	}
	if empty(meta["name"]) && empty(meta["generateName"]) {
		return badObject(origin, fmt.Sprintf("metadata.name of this %v is missing", doc["kind"]))
	}
	for _, field := range []string{"labels", "annotations"} {
		if err := checkTexts(meta, field, origin); err != nil {
			return err
		}
	}
	return nil
}

func empty(v any) bool { return v == nil || v == "" }

func checkText(path string, value any, origin object.Origin) error {
	switch value.(type) {
	case nil, string:
		return nil
	default:
		return notText(path, value, origin)
	}
}

// checkTexts checks labels or annotations, in the order of their keys.
func checkTexts(meta map[string]any, field string, origin object.Origin) error {
	value := meta[field]
	if value == nil {
		return nil
	}
	texts, ok := value.(map[string]any)
	if !ok {
		return badObject(origin, "metadata."+field+" is not a mapping")
	}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if _, ok := texts[key].(string); !ok {
			return notText(fmt.Sprintf("metadata.%s[%q]", field, key), texts[key], origin)
		}
	}
	return nil
}

func notText(path string, value any, origin object.Origin) error {
	switch value.(type) {
	case nil:
		return badObject(origin, path+" has no value: give it one, or remove it")
	case map[string]any:
		return badObject(origin, path+" is a mapping, not a text: put it in quotes")
	case []any:
		return badObject(origin, path+" is a list, not a text: put it in quotes")
	default:
		return badObject(origin, fmt.Sprintf("%s is %v, which is not a text: put it in quotes", path, value))
	}
}

func badObject(origin object.Origin, cause string) error {
	return fault.New(fault.Mistake, "read", "the manifest", origin.String(), cause, "correct the file and push")
}
