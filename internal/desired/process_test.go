// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/tree"
)

// with renders manifests for a target.
func with(t *testing.T, target Target, manifests string) (*State, error) {
	t.Helper()
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"all.yaml": {Content: manifests}})
	app := application("web", from("r", "main", ""))
	return b.engine.For(context.Background(), id(app), app, target)
}

func mustWith(t *testing.T, target Target, manifests string) *State {
	t.Helper()
	state, err := with(t, target, manifests)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func keys(s *State) []string {
	var out []string
	for _, o := range s.Objects {
		out = append(out, o.Key.String())
	}
	return out
}

func warnings(s *State) []string {
	var out []string
	for _, w := range s.Warnings {
		for _, line := range strings.Split(w.Message, "\n") {
			out = append(out, string(w.Type)+": "+line)
		}
	}
	return out
}

func expect(t *testing.T, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", what, diff)
	}
}

func TestNamespaces(t *testing.T) {
	state := mustWith(t, newTarget("web"), `
{apiVersion: v1, kind: ConfigMap, metadata: {name: filled}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: kept, namespace: prod}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: empty, namespace: ""}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop, namespace: dropped}}
---
{apiVersion: x.example.org/v1, kind: Unknown, metadata: {name: filled}}
---
{apiVersion: x.example.org/v1, kind: Wide, metadata: {name: own}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: wides.x.example.org}
spec: {group: x.example.org, scope: Cluster, names: {kind: Wide}}
`)
	expect(t, "keys", []string{
		"ConfigMap shop/filled", "ConfigMap prod/kept", "ConfigMap shop/empty", "Namespace shop", "Unknown.x.example.org shop/filled",
		"Wide.x.example.org own", "CustomResourceDefinition.apiextensions.k8s.io wides.x.example.org",
	}, keys(state))
	for _, o := range state.Objects {
		if got := object.KeyOf(o.Decode()); got != o.Key {
			t.Errorf("%s is written as %s", o.Key, got)
		}
	}
}

func TestNoNamespaceAnywhere(t *testing.T) {
	target := newTarget("web")
	target.Namespace = ""
	manifests := "{apiVersion: v1, kind: Namespace, metadata: {name: x}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: own, namespace: a}}\n"
	if state := mustWith(t, target, manifests); len(state.Objects) != 2 {
		t.Errorf("%v", keys(state))
	}
	manifests += strings.Repeat("---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n", 12)
	_, err := with(t, target, manifests)
	if !fault.Is(err, fault.Mistake) || !strings.HasPrefix(err.Error(), "cannot place ConfigMap c (all.yaml:5), ConfigMap c (all.yaml:7)") ||
		!strings.HasSuffix(err.Error(), "(all.yaml:23), and 2 more: nothing names a namespace; set spec.destination.namespace, or metadata.namespace in the manifest") {
		t.Errorf("got %v", err)
	}
}

func TestDuplicates(t *testing.T) {
	state := mustWith(t, newTarget("web"), `
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: first}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}, data: {x: last}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: prod}}
---
{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {name: h}}
---
{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}}
---
{apiVersion: batch/v1, kind: Job, metadata: {generateName: j-}}
---
{apiVersion: batch/v1, kind: Job, metadata: {generateName: j-}}
`)
	expect(t, "keys", []string{
		"ConfigMap shop/a", "ConfigMap shop/b", "ConfigMap prod/a", "HorizontalPodAutoscaler.autoscaling shop/h", "Job.batch shop/", "Job.batch shop/",
	}, keys(state))
	expect(t, "warnings", []string{
		"RepeatedResourceWarning: ConfigMap shop/a is defined at all.yaml:2 and again at all.yaml:6: the last one counts; remove one",
		"RepeatedResourceWarning: HorizontalPodAutoscaler.autoscaling shop/h is defined at all.yaml:10 and again at all.yaml:12: the last one counts; remove one",
	}, warnings(state))
	if x, _, _ := unstructured.NestedString(state.Objects[0].Decode().Object, "data", "x"); x != "last" || state.Objects[3].Version != "v2" {
		t.Errorf("%s counts, %s", x, state.Objects[3].Version)
	}
}

