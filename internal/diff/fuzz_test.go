// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"bytes"
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// managedFields come from clusters that are not ours. Reading them never panics, and what is read is what the API
// server's own reader reads.
func FuzzManagedFields(f *testing.F) {
	f.Add([]byte(`{"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}}}}`))
	f.Add([]byte(`{"f:metadata":{"f:finalizers":{".":{},"v:\"a/b\"":{}}},"i:3":{},"x:unknown":{"f:a":{}}}`))
	f.Add([]byte(`{"f:a":{"x:unknown":{}},"k:{}":{},"v:1.0":{},"":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var fields map[string]any
		if json.Unmarshal(raw, &fields) != nil {
			return
		}
		got, err := parseFields(fields)
		if err == nil {
			sameAsServer(t, fields, got)
		}
		live := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Service",
			"metadata": map[string]any{"name": "a", "labels": map[string]any{"app": "x"}, "finalizers": []any{"a/b"}, "managedFields": []any{
				map[string]any{"manager": Manager, "operation": "Apply", "apiVersion": "v1", "fieldsV1": fields},
				map[string]any{"manager": "helm", "operation": "Update", "apiVersion": "v1", "fieldsV1": fields},
			}},
			"spec": map[string]any{"ports": []any{map[string]any{"port": int64(80)}}},
		}}
		desired := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "a"}}}
		in := Input{Desired: desired, Live: live}
		if r := Compare(in); err != nil && r.Verdict == Same {
			t.Errorf("unreadable managedFields (%v), yet the same", err)
		}
		Confirm(in, live)
	})
}

func sameAsServer(t *testing.T, fields map[string]any, got *fieldpath.Set) {
	t.Helper()
	text, err := json.Marshal(fields) // keys once each, as in an object that was decoded
	if err != nil {
		t.Fatal(err)
	}
	want := fieldpath.NewSet()
	if want.FromJSON(bytes.NewReader(text)) != nil {
		return // e.g. a scalar below "."
	}
	if !want.Equals(got) {
		t.Errorf("read %s, structured-merge-diff reads %s", got, want)
	}
}

// Nothing a manifest or a cluster holds makes a comparison panic, or change what it compares.
func FuzzCompare(f *testing.F) {
	f.Add([]byte(`{"spec":{"containers":[{"name":"a","env":[{"name":"x"},{"name":"x"}]}]}}`), []byte(`{"spec":{"containers":[null,{"name":1.5}]}}`))
	f.Add([]byte(`{"data":{"a":null},"stringData":{"b":1}}`), []byte(`{"metadata":[],"data":[]}`))
	f.Fuzz(func(t *testing.T, desired, live []byte) {
		for _, gvk := range randomKinds[:7] {
			d, l := fuzzed(desired), fuzzed(live)
			if d == nil || l == nil {
				return
			}
			d.SetGroupVersionKind(gvk)
			l.SetGroupVersionKind(gvk)
			in := Input{Desired: d, Live: l}
			Compare(in)
			Confirm(in, l)
			if r := Compare(Input{Desired: d, Live: d}); r.Verdict == Different {
				t.Errorf("different from itself: %+v", r.Changes)
			}
		}
	})
}

func fuzzed(raw []byte) *unstructured.Unstructured {
	var content map[string]any
	if json.Unmarshal(raw, &content) != nil || content == nil {
		return nil
	}
	return &unstructured.Unstructured{Object: normalNumbers(content).(map[string]any)}
}
