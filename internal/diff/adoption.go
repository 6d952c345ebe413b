// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"bytes"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Takeover says what adopting an object would mean.
type Takeover struct {
	// Managers are the field managers whose Update entries would be folded into ours, in the order of
	// managedFields. None means that there is nothing to adopt.
	Managers []string
	// Held are the fields that the first apply would remove and that last-applied holds: they were declared once
	// and no longer are.
	Held []string
	// Unheld are the fields that it would remove and that last-applied does not hold, or that no last-applied tells
	// of. The API server fills most of them in again, for they are its defaults; the rest was set in some other way.
	// Automated sync leaves them alone (see Folded).
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
	full, err := union(c.own.pending)
	if err != nil {
		return Takeover{}, err
	}
	fields, err := c.vanishingOf(full)
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

// declared returns the fields that last-applied holds.
func (c *comparison) declared() (*fieldpath.Set, error) {
	content, err := lastApplied(c.in.Live)
	if err != nil {
		return nil, err
	}
	return fieldsOf(content, c.schema), nil
}

// Folded returns in.Live's managedFields with the entries to adopt folded into ours, to be written guarded by
// resourceVersion before the first apply; nil if there is nothing to adopt. With onlyHeld, as automated sync wants
// it, fields that would vanish though last-applied did not hold them are let go of instead: they become nobody's,
// stay as they are, and are no difference any more.
func Folded(in Input, onlyHeld bool) ([]metav1.ManagedFieldsEntry, error) {
	c, err := adoptable(in)
	if c == nil || err != nil {
		return nil, err
	}
	u := in.Live.DeepCopy()
	u.SetManagedFields(c.aligned(u.GetManagedFields()))
	// One by one and in their order: csaupgrade starts our entry from the first it finds, and a set has no order.
	for _, name := range c.pendingManagers() {
		if err := csaupgrade.UpgradeManagedFields(u, sets.New(name), c.in.Manager); err != nil {
			return nil, fmt.Errorf("fold the fields of manager %q: %w", name, err)
		}
	}
	entries := u.GetManagedFields()
	if !onlyHeld {
		return entries, nil
	}
	return entries, c.letGo(entries)
}

// aligned writes one apiVersion over the entries that are to be folded. csaupgrade throws away those in another
// version than ours, and what they hold would be nobody's and stay for ever; a field that the version does not have
// under that name is dropped by the API server at the next apply.
func (c *comparison) aligned(entries []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	version := ""
	for _, e := range slices.Concat(c.own.applied, c.own.pending) {
		if version = e.version; version != "" {
			break
		}
	}
	for i := range entries {
		e := &entries[i]
		if e.Subresource == "" && e.Operation == metav1.ManagedFieldsOperationUpdate && isAdopted(e.Manager, c.in.Adopt) {
			e.APIVersion = version
		}
	}
	return entries
}

// letGo takes out of our folded entry what came from others and was neither declared nor is desired.
func (c *comparison) letGo(entries []metav1.ManagedFieldsEntry) error {
	keep, err := c.declared()
	if err != nil {
		return err
	}
	applied, err := union(c.own.applied)
	if err != nil {
		return err
	}
	keep = keep.Union(applied).Union(fieldsOf(c.desired, c.schema))
	for i := range entries {
		e := &entries[i]
		if e.Manager != c.in.Manager || e.Operation != metav1.ManagedFieldsOperationApply || e.Subresource != "" {
			continue
		}
		set := fieldpath.NewSet()
		if err := set.FromJSON(bytes.NewReader(e.FieldsV1.GetRawBytes())); err != nil {
			return fmt.Errorf("read the folded fields: %w", err)
		}
		raw, err := set.Intersection(keep).ToJSON()
		if err != nil {
			return fmt.Errorf("write the folded fields: %w", err)
		}
		e.FieldsV1.SetRawBytes(raw)
	}
	return nil
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
	u := &unstructured.Unstructured{Object: without(in.Live.Object, gone, c.schema)}
	return u.DeepCopy(), nil
}
