// SPDX-License-Identifier: Apache-2.0

package openapi

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// parameters are those of the path, and what of the request is neither there nor in the body.
func (d *document) parameters(b binding, variables []variable) []any {
	var out []any
	typ := reflect.TypeOf(b.method.NewRequest()).Elem()
	for _, v := range variables {
		schema := object{"type": "string"}
		if kind := kindAt(typ, v.field); kind == reflect.Int64 || kind == reflect.Int32 {
			schema = object{"type": "integer", "format": "int64"}
		}
		p := object{"name": v.name, "in": "path", "required": true, "schema": schema}
		if strings.Contains(b.Path, "{"+v.field+"=**}") {
			p["description"] = "It may have slashes."
		}
		out = append(out, p)
	}
	if b.method.Body == "*" {
		return out
	}
	taken := []string{b.method.Body}
	for _, v := range variables {
		taken = append(taken, v.field)
	}
	query := d.query(typ, "", taken)
	if b.Verb == http.MethodGet && !slices.ContainsFunc(query, func(p any) bool { return p.(object)["name"] == "fields" }) {
		if d.opts.Strict == nil || !d.opts.Strict(b.Path) {
			query = append(query, object{"name": "fields", "in": "query", "schema": object{"type": "string"},
				"description": "The fields that are wanted, with commas between them; with - before the first, those that are not."})
		}
	}
	return append(out, query...)
}

// query are the parameters of the fields of a message.
func (d *document) query(typ reflect.Type, prefix string, taken []string) []any {
	var out []any
	for _, f := range fieldsOf(typ) {
		name, inner := prefix+f.name, f.typ
		for inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if slices.Contains(taken, name) {
			continue
		}
		_, own := written[inner]
		switch {
		case inner.Kind() == reflect.Struct && !own && prefix == "":
			out = append(out, d.query(inner, name+".", taken)...)
		case own && inner.Kind() == reflect.Struct:
			out = append(out, object{"name": name, "in": "query", "schema": object{"type": "string"}})
		case inner.Kind() == reflect.Slice && inner.Elem().Kind() != reflect.Uint8:
			out = append(out, object{"name": name, "in": "query", "schema": object{"type": "array", "items": textOr(inner.Elem())}})
		case inner.Kind() != reflect.Struct && inner.Kind() != reflect.Map && inner.Kind() != reflect.Slice:
			out = append(out, object{"name": name, "in": "query", "schema": scalar(inner)})
		}
	}
	return out
}

// textOr is the schema of an element of a list in a query; what has fields is written there in JSON.
func textOr(typ reflect.Type) object {
	if kind := typ.Kind(); kind == reflect.Struct || kind == reflect.Pointer {
		return object{"type": "string"}
	}
	return scalar(typ)
}

// kindAt is the kind of a field by its path.
func kindAt(typ reflect.Type, at string) reflect.Kind {
	for name := range strings.SplitSeq(at, ".") {
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			return reflect.Invalid
		}
		i := slices.IndexFunc(fieldsOf(typ), func(f field) bool { return f.name == name })
		if i < 0 {
			return reflect.Invalid
		}
		typ = fieldsOf(typ)[i].typ
	}
	return typ.Kind()
}
