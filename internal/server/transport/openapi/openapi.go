// SPDX-License-Identifier: Apache-2.0

// Package openapi writes the description of the API as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0), from the
// descriptions of its calls and the Go types of their messages.
//
// The words of this package:
//
//   - Schema: the form of a value, by JSON Schema 2020-12.
//   - Operation: a verb on a path. Two calls on the same are one operation, that of the first.
package openapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
)

// object is a JSON object.
type object = map[string]any

// Failure is the name of the schema of errors.
const Failure = "Failure"

// Options are what a document says beside the calls.
type Options struct {
	// Version is that of the program, Server the path below which the API is.
	Version, Server string
	// Open reports whether a call needs no sign-in.
	Open func(*rpc.Method) bool
	// Strict reports whether a path refuses what it does not know.
	Strict func(path string) bool
}

// Document returns the document of the calls. It is the same each time.
func Document(methods []*rpc.Method, opts Options) ([]byte, error) {
	d := &document{opts: opts, schemas: &schemas{known: object{Failure: failure()}}, paths: object{}, names: map[string]string{}}
	bindings := bindingsOf(methods)
	// Of paths that differ in the names of variables only, the document has the one that is short.
	slices.SortStableFunc(bindings, func(a, b binding) int { return cmp.Compare(len(a.Path), len(b.Path)) })
	for _, b := range bindings {
		d.add(b)
	}
	for path, operations := range beside() {
		d.paths[path] = operations
	}
	return json.Marshal(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Bowline", "version": cmp.Or(opts.Version, "dev"), "license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
			"description": "Argo CD's API with its paths and messages, and Bowline's own below /api/bowline/v1.",
		},
		"servers":  []any{object{"url": cmp.Or(opts.Server, "/")}},
		"security": []any{object{"token": []any{}}, object{"cookie": []any{}}},
		"paths":    d.paths,
		"components": object{
			"schemas": d.schemas.known,
			"securitySchemes": object{
				"token":  object{"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
				"cookie": object{"type": "apiKey", "in": "cookie", "name": "argocd.token"},
			},
		},
	})
}

// binding is a way to a call.
type binding struct {
	rpc.Binding
	method *rpc.Method
}

func bindingsOf(methods []*rpc.Method) []binding {
	var out []binding
	for _, m := range methods {
		for _, b := range m.Bindings {
			out = append(out, binding{b, m})
		}
	}
	return out
}

type document struct {
	opts    Options
	schemas *schemas
	paths   object
	// names are the paths as they are written, by the same without the names of variables: those that differ in these only
	// are one.
	names map[string]string
}

// variable is a variable of a path: its name in the document and its field in the request.
type variable struct{ name, field string }

// written returns a path as the document has it, and its variables.
func (d *document) written(path string) (string, []variable) {
	var fields, nameless []string
	for part := range strings.SplitSeq(path, "/") {
		if field, ok := strings.CutPrefix(part, "{"); ok {
			fields = append(fields, strings.TrimSuffix(strings.TrimSuffix(field, "}"), "=**"))
			part = "{}"
		}
		nameless = append(nameless, part)
	}
	shape := strings.Join(nameless, "/")
	if d.names[shape] == "" {
		d.names[shape] = strings.ReplaceAll(path, "=**", "")
	}
	var variables []variable
	for part := range strings.SplitSeq(d.names[shape], "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			variables = append(variables, variable{strings.TrimSuffix(name, "}"), fields[len(variables)]})
		}
	}
	return d.names[shape], variables
}

