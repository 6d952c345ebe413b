// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"reflect"
	"slices"
)

// A strategic merge patch tells the elements of a list apart by key, so that it cannot say what becomes of a list with two
// elements of one key: it would merge both into the first. Such lists are taken out of the three-way patch, and
// replaced whole by a directive of the same patch (https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/).

// replacement is a list that is to be replaced whole.
type replacement struct {
	path []step
	list []any
}

// step is one step on the way to a list: into a field, or into the element of a keyed list that has these key fields.
type step struct {
	field string
	keys  map[string]any
}

// untangler takes tangled lists out of the three forms that a patch is computed from.
type untangler struct {
	replacements []replacement
}

// fields looks at what desired and live both have. The forms are changed.
func (u *untangler) fields(original, desired, live map[string]any, shapes func(string) shape, path []step) {
	for name, dv := range desired {
		to := slices.Concat(path, []step{{field: name}})
		s := shapes(name)
		switch dv := dv.(type) {
		case map[string]any:
			if lv, ok := live[name].(map[string]any); ok && !s.atomicMap() {
				ov, _ := original[name].(map[string]any)
				u.fields(ov, dv, lv, s.field, to)
			}
		case []any:
			lv, ok := live[name].([]any)
			kind, keys := s.list()
			if !ok || kind != listKeyed {
				continue
			}
			ov, _ := original[name].([]any)
			if !slices.ContainsFunc([][]any{ov, dv, lv}, func(list []any) bool { return twice(list, kind, keys, s) }) {
				u.items(ov, dv, lv, s, to)
				continue
			}
			if want := merged(ov, dv, lv, s); !reflect.DeepEqual(want, lv) {
				u.replacements = append(u.replacements, replacement{path: to, list: want})
			}
			delete(original, name)
			delete(desired, name)
			delete(live, name)
		}
	}
}

// items looks into the elements that desired and live both have.
func (u *untangler) items(original, desired, live []any, s shape, path []step) {
	kind, keys := s.list()
	o, _ := index(original, kind, keys, s)
	l, lok := index(live, kind, keys, s)
	if !lok {
		return
	}
	for _, item := range desired {
		j, ok := l.like(item, kind, keys, s)
		if !ok {
			continue
		}
		dv, lv := item.(map[string]any), live[j].(map[string]any)
		var ov map[string]any
		if i, ok := o.like(item, kind, keys, s); ok {
			ov, _ = original[i].(map[string]any)
		}
		own := map[string]any{}
		for _, key := range keys {
			if v, ok := dv[key]; ok {
				own[key] = v
			}
		}
		u.fields(ov, dv, lv, s.item().field, append(path[:len(path):len(path)], step{keys: own}))
	}
}

// merged returns desired and after it the elements that others added: those of live that were never applied.
func merged(original, desired, live []any, s shape) []any {
	kind, keys := s.list()
	known := map[string]bool{}
	for _, item := range append(original[:len(original):len(original)], desired...) {
		if id, ok := identityText(item, kind, keys, s); ok {
			known[id] = true
		}
	}
	out := append([]any{}, desired...)
	for _, item := range live {
		if id, ok := identityText(item, kind, keys, s); ok && !known[id] {
			out = append(out, item)
		}
	}
	return out
}

// into writes a replacement into a strategic merge patch.
func (r replacement) into(patch map[string]any) {
	at := patch
	for i, s := range r.path[:len(r.path)-1] {
		if s.keys != nil {
			continue
		}
		if next := r.path[i+1]; next.keys != nil {
			at = element(at, s.field, next.keys)
			continue
		}
		below, ok := at[s.field].(map[string]any)
		if !ok {
			below = map[string]any{}
			at[s.field] = below
		}
		at = below
	}
	at[r.path[len(r.path)-1].field] = append([]any{map[string]any{"$patch": "replace"}}, r.list...)
}

// element returns the element of a patch's list with these keys, made if there is none.
func element(patch map[string]any, field string, keys map[string]any) map[string]any {
	list, _ := patch[field].([]any)
	for _, item := range list {
		if m, ok := item.(map[string]any); ok && hasAll(m, keys) {
			return m
		}
	}
	m := map[string]any{}
	for key, v := range keys {
		m[key] = v
	}
	list = append(list, m)
	order, _ := patch["$setElementOrder/"+field].([]any)
	slices.SortStableFunc(list, func(a, b any) int { return placeIn(order, a) - placeIn(order, b) })
	patch[field] = list
	return m
}

// placeIn returns the place that a patch's directive about order gives an element, that behind the last if it gives none. The API
// server refuses a patch whose elements stand otherwise.
func placeIn(order []any, item any) int {
	m, _ := item.(map[string]any)
	i := slices.IndexFunc(order, func(o any) bool {
		keys, ok := o.(map[string]any)
		return ok && hasAll(m, keys)
	})
	if i < 0 {
		return len(order)
	}
	return i
}

func hasAll(m, keys map[string]any) bool {
	for key, v := range keys {
		if !reflect.DeepEqual(m[key], v) {
			return false
		}
	}
	return true
}
