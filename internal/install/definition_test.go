// SPDX-License-Identifier: Apache-2.0

package install_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/bowline-cd/bowline/internal/install"
)

// definition gives the built-in definition of a kind, the caller's own.
func definition(t *testing.T, kind string) *install.Definition {
	t.Helper()
	all, err := install.Definitions()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if d.Spec.Names.Kind == kind {
			return d
		}
	}
	t.Fatalf("no definition of kind %s", kind)
	return nil
}

func specOf(d *install.Definition) *apiextensionsv1.JSONSchemaProps {
	spec := d.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	return &spec
}

func TestDecide(t *testing.T) {
	want := definition(t, "AppProject")
	change := func(f func(*install.Definition)) *install.Definition {
		have := want.DeepCopy()
		f(have)
		return have
	}
	older := func(d *install.Definition) { delete(specOf(d).Properties, "sourceIntegrity") }
	newer := func(d *install.Definition) {
		specOf(d).Properties["future"] = apiextensionsv1.JSONSchemaProps{Type: "string"}
	}
	foreign := func(d *install.Definition) { d.Labels = map[string]string{"app.kubernetes.io/managed-by": "Helm"} }
	tests := []struct {
		name    string
		have    *install.Definition
		action  install.Action
		reason  string
		missing string
	}{
		{name: "absent", action: install.Create},
		{name: "ours, the same", have: want, action: install.Keep},
		{name: "ours, older", have: change(older), action: install.Update},
		{name: "ours, newer", have: change(newer), action: install.Keep, reason: "spec.future is not known"},
		{name: "ours, with another version", have: change(func(d *install.Definition) {
			d.Spec.Versions = append(d.Spec.Versions, apiextensionsv1.CustomResourceDefinitionVersion{Name: "v1beta1"})
		}), action: install.Keep, reason: "version v1beta1 is not known"},
		{name: "not ours, the same", have: change(foreign), action: install.Keep, reason: "not Bowline's"},
		{name: "not ours, older", have: change(func(d *install.Definition) { foreign(d); older(d) }), action: install.Keep, reason: "not Bowline's", missing: "spec.sourceIntegrity is not known"},
		{name: "not ours, newer", have: change(func(d *install.Definition) { foreign(d); newer(d) }), action: install.Keep, reason: "not Bowline's"},
		{name: "no label at all", have: change(func(d *install.Definition) { d.Labels = nil; older(d) }), action: install.Keep, reason: "not Bowline's", missing: "spec.sourceIntegrity is not known"},
		{name: "not served", have: change(func(d *install.Definition) { foreign(d); d.Spec.Versions[0].Served = false }), action: install.Keep, reason: "not Bowline's", missing: "does not serve version v1alpha1"},
		{name: "status subresource", have: change(func(d *install.Definition) {
			foreign(d)
			d.Spec.Versions[0].Subresources = &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}}
		}), action: install.Keep, reason: "not Bowline's", missing: "has a status subresource"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := install.Decide(test.have, want)
			if got.Action != test.action {
				t.Errorf("action is %v, want %v", got.Action, test.action)
			}
			contains(t, "reason", got.Reason, test.reason)
			contains(t, "missing", strings.Join(got.Missing, "\n"), test.missing)
		})
	}
}

// contains checks that text holds part, and that it is empty when part is.
func contains(t *testing.T, what, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) || (part == "") != (text == "") {
		t.Errorf("%s is %q, want it to say %q", what, text, part)
	}
}

// TestArgoCDsDefinitionsLackNothing builds definitions from the list of fields that Argo CD's have: beside them Bowline
// needs nothing, but that spec.project is required there is said, with what to do.
func TestArgoCDsDefinitionsLackNothing(t *testing.T) {
	for kind, wanted := range map[string][]string{
		"Application": {"spec.project is required", "write project: default into each"},
		"AppProject":  nil,
	} {
		t.Run(kind, func(t *testing.T) {
			have := definition(t, kind)
			have.Labels = nil
			have.Spec.Versions[0].Schema.OpenAPIV3Schema = argoCDSchema(t, kind)
			got := install.Verify(have, definition(t, kind))
			if len(got) != len(wanted) {
				t.Fatalf("missing %q, want %q", got, wanted)
			}
			for i := range got {
				contains(t, "missing", got[i], wanted[i])
			}
		})
	}
}

// argoCDSchema builds a schema from the field list.
func argoCDSchema(t *testing.T, kind string) *apiextensionsv1.JSONSchemaProps {
	t.Helper()
	raw, err := os.ReadFile("../../test/testdata/compat/argocd-crd-fields.txt")
	if err != nil {
		t.Fatal(err)
	}
	root := &apiextensionsv1.JSONSchemaProps{Type: "object", Required: []string{"metadata", "spec"}}
	root.Properties = map[string]apiextensionsv1.JSONSchemaProps{"apiVersion": {Type: "string"}, "kind": {Type: "string"}, "metadata": {Type: "object"}}
	inKind := false
	for line := range strings.Lines(string(raw)) {
		if strings.Contains(line, "(argoproj.io/v1alpha1,") {
			inKind = strings.HasPrefix(line, "# "+kind+" (")
			continue
		}
		path, rest, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !inKind || !ok || strings.HasPrefix(line, "#") {
			continue
		}
		path = strings.ReplaceAll(strings.ReplaceAll(path, "[]", ".[]"), "{}", ".{}")
		add(root, strings.Split(path, "."), strings.Fields(rest))
	}
	return root
}

// add puts the field at path, which its line describes, below s.
func add(s *apiextensionsv1.JSONSchemaProps, path, line []string) {
	name := path[0]
	var child apiextensionsv1.JSONSchemaProps
	switch {
	case name == "[]" && s.Items != nil:
		child = *s.Items.Schema
	case name == "{}" && s.AdditionalProperties != nil:
		child = *s.AdditionalProperties.Schema
	default:
		child = s.Properties[name]
	}
	if len(path) > 1 {
		add(&child, path[1:], line)
	} else {
		child = leaf(line)
		if slices.Contains(line, "required") {
			s.Required = append(s.Required, name)
		}
	}
	switch name {
	case "[]":
		s.Items = &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &child}
	case "{}":
		s.AdditionalProperties = &apiextensionsv1.JSONSchemaPropsOrBool{Schema: &child}
	default:
		if s.Properties == nil {
			s.Properties = map[string]apiextensionsv1.JSONSchemaProps{}
		}
		s.Properties[name] = child
	}
}

func leaf(line []string) apiextensionsv1.JSONSchemaProps {
	out := apiextensionsv1.JSONSchemaProps{Type: line[0]}
	for _, word := range line {
		value := word[strings.Index(word, "=")+1:]
		switch {
		case word == "any":
			yes := true
			out.XPreserveUnknownFields = &yes
		case word == "int-or-string":
			out.Type, out.XIntOrString = "", true
			out.AnyOf = []apiextensionsv1.JSONSchemaProps{{Type: "integer"}, {Type: "string"}}
		case strings.HasPrefix(word, "format="):
			out.Format = value
		case strings.HasPrefix(word, "pattern="):
			out.Pattern = value
		case strings.HasPrefix(word, "enum="):
			for e := range strings.SplitSeq(value, "|") {
				out.Enum = append(out.Enum, apiextensionsv1.JSON{Raw: []byte(`"` + e + `"`)})
			}
		}
	}
	return out
}
