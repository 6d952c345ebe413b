// SPDX-License-Identifier: Apache-2.0

package diff

// askedZeros puts back into a canonical desired form the zeros, nulls and empty lists that raw asks for by name and that
// the canonical form leaves out, where live has something else there: `hostNetwork: false` is no difference while
// live has none, and is one as soon as somebody switches it on. canonical is changed and shares what it gets with raw.
func (s *Schema) askedZeros(canonical, raw, live map[string]any) {
	for name, rv := range raw {
		askedZero(canonical, name, rv, live, s.top(name))
	}
}

func askedZero(canonical map[string]any, name string, raw any, live map[string]any, s shape) {
	lv, ok := live[name]
	if !ok {
		return
	}
	cv, kept := canonical[name]
	if !kept {
		canonical[name] = raw
		return
	}
	askedBelow(cv, raw, lv, s)
}

func askedBelow(canonical, raw, live any, s shape) {
	switch r := raw.(type) {
	case map[string]any:
		c, isMap := canonical.(map[string]any)
		l, bothMaps := live.(map[string]any)
		if !isMap || !bothMaps || s.atomicMap() {
			return
		}
		for name, rv := range r {
			askedZero(c, name, rv, l, s.field(name))
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
				askedBelow(c[i], r[i], l[j], s.item())
			}
		}
	}
}
