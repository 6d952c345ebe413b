// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// frame is a place in an object while it is walked: its shape, what the field sets say about it, and the way to it.
type frame struct {
	parent *frame
	name   string                // of a field; "" for an element
	elem   fieldpath.PathElement // of an element
	shape  shape

	// ours, others and skip hold what is below this place, nil where there is nothing; the flags say whether the
	// place itself is a member.
	ours, others, skip    *fieldpath.Set
	mine, theirs, skipped bool
}

func (f *frame) down(elem fieldpath.PathElement, s shape) frame {
	child := frame{parent: f, elem: elem, shape: s}
	child.mine, child.ours = descend(f.ours, elem)
	child.theirs, child.others = descend(f.others, elem)
	child.skipped, child.skip = descend(f.skip, elem)
	return child
}

func (f *frame) field(name string, s shape) frame {
	var child frame
	child.enter(f, &name, s)
	return child
}

// enter makes f the frame of a field of parent. name is kept for as long as f is: a walk shares frames and names.
func (f *frame) enter(parent *frame, name *string, s shape) {
	*f = frame{parent: parent, name: *name, shape: s}
	if parent.ours == nil && parent.others == nil && parent.skip == nil {
		return
	}
	elem := fieldpath.PathElement{FieldName: name}
	f.mine, f.ours = descend(parent.ours, elem)
	f.theirs, f.others = descend(parent.others, elem)
	f.skipped, f.skip = descend(parent.skip, elem)
}

func descend(s *fieldpath.Set, elem fieldpath.PathElement) (member bool, below *fieldpath.Set) {
	if s == nil {
		return false, nil
	}
	below, _ = s.Children.Get(elem)
	return s.Members.Has(elem), below
}

// owned reports whether we own the place or something below it.
func (f *frame) owned() bool { return f.mine || f.ours != nil }

// contested reports whether another manager owns the place or something below it.
func (f *frame) contested() bool { return f.theirs || f.others != nil }

// isKey reports whether the place is a field by which its list tells its elements apart.
func (f *frame) isKey() bool {
	if f.parent == nil || f.parent.elem.Key == nil || f.name == "" {
		return false
	}
	return slices.ContainsFunc(*f.parent.elem.Key, func(k value.Field) bool { return k.Name == f.name })
}

// element is the last step of the way to the place.
func (f *frame) element() fieldpath.PathElement {
	if f.elem == (fieldpath.PathElement{}) {
		return fieldpath.FieldNameElement(f.name)
	}
	return f.elem
}

func (f *frame) path() fieldpath.Path {
	var path fieldpath.Path
	for ; f.parent != nil; f = f.parent {
		path = append(path, f.element())
	}
	slices.Reverse(path)
	return path
}

// keys returns how the list at f is treated. Where no schema says that its elements have an identity, managedFields
// may: the API server, which may know a newer schema, owns the elements of such lists one by one.
func (f *frame) keys() (listKind, []string) {
	if kind, keys := f.shape.list(); kind != listAtomic {
		return kind, keys
	}
	kind, keys, _ := keysIn(f.ours)
	return kind, keys
}

func keysIn(s *fieldpath.Set) (listKind, []string, bool) {
	if s == nil {
		return 0, nil, false
	}
	for elem := range s.Children.All() {
		if kind, keys, ok := keysOf(elem); ok {
			return kind, keys, true
		}
	}
	for elem := range s.Members.All() {
		if kind, keys, ok := keysOf(elem); ok {
			return kind, keys, true
		}
	}
	return 0, nil, false
}

func keysOf(elem fieldpath.PathElement) (listKind, []string, bool) {
	switch {
	case elem.Key != nil:
		names := make([]string, len(*elem.Key))
		for i, field := range *elem.Key {
			names[i] = field.Name
		}
		return listKeyed, names, true
	case elem.Value != nil:
		return listSet, nil, true
	default:
		return 0, nil, false
	}
}

// indexed is a list whose elements have an identity.
type indexed struct {
	list  []any
	kind  listKind
	keys  []string
	shape shape          // of the list
	ids   []string       // identities, in the list's order
	place map[string]int // id -> place in the list; nil in short lists, which are searched
}

// shortList is the length up to which searching a list costs less than a map of it.
const shortList = 8

func (x indexed) find(id string) (int, bool) {
	if x.place != nil {
		i, ok := x.place[id]
		return i, ok
	}
	i := slices.Index(x.ids, id)
	return i, i >= 0
}

