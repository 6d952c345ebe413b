// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestAdopted: whose entries are folded into ours, and what our entry holds then, fields named data keys.
func TestAdopted(t *testing.T) {
	desired := parse(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: shop}, data: {a: '1'}}")
	for _, test := range []struct {
		name, entries  string
		automated, all string // keys that our entry holds after an automated sync, and after one by hand; "-" if nothing is folded
		rest           string // who else has an entry then
	}{
		{"one entry", "helm Update v1 a b", "a", "a b", ""},
		{"two versions of one manager", "helm Update v1beta1 b, helm Update v1 a c", "a", "a b c", ""},
		{"two managers", "kubectl-client-side-apply Update v1 b, helm Update v1 a", "a", "a b", ""},
		{"applied from the server before us", "helm Apply v1 a b", "a", "a b", ""},
		{"kubectl apply --server-side before us", "kubectl Apply v1 a b, kubectl Update v1 c", "a", "a b c", ""},
		{"applied from the server beside us", "argocd-controller Apply v1 a, helm Apply v1 b", "-", "-", ""},
		{"beside us, and an old one", "helm Apply v1 b, argocd-controller Apply v1 a d, kubectl Update v1 c", "a d", "a c d", "helm"},
		{"by hand", "kubectl-edit Update v1 a", "-", "-", ""},
		{"strangers stay", "someone Apply v1 b, helm Update v1 a", "a", "a", "someone"},
		{"replaced in our name", "argocd-controller Update v1 a b", "a b", "a b", ""},
		{"replaced in our name after Helm", "helm Update v1 a c, argocd-controller Update v1 b", "a b", "a b c", ""},
		{"Flux", "kustomize-controller Apply v1 a b", "a", "a b", ""},
		{"Flux's Helm", "helm-controller Update v1 a b", "a", "a b", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			live := owned(t, desired, test.entries)
			for _, automated := range []bool{true, false} {
				want := test.all
				if automated {
					want = test.automated
				}
				keys, rest := folded(t, Input{Desired: desired, Live: live}, automated)
				if keys != want || want != "-" && rest != test.rest {
					t.Errorf("automated %v: our entry holds %q beside %q, want %q beside %q", automated, keys, rest, want, test.rest)
				}
			}
		})
	}
}

// owned returns a copy of u with managedFields of the form "manager operation version key...", parted by commas.
func owned(t *testing.T, u *unstructured.Unstructured, entries string) *unstructured.Unstructured {
	t.Helper()
	var list []any
	for text := range strings.SplitSeq(entries, ", ") {
		words := strings.Fields(text)
		data := map[string]any{}
		for _, key := range words[3:] {
			data["f:"+key] = map[string]any{}
		}
		list = append(list, map[string]any{"manager": words[0], "operation": words[1], "apiVersion": words[2],
			"fieldsType": "FieldsV1", "fieldsV1": map[string]any{"f:data": data}})
	}
	u = u.DeepCopy()
	set(t, u, map[string]any{"a": "1", "b": "1", "c": "1", "d": "1"}, "data")
	set(t, u, list, "metadata", "managedFields")
	return u
}

func folded(t *testing.T, in Input, automated bool) (keys, rest string) {
	t.Helper()
	entries, err := Folded(in, automated)
	if err != nil {
		t.Fatal(err)
	}
	if entries == nil {
		return "-", ""
	}
	ours, others := split(entries)
	if len(ours) != 1 {
		t.Fatalf("%d entries of ours: %v", len(ours), entries)
	}
	var fields struct {
		Data map[string]any `json:"f:data"`
	}
	if err := json.Unmarshal(ours[0].FieldsV1.GetRawBytes(), &fields); err != nil {
		t.Fatal(err)
	}
	var names, managers []string
	for key := range fields.Data {
		names = append(names, strings.TrimPrefix(key, "f:"))
	}
	for _, e := range others {
		managers = append(managers, e.Manager)
	}
	slices.Sort(names)
	return strings.Join(names, " "), strings.Join(managers, " ")
}
