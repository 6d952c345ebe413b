// SPDX-License-Identifier: Apache-2.0

package diff

// zeros puts back into a canonical desired form the zeros, nulls and empty lists that raw asks for by name and that
// the canonical form leaves out, where live has something else there: `hostNetwork: false` is no difference while
// live has none, and is one as soon as somebody switches it on.
type zeros struct {
	// nullAsks: a null takes away what is there. Otherwise, in place of a map, it asks for nothing: see projector.
	nullAsks bool
}

// put changes canonical, which then shares what it got with raw.
func (z zeros) put(canonical, raw, live map[string]any, shapes func(string) shape) {
	for name, rv := range raw {
		z.field(canonical, name, rv, live, shapes(name))
	}
}

func (z zeros) field(canonical map[string]any, name string, raw any, live map[string]any, s shape) {
	lv, ok := live[name]
	if !ok {
		return
	}
	if cv, kept := canonical[name]; kept {
		z.below(cv, raw, lv, s)
		return
	}
	if _, isMap := lv.(map[string]any); raw == nil && isMap && !z.nullAsks && !s.atomicMap() {
		return
	}
	canonical[name] = raw
}

func (z zeros) below(canonical, raw, live any, s shape) {
	switch r := raw.(type) {
	case map[string]any:
		c, isMap := canonical.(map[string]any)
		l, bothMaps := live.(map[string]any)
		if isMap && bothMaps && !s.atomicMap() {
			z.put(c, r, l, s.field)
		}
	case []any:
		c, isList := canonical.([]any)
		l, bothLists := live.([]any)
		kind, keys := s.list()
		if !isList || !bothLists || kind != listKeyed || len(c) != len(r) {
			return
		}
		places, ok := index(l, kind, keys, s)
		if !ok {
			return
		}
		for i := range r {
			if j, ok := places.like(c[i], kind, keys, s); ok {
				z.below(c[i], r[i], l[j], s.item())
			}
		}
	}
}
