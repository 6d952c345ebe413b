// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Refused names the lists of desired that server-side apply refuses though other ways of writing accept them: keyed
// lists and sets with two elements of the same identity, such as an environment variable that a chart sets twice, wherever they
// stand.
func Refused(desired *unstructured.Unstructured, given *Schema) []string {
	return repeating(desired, given, true)
}

// repeating names the lists that hold two elements of one identity; those within what is one value only with inValues. Nearly
// always there are none, so that the way to a list is only written down once one was found.
func repeating(u *unstructured.Unstructured, given *Schema, inValues bool) []string {
	s := schemaOf(u, given)
	r := repeater{inValues: inValues}
	for name, v := range u.Object {
		r.value(v, s.top(name))
	}
	if !r.found {
		return nil
	}
	r.named, r.lists = true, nil
	for _, name := range slices.Sorted(maps.Keys(u.Object)) {
		r.path = append(r.path[:0], name)
		r.value(u.Object[name], s.top(name))
	}
	return r.lists
}

type repeater struct {
	inValues, named bool
	found           bool
	path            []string // the way to here, if named
	lists           []string
}

func (r *repeater) value(v any, s shape) {
	switch v := v.(type) {
	case map[string]any:
		if s.atomicMap() && !r.inValues {
			return
		}
		r.fields(v, s)
	case []any:
		kind, keys := s.list()
		if kind == listAtomic && !r.inValues {
			return
		}
		if kind != listAtomic && len(v) > 1 && twice(v, kind, keys, s) {
			r.found = true
			r.lists = append(r.lists, strings.Join(r.path, ""))
			return
		}
		for _, item := range v {
			if isContainer(item) {
				r.below("[]", item, s.item())
			}
		}
	}
}

func (r *repeater) fields(v map[string]any, s shape) {
	if !r.named {
		for name, child := range v {
			if isContainer(child) {
				r.value(child, s.field(name))
			}
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		r.below("."+name, v[name], s.field(name))
	}
}

func (r *repeater) below(step string, v any, s shape) {
	if !r.named {
		r.value(v, s)
		return
	}
	r.path = append(r.path, step)
	r.value(v, s)
	r.path = r.path[:len(r.path)-1]
}

func isContainer(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
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
	ids := make([]string, 0, shortList)
	var seen map[string]bool
	if len(list) > shortList {
		seen = make(map[string]bool, len(list))
	}
	for _, item := range list {
		id, ok := identityText(item, kind, keys, s)
		if !ok {
			continue
		}
		if slices.Contains(ids, id) || seen[id] {
			return true
		}
		if seen != nil {
			seen[id] = true
		} else {
			ids = append(ids, id)
		}
	}
	return false
}
