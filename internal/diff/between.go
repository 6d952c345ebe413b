// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Between returns the fields in which two desired forms of one object differ, such as those of two revisions: Live is the value
// before, Desired the one after. Spellings that mean the same are no difference. maxShown is how many bytes of a value are shown;
// values of Secrets are masked, so that it shows that they changed and nothing else. schema may be nil.
func Between(before, after *unstructured.Unstructured, schema *Schema, rules *Rules, maxShown int) ([]Change, error) {
	if isSecret(before) {
		before = before.DeepCopy()
		foldStringData(before.Object)
	}
	c, err := newComparison(Input{Desired: after, Live: before, How: Replace, Schema: schema, Rules: rules, MaxShown: maxShown})
	if err != nil {
		return nil, err
	}
	gvk := after.GroupVersionKind()
	was := c.schema.canonicalDesired(gvk, runtime.DeepCopyJSON(c.live))
	is := c.schema.canonicalDesired(gvk, runtime.DeepCopyJSON(c.desired))
	w := walker{schema: c.schema, everything: true}
	out := c.changes(w.object(is, was, fieldsOf(was, c.schema), nil, c.skip))
	if a, b := before.GetAPIVersion(), after.GetAPIVersion(); a != b {
		out = append([]Change{{Path: "apiVersion", Live: `"` + a + `"`, Desired: `"` + b + `"`}}, out...)
	}
	return out, nil
}
