// SPDX-License-Identifier: Apache-2.0

package install_test

import (
	"slices"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/install"
)

func parseSchema(t *testing.T, text string) *apiextensionsv1.JSONSchemaProps {
	t.Helper()
	out := &apiextensionsv1.JSONSchemaProps{}
	if err := yaml.UnmarshalStrict([]byte(text), out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLost(t *testing.T) {
	const (
		closed = `{type: object, properties: {a: {type: string}}}`
		anyone = `{type: object, x-kubernetes-preserve-unknown-fields: true}`
		words  = `{type: object, additionalProperties: {type: string}}`
	)
	tests := []struct {
		name, from, to string
		want           []string
	}{
		{name: "same", from: closed, to: closed},
		{name: "added field", from: closed, to: `{type: object, properties: {a: {type: string}, b: {type: string}}}`},
		{name: "removed field", from: closed, to: `{type: object}`, want: []string{"a is not known"}},
		{
			name: "removed field, deep",
			from: `{type: object, properties: {a: {type: array, items: {type: object, properties: {b: {type: string}}}}}}`,
			to:   `{type: object, properties: {a: {type: array, items: {type: object}}}}`,
			want: []string{"a[].b is not known"},
		},
		{name: "another type", from: closed, to: `{type: object, properties: {a: {type: integer}}}`, want: []string{"a is an integer instead of a string"}},
		{name: "any type", from: closed, to: `{type: object, properties: {a: {x-kubernetes-preserve-unknown-fields: true}}}`},
		{
			name: "integer or string",
			from: `{type: object, properties: {a: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}}}`,
			to:   closed,
			want: []string{"a is a string instead of an integer or string"},
		},
		{name: "newly required", from: closed, to: `{type: object, required: [a], properties: {a: {type: string}}}`, want: []string{"a is required"}},
		{name: "no longer required", from: `{type: object, required: [a], properties: {a: {type: string}}}`, to: closed},
		{name: "opened", from: closed, to: anyone},
		{name: "closed", from: anyone, to: closed, want: []string{" keeps no fields of free choice"}},
		{name: "map kept", from: words, to: words},
		{name: "map opened", from: words, to: anyone},
		{name: "map lost", from: words, to: closed, want: []string{" keeps no keys of free choice"}},
		{name: "map of another type", from: words, to: `{type: object, additionalProperties: {type: boolean}}`, want: []string{"{} is a boolean instead of a string"}},
		{name: "fields into a map", from: closed, to: words},
		{
			name: "value taken from an enum",
			from: `{type: string, enum: [a, b]}`, to: `{type: string, enum: [b, c]}`,
			want: []string{` may not be "a"`},
		},
		{name: "value added to an enum", from: `{type: string, enum: [a]}`, to: `{type: string, enum: [a, b]}`},
		{name: "limited to an enum", from: `{type: string}`, to: `{type: string, enum: [a, b]}`, want: []string{" is limited to a list of values"}},
		{name: "enum lifted", from: `{type: string, enum: [a]}`, to: `{type: string}`},
		{name: "new pattern", from: `{type: string}`, to: `{type: string, pattern: ^a}`, want: []string{" has other constraints on its value"}},
		{name: "pattern lifted", from: `{type: string, pattern: ^a}`, to: `{type: string}`},
		{name: "no more null", from: `{type: string, nullable: true}`, to: `{type: string}`, want: []string{" may not be null"}},
		{name: "words only", from: `{type: string, description: one}`, to: `{type: string, description: two}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, l := range install.Lost(parseSchema(t, test.from), parseSchema(t, test.to)) {
				got = append(got, l.String())
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("lost %q, want %q", got, test.want)
			}
		})
	}
}

func TestLacksTakesNamedFieldsForOpenOnes(t *testing.T) {
	need := parseSchema(t, `{type: object, properties: {nested: {type: object, x-kubernetes-preserve-unknown-fields: true}}}`)
	named := parseSchema(t, `{type: object, properties: {nested: {type: object, properties: {list: {type: string}}}}}`)
	bare := parseSchema(t, `{type: object, properties: {nested: {type: object}}}`)
	if got := install.Lacks(need, named); len(got) != 0 {
		t.Errorf("an object that names its fields lacks %v, want nothing", got)
	}
	if got := install.Lacks(need, bare); len(got) != 1 {
		t.Errorf("an object that keeps nothing lacks %v, want that said", got)
	}
}
