// SPDX-License-Identifier: Apache-2.0

package transport_test

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

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
	document, err := libopenapi.NewDocument([]byte(text.body))
	if err != nil {
		t.Fatal(err)
	}
	check, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if ok, problems := check.ValidateDocument(); !ok {
		for _, p := range problems {
			t.Errorf("the document: %s %s %v", p.Message, p.Reason, p.SchemaValidationErrors)
		}
	}
	wrong, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/v1/applications", nil)
	if err != nil {
		t.Fatal(err)
	}
	other := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"items":7}`)), Request: wrong}
	if ok, _ := check.ValidateHttpResponse(wrong, other); ok {
		t.Error("an answer that is not as described is found to be right: nothing is checked")
	}
	for _, m := range mounted.Methods {
		for _, b := range m.Bindings {
			body := bodyOf(t, m)
			request, err := http.NewRequestWithContext(t.Context(), b.Verb, s.URL+sample(b.Path), strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer good")
			if b.Verb != http.MethodGet {
				request.Header.Set("Content-Type", "application/json")
			}
			response, err := s.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			if m.Kind != rpc.ClientStream && response.StatusCode != http.StatusOK {
				refused, _ := io.ReadAll(response.Body)
				t.Errorf("%s %s: %d %s", b.Verb, b.Path, response.StatusCode, refused)
			}
			request.Body = io.NopCloser(strings.NewReader(body))
			ok, problems := check.ValidateHttpRequestResponse(request, response)
			_ = response.Body.Close()
			if ok || m.Kind == rpc.ServerStream {
				continue
			}
			for _, p := range problems {
				t.Errorf("%s %s: %s %s", b.Verb, b.Path, p.Message, p.Reason)
				for _, d := range p.SchemaValidationErrors {
					t.Errorf("    %s at %s", d.Reason, d.FieldPath)
				}
			}
		}
	}
}
