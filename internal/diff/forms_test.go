// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What people hold against each other differs exactly where the list of fields has something to say.
func TestFormsAgreeWithChanges(t *testing.T) {
	paths, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal(err)
	}
	same, different := 0, 0
	for _, path := range paths {
		in := loadCase(t, path)
		if in.Live == nil || in.Mutations {
			continue
		}
		forms, err := FormsOf(in, nil)
		if err != nil {
			continue // unknown for a reason that Compare gives as well
		}
		r := Compare(in)
		if r.Verdict == Same {
			same++
		} else {
			different++
		}
		c, err := newComparison(in)
		if err != nil {
			t.Fatal(err)
		}
		found, err := c.candidates()
		if err != nil {
			t.Fatal(err)
		}
		if changed := cmp.Diff(forms.NormalizedLive, forms.Predicted); (changed != "") != (len(found) > 0) {
			t.Errorf("%s: %d candidates %+v, yet the forms differ by:\n%s", path, len(found), r.Changes, changed)
		}
	}
	if same < 5 || different < 20 {
		t.Errorf("%d same, %d different: too few to prove anything", same, different)
	}
}

func TestFormsOfOneSide(t *testing.T) {
	live := parse(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, resourceVersion: '1', managedFields: []}, data: {a: x}}")
	f, err := FormsOf(Input{Live: live}, nil)
	if err != nil || f.Desired != nil || f.Predicted != nil || f.Live == live || f.NormalizedLive.GetResourceVersion() != "" {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := FormsOf(Input{}, nil); err == nil {
		t.Error("forms of nothing")
	}
	other := live.DeepCopy()
	other.SetAPIVersion("v2")
	if f, err := FormsOf(Input{Desired: other, Live: live}, nil); err == nil {
		t.Errorf("forms in two versions: %+v", f)
	}
}

// Whatever form a secret value has, and wherever it stands, nothing of it is left.
func TestMaskLeavesNothing(t *testing.T) {
	const plain, other = "topsecret", "othervalue"
	text := func(data string) *unstructured.Unstructured {
		return parse(t, `
apiVersion: v1
kind: Secret
metadata:
  name: s
  annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"stringData":{"a":"topsecret"}}', mine: topsecret, note: shown}
`+data)
	}
	for name, forms := range map[string]Forms{
		"data":        {Live: text("data: {a: dG9wc2VjcmV0, b: dG9wc2VjcmV0}"), Desired: text("data: {a: b3RoZXJ2YWx1ZQ==}")},
		"stringData":  {Live: text("stringData: {a: topsecret}"), Predicted: text("stringData: {a: 7}")},
		"no map":      {Live: text("data: topsecret"), NormalizedLive: text("data: [topsecret]")},
		"no text":     {Live: text("data: {a: {deep: topsecret}}")},
		"one by null": {Live: text("data: {a: null, b: othervalue}"), Desired: text("data: null")},
	} {
		t.Run(name, func(t *testing.T) {
			before, err := json.Marshal(forms)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(Mask(forms, func(key string) bool { return key == "mine" }))
			if err != nil {
				t.Fatal(err)
			}
			for _, value := range []string{plain, other, "dG9wc2VjcmV0", "b3RoZXJ2YWx1ZQ"} {
				if strings.Contains(string(got), value) {
					t.Errorf("%s is in %s", value, got)
				}
			}
			if !strings.Contains(string(got), "shown") {
				t.Errorf("an annotation that is no secret is gone: %s", got)
			}
			if after, err := json.Marshal(forms); err != nil || string(after) != string(before) {
				t.Error("the forms given were changed")
			}
		})
	}
}

// Masks tell about one key over the forms of one object, and about nothing else.
func TestMaskTellsOnlyWhatChanged(t *testing.T) {
	object := func(data map[string]any) *unstructured.Unstructured {
		u := parse(t, "{apiVersion: v1, kind: Secret, metadata: {name: s}}")
		u.Object["data"] = data
		return u
	}
	f := Mask(Forms{
		Live:      object(map[string]any{"same": "YWE=", "twin": "YWE=", "changed": "YWE=", "long": "YWFhYWFhYWFhYWFhYWFhYQ=="}),
		Desired:   object(map[string]any{"same": "YW\nE=", "twin": "YWE=", "changed": "YmI=", "new": "YWE="}),
		Predicted: object(map[string]any{"same": "YWE=", "twin": "YWE=", "changed": "Y2M="}),
	}, nil)
	want := []map[string]any{
		{"same": "++++++++", "twin": "++++++++", "changed": "++++++++", "long": "++++++++"},
		{"same": "++++++++", "twin": "++++++++", "changed": "++++++++ (changed)", "new": "++++++++"},
		{"same": "++++++++", "twin": "++++++++", "changed": "++++++++ (changed, 2)"},
	}
	for i, u := range []*unstructured.Unstructured{f.Live, f.Desired, f.Predicted} {
		if d := cmp.Diff(want[i], u.Object["data"]); d != "" {
			t.Errorf("form %d (-want +got)\n%s", i, d)
		}
	}
}

func TestParseCompareOptions(t *testing.T) {
	for text, want := range map[string]CompareOptions{
		"":                                   {},
		"IgnoreExtraneous":                   {IgnoreExtraneous: true},
		"ServerSideDiff=true, Unknown=1":     {ServerSideDiff: true},
		"ServerSideDiff=false":               {},
		"IncludeMutationWebhook=true,Ignore": {IncludeMutationWebhook: true},
	} {
		if got := ParseCompareOptions(text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}
