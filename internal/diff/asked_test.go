// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/json"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestAskedZeros: a zero that desired names is no difference while live has none, and one as soon as live has another
// value there, whoever set it.
func TestAskedZeros(t *testing.T) {
	for _, test := range []struct{ name, desired, live, path string }{
		{"false", "{hostNetwork: false, containers: [{name: web}]}", "{hostNetwork: true, containers: [{name: web}]}", "spec.hostNetwork"},
		{"null", "{priorityClassName: null, containers: [{name: web}]}", "{priorityClassName: high, containers: [{name: web}]}", "spec.priorityClassName"},
		{"empty list that is one value", "{tolerations: [], containers: [{name: web}]}", "{tolerations: [{operator: Exists}], containers: [{name: web}]}", "spec.tolerations"},
		{"in an element", "{containers: [{name: mesh}, {name: web, stdin: false}]}", "{containers: [{name: web, stdin: true}, {name: mesh}]}", "spec.containers[name=web].stdin"},
		{"empty text", "{containers: [{name: web, env: [{name: A, value: ''}]}]}", "{containers: [{name: web, env: [{name: A, value: x}]}]}", "spec.containers[name=web].env[name=A].value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			desired := pod(t, test.desired)
			r := Compare(Input{Desired: desired, Live: ownedBy(t, pod(t, test.live), "kubectl-edit", "Update")})
			if !r.NeedsConfirmation || len(r.Changes) == 0 || !hasPath(r.Changes, test.path) {
				t.Errorf("%s: %s, %+v", r.Verdict, r.Reason, r.Changes)
			}
			if r := Compare(Input{Desired: desired, Live: ownedBy(t, withoutZeros(t, desired), "somebody", "Update")}); r.Verdict != Same {
				t.Errorf("with nothing there: %s, %+v", r.Verdict, r.Changes)
			}
		})
	}
}

// An empty keyed list or object asks for nothing to be in it: what others put there stays.
func TestAskedEmpty(t *testing.T) {
	desired := pod(t, "{nodeName: one, initContainers: [], containers: [{name: web, resources: {limits: {}}}]}")
	live := pod(t, "{nodeName: one, initContainers: [{name: mesh}], containers: [{name: web, resources: {limits: {cpu: '1'}}}]}")
	if r := Compare(Input{Desired: desired, Live: ownedBy(t, live, "mesh", "Update")}); r.Verdict != Same {
		t.Errorf("%s: %+v", r.Verdict, r.Changes)
	}
}

// ownedBy gives all fields of the spec to one manager.
func ownedBy(t *testing.T, u *unstructured.Unstructured, manager, operation string) *unstructured.Unstructured {
	t.Helper()
	spec := map[string]any{"spec": u.Object["spec"]}
	raw, err := fieldsOf(spec, schemaOf(u, nil)).ToJSON()
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		t.Fatal(err)
	}
	set(t, u, []any{map[string]any{"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields}}, "metadata", "managedFields")
	return u
}

// withoutZeros is what the API server stores of desired.
func withoutZeros(t *testing.T, desired *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	typed, ok := throughType(desired.GroupVersionKind(), desired.DeepCopy().Object)
	if !ok {
		t.Fatal("not of its type")
	}
	delete(typed, "status")
	return &unstructured.Unstructured{Object: withoutEmpty(typed).(map[string]any)}
}

func hasPath(changes []Change, path string) bool {
	return slices.ContainsFunc(changes, func(c Change) bool { return c.Path == path })
}
