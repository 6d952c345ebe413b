// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1/crds"
)

// fieldList is what Argo CD's CRDs hold, one line for each field of each kind.
const fieldList = "../../../test/testdata/compat/argocd-crd-fields.txt"

// maxApplySize is the most that annotations may hold in sum. A client-side kubectl apply keeps the whole object, as JSON,
// in one: https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/
const maxApplySize = 256 * 1024

// listDepth is how many names, list elements and map values deep the field list goes. What is deeper, in the templates
// of an ApplicationSet, are the types of an Application, which the list has in full under that kind.
const listDepth = 11

// notRequired are the required fields of Argo CD that are optional here: an Application without a project is in the
// default one. The paths are those at which an ApplicationSpec stands.
var notRequired = regexp.MustCompile(`^spec(\.generators\[\]\.\w+)?(\.template\.spec)?\.project$`)

// kind is one kind of the field list.
type kind struct {
	name, scope  string
	shortNames   string
	subresources string
	columns      []string
	// fields maps a path to the rest of its line; order keeps the paths as they stand.
	fields map[string]string
	order  []string
}

func readFieldList(t *testing.T) map[string]*kind {
	t.Helper()
	raw, err := os.ReadFile(fieldList)
	if err != nil {
		t.Fatal(err)
	}
	header := regexp.MustCompile(`^# (\w+) \(argoproj.io/v1alpha1, (\w+), short names \[(.*)\], subresources \[(.*)\]\)$`)
	kinds := map[string]*kind{}
	var k *kind
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimRight(line, "\n")
		if line == "" {
			continue
		}
		if column, ok := strings.CutPrefix(line, "#   column "); ok {
			k.columns = append(k.columns, column)
			continue
		}
		if m := header.FindStringSubmatch(line); m != nil {
			k = &kind{name: m[1], scope: m[2], shortNames: unquote(m[3]), subresources: unquote(m[4]), fields: map[string]string{}}
			kinds[k.name] = k
			continue
		}
		path, rest, ok := strings.Cut(line, "  ")
		if !ok || k == nil {
			t.Fatalf("line %q of %s is not understood", line, fieldList)
		}
		k.fields[path] = rest
		k.order = append(k.order, path)
	}
	if len(kinds) != 3 {
		t.Fatalf("%s has %d kinds, want 3", fieldList, len(kinds))
	}
	return kinds
}

func unquote(list string) string { return strings.ReplaceAll(list, "'", "") }

func readCRDs(t *testing.T) map[string]*apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	names, err := fs.Glob(crds.Files, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*apiextensionsv1.CustomResourceDefinition{}
	for _, name := range names {
		raw, err := crds.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict(raw, crd); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[crd.Spec.Names.Kind] = crd
	}
	return out
}

// TestCRDsHaveEveryField compares the CRDs with the field list: the same paths, types, formats and required fields.
func TestCRDsHaveEveryField(t *testing.T) {
	definitions := readCRDs(t)
	for name, want := range readFieldList(t) {
		t.Run(name, func(t *testing.T) {
			got := fields(definitions[name])
			for _, path := range want.order {
				line := want.fields[path]
				if notRequired.MatchString(path) {
					line = strings.Replace(line, " required", "", 1)
				}
				switch {
				case !has(got, path):
					t.Errorf("%s is missing", path)
				case got[path] != line:
					t.Errorf("%s is %q, want %q", path, got[path], line)
				}
			}
			for _, path := range slices.Sorted(maps.Keys(got)) {
				if !has(want.fields, path) && len(splitPath(path)) <= listDepth {
					t.Errorf("%s is not a field of Argo CD", path)
				}
			}
		})
	}
}

func has(m map[string]string, key string) bool {
	_, ok := m[key]
	return ok
}

// fields gives every field of a CRD, in the form of the field list.
func fields(crd *apiextensionsv1.CustomResourceDefinition) map[string]string {
	out := map[string]string{}
	for _, top := range []string{"spec", "status", "operation"} {
		if s, ok := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties[top]; ok {
			flatten(out, top, s, false)
		}
	}
	return out
}

