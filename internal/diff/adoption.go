// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Takeover says what adopting an object would mean.
type Takeover struct {
	// Managers are the field managers whose entries would be folded into ours, in the order of
	// managedFields. None means that there is nothing to adopt.
	Managers []string
	// Held are the fields that the first apply would remove and that last-applied holds, or a replace in our own name
	// wrote: they were declared once and no longer are.
	Held []string
	// Unheld are the other fields that it would remove. Of an Update entry without last-applied the API server fills most
	// in again, for they are its defaults; the rest was declared, or set in some other way. Automated sync leaves them
	// alone (see Folded).
	Unheld []string
}

// Needed reports whether there is something to adopt.
func (t Takeover) Needed() bool { return len(t.Managers) > 0 }

// Adoption returns what adopting in.Live for in.Desired would mean. An object that does not exist, or that is not
// written by server-side apply, needs none.
func Adoption(in Input) (Takeover, error) {
	c, err := adoptable(in)
	if c == nil || err != nil {
		return Takeover{}, err
	}
	t := Takeover{Managers: c.pendingManagers()}
	fields, err := c.vanishing()
	if err != nil {
		return Takeover{}, err
	}
	declared, err := c.declared()
	if err != nil {
		return Takeover{}, err
	}
	for _, f := range fields {
		if covers(declared, f.path) {
			t.Held = append(t.Held, pathText(f.path))
		} else {
			t.Unheld = append(t.Unheld, pathText(f.path))
		}
	}
	return t, nil
}

// adoptable returns the comparison of an object that has something to adopt, nil for any other.
func adoptable(in Input) (*comparison, error) {
	if res, done := compareOutside(in); done {
		if res.Missing {
			return nil, nil
		}
		return nil, fmt.Errorf("adopt: %s", res.Reason)
	}
	c, err := newComparison(in)
	if err != nil || c.how != ServerSide || len(c.own.pending) == 0 {
		return nil, err
	}
	return c, nil
}

func (c *comparison) pendingManagers() []string {
	var names []string
	for _, e := range c.own.pending {
		if !slices.Contains(names, e.manager) {
			names = append(names, e.manager)
		}
	}
	return names
}

// declared returns the fields that last-applied holds. Without it, those that were updated in our own name: a replace
// writes so, and declares the whole object. Its mark may be there already, so that nothing was written while those fields
// were still desired: let go of, they would stay for ever.
func (c *comparison) declared() (*fieldpath.Set, error) {
	content, err := lastApplied(c.in.Live)
	if err != nil {
		return nil, err
	}
	if content != nil {
		return fieldsOf(content, c.schema), nil
	}
	return union(slices.DeleteFunc(slices.Clone(c.own.pending), func(e entry) bool { return e.manager != c.in.Manager }))
}

// Folded returns in.Live's managedFields with the entries to adopt folded into ours, to be written guarded by
// resourceVersion before the first apply; nil if there is nothing to adopt. Of Update entries beside last-applied only what
// that holds, or is desired, becomes ours: the rest are defaults of their time, and what another manager has made of one
// since would go with it. With onlyHeld, as automated sync wants it, fields that would vanish though nobody is known to have
// declared them are let go of as well: they become nobody's, stay as they are, and are no difference any more.
func Folded(in Input, onlyHeld bool) ([]metav1.ManagedFieldsEntry, error) {
	c, err := adoptable(in)
	if c == nil || err != nil {
		return nil, err
	}
	sum, err := union(slices.Concat(c.own.applied, c.own.pending))
	if err != nil {
		return nil, err
	}
	keep := c.unfolded
	if onlyHeld {
		if keep, err = c.declared(); err != nil {
			return nil, err
		}
	}
	if sum, err = c.kept(sum, keep); err != nil {
		return nil, err
	}
	return c.fold(sum)
}

// fold returns live's managedFields with one Apply entry of ours, which holds the given fields, for our own and those to
// adopt. (csaupgrade of client-go takes Update entries only, and of each manager the first in one version: what the
// others hold would be nobody's and stay for ever.) Fields that the entry's version does not have under their name are
// dropped by the API server at the next apply.
func (c *comparison) fold(fields *fieldpath.Set) ([]metav1.ManagedFieldsEntry, error) {
	raw, err := fields.ToJSON()
	if err != nil {
		return nil, fmt.Errorf("write the folded fields: %w", err)
	}
	first := len(c.own.applied) == 0
	var ours metav1.ManagedFieldsEntry
	var rest []metav1.ManagedFieldsEntry
	for _, e := range c.in.Live.GetManagedFields() {
		of := entry{manager: e.Manager, operation: string(e.Operation), subresource: e.Subresource}
		switch {
		case of.appliedBy(c.in.Manager):
			ours = e
		case !of.toAdopt(c.in.Adopt, first):
			rest = append(rest, e)
		case ours.APIVersion == "":
			ours = e
		}
	}
	ours.Manager, ours.Operation = c.in.Manager, metav1.ManagedFieldsOperationApply
	ours.FieldsV1 = &metav1.FieldsV1{}
	ours.FieldsV1.SetRawBytes(raw)
	return slices.Insert(rest, 0, ours), nil
}

// kept leaves of the fields to fold those in keep, those that are ours already and those that are desired.
func (c *comparison) kept(fields, keep *fieldpath.Set) (*fieldpath.Set, error) {
	applied, err := union(c.own.applied)
	if err != nil {
		return nil, err
	}
	return fields.Intersection(keep.Union(applied).Union(fieldsOf(c.desired, c.schema))), nil
}

// Probe returns the object to send as a dry-run update (PUT) to learn which of the vanishing fields the API server
// fills in again: live without them. nil means that there is nothing to learn. Its answer goes into Input.Probed.
// Update entries hold the defaults of their time as well as what was declared, and only the API server knows its
// defaults; a dry run of the apply cannot tell, since the entries keep those fields until they are folded.
func Probe(in Input) (*unstructured.Unstructured, error) {
	in.Probed = nil
	c, err := adoptable(in)
	if c == nil || err != nil {
		return nil, err
	}
	fields, err := c.vanishing()
	if err != nil || len(fields) == 0 {
		return nil, err
	}
	gone := fieldpath.NewSet()
	for _, f := range fields {
		gone.Insert(f.path)
	}
	u := (&unstructured.Unstructured{Object: without(in.Live.Object, gone, c.schema)}).DeepCopy()
	dropEmptied(u.Object, in.Live.Object)
	return u, nil
}

// dropEmptied takes away what holds nothing any more: server-side apply, of which the probe is to tell, leaves no empty object
// behind when it removes the last field, and an empty one may have other defaults than none.
func dropEmptied(now, before any) {
	switch now := now.(type) {
	case map[string]any:
		was, _ := before.(map[string]any)
		for name, child := range now {
			dropEmptied(child, was[name])
			if isContainer(child) && isZero(child) && !isZero(was[name]) {
				delete(now, name)
			}
		}
	case []any:
		was, _ := before.([]any)
		for i := range now {
			if len(was) == len(now) {
				dropEmptied(now[i], was[i])
			}
		}
	}
}
