// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// without returns content without the fields in set, sharing what it can with content, which is not changed.
func without(content map[string]any, set *fieldpath.Set, s *Schema) map[string]any {
	if set.Empty() {
		return content
	}
	root := frame{skip: set}
	return withoutIn(content, &root, s.top)
}

func withoutIn(v map[string]any, f *frame, shapes func(string) shape) map[string]any {
	out := make(map[string]any, len(v))
	for name, child := range v {
		cf := f.field(name, shapes(name))
		if !cf.skipped {
			out[name] = withoutBelow(child, &cf)
		}
	}
	return out
}

func withoutBelow(v any, f *frame) any {
	if f.skip == nil {
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		return withoutIn(v, f, f.shape.field)
	case []any:
		out := make([]any, 0, len(v))
		for i, item := range v {
			cf := f.down(elementAt(v, i, f.shape), f.shape.item())
			if !cf.skipped {
				out = append(out, withoutBelow(item, &cf))
			}
		}
		return out
	default:
		return v
	}
}

// keyed returns the paths of set that mean the same field in any form of the object: those without a place in a list.
func keyed(set *fieldpath.Set) *fieldpath.Set {
	out := fieldpath.NewSet()
	for path := range set.All() {
		if !placed(path) {
			out.Insert(path.Copy())
		}
	}
	return out
}

func placed(path fieldpath.Path) bool {
	for _, elem := range path {
		if elem.Index != nil {
			return true
		}
	}
	return false
}

// lookup returns the value at path.
func lookup(content map[string]any, path fieldpath.Path, s *Schema) (any, bool) {
	var at any = content
	shapes := s.top
	var here shape
	for _, elem := range path {
		switch v := at.(type) {
		case map[string]any:
			if elem.FieldName == nil || !has(v, *elem.FieldName) {
				return nil, false
			}
			at, here = v[*elem.FieldName], shapes(*elem.FieldName)
		case []any:
			i, ok := find(v, elem, here)
			if !ok {
				return nil, false
			}
			at, here = v[i], here.item()
		default:
			return nil, false
		}
		shapes = here.field
	}
	return at, true
}

// find returns the place in list of the element with an identity.
func find(list []any, elem fieldpath.PathElement, s shape) (int, bool) {
	if elem.Index != nil {
		return *elem.Index, *elem.Index >= 0 && *elem.Index < len(list)
	}
	kind, keys := s.list()
	if k, names, ok := keysOf(elem); kind == listAtomic && ok {
		kind, keys = k, names
	}
	for i, item := range list {
		if id, ok := identity(item, kind, keys, s); ok && id.Equals(elem) {
			return i, true
		}
	}
	return 0, false
}

// put sets the value at path, creating maps on the way but no list elements: an element that is not there is not
// wanted. It reports whether the value could be set. content is changed.
func put(content map[string]any, path fieldpath.Path, v any, s *Schema) bool {
	if len(path) == 0 {
		return false
	}
	parent := content
	last := path[len(path)-1]
	if len(path) > 1 {
		switch at := ensure(content, path[:len(path)-1], s).(type) {
		case map[string]any:
			parent = at
		case []any:
			i, ok := find(at, last, shapeAt(path[:len(path)-1], s))
			if ok {
				at[i] = v
			}
			return ok
		default:
			return false
		}
	}
	if last.FieldName == nil {
		return false
	}
	parent[*last.FieldName] = v
	return true
}

// ensure returns the container at path, creating maps where there is nothing; nil if the way is barred.
func ensure(content map[string]any, path fieldpath.Path, s *Schema) any {
	for n := 1; n <= len(path); n++ {
		if at, ok := lookup(content, path[:n], s); ok && at != nil {
			continue
		}
		name := path[n-1].FieldName
		above, _ := lookup(content, path[:n-1], s)
		m, isMap := above.(map[string]any)
		if name == nil || !isMap {
			return nil
		}
		m[*name] = map[string]any{}
	}
	at, _ := lookup(content, path, s)
	return at
}

func shapeAt(path fieldpath.Path, s *Schema) shape {
	shapes := s.top
	var here shape
	for _, elem := range path {
		if elem.FieldName != nil {
			here = shapes(*elem.FieldName)
		} else {
			here = here.item()
		}
		shapes = here.field
	}
	return here
}
