// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"reflect"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/bowline-cd/bowline/internal/object"
)

// comparison is one comparison under way: the contents after ignore rules, and who owns what.
type comparison struct {
	in            Input
	schema        *Schema
	how           How
	desiredDigest object.Digest
	desired, live map[string]any // shared with Input, so never changed

	own  ownership
	ours *fieldpath.Set // fields that count as ours
	// unfolded are the fields of ours that only count by adoption, nil if nothing is to be adopted.
	unfolded *fieldpath.Set
	skip     *fieldpath.Set // fields that are not compared
	rest     *fieldpath.Set // of others; read on demand by others

	canonicalForms [2]map[string]any // desired, live; made on demand by canonical
}

func newComparison(in Input) (*comparison, error) {
	in.Manager, in.Adopt = managerOr(in.Manager), adoptOr(in.Adopt)
	c := &comparison{in: in, schema: schemaOf(in.Desired, in.Schema), desiredDigest: in.desiredDigest(), how: in.How}
	var err error
	if c.own, err = ownershipOf(in.Live, in.Manager, in.Adopt); err != nil {
		return nil, err
	}
	if c.how == ServerSide {
		c.how, _ = c.own.how(in.Live)
	}
	if c.how == ServerSide && (len(Refused(in.Desired, c.schema)) > 0 || len(tangled(in.Live, c.schema)) > 0) {
		c.how = ThreeWay
	}
	if c.how == ThreeWay && !c.schema.builtIn {
		// The patch of a custom resource is a JSON merge patch, to which every list is one value.
		c.schema = &Schema{crd: c.schema.crd, known: c.schema.known}
	}
	if err := c.readOwnership(); err != nil {
		return nil, err
	}
	return c, c.readContents()
}

func managerOr(manager string) string {
	if manager == "" {
		return Manager
	}
	return manager
}

func adoptOr(adopt []string) []string {
	if adopt == nil {
		return DefaultAdopt
	}
	return adopt
}

// readOwnership finds the fields that count as ours, by how the object is written.
func (c *comparison) readOwnership() error {
	var err error
	switch c.how {
	case ThreeWay:
		content, err := appliedBefore(c.in)
		if err != nil {
			return err
		}
		c.ours = fieldsOf(content, c.schema)
		return nil
	case Replace:
		var entries []entry
		for _, e := range c.own.pending {
			if e.manager == c.in.Manager {
				entries = append(entries, e)
			}
		}
		c.ours, err = union(append(entries, c.own.applied...))
		return err
	default:
		if c.ours, err = union(c.own.applied); err != nil {
			return err
		}
		if len(c.own.pending) == 0 {
			return nil
		}
		if c.unfolded, err = c.countedPending(); err != nil {
			return err
		}
		c.ours = c.ours.Union(c.unfolded)
		return nil
	}
}

// countedPending returns the fields of the entries to adopt that count as declared. Update entries also hold what
// the API server filled in at the time; where last-applied says what was declared, only that counts of them. Apply entries
// hold what was declared and nothing else.
func (c *comparison) countedPending() (*fieldpath.Set, error) {
	var updates, applies []entry
	for _, e := range c.own.pending {
		if e.operation == "Apply" {
			applies = append(applies, e)
		} else {
			updates = append(updates, e)
		}
	}
	updated, err := union(updates)
	if err != nil {
		return nil, err
	}
	applied, err := union(applies)
	if err != nil {
		return nil, err
	}
	declared, err := lastApplied(c.in.Live)
	if err != nil {
		return nil, err
	}
	if declared != nil {
		updated = updated.Intersection(fieldsOf(declared, c.schema))
	}
	return updated.Union(applied), nil
}

// readContents applies the ignore rules to both contents.
func (c *comparison) readContents() error {
	desired, err := c.in.Rules.ignored(c.in.Desired, c.desiredContent(), c.schema)
	if err != nil {
		return err
	}
	live, err := c.in.Rules.ignored(c.in.Desired, c.in.Live.Object, c.schema)
	if err != nil {
		return err
	}
	managers, err := c.in.Rules.ignoredManagers(c.in.Desired, c.own.entries)
	if err != nil {
		return err
	}
	c.desired = without(c.desiredContent(), desired, c.schema)
	c.live = without(c.in.Live.Object, live, c.schema)
	c.skip = noise(c.in.Rules.ignoresStatus(c.in.Desired.GroupVersionKind().GroupKind()))
	for _, set := range []*fieldpath.Set{keyed(desired), keyed(live), managers, c.migrated()} {
		if set != nil && !set.Empty() {
			c.skip = c.skip.Union(set)
		}
	}
	return nil
}

// read applies the ignore rules to another form of the live object.
func (c *comparison) read(u *unstructured.Unstructured) (map[string]any, error) {
	set, err := c.in.Rules.ignored(c.in.Desired, u.Object, c.schema)
	if err != nil {
		return nil, err
	}
	return without(u.Object, set, c.schema), nil
}

