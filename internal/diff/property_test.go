// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/randfill"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/bowline-cd/bowline/internal/object"
)

var rounds = flag.Int64("rounds", 2, "random objects of each kind")

var randomKinds = []schema.GroupVersionKind{
	{Version: "v1", Kind: "ConfigMap"}, {Version: "v1", Kind: "Secret"}, {Version: "v1", Kind: "Service"},
	{Version: "v1", Kind: "PersistentVolumeClaim"}, {Version: "v1", Kind: "ServiceAccount"}, {Version: "v1", Kind: "Pod"},
	{Group: "apps", Version: "v1", Kind: "Deployment"}, {Group: "apps", Version: "v1", Kind: "StatefulSet"},
	{Group: "batch", Version: "v1", Kind: "CronJob"}, {Group: "networking.k8s.io", Version: "v1", Kind: "Ingress"},
	{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"}, {Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "Role"},
	{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"}, {Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"},
	{Group: "storage.k8s.io", Version: "v1", Kind: "StorageClass"},
}

// randomObject returns an object of the kind with random content, without status and what the server sets.
func randomObject(t *testing.T, gvk schema.GroupVersionKind, seed int64) *unstructured.Unstructured {
	t.Helper()
	obj, err := typedScheme().New(gvk)
	if err != nil {
		t.Fatal(err)
	}
	randfill.NewWithSeed(seed).NilChance(0.7).NumElements(1, 2).MaxDepth(14).Funcs(
		func(q *resource.Quantity, c randfill.Continue) {
			*q = *resource.NewQuantity(c.Int63n(1000)+1, resource.DecimalSI)
		},
		func(q *resource.QuantityValue, c randfill.Continue) { c.Fill(&q.Quantity) },
		func(v *intstr.IntOrString, c randfill.Continue) { *v = intstr.FromInt32(c.Int31n(1000) + 1) },
		func(v *metav1.Time, c randfill.Continue) { *v = metav1.Unix(c.Int63n(1<<30)+1, 0) },
		func(v *metav1.MicroTime, c randfill.Continue) {
			*v = metav1.NewMicroTime(metav1.Unix(c.Int63n(1<<30)+1, 0).Time)
		},
		func(v *runtime.RawExtension, _ randfill.Continue) { v.Raw = []byte(`{"a":"b"}`) },
		func(v *metav1.FieldsV1, _ randfill.Continue) { *v = metav1.FieldsV1{} },
		func(v *string, c randfill.Continue) { *v = fmt.Sprintf("s%d", c.Int31n(1<<20)) },
		func(v *[]byte, c randfill.Continue) { *v = fmt.Appendf(nil, "b%d", c.Int31n(1<<20)) },
	).Fill(obj)
	raw, err := json.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	u := parse(t, string(raw))
	delete(u.Object, "status")
	delete(u.Object, "stringData")
	u.SetGroupVersionKind(gvk)
	u.SetName("it")
	u.SetNamespace("there")
	for _, name := range serverSet {
		unstructured.RemoveNestedField(u.Object, "metadata", name)
	}
	return u
}

// Whatever an object looks like: as it was accepted it is the same, with the accepted form and without; and no change
// of a field that we own passes for the same.
func TestRandomObjects(t *testing.T) {
	changed := 0
	for _, gvk := range randomKinds {
		for seed := range *rounds {
			desired := randomObject(t, gvk, seed)
			live := desired.DeepCopy()
			live.SetResourceVersion("5")
			addOwner(t, live, nil, owner{Manager: Manager, Operation: "Apply", Fields: desired.DeepCopy().Object})
			in := Input{Desired: desired, Live: live}
			name := fmt.Sprintf("%s seed %d", gvk.Kind, seed)
			if r := Compare(in); r.Verdict != Same {
				t.Fatalf("%s: compared with itself: %s %+v", name, r.Verdict, r.Changes)
			}
			accepted, ok, err := Accept(object.DigestOf(desired.Object), live, in)
			if err != nil || !ok {
				t.Fatalf("%s: accept: %v %v", name, ok, err)
			}
			in.Accepted = &accepted
			if r := Compare(in); r.Verdict != Same {
				t.Fatalf("%s: compared with itself as accepted: %s", name, r.Verdict)
			}
			changed += changeEveryField(t, name, in)
		}
	}
	if changed < 500 {
		t.Errorf("only %d fields were changed: the objects are too small to prove anything", changed)
	}
}

func changeEveryField(t *testing.T, name string, in Input) int {
	t.Helper()
	s := schemaOf(in.Desired, nil)
	rng := rand.New(rand.NewPCG(1, 2))
	n := 0
	for path := range fieldsOf(in.Desired.Object, s).Difference(noiseSet).All() {
		if isField(path, 0, "metadata") && isNoise(path) {
			continue
		}
		live := in.Live.DeepCopy()
		if !spoil(live.Object, path, s, rng) {
			continue
		}
		n++
		in := in
		in.Live = live
		r := Compare(in)
		if r.Verdict == Same {
			t.Errorf("%s: a change of %s passes for the same", name, pathText(path))
			continue
		}
		if c := Confirm(in, in.Desired); c.Verdict != Different || len(c.Changes) == 0 {
			t.Errorf("%s: a change of %s that the dry run undoes: %s %+v", name, pathText(path), c.Verdict, c.Changes)
		}
	}
	return n
}

func isNoise(path fieldpath.Path) bool { return covers(noiseSet, path) }

// spoil changes the field at path so that it means something else; false if there is nothing to change.
func spoil(content map[string]any, path fieldpath.Path, s *Schema, rng *rand.Rand) bool {
	v, ok := lookup(content, path, s)
	if !ok || isZero(v) || isKeyField(path) {
		return false
	}
	if rng.IntN(3) == 0 && path[len(path)-1].FieldName != nil {
		kept := without(content, fieldpath.NewSet(path), s)
		clear(content)
		maps.Copy(content, kept)
		return true
	}
	switch v := v.(type) {
	case string:
		return put(content, path, v+"x", s)
	case int64:
		return put(content, path, v+1, s)
	case float64:
		return put(content, path, v+1, s)
	case bool:
		return put(content, path, !v, s)
	case []any:
		return put(content, path, append(v, "extra"), s)
	default:
		return false
	}
}

// Swapping two elements of any list whose order we wrote is a difference.
func TestRandomOrder(t *testing.T) {
	swapped := 0
	for _, gvk := range randomKinds {
		for seed := range int64(6) {
			desired := randomObject(t, gvk, seed)
			live := desired.DeepCopy()
			addOwner(t, live, nil, owner{Manager: Manager, Operation: "Apply", Fields: desired.DeepCopy().Object})
			for _, list := range listsIn(live.Object["spec"]) {
				list[0], list[1] = list[1], list[0]
				if r := Compare(Input{Desired: desired, Live: live}); r.Verdict == Same {
					t.Errorf("%s seed %d: swapped elements of %v pass for the same", gvk.Kind, seed, list)
				}
				list[0], list[1] = list[1], list[0]
				swapped++
			}
		}
	}
	if swapped < 50 {
		t.Errorf("only %d lists were swapped", swapped)
	}
}

func listsIn(v any) [][]any {
	var out [][]any
	switch v := v.(type) {
	case map[string]any:
		for _, child := range v {
			out = append(out, listsIn(child)...)
		}
	case []any:
		if len(v) > 1 && object.DigestOf(v[0]) != object.DigestOf(v[1]) {
			out = append(out, v)
		}
		for _, child := range v {
			out = append(out, listsIn(child)...)
		}
	}
	return out
}
