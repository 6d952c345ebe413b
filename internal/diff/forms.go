// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Forms are the forms of one object that people compare: whole, not reduced to what is ours. All are copies.
type Forms struct {
	// Desired is what the source wants, with stringData folded; nil if it wants no such object.
	Desired *unstructured.Unstructured
	// Live is what the cluster has; nil if it has no such object.
	Live *unstructured.Unstructured
	// NormalizedLive and Predicted are what is to be held against each other: live, and live as the next write would leave
	// it, both in canonical form and without what is not compared. They are equal if live is as desired. Either is nil
	// where there is no such object.
	NormalizedLive, Predicted *unstructured.Unstructured
}

// FormsOf returns the forms of an object for people. in.Desired is nil for an object that is to go, in.Live for one that is
// to come. answer is the API server's answer to a dry run of the write, nil if there is none: then what the write would do is
// worked out here, and the API server's defaults and webhooks have no part in it. Forms in different versions of the kind are
// an error, as are managedFields that cannot be read.
//
// Forms hold the values of Secrets: see Mask.
func FormsOf(in Input, answer *unstructured.Unstructured) (Forms, error) {
	if in.Desired == nil || in.Live == nil {
		return formsOfOne(in)
	}
	if res, done := compareOutside(in); done {
		return Forms{}, errors.New(res.Reason)
	}
	c, err := newComparison(in)
	if err != nil {
		return Forms{}, err
	}
	desired, live := c.canonical()
	f := Forms{Desired: in.Desired.DeepCopy(), Live: in.Live.DeepCopy(), NormalizedLive: c.shownForm(live)}
	foldIfSecret(f.Desired, f.Desired.Object)
	if answer == nil || answer.GetAPIVersion() != in.Desired.GetAPIVersion() {
		others, err := c.others()
		if err != nil {
			return Forms{}, err
		}
		p := predictor{schema: c.schema}
		f.Predicted = c.shownForm(p.object(desired, live, c.ours, others, c.skip))
		return f, nil
	}
	res, err := c.confirm(answer)
	if err != nil {
		return Forms{}, err
	}
	if res.Verdict == Same {
		f.Predicted = f.NormalizedLive.DeepCopy()
		return f, nil
	}
	content, err := c.read(answer)
	if err != nil {
		return Forms{}, err
	}
	f.Predicted = c.shownForm(c.schema.canonicalLive(in.Desired.GroupVersionKind(), content))
	return f, nil
}

// formsOfOne returns the forms of an object that is only desired, or only there.
func formsOfOne(in Input) (Forms, error) {
	switch {
	case in.Live != nil:
		normal := in.Live.DeepCopy()
		for _, name := range serverSet {
			unstructured.RemoveNestedField(normal.Object, "metadata", name)
		}
		return Forms{Live: in.Live.DeepCopy(), NormalizedLive: normal}, nil
	case in.Desired != nil:
		predicted, err := ForApply(in, false)
		if err != nil {
			return Forms{}, err
		}
		f := Forms{Desired: in.Desired.DeepCopy(), Predicted: predicted}
		foldIfSecret(f.Desired, f.Desired.Object)
		return f, nil
	default:
		return Forms{}, errors.New("there is neither a desired nor a live object")
	}
}

// shownForm returns a copy of content without what is not compared, identity apart.
func (c *comparison) shownForm(content map[string]any) *unstructured.Unstructured {
	out := runtime.DeepCopyJSON(without(content, c.skip.Difference(identitySet), c.schema))
	canonicalMetadata(out) // labels of which none is compared are none
	return &unstructured.Unstructured{Object: out}
}

// identitySet are the fields of noiseFields that say which object it is.
var identitySet = fieldpath.NewSet(
	fieldpath.MakePathOrDie("apiVersion"), fieldpath.MakePathOrDie("kind"),
	fieldpath.MakePathOrDie("metadata", "name"), fieldpath.MakePathOrDie("metadata", "namespace"),
)

// predictor works out what a write would leave of live: what walker calls different becomes as desired, the rest stays.
type predictor struct {
	schema *Schema
}

func (p *predictor) object(desired, live map[string]any, ours, others, skip *fieldpath.Set) map[string]any {
	root := frame{ours: ours, others: others, skip: skip}
	return p.fields(desired, live, &root, p.schema.top)
}

func (p *predictor) fields(desired, live map[string]any, f *frame, shapes func(string) shape) map[string]any {
	out := make(map[string]any, len(live))
	for name, dv := range desired {
		child := f.field(name, shapes(name))
		if lv, ok := live[name]; ok {
			out[name] = p.both(dv, lv, &child)
		} else if !child.skipped {
			out[name] = dv
		}
	}
	for name, lv := range live {
		if has(desired, name) {
			continue
		}
		child := f.field(name, shapes(name))
		if v, stays := p.surplus(lv, &child); stays {
			out[name] = v
		}
	}
	return out
}

func (p *predictor) both(desired, live any, f *frame) any {
	if f.skipped {
		return live
	}
	switch dv := desired.(type) {
	case map[string]any:
		if lv, ok := live.(map[string]any); ok && !f.shape.atomicMap() {
			return p.fields(dv, lv, f, f.shape.field)
		}
	case []any:
		if lv, ok := live.([]any); ok {
			return p.list(dv, lv, f)
		}
	}
	return desired
}

// surplus returns what stays of a value that only live has.
func (p *predictor) surplus(live any, f *frame) (any, bool) {
	w := walker{schema: p.schema}
	if f.skipped || !f.owned() || f.isKey() {
		return live, true
	}
	if !f.contested() && w.wholly(live, f) {
		return nil, false
	}
	switch lv := live.(type) {
	case map[string]any:
		if !f.shape.atomicMap() {
			return p.fields(nil, lv, f, f.shape.field), true
		}
	case []any:
		return p.list(nil, lv, f), true
	}
	return live, true
}

// list puts the elements of desired, in their order, where live has them, and new ones behind the one they follow.
func (p *predictor) list(desired, live []any, f *frame) any {
	kind, keys := f.keys()
	d, dok := index(desired, kind, keys, f.shape)
	l, lok := index(live, kind, keys, f.shape)
	if !dok || !lok {
		return desired
	}
	var out, ids []any
	var pending []int // places of desired that live has, in desired's order
	for i, id := range d.ids {
		if _, ok := l.find(id); ok {
			pending = append(pending, i)
		}
	}
	for j := range l.ids {
		child := f.down(l.elem(j), f.shape.item())
		if _, wanted := d.find(l.ids[j]); !wanted {
			if v, stays := p.surplus(live[j], &child); stays {
				out, ids = append(out, v), append(ids, l.ids[j])
			}
			continue
		}
		i := pending[0]
		pending = pending[1:]
		from, _ := l.find(d.ids[i])
		child = f.down(d.elem(i), f.shape.item())
		out, ids = append(out, p.both(desired[i], live[from], &child)), append(ids, d.ids[i])
	}
	for i, id := range d.ids {
		if _, ok := l.find(id); ok {
			continue
		}
		at := len(out)
		if i == 0 {
			at = 0
		} else if before := slices.Index(ids, any(d.ids[i-1])); before >= 0 {
			at = before + 1
		}
		out, ids = slices.Insert(out, at, desired[i]), slices.Insert(ids, at, any(id))
	}
	return out
}