// Sources are taken in their order: the last one counts.
func TestDuplicatesBetweenSources(t *testing.T) {
	b := newBench(t)
	b.sources.commit("r", "main", "c1", files{"app/a.yaml": configMap("a", "r")})
	b.sources.commit("s", "main", "d1", files{"app/a.yaml": configMap("a", "s")})
	for want, app := range map[string]*v1alpha1.Application{
		"s": application("web", from("r", "main", "app"), from("s", "main", "app")),
		"r": application("web", from("s", "main", "app"), from("r", "main", "app")),
	} {
		state := b.get(app)
		x, _, _ := unstructured.NestedString(state.Objects[0].Decode().Object, "data", "x")
		if x != want || len(state.Objects) != 1 || len(state.Warnings) != 1 {
			t.Errorf("%s counts, not %s: %v", x, want, warnings(state))
		}
	}
}

func TestManyWarningsAreCut(t *testing.T) {
	state := mustWith(t, newTarget("web"), strings.Repeat("---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n", 100))
	if got := warnings(state); len(got) != 11 || got[10] != "RepeatedResourceWarning: and 89 more" {
		t.Errorf("%d: %s", len(got), got[len(got)-1])
	}
}

func TestExclusions(t *testing.T) {
	target := newTarget("web")
	target.Excluded = func(group, kind string) bool { return group == "" && kind == "Event" }
	state := mustWith(t, target, "{apiVersion: v1, kind: Event, metadata: {name: e}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n---\n{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: f}}\n")
	expect(t, "keys", []string{"ConfigMap shop/c", "Event.events.k8s.io shop/f"}, keys(state))
	expect(t, "warnings", []string{
		"ExcludedResourceWarning: Event e (all.yaml:1) is of a kind that settings exclude: it is not applied (resource.exclusions in argocd-cm)",
	}, warnings(state))
}

func TestManifestWarnings(t *testing.T) {
	state := mustWith(t, newTarget("web"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  x: a\n  x: b\n")
	expect(t, "warnings", []string{`ManifestWarning: all.yaml:6: key "x" stands in the same mapping twice: the last one counts; remove one`}, warnings(state))
}

// The project is asked about the namespace an object goes to, which its manifest may choose.
func TestProjectIsAsked(t *testing.T) {
	target := newTarget("web")
	var asked []string
	target.Permit = func(key object.Key, namespaced bool) error {
		asked = append(asked, fmt.Sprintf("%s %v", key, namespaced))
		if key.Namespace == "kube-system" {
			return errors.New("not there")
		}
		return nil
	}
	state := mustWith(t, target, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: kube-system}}\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: c}}\n---\n{apiVersion: x.example.org/v1, kind: Unknown, metadata: {name: d}}\n")
	expect(t, "asked", []string{"ConfigMap shop/a true", "ConfigMap kube-system/b true", "Namespace c false", "Unknown.x.example.org shop/d true"}, asked)
	for i, o := range state.Objects {
		if (o.Refused != nil) != (i == 1) {
			t.Errorf("%s: %v", o.Key, o.Refused)
		}
	}
}

func TestMarks(t *testing.T) {
	target := newTarget("team_web")
	target.Tracker = object.Tracker{Method: object.TrackByAnnotationAndLabel, InstallationID: "one"}
	state := mustWith(t, target, `
{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, annotations: {keep: me, argocd.argoproj.io/tracking-id: "evil:apps/Deployment:shop/a"}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
`)
	for i, want := range []string{"team_web:apps/Deployment:shop/a", "team_web:/Namespace:shop/shop"} {
		u := state.Objects[i].Decode()
		marks := target.Tracker.MarksOf(u)
		if marks.ID != want || marks.Label != "team_web" || marks.Installation != "one" {
			t.Errorf("%+v", marks)
		}
	}
	if state.Objects[0].Decode().GetAnnotations()["keep"] != "me" {
		t.Error("an annotation was lost")
	}
}

