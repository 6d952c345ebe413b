// SPDX-License-Identifier: Apache-2.0

package object

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
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

// Unwrap returns the cause.
func (e *ParseError) Unwrap() error { return e.Err }

// Document is one YAML document of a file as plain data, with the line it begins on.
type Document struct {
	Line int
	Data map[string]any // nil for an empty document or one that is not a mapping
	JSON []byte
}

// ParseYAML reads every document of a YAML stream by the rules Kubernetes reads it by (YAML 1.1 booleans, big
// integers, JSON is YAML). Errors are *ParseError with the line in the file.
func ParseYAML(file string, data []byte) ([]Document, error) {
	var docs []Document
	for _, part := range splitDocuments(data) {
		raw, err := yaml.YAMLToJSONStrict(part.text)
		if err != nil {
			return nil, &ParseError{File: file, Line: part.base + lineOffset(err), Err: cleanYAML(err)}
		}
		doc := Document{Line: part.line, JSON: raw}
		if len(bytes.TrimSpace(raw)) > 0 && raw[0] == '{' {
			if doc.Data, err = decodeMap(raw); err != nil {
				return nil, &ParseError{File: file, Line: part.line, Err: err}
			}
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

// decodeMap decodes JSON as unstructured objects hold it: int64 for whole numbers, float64 for others.
func decodeMap(raw []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var out map[string]any
	if err := dec.Decode(&out); err != nil {
		return nil, err
	}
	converted, err := convertNumbers(out)
	if err != nil {
		return nil, err
	}
	return converted.(map[string]any), nil
}

func convertNumbers(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i, nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, fmt.Errorf("number %s does not fit", v)
		}
		return f, nil
	case map[string]any:
		for k, e := range v {
			c, err := convertNumbers(e)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
			v[k] = c
		}
	case []any:
		for i, e := range v {
			c, err := convertNumbers(e)
			if err != nil {
				return nil, err
			}
			v[i] = c
		}
	}
	return v, nil
}

type part struct {
	base int // line that text begins on, blank lines included
	line int // line of its first content
	text []byte
}

// splitDocuments cuts a stream at lines that begin with "---", as Kubernetes' own reader does, and keeps the
// line each document begins on.
func splitDocuments(data []byte) []part {
	var parts []part
	start, startLine, line := 0, 1, 1
	flush := func(end int) {
		if text := data[start:end]; len(bytes.TrimSpace(stripComments(text))) > 0 {
			skipped := bytes.Count(text[:len(text)-len(bytes.TrimLeft(text, "\r\n \t"))], []byte("\n"))
			parts = append(parts, part{base: startLine, line: startLine + skipped, text: text})
		}
	}
	for i := 0; i < len(data); {
		end := len(data)
		if n := bytes.IndexByte(data[i:], '\n'); n >= 0 {
			end = i + n + 1
		}
		if text := data[i:end]; bytes.HasPrefix(text, []byte("---")) && (len(bytes.TrimSpace(text)) == 3 || text[3] == ' ' || text[3] == '\t') {
			flush(i)
			start, startLine = i+3, line
			if len(bytes.TrimSpace(text)) == 3 {
				start, startLine = end, line+1
			}
		}
		i, line = end, line+1
	}
	flush(len(data))
	return parts
}

var commentLine = regexp.MustCompile(`(?m)^\s*#.*$`)

func stripComments(text []byte) []byte { return commentLine.ReplaceAll(text, nil) }

var yamlLine = regexp.MustCompile(`line (\d+): `)

// lineOffset returns how many lines below the document's first line a YAML error lies.
func lineOffset(err error) int {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		return 0
	}
	n, convErr := strconv.Atoi(m[1])
	if convErr != nil || n == 0 {
		return 0
	}
	return n - 1
}

// cleanYAML drops the library's prefix and its line, which counts from the document and not from the file.
func cleanYAML(err error) error {
	text := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	text = strings.TrimPrefix(text, "yaml: ")
	return errors.New("not valid YAML: " + yamlLine.ReplaceAllString(text, ""))
}
