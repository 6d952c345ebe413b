// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// projector reduces an object to the fields that are desired or ours.
type projector struct {
	schema *Schema
	// nullAsks: a null of desired takes away what is there, whoever has it, as a patch does. Otherwise it is no value to a
	// built-in kind, and asks for nothing of what is in there.
	nullAsks bool
	// surplus is set when a field of ours was met that desired does not have.
	surplus bool
}

// object projects a live object's content. The result shares what it can with live and must not be changed.
func (p *projector) object(desired, live map[string]any, ours, skip *fieldpath.Set) map[string]any {
	root := frame{ours: ours, skip: skip}
	out := make(map[string]any, len(live))
	p.fields(out, desired, live, &root, p.schema.top)
	return out
}

func (p *projector) fields(out, desired, live map[string]any, f *frame, shapes func(string) shape) {
	for name, lv := range live {
		dv, wanted := desired[name]
		child := f.field(name, shapes(name))
		if child.skipped || !wanted && !child.owned() {
			continue
		}
		v := p.value(dv, wanted, lv, &child)
		if m, ok := v.(map[string]any); ok && !wanted && child.skip != nil && len(m) == 0 {
			continue // only there for what is skipped: annotations that hold last-applied and nothing of ours
		}
		p.surplus = p.surplus || !wanted
		out[name] = v
	}
}

func (p *projector) value(desired any, wanted bool, live any, f *frame) any {
	if desired == nil && p.schema.builtIn && !p.nullAsks {
		wanted = false
	}
	switch lv := live.(type) {
	case map[string]any:
		dm, isMap := desired.(map[string]any)
		if f.shape.atomicMap() || wanted && !isMap {
			return live
		}
		out := make(map[string]any, len(lv))
		p.fields(out, dm, lv, f, f.shape.field)
		return out
	case []any:
		dl, isList := desired.([]any)
		if wanted && !isList {
			return live
		}
		return p.list(dl, lv, f)
	default:
		return live
	}
}

func (p *projector) list(desired, live []any, f *frame) any {
	kind, keys := f.keys()
	d, dok := index(desired, kind, keys, f.shape)
	l, lok := index(live, kind, keys, f.shape)
	if !dok || !lok {
		return live
	}
	out := make([]any, 0, len(live))
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
		out = append(out, p.value(dv, wanted, live[i], &child))
	}
	return out
}
