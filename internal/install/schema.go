// SPDX-License-Identifier: Apache-2.0

package install

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

type schema = apiextensionsv1.JSONSchemaProps

// Loss is one thing that an object loses, or is refused for, under another schema.
type Loss struct {
	// Path is where in the object, such as spec.sources[].path; "[]" is an element of a list, "{}" a value of a map.
	Path string
	// Why continues the sentence that Path begins: "is not known".
	Why string
}

func (l Loss) String() string { return l.Path + " " + l.Why }

// Lost compares two schemas of one kind and gives what an object that is valid and stored under from loses under to, in
// the order of the paths. Nothing means that to is a superset of from. A constraint that it cannot judge counts as a
// loss unless it is the same in both.
func Lost(from, to *schema) []Loss {
	c := comparison{}
	c.compare("", from, to)
	return c.sorted()
}

// Lacks is Lost for a schema that is not ours, from being what we need. It takes an open object of ours (a generator
// nested in a matrix) as satisfied by one that names its fields.
func Lacks(need, have *schema) []Loss {
	c := comparison{namedIsOpen: true}
	c.compare("", need, have)
	return c.sorted()
}

type comparison struct {
	// namedIsOpen lets an object with named fields stand for an open one.
	namedIsOpen bool
	losses      []Loss
}

func (c *comparison) sorted() []Loss {
	slices.SortFunc(c.losses, func(a, b Loss) int { return strings.Compare(a.String(), b.String()) })
	return c.losses
}

func (c *comparison) lose(path, why string) { c.losses = append(c.losses, Loss{Path: path, Why: why}) }

func (c *comparison) compare(path string, from, to *schema) {
	if from.XIntOrString != to.XIntOrString || from.Type != to.Type {
		if typeName(to) != "any value" {
			c.lose(path, "is "+typeName(to)+" instead of "+typeName(from))
		}
		return
	}
	if open(from) && !open(to) && (!c.namedIsOpen || len(to.Properties) == 0) {
		c.lose(path, "keeps no fields of free choice")
	}
	if from.Nullable && !to.Nullable {
		c.lose(path, "may not be null")
	}
	if limits := constraints(to); !reflect.ValueOf(limits).IsZero() && !reflect.DeepEqual(limits, constraints(from)) {
		c.lose(path, "has other constraints on its value")
	}
	c.compareEnum(path, from, to)
	c.compareRequired(path, from, to)
	c.compareProperties(path, from, to)
	c.compareMap(path, from, to)
	c.compareItems(path, from, to)
}

func (c *comparison) compareEnum(path string, from, to *schema) {
	if len(to.Enum) == 0 {
		return
	}
	if len(from.Enum) == 0 {
		c.lose(path, "is limited to a list of values")
		return
	}
	for _, value := range from.Enum {
		same := func(other apiextensionsv1.JSON) bool { return string(other.Raw) == string(value.Raw) }
		if !slices.ContainsFunc(to.Enum, same) {
			c.lose(path, "may not be "+string(value.Raw))
		}
	}
}

func (c *comparison) compareRequired(path string, from, to *schema) {
	for _, name := range to.Required {
		if !slices.Contains(from.Required, name) {
			c.lose(join(path, name), "is required")
		}
	}
}

func (c *comparison) compareProperties(path string, from, to *schema) {
	for _, name := range slices.Sorted(maps.Keys(from.Properties)) {
		property, field := from.Properties[name], join(path, name)
		if other, ok := to.Properties[name]; ok {
			c.compare(field, &property, &other)
			continue
		}
		switch values := mapValues(to); {
		case open(to):
		case values != nil:
			c.compare(field, &property, values)
		default:
			c.lose(field, "is not known")
		}
	}
}

func (c *comparison) compareMap(path string, from, to *schema) {
	values := mapValues(from)
	if values == nil || open(to) {
		return
	}
	if mapValues(to) == nil {
		c.lose(path, "keeps no keys of free choice")
		return
	}
	c.compare(path+"{}", values, mapValues(to))
}

func (c *comparison) compareItems(path string, from, to *schema) {
	if from.Items == nil || from.Items.Schema == nil || to.Items == nil || to.Items.Schema == nil {
		return
	}
	c.compare(path+"[]", from.Items.Schema, to.Items.Schema)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// open says whether an object keeps fields that the schema does not name.
func open(s *schema) bool {
	return s.XPreserveUnknownFields != nil && *s.XPreserveUnknownFields
}

func mapValues(s *schema) *schema {
	if s.AdditionalProperties == nil {
		return nil
	}
	return s.AdditionalProperties.Schema
}

func typeName(s *schema) string {
	switch {
	case s.XIntOrString:
		return "an integer or string"
	case s.Type == "":
		return "any value"
	case s.Type == "array", s.Type == "object", s.Type == "integer":
		return "an " + s.Type
	}
	return "a " + s.Type
}

// constraints are the parts of a schema that say more about a value than its type, and that compare does not look at
// one by one.
func constraints(s *schema) schema {
	rest := *s
	rest.ID, rest.Schema, rest.Description, rest.Title, rest.Type = "", "", "", "", ""
	rest.Default, rest.Example, rest.ExternalDocs, rest.Enum = nil, nil, nil, nil
	rest.Properties, rest.AdditionalProperties, rest.Items, rest.Required = nil, nil, nil, nil
	rest.XPreserveUnknownFields, rest.XIntOrString, rest.Nullable = nil, false, false
	if s.XIntOrString {
		rest.AnyOf = nil
	}
	return rest
}
