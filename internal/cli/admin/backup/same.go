// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"encoding/json"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// times are the fields of a status that change by themselves.
var times = []string{"reconciledAt", "observedAt"}

// same reports whether an object says what a document says.
func same(document, live *unstructured.Unstructured) bool {
	if !equality.Semantic.DeepEqual(annotations(document), annotations(live)) ||
		!equality.Semantic.DeepEqual(document.GetLabels(), live.GetLabels()) || !slices.Equal(document.GetFinalizers(), live.GetFinalizers()) {
		return false
	}
	for _, field := range content(live.GroupVersionKind()) {
		if _, says := document.Object[field]; field == "status" && !says {
			continue
		}
		if !equality.Semantic.DeepEqual(plain(field, document.Object[field]), plain(field, live.Object[field])) {
			return false
		}
	}
	return true
}

// annotations are those of an object but what kubectl keeps for itself.
func annotations(o *unstructured.Unstructured) map[string]string {
	out := maps.Clone(o.GetAnnotations())
	delete(out, v1alpha1.AnnotationKubectlLastApplied)
	return out
}

// plain returns a value as JSON has it: YAML reads numbers into other types than a client does.
func plain(field string, value any) any {
	raw, err := json.Marshal(value)
	if err != nil {
		return value
	}
	var out any
	if json.Unmarshal(raw, &out) != nil {
		return value
	}
	object, ok := out.(map[string]any)
	if ok && field == "status" {
		for _, name := range times {
			delete(object, name)
		}
	}
	if ok && len(object) == 0 {
		return nil // an empty map and none say the same
	}
	return out
}
