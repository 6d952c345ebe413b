// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// TestTangled: what becomes of a pod's spec whose lists have two elements of one key, now or before.
func TestTangled(t *testing.T) {
	for _, test := range []struct{ name, applied, live, desired, want string }{
		{
			name:    "a variable becomes two",
			applied: "{containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: B, value: '2'}]}]}",
			live:    "{containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: B, value: '2'}]}]}",
			desired: "{containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: A, value: '3'}]}]}",
			want:    "{containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: A, value: '3'}]}]}",
		}, {
			name:    "two become one, another's stays",
			applied: "{containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: A, value: '2'}, {name: B}]}]}",
			live:    "{containers: [{name: mesh, image: m}, {name: web, image: a, env: [{name: A, value: '1'}, {name: A, value: '2'}, {name: B}, {name: MESH}]}]}",
			desired: "{containers: [{name: web, image: b, env: [{name: A, value: '2'}]}]}",
			want:    "{containers: [{name: mesh, image: m}, {name: web, image: b, env: [{name: A, value: '2'}, {name: MESH}]}]}",
		}, {
			name:    "one of two was changed by hand",
			applied: "{containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: A, value: '2'}]}]}",
			live:    "{containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: A, value: drift}]}]}",
			desired: "{containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: A, value: '2'}]}]}",
			want:    "{containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: A, value: '2'}]}]}",
		}, {
			name:    "one of two was taken away by hand",
			applied: "{containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: A, value: '2'}]}]}",
			live:    "{containers: [{name: web, image: a, env: [{name: A, value: '2'}]}]}",
			desired: "{containers: [{name: web, image: a, env: [{name: A, value: '2'}]}]}",
			want:    "{containers: [{name: web, image: a, env: [{name: A, value: '2'}]}]}",
		}, {
			name:    "in a new container",
			applied: "{containers: [{name: web, image: a}]}",
			live:    "{containers: [{name: web, image: a}]}",
			desired: "{containers: [{name: web, image: a}, {name: two, image: b, env: [{name: A, value: '1'}, {name: A, value: '2'}]}]}",
			want:    "{containers: [{name: web, image: a}, {name: two, image: b, env: [{name: A, value: '1'}, {name: A, value: '2'}]}]}",
		}, {
			name:    "in two containers of one pod",
			applied: "{containers: [{name: a, image: a, env: [{name: A}]}, {name: b, image: b, env: [{name: B}]}]}",
			live:    "{containers: [{name: a, image: a, env: [{name: A}]}, {name: b, image: b, env: [{name: B}]}]}",
			desired: "{containers: [{name: a, image: a, env: [{name: A}, {name: A, value: x}]}, {name: b, image: b, env: [{name: B}, {name: B, value: x}]}]}",
			want:    "{containers: [{name: a, image: a, env: [{name: A}, {name: A, value: x}]}, {name: b, image: b, env: [{name: B}, {name: B, value: x}]}]}",
		}, {
			name:    "in the first container, with a change in the second", // patches stand in the order they declare
			applied: "{containers: [{name: a, image: a, env: [{name: A}]}, {name: b, image: b}]}",
			live:    "{containers: [{name: a, image: a, env: [{name: A}]}, {name: b, image: b}]}",
			desired: "{containers: [{name: a, image: a, env: [{name: A}, {name: A, value: x}]}, {name: b, image: other}]}",
			want:    "{containers: [{name: a, image: a, env: [{name: A}, {name: A, value: x}]}, {name: b, image: other}]}",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			live, desired := pod(t, test.live), pod(t, test.desired)
			set(t, live, string(mustJSON(t, pod(t, test.applied).Object)), "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")
			after := patched(t, Input{Desired: desired, Live: live, How: ThreeWay})
			if d := cmp.Diff(parse(t, test.want).Object, after.Object["spec"]); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if d := cmp.Diff(after.Object["spec"], patched(t, Input{Desired: desired, Live: after, How: ThreeWay}).Object["spec"]); d != "" {
				t.Errorf("a second patch changes it again: %s", d)
			}
		})
	}
}

// TestThreeWayAfterApply: what we own by server-side apply is what was applied last while no annotation says so.
func TestThreeWayAfterApply(t *testing.T) {
	desired := pod(t, "{containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: A, value: '2'}]}]}")
	live := pod(t, "{hostNetwork: true, nodeName: one, containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: GONE}, {name: OTHER}]}]}")
	fields := fieldsOf(pod(t, "{hostNetwork: true, containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: GONE}]}]}").Object, schemaOf(desired, nil))
	raw, err := fields.ToJSON()
	if err != nil {
		t.Fatal(err)
	}
	var owned map[string]any
	if err := json.Unmarshal(raw, &owned); err != nil {
		t.Fatal(err)
	}
	set(t, live, []any{map[string]any{"manager": Manager, "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": owned}}, "metadata", "managedFields")
	in := Input{Desired: desired, Live: live}
	if r := Compare(in); r.How != ThreeWay || !r.NeedsConfirmation {
		t.Errorf("compared by %s: %s", r.How, r.Reason)
	}
	in.How = ThreeWay
	want := parse(t, "{nodeName: one, containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: A, value: '2'}, {name: OTHER}]}]}")
	if d := cmp.Diff(want.Object, patched(t, in).Object["spec"]); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func pod(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	return parse(t, "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop}, spec: "+spec+"}")
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// patched returns live as the API server makes it of the three-way patch.
func patched(t *testing.T, in Input) *unstructured.Unstructured {
	t.Helper()
	form, err := ForApply(in, false)
	if err != nil {
		t.Fatal(err)
	}
	_, patch, err := ThreeWayPatch(in, form)
	if err != nil {
		t.Fatal(err)
	}
	after, err := strategicpatch.StrategicMergePatch(mustJSON(t, in.Live.Object), patch, corev1.Pod{})
	if err != nil {
		t.Fatalf("%v: %s", err, patch)
	}
	return parse(t, string(after))
}
