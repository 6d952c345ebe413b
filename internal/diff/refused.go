// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Refused names the lists of desired that server-side apply refuses though other ways of writing accept them: keyed
// lists and sets with two elements of the same identity, such as an environment variable that a chart sets twice.
func Refused(desired *unstructured.Unstructured, given *Schema) []string {
	s := schemaOf(desired, given)
	var r refusals
	root := frame{}
	r.fields(desired.Object, &root, s.top)
	return r.lists
}

// tangled names the lists of live that hold two elements of the same identity which a three-way patch can take away. The
// API server tracks no owner of such elements, so an apply of a desired form without them would leave both behind.
func tangled(live *unstructured.Unstructured, given *Schema) []string {
	if live == nil || lastAppliedText(live) == "" {
		return nil
	}
	return Refused(live, given)
}

type refusals struct{ lists []string }

func (r *refusals) fields(m map[string]any, f *frame, shapes func(string) shape) {
	for name, v := range m {
		switch v := v.(type) {
		case map[string]any:
			child := f.field(name, shapes(name))
			if !child.shape.atomicMap() {
				r.fields(v, &child, child.shape.field)
			}
		case []any:
			child := f.field(name, shapes(name))
			r.list(v, &child)
		}
	}
}

func (r *refusals) list(list []any, f *frame) {
	kind, keys := f.shape.list()
	if kind == listAtomic {
		return
	}
	items, ok := index(list, kind, keys, f.shape)
	if !ok {
		if twice(list, kind, keys, f.shape) {
			r.lists = append(r.lists, pathText(f.path()))
		}
		return
	}
	for i, elem := range items.elems {
		if m, ok := list[i].(map[string]any); ok {
			child := f.down(elem, f.shape.item())
			r.fields(m, &child, child.shape.field)
		}
	}
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