// desiredContent is the desired content as it is sent: with stringData folded.
func (c *comparison) desiredContent() map[string]any {
	content := c.in.Desired.Object
	if !isSecret(c.in.Desired) {
		return content
	}
	content = runtime.DeepCopyJSON(content)
	foldStringData(content)
	return content
}

// noiseFields are the fields of every object that no source decides: identity, which is what both have in common,
// and what the API server keeps itself. The last-applied annotation is kept current by us, not compared.
func noiseFields() *fieldpath.Set {
	set := fieldpath.NewSet(
		fieldpath.MakePathOrDie("apiVersion"),
		fieldpath.MakePathOrDie("kind"),
		fieldpath.MakePathOrDie("metadata", "annotations", corev1.LastAppliedConfigAnnotation),
	)
	for _, name := range append([]string{"name", "namespace", "generateName"}, serverSet...) {
		set.Insert(fieldpath.MakePathOrDie("metadata", name))
	}
	return set
}

var (
	noiseSet       = noiseFields()
	noiseAndStatus = noiseFields().Union(fieldpath.NewSet(fieldpath.MakePathOrDie("status")))
)

func noise(status bool) *fieldpath.Set {
	if status {
		return noiseAndStatus
	}
	return noiseSet
}

// others returns the fields of all managers that are not us, as far as they keep a field that we let go of.
func (c *comparison) others() (*fieldpath.Set, error) {
	if c.how != ServerSide {
		return nil, nil // a PUT or a patch removes a field whoever owns it
	}
	if c.rest == nil {
		var err error
		if c.rest, err = union(c.own.others); err != nil {
			return nil, err
		}
	}
	return c.rest, nil
}

// digest returns the digest of content, reduced to what is desired or ours. It also covers which of it is ours alone without
// being desired, for that is a difference even where the content stays the same.
func (c *comparison) digest(content map[string]any) (object.Digest, error) {
	if c.in.Mutations {
		return object.DigestOf(without(content, c.skip, c.schema)), nil
	}
	p := c.projector()
	text := p.object(c.desired, content, c.ours, c.skip)
	if !p.surplus {
		return object.DigestBytes(text), nil
	}
	others, err := c.others()
	if err != nil {
		return "", err
	}
	w := walker{schema: c.schema}
	for _, f := range w.object(c.desired, content, c.ours, others, c.skip) {
		if !f.inDesired {
			text = append(append(text, '\n'), f.path.String()...)
		}
	}
	return object.DigestBytes(text), nil
}

// form returns content, reduced to what is desired or ours.
func (c *comparison) form(content map[string]any) (map[string]any, error) {
	if c.in.Mutations {
		return without(content, c.skip, c.schema), nil
	}
	p := c.projector()
	return p.form(c.desired, content, c.ours, c.skip)
}

func (c *comparison) projector() projector {
	return projector{schema: c.schema, nullAsks: c.how == ThreeWay}
}

// candidates compares canonical forms.
func (c *comparison) candidates() ([]found, error) {
	others, err := c.others()
	if err != nil {
		return nil, err
	}
	desired, live := c.canonical()
	w := walker{schema: c.schema}
	return w.object(desired, live, c.ours, others, c.skip), nil
}

// canonical returns both contents in canonical form.
func (c *comparison) canonical() (desired, live map[string]any) {
	if c.canonicalForms[0] == nil {
		gvk := c.in.Desired.GroupVersionKind()
		c.canonicalForms[0] = c.schema.canonicalDesired(gvk, c.desired)
		c.canonicalForms[1] = c.schema.canonicalLive(gvk, c.live)
		z := zeros{nullAsks: c.how == ThreeWay || !c.schema.builtIn}
		z.put(c.canonicalForms[0], runtime.DeepCopyJSON(c.desired), c.canonicalForms[1], c.schema.top)
	}
	return c.canonicalForms[0], c.canonicalForms[1]
}

// vanishing returns the fields that only entries to be adopted hold and desired does not have: the first apply
// after the adoption removes them. With the answer of a probe, those that the API server fills in again with the
// same value are left out.
func (c *comparison) vanishing() ([]found, error) {
	if c.unfolded == nil {
		return nil, nil
	}
	others, err := c.others()
	if err != nil {
		return nil, err
	}
	desired, live := c.canonical()
	if c.schema.builtIn {
		// `labels: null` is no value to a built-in kind: what is in them goes, one by one.
		desired = withoutNulls(desired).(map[string]any)
	}
	w := walker{schema: c.schema}
	var out []found
	for _, f := range w.object(desired, live, c.unfolded, others, c.skip) {
		if f.inDesired {
			continue
		}
		if c.in.Probed != nil {
			again, present := lookup(c.in.Probed.Object, f.path, c.schema)
			now, _ := lookup(c.in.Live.Object, f.path, c.schema)
			if present && reflect.DeepEqual(again, now) {
				continue
			}
			f.desired, f.inDesired = again, present
		}
		out = append(out, f)
	}
	return out, nil
}
