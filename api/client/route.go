// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"syscall"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
	"github.com/bowline-cd/bowline/internal/fault"
)

// route is where on REST a request goes and what of it goes there.
type route struct {
	verb, path string
	values     url.Values
	body       io.Reader
}

func (r *route) query() string {
	if len(r.values) == 0 {
		return ""
	}
	return "?" + r.values.Encode()
}

// again returns the body from its beginning, if that is possible.
func (r *route) again() (io.ReadCloser, bool) {
	switch body := r.body.(type) {
	case nil:
		return nil, true
	case *bytes.Reader:
		_, err := body.Seek(0, io.SeekStart)
		return io.NopCloser(body), err == nil
	}
	return nil, false
}

// refusedToConnect reports whether no connection came about, so that the server has seen nothing.
func refusedToConnect(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// variable is one in the path of a binding.
var variable = regexp.MustCompile(`\{([^}=]+)(=\*\*)?\}`)

// routeOf finds the binding whose variables the request has values for, and divides the request among path, body and query.
func routeOf(m *rpc.Method, request any) (*route, error) {
	fields, err := fieldsOf(request)
	if err != nil {
		return nil, fault.Wrap(fault.Bug, "write", "a request for "+m.FullName(), err, "")
	}
	missing := ""
	for _, binding := range m.Bindings {
		path, unknown := expand(binding.Path, fields)
		if unknown != "" {
			missing = unknown
			continue
		}
		out := &route{verb: binding.Verb, path: path}
		return out, out.fill(m, binding, fields)
	}
	if missing != "" {
		return nil, fault.New(fault.Mistake, "ask for", m.FullName(), missing, "it is empty", "name it")
	}
	return nil, unreachable(m)
}

func unreachable(m *rpc.Method) error {
	return fault.New(fault.Bug, "ask for", m.FullName(), "", "it has no path", "")
}

// fieldsOf returns a message as its JSON.
func fieldsOf(request any) (map[string]any, error) {
	data, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	fields := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return fields, decoder.Decode(&fields)
}

// expand puts the values of fields into a path. missing is the first variable without one.
func expand(path string, fields map[string]any) (expanded, missing string) {
	expanded = variable.ReplaceAllStringFunc(path, func(found string) string {
		parts := variable.FindStringSubmatch(found)
		value := text(at(fields, strings.Split(parts[1], ".")))
		switch {
		case value == "" && missing == "":
			missing = parts[1]
		case parts[2] != "":
			return strings.Join(mapped(strings.Split(value, "/"), url.PathEscape), "/")
		}
		return url.PathEscape(value)
	})
	return expanded, missing
}

func mapped(in []string, with func(string) string) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = with(s)
	}
	return out
}

func at(fields map[string]any, path []string) any {
	value, ok := fields[path[0]]
	if nested, is := value.(map[string]any); ok && is && len(path) > 1 {
		return at(nested, path[1:])
	}
	if len(path) > 1 {
		return nil
	}
	return value
}

// fill puts into body and query what is not in the path.
func (r *route) fill(m *rpc.Method, binding rpc.Binding, fields map[string]any) error {
	for _, parts := range variable.FindAllStringSubmatch(binding.Path, -1) {
		if m.Body != "*" {
			remove(fields, strings.Split(parts[1], "."), m.Body)
		}
	}
	var body any = fields
	if m.Body != "*" {
		body = fields[m.Body]
		delete(fields, m.Body)
		r.values = url.Values{}
		flatten(r.values, "", fields)
	}
	if m.Body == "" {
		return nil
	}
	data, err := json.Marshal(body)
	r.body = bytes.NewReader(data)
	return fault.Wrap(fault.Bug, "write", "a request for "+m.FullName(), err, "")
}

// remove takes out a field that is in the path, unless it is within the body.
func remove(fields map[string]any, path []string, body string) {
	nested, ok := fields[path[0]].(map[string]any)
	switch {
	case path[0] == body:
	case len(path) == 1:
		delete(fields, path[0])
	case ok:
		remove(nested, path[1:], "")
	}
}

// flatten writes fields as parameters: nested ones with dots, lists as repeated ones.
func flatten(into url.Values, prefix string, value any) {
	switch v := value.(type) {
	case nil:
	case map[string]any:
		for name, field := range v {
			flatten(into, strings.TrimPrefix(prefix+"."+name, "."), field)
		}
	case []any:
		for _, element := range v {
			into.Add(prefix, text(element))
		}
	default:
		into.Add(prefix, text(v))
	}
}

func text(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}
