// SPDX-License-Identifier: Apache-2.0

package object

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ParseJSON reads a file that holds exactly one JSON object, numbers as ParseYAML has them. An error is a *ParseError.
func ParseJSON(file string, data []byte) (Document, error) {
	text, err := toUTF8(data)
	if err != nil {
		return Document{}, &ParseError{File: file, Err: err}
	}
	dec := newJSONDecoder(text)
	begin := skipSpace(text, 0)
	object, err := decodeObject(dec)
	if err != nil {
		return Document{}, &ParseError{File: file, Line: lineAt(text, jsonOffset(text, dec, err)), Err: jsonError(err)}
	}
	if rest := skipSpace(text, int(dec.InputOffset())); rest < len(text) {
		return Document{}, &ParseError{File: file, Line: lineAt(text, rest), Err: errors.New("more follows the first object: a .json file holds one")}
	}
	return Document{Line: lineAt(text, begin), Data: object}, nil
}

func newJSONDecoder(text []byte) *json.Decoder {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return dec
}

var errNull = errors.New("it holds a JSON null, not an object")

// decodeObject reads the next JSON object; io.EOF if there is nothing more.
func decodeObject(dec *json.Decoder) (map[string]any, error) {
	var out map[string]any
	if err := dec.Decode(&out); err != nil {
		return nil, err
	}
	if out == nil {
		return nil, errNull
	}
	_, err := numbers(out)
	return out, err
}

// numbers turns every json.Number into the int64 or float64 that unstructured objects hold, in place.
func numbers(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i, nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, errors.New("a number does not fit into 64 bits")
		}
		return f, nil
	case map[string]any:
		for k, e := range v {
			c, err := numbers(e)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
			v[k] = c
		}
	case []any:
		for i, e := range v {
			c, err := numbers(e)
			if err != nil {
				return nil, err
			}
			v[i] = c
		}
	}
	return v, nil
}

func jsonOffset(text []byte, dec *json.Decoder, err error) int {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return int(syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return len(text)
	default:
		return int(dec.InputOffset())
	}
}

func jsonError(err error) error {
	var typ *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the file is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("not valid JSON: it ends too early")
	case errors.As(err, &typ):
		return fmt.Errorf("it holds a JSON %s, not an object", typ.Value)
	case errors.Is(err, errNull):
		return err
	default:
		return fmt.Errorf("not valid JSON: %w", err)
	}
}

func lineAt(text []byte, offset int) int {
	return 1 + bytes.Count(text[:min(offset, len(text))], []byte("\n"))
}

func skipSpace(text []byte, from int) int {
	for from < len(text) && bytes.IndexByte([]byte(" \t\r\n"), text[from]) >= 0 {
		from++
	}
	return from
}
