// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// serverSet are the fields of metadata that only the API server writes. Manifests exported from a cluster carry
// them, and server-side apply refuses some and would fail on others for ever.
var serverSet = []string{
	"managedFields", "resourceVersion", "uid", "generation", "selfLink",
	"creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
}

var applicationKind = schema.GroupKind{Group: "argoproj.io", Kind: "Application"}

// ForApply returns the object to send for in.Desired, a copy: without what only the API server writes and nulls that
// the custom resource's schema does not allow, with stringData folded, and with the last-applied annotation brought up to date while live has it, so that whoever
// applies from the client next, on the way back, still removes what it should.
//
// status is sent exactly where it is compared, and never for an Application, whose status is its controller's memory
// and no source's business.
//
// With respectIgnore (sync option RespectIgnoreDifferences=true), ignored fields keep the value they have live. It
// needs live in the version of desired; another one is an error.
func ForApply(in Input, respectIgnore bool) (*unstructured.Unstructured, error) {
	u := in.Desired.DeepCopy()
	for _, name := range serverSet {
		unstructured.RemoveNestedField(u.Object, "metadata", name)
	}
	foldIfSecret(u, u.Object)
	if in.Schema != nil && in.Schema.crd != nil {
		// Server-side apply refuses nulls that other ways of writing drop by themselves.
		dropNulls(u.Object, in.Schema.crd)
	}
	gk := u.GroupVersionKind().GroupKind()
	if in.Rules.ignoresStatus(gk) || gk == applicationKind {
		delete(u.Object, "status")
	}
	dropAnnotation(u, corev1.LastAppliedConfigAnnotation)
	how, _, err := HowTo(in)
	if err != nil {
		return nil, err
	}
	if respectIgnore && in.Live != nil {
		if err := keepIgnored(in, u); err != nil {
			return nil, err
		}
	}
	if how == ThreeWay || in.Live != nil && lastAppliedText(in.Live) != "" {
		return u, setLastApplied(u)
	}
	return u, nil
}

func dropAnnotation(u *unstructured.Unstructured, key string) {
	annotations := u.GetAnnotations()
	if _, ok := annotations[key]; !ok {
		return
	}
	delete(annotations, key)
	if len(annotations) == 0 {
		annotations = nil
	}
	u.SetAnnotations(annotations)
}

// keepIgnored writes into u what live has at the fields that rules ignore.
func keepIgnored(in Input, u *unstructured.Unstructured) error {
	if res, done := compareOutside(in); done {
		return fmt.Errorf("keep the ignored fields of %s: %s", u.GetName(), res.Reason)
	}
	c, err := newComparison(in)
	if err != nil {
		return err
	}
	paths, err := c.ignoredPaths(u)
	if err != nil {
		return err
	}
	others, err := c.others()
	if err != nil {
		return err
	}
	for path := range paths.All() {
		if isField(path, 0, "status") || isKeyField(path) {
			continue
		}
		c.keep(u.Object, path.Copy(), others)
	}
	return nil
}

// ignoredPaths returns the fields that rules ignore in u or in live.
func (c *comparison) ignoredPaths(u *unstructured.Unstructured) (*fieldpath.Set, error) {
	mine, err := c.in.Rules.ignored(c.in.Desired, u.Object, c.schema)
	if err != nil {
		return nil, err
	}
	live, err := c.in.Rules.ignored(c.in.Desired, c.in.Live.Object, c.schema)
	if err != nil {
		return nil, err
	}
	managers, err := c.in.Rules.ignoredManagers(c.in.Desired, c.own.entries)
	if err != nil {
		return nil, err
	}
	return mine.Union(live).Union(managers), nil
}

// keep makes one ignored field of content such that writing content leaves live's value. Leaving the field out is
// not enough: under server-side apply, dropping a field that we own removes it, and spec.replicas becomes 1.
func (c *comparison) keep(content map[string]any, path fieldpath.Path, others *fieldpath.Set) {
	now, inLive := lookup(c.in.Live.Object, path, c.schema)
	_, inDesired := lookup(content, path, c.schema)
	switch {
	case !inLive && inDesired && !placed(path):
		c.drop(content, path)
	case !inLive || placed(path) && !inDesired:
	case c.how == ServerSide && isLeaf(now, shapeAt(path, c.schema)) && others.Has(path):
		// Another manager holds it as well: it stays without us, and we cannot undo a change made meanwhile.
		if inDesired && !placed(path) {
			c.drop(content, path)
		}
	case inDesired || c.how != ServerSide || covers(c.ours, path) || c.sentWith(content, path):
		put(content, path, now, c.schema)
	}
}

// sentWith reports whether path lies inside of a map that is one value to the API server, and that is sent or ours: what it
// lacks would be gone.
func (c *comparison) sentWith(content map[string]any, path fieldpath.Path) bool {
	for n := 1; n < len(path); n++ {
		if !shapeAt(path[:n], c.schema).atomicMap() {
			continue
		}
		_, sent := lookup(content, path[:n], c.schema)
		return sent || covers(c.ours, path[:n])
	}
	return false
}

func (c *comparison) drop(content map[string]any, path fieldpath.Path) {
	for name, v := range without(content, fieldpath.NewSet(path), c.schema) {
		content[name] = v
	}
	if len(path) == 1 && path[0].FieldName != nil {
		delete(content, *path[0].FieldName)
	}
}

func isLeaf(v any, s shape) bool {
	switch v.(type) {
	case map[string]any:
		return s.atomicMap()
	case []any:
		kind, _ := s.list()
		return kind == listAtomic
	default:
		return true
	}
}

// isKeyField reports whether path is a field by which its list tells elements apart.
func isKeyField(path fieldpath.Path) bool {
	if len(path) < 2 {
		return false
	}
	last := path[len(path)-1]
	if last.FieldName == nil {
		return false
	}
	f := frame{parent: &frame{elem: path[len(path)-2]}, name: *last.FieldName}
	return f.isKey()
}
