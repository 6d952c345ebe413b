// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"maps"
	"reflect"
	"slices"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// found is one field in which desired and live differ.
type found struct {
	path          fieldpath.Path
	desired, live any
	inDesired     bool
	inLive        bool
	reordered     bool // a list holds the same elements in another order; the values are its elements' identities
}

// walker finds the fields in which live is not what desired says.
type walker struct {
	schema *Schema
	// everything: whatever only live has is a difference, not just what is ours.
	everything bool
	found      []found
}

// object compares two objects' contents.
func (w *walker) object(desired, live map[string]any, ours, others, skip *fieldpath.Set) []found {
	root := frame{ours: ours, others: others, skip: skip}
	w.fields(desired, live, &root, w.schema.top)
	return w.found
}

func (w *walker) fields(desired, live map[string]any, f *frame, shapes func(string) shape) {
	var child frame
	names := slices.Sorted(maps.Keys(desired))
	for i, name := range names {
		child.enter(f, &names[i], shapes(name))
		if lv, ok := live[name]; ok {
			w.both(desired[name], lv, &child)
		} else {
			w.missing(desired[name], &child)
		}
	}
	names = slices.Sorted(maps.Keys(live))
	for i, name := range names {
		if !has(desired, name) {
			child.enter(f, &names[i], shapes(name))
			w.surplus(live[name], &child)
		}
	}
}

func (w *walker) both(desired, live any, f *frame) {
	if f.skipped {
		return
	}
	switch dv := desired.(type) {
	case map[string]any:
		if lv, ok := live.(map[string]any); ok && !f.shape.atomicMap() {
			w.fields(dv, lv, f, f.shape.field)
			return
		}
	case []any:
		if lv, ok := live.([]any); ok {
			w.list(dv, lv, f)
			return
		}
	}
	w.whole(desired, live, f)
}

// whole compares what the API server takes as one value.
func (w *walker) whole(desired, live any, f *frame) {
	if !reflect.DeepEqual(desired, live) {
		w.add(f, found{desired: desired, live: live, inDesired: true, inLive: true})
	}
}

func (w *walker) list(desired, live []any, f *frame) {
	kind, keys := f.keys()
	d, dok := index(desired, kind, keys, f.shape)
	l, lok := index(live, kind, keys, f.shape)
	if !dok || !lok {
		w.whole(desired, live, f)
		return
	}
	for i := range d.ids {
		child := f.down(d.elem(i), f.shape.item())
		if j, ok := l.find(d.ids[i]); ok {
			w.both(desired[i], live[j], &child)
		} else {
			w.missing(desired[i], &child)
		}
	}
	for j := range l.ids {
		if _, ok := d.find(l.ids[j]); !ok {
			child := f.down(l.elem(j), f.shape.item())
			w.surplus(live[j], &child)
		}
	}
	w.order(d, l, f)
}

// order compares the order of the elements that both lists have. Server-side apply restores ours, though ownership
// knows no order: environment variables refer to earlier ones, and init containers run in turn.
// Elements that others put in between do not matter.
func (w *walker) order(d, l indexed, f *frame) {
	common := func(in, other indexed) (places []int) {
		for i, id := range in.ids {
			if _, ok := other.find(id); ok {
				places = append(places, i)
			}
		}
		return places
	}
	want, is := common(d, l), common(l, d)
	same := slices.EqualFunc(want, is, func(i, j int) bool { return d.ids[i] == l.ids[j] })
	if !same {
		w.add(f, found{reordered: true, desired: d.text(want), live: l.text(is), inDesired: true, inLive: true})
	}
}

// text names the elements at some places.
func (x indexed) text(places []int) string {
	path := make(fieldpath.Path, len(places))
	for i, place := range places {
		path[i] = x.elem(place)
	}
	return pathText(path)
}

func (w *walker) missing(desired any, f *frame) {
	if f.skipped {
		return
	}
	if m, ok := desired.(map[string]any); ok && f.skip != nil && !f.shape.atomicMap() {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			child := f.field(name, f.shape.field(name))
			w.missing(m[name], &child)
		}
		return
	}
	w.add(f, found{desired: desired, inDesired: true})
}

// surplus judges a field that only live has: a difference if it is ours alone, for then the next apply removes it.
// What another manager owns too stays when we let go of it, so it is no difference, now or after any number of applies.
func (w *walker) surplus(live any, f *frame) {
	if f.skipped || !w.everything && !f.owned() || f.isKey() {
		return // a key field with the default that desired leaves out is what makes both the same element
	}
	if w.everything || !f.contested() && w.wholly(live, f) {
		w.add(f, found{live: live, inLive: true})
		return
	}
	switch lv := live.(type) {
	case map[string]any:
		if !f.shape.atomicMap() {
			w.fields(nil, lv, f, f.shape.field)
		}
	case []any:
		kind, keys := f.keys()
		if l, ok := index(lv, kind, keys, f.shape); ok {
			for i := range l.ids {
				child := f.down(l.elem(i), f.shape.item())
				w.surplus(lv[i], &child)
			}
		}
	}
}

// wholly reports whether all of live goes when our fields at f go: whether we own the place itself (the server then
// removes what is in it, defaults included) or nothing lies beside our fields, and nothing in it is to be skipped.
func (w *walker) wholly(live any, f *frame) bool {
	if f.skip != nil {
		return false
	}
	if f.mine {
		return true
	}
	switch lv := live.(type) {
	case map[string]any:
		if f.shape.atomicMap() || f.ours == nil {
			return true
		}
		for name := range lv {
			if child := f.field(name, f.shape.field(name)); !child.owned() {
				return false
			}
		}
	case []any:
		kind, keys := f.keys()
		l, ok := index(lv, kind, keys, f.shape)
		if !ok || f.ours == nil {
			return true
		}
		for i := range l.ids {
			if child := f.down(l.elem(i), f.shape.item()); !child.owned() {
				return false
			}
		}
	}
	return true
}

func (w *walker) add(f *frame, d found) {
	d.path = f.path()
	w.found = append(w.found, d)
}
