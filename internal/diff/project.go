// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	kjson "sigs.k8s.io/json"
)

// projector reduces an object to the fields that are desired or ours, and writes them as JSON with sorted names: nearly always
// all that is asked of it is a digest, at every event of every object.
type projector struct {
	schema *Schema
	// nullAsks: a null of desired takes away what is there, whoever has it, as a patch does. Otherwise it is no value to a
	// built-in kind, and asks for nothing of what is in there.
	nullAsks bool
	// surplus is set when a field of ours was met that desired does not have.
	surplus bool

	out   []byte
	names []string // of the objects that are being written, one behind the other
}

// object projects a live object's content.
func (p *projector) object(desired, live map[string]any, ours, skip *fieldpath.Set) []byte {
	root := frame{ours: ours, skip: skip}
	p.out, p.names = make([]byte, 0, 2048), make([]string, 0, 64)
	p.fields(desired, live, &root, p.schema.top)
	return p.out
}

// form is object, decoded.
func (p *projector) form(desired, live map[string]any, ours, skip *fieldpath.Set) (map[string]any, error) {
	var form map[string]any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(p.object(desired, live, ours, skip), &form); err != nil {
		return nil, fmt.Errorf("reduce the object to what is desired or ours: %w", err)
	}
	return form, nil
}

func (p *projector) fields(desired, live map[string]any, f *frame, shapes func(string) shape) {
	p.out = append(p.out, '{')
	from := len(p.names)
	names := p.sorted(live)
	var child frame
	for i, name := range names {
		dv, wanted := desired[name]
		child.enter(f, &names[i], shapes(name))
		if dv == nil && p.asksNothing(live[name], child.shape) {
			wanted = false
		}
		if child.skipped || !wanted && !child.owned() {
			continue
		}
		mark := len(p.out)
		p.name(name)
		start := len(p.out)
		p.value(dv, wanted, live[name], &child)
		if !wanted && child.skip != nil && string(p.out[start:]) == "{}" {
			p.out = p.out[:mark] // only there for what is skipped: annotations that hold last-applied and nothing of ours
			continue
		}
		p.surplus = p.surplus || !wanted
		p.out = append(p.out, ',')
	}
	p.names = p.names[:from]
	p.close('}')
}

func (p *projector) value(desired any, wanted bool, live any, f *frame) {
	switch lv := live.(type) {
	case map[string]any:
		dm, isMap := desired.(map[string]any)
		if !f.shape.atomicMap() && (!wanted || isMap) {
			p.fields(dm, lv, f, f.shape.field)
			return
		}
	case []any:
		dl, isList := desired.([]any)
		if !wanted || isList {
			p.list(dl, lv, f)
			return
		}
	}
	p.whole(live)
}

// asksNothing reports whether a null in the place of a live value is as good as no field.
func (p *projector) asksNothing(live any, s shape) bool {
	switch live.(type) {
	case map[string]any:
		return p.schema.builtIn && !p.nullAsks && !s.atomicMap()
	case []any:
		kind, _ := s.list()
		return p.schema.builtIn && !p.nullAsks && kind != listAtomic
	}
	return false
}

func (p *projector) list(desired, live []any, f *frame) {
	kind, keys := f.keys()
	d, dok := index(desired, kind, keys, f.shape)
	l, lok := index(live, kind, keys, f.shape)
	if !dok || !lok {
		p.whole(live)
		return
	}
	p.out = append(p.out, '[')
	for i := range l.ids {
		j, wanted := d.find(l.ids[i])
		child := f.down(l.elem(i), f.shape.item())
		if child.skipped || !wanted && !child.owned() {
			continue
		}
		p.surplus = p.surplus || !wanted
		var dv any
		if wanted {
			dv = desired[j]
		}
		p.value(dv, wanted, live[i], &child)
		p.out = append(p.out, ',')
	}
	p.close(']')
}

// whole writes all of a value.
func (p *projector) whole(v any) {
	switch v := v.(type) {
	case map[string]any:
		p.out = append(p.out, '{')
		from := len(p.names)
		for _, name := range p.sorted(v) {
			p.name(name)
			p.whole(v[name])
			p.out = append(p.out, ',')
		}
		p.names = p.names[:from]
		p.close('}')
	case []any:
		p.out = append(p.out, '[')
		for _, item := range v {
			p.whole(item)
			p.out = append(p.out, ',')
		}
		p.close(']')
	case string:
		p.text(v)
	case int64:
		p.out = strconv.AppendInt(p.out, v, 10)
	case bool:
		p.out = strconv.AppendBool(p.out, v)
	case nil:
		p.out = append(p.out, "null"...)
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			raw = strconv.AppendQuote(nil, fmt.Sprint(v)) // of no JSON object, yet told apart
		}
		p.out = append(p.out, raw...)
	}
}

// sorted returns the names of an object, valid until the object is written.
func (p *projector) sorted(m map[string]any) []string {
	from := len(p.names)
	for name := range m {
		p.names = append(p.names, name)
	}
	names := p.names[from:]
	slices.Sort(names)
	return names
}

func (p *projector) name(name string) {
	p.text(name)
	p.out = append(p.out, ':')
}

func (p *projector) text(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			raw, err := json.Marshal(s)
			if err == nil {
				p.out = append(p.out, raw...)
				return
			}
		}
	}
	p.out = append(append(append(p.out, '"'), s...), '"')
}

// close ends an object or a list, whose members are each followed by a comma.
func (p *projector) close(c byte) {
	if last := len(p.out) - 1; p.out[last] == ',' {
		p.out[last] = c
		return
	}
	p.out = append(p.out, c)
}