// like returns the place of the element with the identity of item.
func (x indexed) like(item any, kind listKind, keys []string, s shape) (int, bool) {
	id, ok := identityText(item, kind, keys, s)
	if !ok {
		return 0, false
	}
	return x.find(id)
}

// elem returns the identity of an element as field sets have it.
func (x indexed) elem(i int) fieldpath.PathElement {
	elem, _ := identity(x.list[i], x.kind, x.keys, x.shape)
	return elem
}

func (x *indexed) add(id string) (unique bool) {
	if _, twice := x.find(id); twice {
		return false
	}
	if x.place != nil {
		x.place[id] = len(x.ids)
	}
	x.ids = append(x.ids, id)
	return true
}

// index gives each element of list its identity. ok is false where the list has to be taken as one value: it is
// one to the API server, an element has no key, or two have the same (which server-side apply refuses to write).
func index(list []any, kind listKind, keys []string, s shape) (indexed, bool) {
	if kind == listAtomic {
		return indexed{}, false
	}
	out := indexed{list: list, kind: kind, keys: keys, shape: s, ids: make([]string, 0, len(list))}
	if len(list) > shortList {
		out.place = make(map[string]int, len(list))
	}
	for _, item := range list {
		id, ok := identityText(item, kind, keys, s)
		if !ok || !out.add(id) {
			return indexed{}, false
		}
	}
	return out, true
}

// identity returns what tells an element of a list apart; ok is false if it has nothing that does.
func identity(item any, kind listKind, keys []string, s shape) (elem fieldpath.PathElement, ok bool) {
	if kind == listSet {
		if isContainer(item) || item == nil {
			return fieldpath.PathElement{}, false
		}
		return fieldpath.ValueElement(value.NewValueInterface(item)), true
	}
	m, ok := item.(map[string]any)
	if !ok {
		return fieldpath.PathElement{}, false
	}
	fields := make(value.FieldList, 0, len(keys))
	for _, k := range keys {
		if v := keyOf(m, k, s); v != nil {
			fields = append(fields, value.Field{Name: k, Value: value.NewValueInterface(v)})
		}
	}
	if len(fields) == 0 {
		return fieldpath.PathElement{}, false
	}
	fields.Sort()
	return fieldpath.PathElement{Key: &fields}, true
}

// keyOf returns the value of a key field, nil if it has none.
func keyOf(m map[string]any, key string, s shape) any {
	if v := m[key]; v != nil {
		return v
	}
	return s.keyDefault(key)
}

// identityText writes an identity such that two of one list are equal exactly when their texts are.
func identityText(item any, kind listKind, keys []string, s shape) (id string, ok bool) {
	if kind == listSet {
		if isContainer(item) || item == nil {
			return "", false
		}
		return scalarID(item), true
	}
	m, ok := item.(map[string]any)
	if !ok {
		return "", false
	}
	if len(keys) == 1 {
		v := keyOf(m, keys[0], s)
		return scalarID(v), v != nil
	}
	var b strings.Builder
	for _, k := range keys {
		if v := keyOf(m, k, s); v != nil {
			ok = true
			// Quoting keeps a value from reaching into the next field.
			b.WriteString(k + "=" + strconv.Quote(scalarID(v)) + ",")
		}
	}
	return b.String(), ok && b.Len() > 0
}

func scalarID(v any) string {
	switch v := v.(type) {
	case string:
		return "s" + v
	case int64:
		return "n" + strconv.FormatInt(v, 10)
	case nil:
		return ""
	default:
		return fmt.Sprintf("%T %v", v, v)
	}
}

// fieldsOf returns the set of fields that content has, as server-side apply would own them.
func fieldsOf(content map[string]any, s *Schema) *fieldpath.Set {
	set := fieldpath.NewSet()
	for name, child := range content {
		insertFields(set, fieldpath.Path{fieldpath.FieldNameElement(name)}, child, s.top(name))
	}
	return set
}

func insertFields(set *fieldpath.Set, path fieldpath.Path, v any, s shape) {
	at := func(elem fieldpath.PathElement) fieldpath.Path { return append(slices.Clone(path), elem) }
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 || s.atomicMap() {
			break
		}
		for name, child := range v {
			insertFields(set, at(fieldpath.FieldNameElement(name)), child, s.field(name))
		}
		return
	case []any:
		kind, keys := s.list()
		items, ok := index(v, kind, keys, s)
		if !ok || len(v) == 0 {
			break
		}
		for i := range v {
			elem := items.elem(i)
			set.Insert(at(elem))
			insertFields(set, at(elem), v[i], s.item())
		}
		return
	}
	set.Insert(path)
}
