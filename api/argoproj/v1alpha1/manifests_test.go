// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// manifestFolder holds manifests which together set every field.
const manifestFolder = "../../../test/testdata/manifests"

// manifest is one YAML document.
type manifest struct {
	name string
	raw  []byte
}

func readManifests(t *testing.T) []manifest {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(manifestFolder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests in %s: %v", manifestFolder, err)
	}
	var out []manifest
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(raw)))
		for i := 1; ; i++ {
			doc, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			out = append(out, manifest{name: fmt.Sprintf("%s-%d", filepath.Base(file), i), raw: doc})
		}
	}
	return out
}

// newObject gives an empty object of the kind that the document names.
func newObject(t *testing.T, raw []byte) runtime.Object {
	t.Helper()
	var meta metav1.TypeMeta
	if err := yaml.Unmarshal(raw, &meta); err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	obj, err := scheme.New(meta.GroupVersionKind())
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// roundTrip decodes strictly, encodes in both ways the program uses, and fails if anything was lost or added.
func roundTrip(t *testing.T, raw []byte) runtime.Object {
	t.Helper()
	obj := newObject(t, raw)
	if err := yaml.UnmarshalStrict(raw, obj); err != nil {
		t.Fatalf("decode: %v", err)
	}
	encoded, err := yaml.Marshal(obj.DeepCopyObject())
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	if diff := cmp.Diff(generic(t, raw), generic(t, encoded)); diff != "" {
		t.Errorf("encoded again it differs (- manifest, + encoded):\n%s", diff)
	}
	unstructured, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		t.Fatalf("to unstructured: %v", err)
	}
	if diff := cmp.Diff(generic(t, raw), generic(t, []byte(mustJSON(unstructured)))); diff != "" {
		t.Errorf("made unstructured it differs (- manifest, + unstructured):\n%s", diff)
	}
	return obj
}

func generic(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(asJSON), len(asJSON))
	if err := decoder.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestManifestsRoundTrip decodes every manifest strictly and encodes it without losing or adding a field; and together
// they set every field of every Go type. A type that stands in many places (a source, for one) counts once here; each of
// the places is covered by TestEveryPathRoundTrips.
func TestManifestsRoundTrip(t *testing.T) {
	set := map[string]bool{}
	for _, m := range readManifests(t) {
		t.Run(m.name, func(t *testing.T) {
			obj := roundTrip(t, m.raw)
			markSet(set, reflect.ValueOf(obj))
			markNested(t, set, obj)
		})
	}
	all := map[string]bool{}
	for _, root := range []any{
		v1alpha1.Application{}, v1alpha1.AppProject{}, v1alpha1.ApplicationSet{},
		v1alpha1.NestedMatrixGenerator{}, v1alpha1.NestedMergeGenerator{},
	} {
		listFields(all, map[reflect.Type]bool{}, reflect.TypeOf(root))
	}
	for field := range all {
		if !set[field] && !terminal[field] {
			t.Errorf("no manifest in %s sets %s", manifestFolder, field)
		}
	}
}

// terminal are the fields of a generator at the deepest level that no manifest shows: they are the same types as one
// level up, where all of them are set.
var terminal = map[string]bool{
	"ApplicationSetTerminalGenerator.Git":                     true,
	"ApplicationSetTerminalGenerator.SCMProvider":             true,
	"ApplicationSetTerminalGenerator.ClusterDecisionResource": true,
	"ApplicationSetTerminalGenerator.PullRequest":             true,
	"ApplicationSetTerminalGenerator.Selector":                true,
	"ApplicationSetTerminalGenerator.Plugin":                  true,
}

// markNested decodes the JSON of nested matrix and merge generators, strictly.
func markNested(t *testing.T, set map[string]bool, obj runtime.Object) {
	t.Helper()
	applicationSet, ok := obj.(*v1alpha1.ApplicationSet)
	if !ok {
		return
	}
	for _, outer := range applicationSet.Spec.Generators {
		var nested []v1alpha1.ApplicationSetNestedGenerator
		if outer.Matrix != nil {
			nested = append(nested, outer.Matrix.Generators...)
		}
		if outer.Merge != nil {
			nested = append(nested, outer.Merge.Generators...)
		}
		for _, g := range nested {
			decodeNested(t, set, g.Matrix, &v1alpha1.NestedMatrixGenerator{})
			decodeNested(t, set, g.Merge, &v1alpha1.NestedMergeGenerator{})
		}
	}
}

