// SPDX-License-Identifier: Apache-2.0

package transport_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
)

// fill sets the fields of a value to something, as deep as is of interest.
func fill(v reflect.Value, deep int) {
	if _, own := v.Addr().Interface().(json.Marshaler); own || deep > 5 {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), deep)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), deep+1)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), deep+1)
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value, deep+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key").Convert(v.Type().Key()), value)
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	}
}

// sample is a path with something for each variable.
func sample(path string) string {
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "{") {
			part = "7"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "/")
}

// bodyOf is a body that the call takes.
func bodyOf(t *testing.T, m *rpc.Method) string {
	t.Helper()
	if m.Body == "" {
		return ""
	}
	request := reflect.ValueOf(m.NewRequest())
	fill(request.Elem(), 3)
	text, err := json.Marshal(request.Interface())
	if err != nil {
		t.Fatal(err)
	}
	if m.Body == "*" {
		return string(text)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	return string(fields[m.Body])
}

// described is the document that a server serves, to check calls against.
type described struct {
	whole    map[string]any
	compiler *jsonschema.Compiler
	// paths are the paths of the document, by what is left of them without the names of variables.
	paths map[string]string
}

// nameless is a path without the names of its variables.
func nameless(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

// readDocument checks that a text is an OpenAPI 3.1 document, that no two of its paths are the same, and that each of its
// schemas is one of JSON Schema 2020-12.
func readDocument(t *testing.T, text string) *described {
	t.Helper()
	form, err := os.ReadFile("testdata/openapi-3.1.json")
	if err != nil {
		t.Fatal(err)
	}
	d := &described{compiler: jsonschema.NewCompiler(), paths: map[string]string{}}
	d.add(t, "openapi.json", string(form))
	d.whole = d.add(t, "document.json", text)
	if err := d.schema(t, "openapi.json").Validate(d.whole); err != nil {
		t.Fatalf("the document is none of OpenAPI 3.1: %v", err)
	}
	for path := range at[map[string]any](d.whole, "paths") {
		if other, ok := d.paths[nameless(path)]; ok {
			t.Errorf("the document has %s and %s, which are the same", path, other)
		}
		d.paths[nameless(path)] = path
	}
	for name := range at[map[string]any](d.whole, "components", "schemas") {
		d.schema(t, "document.json", "components", "schemas", name)
	}
	return d
}

func (d *described) add(t *testing.T, name, text string) map[string]any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.compiler.AddResource("http://127.0.0.1/"+name, value); err != nil {
		t.Fatal(err)
	}
	return value.(map[string]any)
}

// schema is the schema at a place of a document.
func (d *described) schema(t *testing.T, document string, place ...string) *jsonschema.Schema {
	t.Helper()
	address := &url.URL{Scheme: "http", Host: "127.0.0.1", Path: document}
	for _, part := range place {
		address.Fragment += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(part)
	}
	schema, err := d.compiler.Compile(address.String())
	if err != nil {
		t.Fatalf("%s is no schema: %v", place, err)
	}
	return schema
}

// at is what is at a place below a value; nothing if there is none.
func at[T any](value any, place ...string) T {
	for _, part := range place {
		fields, _ := value.(map[string]any)
		value = fields[part]
	}
	out, _ := value.(T)
	return out
}

// check holds a text against the schema of the content at a place. A place without content takes no text.
func (d *described) check(t *testing.T, text string, place ...string) error {
	t.Helper()
	place = append(place, "content", "application/json", "schema")
	if at[map[string]any](d.whole, place...) == nil {
		if text != "" {
			return fmt.Errorf("nothing is described at %q", place)
		}
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	return d.schema(t, "document.json", place...).Validate(value)
}

// parameters checks that the variables of a path are described, and that what the test writes for each is of its type.
func (d *described) parameters(t *testing.T, path, verb string) error {
	t.Helper()
	variables := map[string]bool{}
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "{") {
			variables[strings.Trim(part, "{}")] = true
		}
	}
	for _, p := range at[[]any](d.whole, "paths", path, verb, "parameters") {
		if name := at[string](p, "name"); at[string](p, "in") == "path" {
			if kind := at[string](p, "schema", "type"); !variables[name] || !at[bool](p, "required") || kind != "string" && kind != "integer" {
				return fmt.Errorf("the parameter %v is no variable of the path", p)
			}
			delete(variables, name)
		}
	}
	if len(variables) > 0 {
		return fmt.Errorf("nothing describes the variables %v", variables)
	}
	return nil
}

func TestTheDocumentDescribesEveryRoute(t *testing.T) {
	answers := map[string]any{}
	e := &everything{answer: func(method string, _ any) (any, error) { return answers[method], nil }}
	mounted := e.mounted()
	for _, m := range mounted.Methods {
		answer := reflect.ValueOf(m.NewResponse())
		fill(answer.Elem(), 0)
		answers[m.FullName()] = answer.Interface()
	}
	s := open(t, e, nil)
	text := do(t, s, "GET", "/swagger.json", "", "Authorization", "")
	if again := do(t, s, "GET", "/api/bowline/v1/openapi.json", "", "Authorization", ""); again.body != text.body || text.status != http.StatusOK {
		t.Fatalf("the document is served as %d, and at the other path otherwise: %v", text.status, again.status)
	}
	d := readDocument(t, text.body)
	if d.check(t, `{"items":7}`, "paths", "/api/v1/applications", "get", "responses", "200") == nil {
		t.Error("an answer that is not as described is found to be right: nothing is checked")
	}
	for _, m := range mounted.Methods {
		for _, b := range m.Bindings {
			path, verb := d.paths[nameless(b.Path)], strings.ToLower(b.Verb)
			if at[map[string]any](d.whole, "paths", path, verb) == nil {
				t.Errorf("%s %s is not described", b.Verb, b.Path)
				continue
			}
			if err := d.parameters(t, path, verb); err != nil {
				t.Errorf("%s %s: %v", b.Verb, path, err)
			}
			body := bodyOf(t, m)
			if err := d.check(t, body, "paths", path, verb, "requestBody"); err != nil {
				t.Errorf("%s %s: what it takes: %v", b.Verb, path, err)
			}
			d.checkAnswer(t, m, path, verb, do(t, s, b.Verb, sample(b.Path), body))
		}
	}
}

// checkAnswer holds an answer to a call that is as described against what is described of it.
func (d *described) checkAnswer(t *testing.T, m *rpc.Method, path, verb string, got answered) {
	t.Helper()
	responses := []string{"paths", path, verb, "responses", "200"}
	switch {
	case m.Kind == rpc.ClientStream:
		if got.status != http.StatusNotImplemented {
			t.Errorf("%s %s: %d, it is taken by gRPC only", verb, path, got.status)
		}
		responses[len(responses)-1] = "default"
	case got.status != http.StatusOK:
		t.Errorf("%s %s: %d %s", verb, path, got.status, got.body)
		return
	case m.Kind == rpc.ServerStream && got.body == "":
		return // a stream without an element
	}
	if got.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s: Content-Type %q", verb, path, got.header.Get("Content-Type"))
	}
	if err := d.check(t, got.body, responses...); err != nil {
		t.Errorf("%s %s: the answer: %v", verb, path, err)
	}
}
