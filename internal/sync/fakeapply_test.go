// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"bytes"
	"encoding/json"
	"maps"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/bowline-cd/bowline/internal/fault"
)

// written computes what a write makes of the live object.
func (f *fake) written(w Write, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	switch w.Method {
	case Create:
		if live != nil {
			return nil, refuse(AlreadyExists, fault.Retry, "already exists")
		}
		return owned(w.Object, w.Manager, metav1.ManagedFieldsOperationUpdate), nil
	case Replace:
		next := owned(w.Object, w.Manager, metav1.ManagedFieldsOperationUpdate)
		if live != nil {
			next.SetUID(live.GetUID())
			next.SetResourceVersion(live.GetResourceVersion())
		}
		return next, nil
	case Patch:
		return patched(w, live)
	}
	return applied(w, live), nil
}

func patched(w Write, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if live == nil {
		return nil, refuse(NotFound, fault.Mistake, "not found")
	}
	next := live.DeepCopy()
	if w.PatchType != types.JSONPatchType {
		var patch map[string]any
		if err := json.Unmarshal(w.Patch, &patch); err != nil {
			return nil, err
		}
		metadata, _ := patch["metadata"].(map[string]any)
		if rv, ok := metadata["resourceVersion"]; ok && rv != live.GetResourceVersion() {
			return nil, refuse(Conflict, fault.Retry, "the object has been modified")
		}
		if uid, ok := metadata["uid"]; ok && uid != string(live.GetUID()) {
			return nil, refuse(Conflict, fault.Retry, "another object of this name")
		}
		merge(next.Object, patch)
		return next, nil
	}
	var ops []struct {
		Path  string
		Value json.RawMessage
	}
	if err := json.Unmarshal(w.Patch, &ops); err != nil {
		return nil, err
	}
	for _, op := range ops {
		switch op.Path {
		case "/metadata/resourceVersion":
			if string(op.Value) != strconv.Quote(live.GetResourceVersion()) {
				return nil, refuse(Conflict, fault.Retry, "the object has been modified")
			}
		case "/metadata/managedFields":
			var entries []metav1.ManagedFieldsEntry
			if err := json.Unmarshal(op.Value, &entries); err != nil {
				return nil, err
			}
			next.SetManagedFields(entries)
		}
	}
	return next, nil
}

func merge(into, patch map[string]any) {
	for k, v := range patch {
		child, isMap := v.(map[string]any)
		have, haveMap := into[k].(map[string]any)
		switch {
		case v == nil:
			delete(into, k)
		case isMap && haveMap:
			merge(have, child)
		default:
			into[k] = v
		}
	}
}

// applied is a forced server-side apply of plain maps: fields of the object are set, those the manager applied before and
// does not any more are removed unless an Update entry of another manager holds them.
func applied(w Write, live *unstructured.Unstructured) *unstructured.Unstructured {
	if live == nil {
		return owned(w.Object, w.Manager, metav1.ManagedFieldsOperationApply)
	}
	next := live.DeepCopy()
	mine := fields(w.Object)
	others := fieldpath.NewSet()
	var entries []metav1.ManagedFieldsEntry
	for _, e := range live.GetManagedFields() {
		set := decode(e)
		if e.Manager == w.Manager && e.Operation == metav1.ManagedFieldsOperationApply {
			continue
		}
		others = others.Union(set)
		entries = append(entries, e)
	}
	for _, e := range live.GetManagedFields() {
		if e.Manager == w.Manager && e.Operation == metav1.ManagedFieldsOperationApply {
			decode(e).Difference(mine).Difference(others).Leaves().Iterate(func(p fieldpath.Path) { remove(next.Object, p) })
		}
	}
	patch := w.Object.DeepCopy().Object
	merge(next.Object, patch)
	next.SetManagedFields(append(entries, entry(w.Object, w.Manager, metav1.ManagedFieldsOperationApply)))
	return next
}

func remove(m map[string]any, p fieldpath.Path) {
	for i, e := range p {
		if e.FieldName == nil {
			return
		}
		if i == len(p)-1 {
			delete(m, *e.FieldName)
			return
		}
		next, ok := m[*e.FieldName].(map[string]any)
		if !ok {
			return
		}
		m = next
	}
}

func owned(u *unstructured.Unstructured, manager string, op metav1.ManagedFieldsOperationType) *unstructured.Unstructured {
	next := u.DeepCopy()
	next.SetManagedFields([]metav1.ManagedFieldsEntry{entry(u, manager, op)})
	return next
}

func entry(u *unstructured.Unstructured, manager string, op metav1.ManagedFieldsOperationType) metav1.ManagedFieldsEntry {
	raw, err := fields(u).ToJSON()
	if err != nil {
		panic(err)
	}
	at := metav1.NewTime(time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC))
	return metav1.ManagedFieldsEntry{Manager: manager, Operation: op, APIVersion: u.GetAPIVersion(), Time: &at,
		FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(string(raw))}
}

// fields are the leaves of an object as the API server records them.
func fields(u *unstructured.Unstructured) *fieldpath.Set {
	content := maps.Clone(u.Object)
	delete(content, "apiVersion")
	delete(content, "kind")
	metadata := map[string]any{}
	for _, name := range []string{"labels", "annotations"} {
		if v, ok, _ := unstructured.NestedFieldNoCopy(u.Object, "metadata", name); ok {
			metadata[name] = v
		}
	}
	content["metadata"] = metadata
	return fieldpath.SetFromValue(value.NewValueInterface(content))
}

func decode(e metav1.ManagedFieldsEntry) *fieldpath.Set {
	set := fieldpath.NewSet()
	if err := set.FromJSON(bytes.NewReader(e.FieldsV1.GetRawBytes())); err != nil {
		panic(err)
	}
	return set
}
