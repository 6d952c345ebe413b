// SPDX-License-Identifier: Apache-2.0

package object

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v2"
)

// ParseError says that a document of a file is not what it should be.
type ParseError struct {
	File string
	Line int // 0 if unknown
	Err  error
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("%s: %v", Origin{File: e.File, Line: e.Line}, e.Err)
}

// Unwrap returns the cause. Its text never quotes a value of the file, which may be a secret.
func (e *ParseError) Unwrap() error { return e.Err }

// Document is one YAML document of a file as plain data, with the line its content begins on.
type Document struct {
	Line int
	Data map[string]any // nil if the document is not a mapping
	// Repeated names the keys that one mapping of the document holds several times, with the line of each: the last
	// one counts, as it does for Argo CD and kubectl.
	Repeated []RepeatedKey
}

// RepeatedKey is a key that stands again in a mapping.
type RepeatedKey struct {
	Line int
	Key  string
}

// ParseYAML reads every document of a YAML stream by the rules Kubernetes reads it by: YAML 1.1 booleans, whole numbers
// as int64 as far as they fit and as float64 beyond, JSON is YAML. Empty documents are left out. The text may be UTF-8
// or, with a byte order mark, UTF-16. An error is a *ParseError with the line in the file, and no document is returned
// with it.
func ParseYAML(file string, data []byte) ([]Document, error) {
	text, err := toUTF8(data)
	if err != nil {
		return nil, &ParseError{File: file, Err: err}
	}
	var docs []Document
	for _, part := range splitDocuments(text) {
		read, err := part.documents()
		if err != nil {
			var parse *ParseError
			if !errors.As(err, &parse) {
				parse = &ParseError{Line: part.line, Err: err}
			}
			parse.File = file
			return nil, parse
		}
		docs = append(docs, read...)
	}
	return docs, nil
}

// toUTF8 drops a byte order mark and brings UTF-16 to UTF-8.
func toUTF8(data []byte) ([]byte, error) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return data[3:], nil
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return data, nil
	}
	if len(data)%2 != 0 {
		return nil, errors.New("not valid UTF-16: save the file as UTF-8")
	}
	units := make([]uint16, 0, len(data)/2)
	for rest := data[2:]; len(rest) > 0; rest = rest[2:] {
		units = append(units, order.Uint16(rest))
	}
	return []byte(string(utf16.Decode(units))), nil
}

// documents reads a part: one YAML document, or a stream of JSON objects.
func (p part) documents() ([]Document, error) {
	if docs, ok := p.json(); ok {
		return docs, nil
	}
	var repeated []RepeatedKey
	value, err := p.yaml(true)
	if keys, only := p.repeatedKeys(err); only {
		repeated = keys
		value, err = p.yaml(false)
	}
	if err != nil {
		return nil, p.syntaxError(err)
	}
	budget := len(p.text) + maxExpansion
	converted, err := plain(value, &budget)
	if err != nil {
		return nil, err
	}
	if converted == nil {
		return nil, nil
	}
	data, _ := converted.(map[string]any)
	return []Document{{Line: p.line, Data: data, Repeated: repeated}}, nil
}

// yaml decodes the one document of a part. strict reports repeated keys.
func (p part) yaml(strict bool) (any, error) {
	dec := yaml.NewDecoder(bytes.NewReader(p.text))
	dec.SetStrict(strict)
	var value any
	if err := dec.Decode(&value); err != nil {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return value, err
	}
	var more any
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("more text follows the end of the document: put --- on a line between documents")
	}
	return value, nil
}

// json reads a part that is JSON objects one after the other. JSON may hold what YAML refuses (escaped surrogate
// pairs, long keys), so it is not read as YAML; ok is false if it is not plain JSON.
func (p part) json() (docs []Document, ok bool) {
	content := bytes.TrimSpace(p.text)
	if len(content) == 0 || content[0] != '{' || !utf8.Valid(content) {
		return nil, false
	}
	dec := newJSONDecoder(p.text)
	for {
		begin := skipSpace(p.text, int(dec.InputOffset()))
		data, err := decodeObject(dec)
		if errors.Is(err, io.EOF) {
			return docs, true
		}
		if err != nil {
			return nil, false
		}
		docs = append(docs, Document{Line: p.base + bytes.Count(p.text[:begin], []byte("\n")), Data: data})
	}
}