func (d *document) add(b binding) {
	path, variables := d.written(b.Path)
	operations, _ := d.paths[path].(object)
	if operations == nil {
		operations = object{}
		d.paths[path] = operations
	}
	verb := strings.ToLower(b.Verb)
	if operations[verb] != nil {
		return
	}
	service, _, _ := strings.Cut(b.method.Service, ".")
	operation := object{
		"operationId": b.method.Service + "_" + b.method.Name + suffix(b), "tags": []any{service},
		"responses": d.responses(b.method),
	}
	if parameters := d.parameters(b, variables); len(parameters) > 0 {
		operation["parameters"] = parameters
	}
	if body := d.body(b); body != nil {
		operation["requestBody"] = body
	}
	if d.opts.Open != nil && d.opts.Open(b.method) {
		operation["security"] = []any{}
	}
	operations[verb] = operation
}

// suffix tells the second way to a call from the first.
func suffix(b binding) string {
	if i := slices.Index(b.method.Bindings, b.Binding); i > 0 {
		return string(rune('1' + i))
	}
	return ""
}

func (d *document) body(b binding) any {
	if b.method.Body == "" {
		return nil
	}
	typ := reflect.TypeOf(b.method.NewRequest()).Elem()
	if b.method.Body != "*" {
		for _, f := range fieldsOf(typ) {
			if f.name == b.method.Body {
				typ = f.typ
			}
		}
	}
	return object{"content": jsonOf(d.schemas.request(typ, d.opts.Strict != nil && d.opts.Strict(b.Path)))}
}

func (d *document) responses(m *rpc.Method) object {
	answer := d.schemas.of(reflect.TypeOf(m.NewResponse()).Elem())
	ok := object{"description": "The answer.", "content": jsonOf(answer)}
	if m.Kind == rpc.ServerStream {
		element := object{"type": "object", "properties": object{"result": answer, "error": object{"type": "object"}}}
		ok = object{
			"description": "One element after the other: each a line of JSON, or an event with that as its data.",
			"content":     object{"application/json": object{"schema": element}, "text/event-stream": object{"schema": object{"type": "string"}}},
		}
	}
	return object{"200": ok, "default": refusal()}
}

func refusal() object {
	return object{"description": "What was wrong.", "content": jsonOf(reference(Failure))}
}

func jsonOf(schema any) object { return object{"application/json": object{"schema": schema}} }

// failure is the schema of errors.
func failure() object {
	text := object{"type": "string"}
	return object{
		"type": "object", "required": []any{"error", "code", "message"}, "additionalProperties": false,
		"properties": object{
			"error":   object{"type": "string", "description": "What happened, to which thing, and what to do."},
			"code":    object{"type": "integer", "description": "The code of gRPC, or for paths beside the services the status of HTTP."},
			"message": object{"type": "string", "description": "The same as error."},
			"details": object{"type": "array", "items": object{"type": "object", "properties": object{"kind": text, "code": text, "thing": text, "where": text, "fix": text}}},
		},
	}
}

// beside are the paths that belong to no service.
func beside() object {
	said := object{"200": object{"description": "It is so.", "content": jsonOf(object{"type": "object"})}, "default": refusal()}
	get := func(id, description string) object {
		return object{"get": object{"operationId": id, "description": description, "tags": []any{"beside"}, "security": []any{}, "responses": said}}
	}
	return object{
		"/healthz": get("healthz", "Whether the process answers."),
		"/readyz": object{"get": object{"operationId": "readyz", "tags": []any{"beside"}, "security": []any{}, "description": "Whether it is worth being sent work.",
			"responses": object{"200": said["200"], "503": said["200"]}}},
		"/api/webhook": object{"post": object{"operationId": "webhook", "tags": []any{"beside"}, "security": []any{},
			"description": "What a Git provider or a registry calls after a push.", "requestBody": object{"content": jsonOf(object{"type": "object"})}, "responses": said}},
	}
}

// Handler serves a document, which is made when it is first asked for.
func Handler(document func() ([]byte, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := document()
		switch {
		case err != nil:
			http.Error(w, `{"error":"the document cannot be made"}`, http.StatusInternalServerError)
			return
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusMethodNotAllowed)
			_, _ = w.Write([]byte(`{"error":"the document is only read","code":3,"message":"the document is only read"}`))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text) // the caller is gone
	})
}
