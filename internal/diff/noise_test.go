// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

var deploymentKind = schema.GroupKind{Group: "apps", Kind: "Deployment"}

// noiseRules are rules of every form.
var noiseRules = []v1alpha1.ResourceIgnoreDifferences{
	{Group: "*", Kind: "*", JSONPointers: []string{"/status"}},
	{Group: "apps", Kind: "*", JSONPointers: []string{"/metadata/annotations/example.com~1leader", "/spec/template/spec/containers/1/image"}},
	{Group: "apps", Kind: "Deployment", JQPathExpressions: []string{`.spec.template.spec.containers[] | select(.name == "log") | .args`, ".spec.template.spec.containers[-1].env"}},
	{Kind: "ConfigMap", JSONPointers: []string{"/data"}},
}

func noiseOf(t testing.TB, rules ...v1alpha1.ResourceIgnoreDifferences) *Noise {
	t.Helper()
	n, err := NewNoise(rules, 0)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const noisy = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","generation":3,"resourceVersion":"10","annotations":{"example.com/leader":"a","team":"x"},
 "managedFields":[{"manager":"argocd-controller","operation":"Apply","apiVersion":"apps/v1","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:replicas":{}}}},
 {"manager":"kube-controller-manager","operation":"Update","apiVersion":"apps/v1","time":"2026-01-01T00:00:01Z","subresource":"status","fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:replicas":{}}}}]},
 "spec":{"replicas":2,"template":{"spec":{"containers":[{"name":"web","image":"a"},{"name":"log","image":"b","args":["-v"]}]}}},"status":{"replicas":2}}`

func TestNoise(t *testing.T) {
	n := noiseOf(t, noiseRules...)
	before := n.Digest(deploymentKind, []byte(noisy))
	for _, c := range []struct {
		name      string
		old, new  string
		concerned bool
	}{
		{"resourceVersion and generation", `"generation":3,"resourceVersion":"10"`, `"generation":4,"resourceVersion":"11"`, false},
		{"an item of a list", `"apiVersion":"apps/v1","kind":"Deployment","metadata"`, `"metadata"`, false},
		{"times of managers", "2026-01-01T00:00:01Z", "2026-01-01T00:00:09Z", false},
		{"status", `"status":{"replicas":2}`, `"status":{"replicas":1,"conditions":[{"type":"a"}]}`, false},
		{"status that was not there", `,"status":{"replicas":2}`, ``, false},
		{"an annotation with a slash in its key", `"example.com/leader":"a"`, `"example.com/leader":"b"`, false},
		{"the same, written with an escape", `"example.com/leader":"a"`, `"example.com\/leader":"a"`, false},
		{"a place in a list", `"image":"b"`, `"image":"c"`, false},
		{"what an expression selects", `"args":["-v"]`, `"args":["-x", "-y"]`, false},
		{"what it selects, gone", `,"args":["-v"]`, ``, false},
		{"what it selects, from the end", `"args":["-v"]`, `"env":[{"name":"A"}]`, false},
		{"who owns what is noise", `"f:status":{"f:replicas":{}}`, `"f:status":{"f:conditions":{}}`, false},
		{"a manager of nothing but noise", `]},` + "\n" + ` "spec"`, `,{"manager":"leader","operation":"Update","fieldsV1":{"f:metadata":{"f:annotations":{"f:example.com/leader":{}}}}}]},"spec"`, false},

		{"another field", `"spec":{"replicas":2`, `"spec":{"replicas":3`, true},
		{"the same place of another container", `"image":"a"`, `"image":"c"`, true},
		{"another annotation", `"team":"x"`, `"team":"y"`, true},
		{"an owner of something else", `"f:spec":{"f:replicas":{}}`, `"f:spec":{}`, true},
		{"a manager", `"manager":"argocd-controller"`, `"manager":"kubectl"`, true},
		{"a list in another order", `{"name":"web","image":"a"},`, ``, true},
		{"cut off", `"status":{"replicas":2}}`, ``, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(noisy, c.old) {
				t.Fatalf("the object has no %s", c.old)
			}
			after := n.Digest(deploymentKind, []byte(strings.Replace(noisy, c.old, c.new, 1)))
			if (after != before) != c.concerned {
				t.Errorf("concerns somebody: %v, want %v", after != before, c.concerned)
			}
		})
	}
}

func TestNoiseIsOfKinds(t *testing.T) {
	n := noiseOf(t, noiseRules...)
	raw := []byte(`{"metadata":{"name":"a"},"data":{"a":"1"}}`)
	other := []byte(`{"metadata":{"name":"a"},"data":{"a":"2"}}`)
	if n.Digest(schema.GroupKind{Kind: "ConfigMap"}, raw) != n.Digest(schema.GroupKind{Kind: "ConfigMap"}, other) {
		t.Error("a rule for ConfigMaps does not hold for one")
	}
	if n.Digest(deploymentKind, raw) == n.Digest(deploymentKind, other) {
		t.Error("a rule for ConfigMaps holds for a Deployment")
	}
	var none *Noise
	if none.Digest(deploymentKind, []byte(`{"status":1}`)) == none.Digest(deploymentKind, []byte(`{"status":2}`)) {
		t.Error("without rules the status is noise")
	}
	if none.Digest(deploymentKind, []byte(`{"metadata":{"resourceVersion":"1"}}`)) != none.Digest(deploymentKind, []byte(`{"metadata":{"resourceVersion":"2"}}`)) {
		t.Error("without rules resourceVersion is none")
	}
	u := parse(t, noisy)
	u.SetResourceVersion("99")
	if n.DigestOf(u) != n.DigestOf(parse(t, noisy)) {
		t.Error("a decoded object has another digest with another resourceVersion")
	}
}

func TestNoiseRefusesRules(t *testing.T) {
	for name, r := range map[string]v1alpha1.ResourceIgnoreDifferences{
		"no pointer":    {Kind: "ConfigMap", JSONPointers: []string{"data"}},
		"no expression": {Kind: "ConfigMap", JQPathExpressions: []string{".["}},
		"no pattern":    {Kind: "[", JSONPointers: []string{"/data"}},
		"of an object":  {Kind: "ConfigMap", Name: "a", JSONPointers: []string{"/data"}},
	} {
		if _, err := NewNoise([]v1alpha1.ResourceIgnoreDifferences{r}, 0); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// An expression that does not end is noise to nobody, and costs its time once, not at every event.
func TestNoiseGivesUpExpressions(t *testing.T) {
	n, err := NewNoise([]v1alpha1.ResourceIgnoreDifferences{
		{Kind: "ConfigMap", JQPathExpressions: []string{".data | last(range(1e18)) as $x | .a"}},
		{Kind: "ConfigMap", JSONPointers: []string{"/b"}}}, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	kind := schema.GroupKind{Kind: "ConfigMap"}
	if n.Digest(kind, []byte(`{"data":{"a":1},"b":1}`)) == n.Digest(kind, []byte(`{"data":{"a":2},"b":1}`)) {
		t.Error("an expression that did not end selects something")
	}
	if n.Digest(kind, []byte(`{"data":{"a":1},"b":1}`)) != n.Digest(kind, []byte(`{"data":{"a":1},"b":2}`)) {
		t.Error("it takes the other rules down")
	}
	if !n.kind(kind).programs[0].hangs.Load() {
		t.Error("it is run again at the next event")
	}
}

// The text that is left is what is left of the decoded object.
func FuzzNoise(f *testing.F) {
	f.Add([]byte(noisy))
	f.Add([]byte(`{"a":[{},[],"\"\\",-1.5e3,true,null],"metadata":{"managedFields":[{"time":"x"},{"fieldsV1":{}},3],"resourceVersion":"1"},"status":{}}`))
	f.Add([]byte(`{"spec":{"template":{"spec":{"containers":[1,{"image":"x","name":"n"}]}}},"metadata":[{"generation":1}]}`))
	noise := noiseOf(f, v1alpha1.ResourceIgnoreDifferences{Group: "*", Kind: "*", JSONPointers: []string{
		"/status", "/metadata/annotations/a~1b", "/spec/template/spec/containers/1/image", "/spec/a/b"}})
	kind := noise.kind(deploymentKind)
	f.Fuzz(func(t *testing.T, raw []byte) {
		_ = kind.strip(raw) // whatever it is given, it comes to an end
		var doc map[string]any
		if json.Unmarshal(raw, &doc) != nil || doc == nil {
			return
		}
		text, err := json.Marshal(doc) // names once each
		if err != nil {
			t.Fatal(err)
		}
		got := kind.strip(text)
		want, _ := plainStrip(doc, kind.skip, kind, "")
		var left any
		if len(got) == 0 && want == nil {
			return
		}
		if err := json.Unmarshal([]byte(closed(string(got))), &left); err != nil {
			t.Fatalf("what is left is no JSON: %v: %s", err, got)
		}
		if !reflect.DeepEqual(left, want) {
			t.Errorf("left %v\nwant %v", left, want)
		}
	})
}

// closed takes out the comma that follows the last member; the text is from json.Marshal, so outside of strings
// nothing else looks like one.
func closed(text string) string {
	var b strings.Builder
	inside, escaped := false, false
	for i := range len(text) {
		c := text[i]
		if !inside && c == ',' && (text[i+1] == '}' || text[i+1] == ']') {
			continue
		}
		switch {
		case escaped:
			escaped = false
		case inside && c == '\\':
			escaped = true
		case c == '"':
			inside = !inside
		}
		b.WriteByte(c)
	}
	return b.String()
}

// plainStrip is what strip does, on a decoded object.
func plainStrip(v any, skip *skipped, k *kindNoise, path string) (left any, gone bool) {
	if skip == nil {
		skip = &skipped{}
	}
	switch v := v.(type) {
	case map[string]any:
		out, ownsNothing := map[string]any{}, false
		for name, child := range v {
			below := skip.below[name]
			if below != nil && below.all || path == ".metadata.managedFields[]" && name == "time" {
				continue
			}
			at := path + "." + name
			if strings.ContainsAny(name, ".[]") {
				at = "no such path"
			}
			if at == ".metadata.managedFields[].fieldsV1" {
				below = k.fields
			}
			got, none := plainStrip(child, below, k, at)
			if none {
				ownsNothing = ownsNothing || at == ".metadata.managedFields[].fieldsV1"
				continue
			}
			out[name] = got
		}
		if ownsNothing || len(v) > 0 && len(out) == 0 {
			return nil, true
		}
		return out, false
	case []any:
		out := []any{}
		for i, item := range v {
			var below *skipped
			if skip.below != nil {
				below = skip.below[string(rune('0'+i))]
			}
			if below != nil && below.all {
				continue
			}
			if got, none := plainStrip(item, below, k, path+"[]"); !none {
				out = append(out, got)
			}
		}
		if len(v) > 0 && len(out) == 0 {
			return nil, true
		}
		return out, false
	default:
		return v, false
	}
}

func BenchmarkNoise(b *testing.B) {
	live := applied(b, deployment, liveDeployment).Live
	addOwner(b, live, nil, owner{Manager: "kube-controller-manager", Operation: "Update", Subresource: "status",
		Fields: map[string]any{"status": live.Object["status"]}})
	raw, err := json.Marshal(live.Object)
	if err != nil {
		b.Fatal(err)
	}
	pointers := noiseOf(b, noiseRules[:2]...)
	expressions := noiseOf(b, noiseRules...)
	for name, run := range map[string]func(){
		"pointers":    func() { pointers.Digest(deploymentKind, raw) },
		"expressions": func() { expressions.Digest(deploymentKind, raw) },
		"decoded":     func() { pointers.DigestOf(&unstructured.Unstructured{Object: live.Object}) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				run()
			}
		})
	}
}