// flatten writes schema and all below it into out, in the form of the field list.
func flatten(out map[string]string, path string, schema apiextensionsv1.JSONSchemaProps, required bool) {
	if strings.HasSuffix(path, ".matrix.generators") || strings.HasSuffix(path, ".merge.generators") {
		out[path] = schema.Type + "  (same generators, nested)"
		return
	}
	out[path] = describe(schema, required)
	for name, property := range schema.Properties {
		flatten(out, path+"."+name, property, slices.Contains(schema.Required, name))
	}
	if schema.AdditionalProperties != nil {
		flatten(out, path+"{}", *schema.AdditionalProperties.Schema, false)
	}
	if schema.Items != nil {
		flatten(out, path+"[]", *schema.Items.Schema, false)
	}
}

func describe(schema apiextensionsv1.JSONSchemaProps, required bool) string {
	s := schema.Type
	if schema.XIntOrString {
		s = "int-or-string"
	}
	if required {
		s += " required"
	}
	if schema.Format != "" {
		s += " format=" + schema.Format
	}
	if schema.Pattern != "" {
		s += " pattern=" + schema.Pattern
	}
	if len(schema.Enum) > 0 {
		values := make([]string, 0, len(schema.Enum))
		for _, v := range schema.Enum {
			values = append(values, strings.Trim(string(v.Raw), `"`))
		}
		s += " enum=" + strings.Join(values, "|")
	}
	if schema.XListType != nil {
		s += " list=" + *schema.XListType
	}
	if schema.XPreserveUnknownFields != nil && *schema.XPreserveUnknownFields {
		s += " any"
	}
	return s
}

// TestCRDsLookTheSameToKubectl compares short names, printer columns and subresources.
func TestCRDsLookTheSameToKubectl(t *testing.T) {
	definitions := readCRDs(t)
	for name, want := range readFieldList(t) {
		t.Run(name, func(t *testing.T) {
			crd := definitions[name]
			version := crd.Spec.Versions[0]
			if got := string(crd.Spec.Scope); got != want.scope {
				t.Errorf("scope is %s, want %s", got, want.scope)
			}
			if got := strings.Join(crd.Spec.Names.ShortNames, ", "); got != want.shortNames {
				t.Errorf("short names are %s, want %s", got, want.shortNames)
			}
			if got := subresources(version); got != want.subresources {
				t.Errorf("subresources are %q, want %q", got, want.subresources)
			}
			if got := columns(version); !slices.Equal(got, want.columns) {
				t.Errorf("printer columns are %q, want %q", got, want.columns)
			}
			if !version.Served || !version.Storage || version.Name != "v1alpha1" {
				t.Errorf("version is %s (served %t, stored %t), want v1alpha1, served and stored", version.Name, version.Served, version.Storage)
			}
		})
	}
}

func subresources(version apiextensionsv1.CustomResourceDefinitionVersion) string {
	if version.Subresources != nil && version.Subresources.Status != nil {
		return "status"
	}
	return ""
}

func columns(version apiextensionsv1.CustomResourceDefinitionVersion) []string {
	var out []string
	for _, c := range version.AdditionalPrinterColumns {
		s := c.Name + ": " + c.JSONPath
		if c.Priority != 0 {
			s += " priority " + strconv.Itoa(int(c.Priority))
		}
		out = append(out, s)
	}
	return out
}

func mustJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// TestCRDsFitIntoAnAnnotation keeps them small enough for a client-side kubectl apply.
func TestCRDsFitIntoAnAnnotation(t *testing.T) {
	for name, crd := range readCRDs(t) {
		if size := len(mustJSON(crd)); size >= maxApplySize {
			t.Errorf("%s has %d bytes as JSON, want less than %d", name, size, maxApplySize)
		}
	}
}