func TestDigests(t *testing.T) {
	var manifests []string
	for i := range 20 {
		manifests = append(manifests, fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: c%d}, data: {x: '%d'}}\n", i, i))
	}
	base := mustWith(t, newTarget("web"), strings.Join(manifests, "---\n"))
	shuffled := slices.Clone(manifests)
	rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	if got := mustWith(t, newTarget("web"), "# moved\n"+strings.Join(shuffled, "---\n")); got.Digest != base.Digest {
		t.Error("the digest depends on the order")
	}
	if got := mustWith(t, newTarget("web"), strings.ReplaceAll(strings.Join(manifests, "---\n"), "{name: c3}", "{name: c3, labels: {}}")); got.Digest == base.Digest {
		t.Error("the digest misses a change")
	}
	if got := mustWith(t, newTarget("web"), strings.Join(manifests[1:], "---\n")); got.Digest == base.Digest {
		t.Error("the digest misses an object")
	}
	if got := mustWith(t, newTarget("other"), strings.Join(manifests, "---\n")); got.Digest == base.Digest {
		t.Error("the digest misses the mark")
	}
}

// A State is shared: what one reader does to an object must not reach another.
func TestDecodeGivesCopies(t *testing.T) {
	state := mustWith(t, newTarget("web"), "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: '1', num: 2}}")
	o, ok := state.Find(object.Key{Kind: "ConfigMap", Namespace: "shop", Name: "a"})
	if !ok {
		t.Fatal("not found")
	}
	first := o.Decode()
	first.Object["data"].(map[string]any)["x"] = "spoilt"
	if second := o.Decode(); second.Object["data"].(map[string]any)["x"] != "1" || second.Object["data"].(map[string]any)["num"] != int64(2) {
		t.Errorf("got %v", second.Object["data"])
	}
	if o.GVK() != (schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}) {
		t.Errorf("%v", o.GVK())
	}
	if _, ok := state.Find(object.Key{Kind: "ConfigMap", Namespace: "prod", Name: "a"}); ok {
		t.Error("found what is not there")
	}
}

// What is remembered of 5,000 applications is bytes: decoded content takes several times as much.
func TestNothingDecodedIsRemembered(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		if seen[typ] {
			return
		}
		seen[typ] = true
		switch typ {
		case reflect.TypeFor[map[string]any](), reflect.TypeFor[[]any](), reflect.TypeFor[any](), reflect.TypeFor[unstructured.Unstructured]():
			t.Errorf("%s is a %s", path, typ)
		}
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Array:
			walk(path+".elem", typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				walk(path+"."+typ.Field(i).Name, typ.Field(i).Type)
			}
		}
	}
	walk("entry", reflect.TypeFor[entry]())
	if !seen[reflect.TypeFor[Object]()] {
		t.Error("the objects were not looked at")
	}
}

// The digest is that of what Decode gives: rows are compared by it.
func TestDigestIsOfWhatIsDecoded(t *testing.T) {
	state := mustWith(t, newTarget("web"), "{apiVersion: v1, kind: Namespace, metadata: {name: space, namespace: x}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c, annotations: {a: b}}, data: {big: '1', num: 1.5}}\n")
	for _, o := range state.Objects {
		if got := object.DigestOf(o.Decode().Object); got != o.Digest {
			t.Errorf("%s: %s, decoded %s", o.Key, o.Digest, got)
		}
	}
}

// The limit of one render is the target's.
func TestLimitsReachTheRenderer(t *testing.T) {
	b := newBench(t)
	target := newTarget("web")
	target.Limits.TotalBytes = 10
	b.sources.commit("r", "main", "c1", files{"a.yaml": tree.MemoryFile{Content: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"}})
	app := application("web", from("r", "main", ""))
	if state, err := b.engine.For(context.Background(), id(app), app, target); err == nil || state != nil {
		t.Errorf("got %s, %v", names(state), err)
	}
}
