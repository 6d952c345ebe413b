// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Refused names the lists of desired that server-side apply refuses though other ways of writing accept them: keyed
// lists and sets with two elements of the same identity, such as an environment variable that a chart sets twice, wherever they
// stand.
func Refused(desired *unstructured.Unstructured, given *Schema) []string {
	return repeating(desired, given, true)
}

// repeating names the lists that hold two elements of one identity; those within what is one value only with inValues.
func repeating(u *unstructured.Unstructured, given *Schema, inValues bool) []string {
	s := schemaOf(u, given)
	var lists []string
	for _, name := range slices.Sorted(maps.Keys(u.Object)) {
		refused(u.Object[name], s.top(name), name, inValues, &lists)
	}
	return lists
}

func refused(v any, s shape, path string, inValues bool, lists *[]string) {
	switch v := v.(type) {
	case map[string]any:
		if s.atomicMap() && !inValues {
			return
		}
		for name, child := range v {
			switch child.(type) {
			case map[string]any, []any:
				refused(child, s.field(name), path+"."+name, inValues, lists)
			}
		}
	case []any:
		kind, keys := s.list()
		if kind == listAtomic && !inValues {
			return
		}
		if kind != listAtomic && len(v) > 1 && twice(v, kind, keys, s) {
			*lists = append(*lists, path)
			return
		}
		for _, item := range v {
			refused(item, s.item(), path+"[]", inValues, lists)
		}
	}
}

// tangled names the lists of live that hold two elements of the same identity which a three-way patch can take away. The
// API server tracks no owner of such elements, so an apply of a desired form without them would leave both behind.
func tangled(live *unstructured.Unstructured, given *Schema) []string {
	if live == nil || lastAppliedText(live) == "" {
		return nil
	}
	return repeating(live, given, false) // what is one value has one owner
}

// twice reports whether two elements have the same identity; elements without one are for validation to refuse.
func twice(list []any, kind listKind, keys []string, s shape) bool {
	seen := map[string]bool{}
	for _, item := range list {
		elem, ok := identity(item, kind, keys, s)
		if !ok {
			continue
		}
		id := idText(elem)
		if seen[id] {
			return true
		}
		seen[id] = true
	}
	return false
}