func decodeNested(t *testing.T, set map[string]bool, raw *apiextensionsv1.JSON, into any) {
	t.Helper()
	if raw == nil {
		return
	}
	if err := yaml.UnmarshalStrict(raw.Raw, into); err != nil {
		t.Fatalf("decode %s: %v", raw.Raw, err)
	}
	if diff := cmp.Diff(generic(t, raw.Raw), generic(t, []byte(mustJSON(into)))); diff != "" {
		t.Errorf("nested generator differs:\n%s", diff)
	}
	markSet(set, reflect.ValueOf(into))
}

// opaque are types whose inside is not ours.
var opaque = []reflect.Type{
	reflect.TypeFor[metav1.ObjectMeta](), reflect.TypeFor[metav1.TypeMeta](), reflect.TypeFor[metav1.Time](),
	reflect.TypeFor[runtime.RawExtension](), reflect.TypeFor[apiextensionsv1.JSON](), reflect.TypeFor[intstr.IntOrString](),
}

// markSet notes every field that is not zero in v and below it.
func markSet(set map[string]bool, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			markSet(set, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			markSet(set, v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			markSet(set, v.MapIndex(key))
		}
	case reflect.Struct:
		if slices.Contains(opaque, v.Type()) {
			return
		}
		for i := range v.NumField() {
			if !v.Field(i).IsZero() {
				set[fieldName(v.Type(), i)] = true
				markSet(set, v.Field(i))
			}
		}
	default:
	}
}

// listFields notes every field of typ and of the types below it.
func listFields(all map[string]bool, seen map[reflect.Type]bool, typ reflect.Type) {
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		listFields(all, seen, typ.Elem())
	case reflect.Struct:
		if seen[typ] || slices.Contains(opaque, typ) {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			all[fieldName(typ, i)] = true
			listFields(all, seen, typ.Field(i).Type)
		}
	default:
	}
}

func fieldName(typ reflect.Type, i int) string { return typ.Name() + "." + typ.Field(i).Name }

// TestEveryPathRoundTrips builds, for each kind, one object in which every path of its CRD is set, and sends it through
// the Go types. That the CRD has every path of the field list is shown by TestCRDsHaveEveryField.
func TestEveryPathRoundTrips(t *testing.T) {
	for name, crd := range readCRDs(t) {
		t.Run(name, func(t *testing.T) {
			object := map[string]any{
				"apiVersion": v1alpha1.SchemeGroupVersion.String(),
				"kind":       name,
				"metadata":   map[string]any{"name": "every-path", "namespace": "argocd"},
			}
			lines := fields(crd)
			for _, path := range slices.Sorted(maps.Keys(lines)) {
				setPath(object, splitPath(path), sample(lines[path]))
			}
			roundTrip(t, []byte(mustJSON(object)))
		})
	}
}

// splitPath cuts a path of the field list into names, "[]" for the element of a list and "{}" for a value of a map.
func splitPath(path string) []string {
	path = strings.ReplaceAll(strings.ReplaceAll(path, "[]", ".[]"), "{}", ".{}")
	return strings.Split(path, ".")
}

// sample gives a value of the type that the line names; objects, maps and lists are filled by the paths below them.
func sample(line string) any {
	words := strings.Fields(line)
	switch {
	case slices.Contains(words, "format=date-time"):
		return "2026-03-02T07:58:00Z"
	case strings.HasPrefix(line, "string"):
		if _, enum, ok := strings.Cut(line, "enum="); ok {
			first, _, _ := strings.Cut(enum, "|")
			return first
		}
		return "text"
	case strings.HasPrefix(line, "boolean"):
		return true
	case strings.HasPrefix(line, "integer"):
		return 7
	case strings.HasPrefix(line, "int-or-string"):
		return "50%"
	case slices.Contains(words, "any"):
		return map[string]any{"any": []any{1.5, "json", nil}}
	case strings.HasSuffix(line, "nested)"):
		return []any{map[string]any{"list": map[string]any{"elementsYaml": "text"}}}
	}
	return nil
}

// setPath sets the value at the path below node, making what is missing on the way, and gives the node back.
func setPath(node any, path []string, value any) any {
	if len(path) == 0 {
		if value == nil {
			return node
		}
		return value
	}
	if path[0] == "[]" {
		list, _ := node.([]any)
		if len(list) == 0 {
			list = []any{nil}
		}
		list[0] = setPath(list[0], path[1:], value)
		return list
	}
	object, _ := node.(map[string]any)
	if object == nil {
		object = map[string]any{}
	}
	key := path[0]
	if key == "{}" {
		key = "key"
	}
	object[key] = setPath(object[key], path[1:], value)
	return object
}
