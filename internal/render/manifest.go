// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// parsed is what one file gives.
type parsed struct {
	manifests []object.Manifest
	warnings  []string
}

// manifestLike matches the three keys that make a YAML file a manifest even if it does not parse.
var manifestLike = [...]*regexp.Regexp{
	regexp.MustCompile(`apiVersion["']?\s*:`), regexp.MustCompile(`kind["']?\s*:`), regexp.MustCompile(`metadata["']?\s*:`),
}

func looksLikeManifest(data []byte) bool {
	for _, re := range manifestLike {
		if !re.Match(data) {
			return false
		}
	}
	return true
}

// parseYAML reads the manifests of a file. A file without any is left out silently: values files, CI settings and the
// like live beside manifests. Beside a manifest every document has to be one: a mistyped key must not make an object
// disappear, and so be pruned.
func parseYAML(file string, data []byte) (parsed, error) {
	docs, err := object.ParseYAML(file, data)
	if err != nil {
		if !looksLikeManifest(data) {
			return parsed{}, nil
		}
		return parsed{}, mistakeIn(err)
	}
	var out parsed
	var stranger *object.Document
	for i, doc := range docs {
		if !isManifest(doc.Data) {
			stranger = &docs[i]
			continue
		}
		origin := object.Origin{File: file, Line: doc.Line}
		expanded, err := expand(doc.Data, origin)
		if err != nil {
			return parsed{}, err
		}
		out.manifests = append(out.manifests, expanded...)
		out.warnings = append(out.warnings, repeated(file, doc)...)
	}
	if stranger != nil && len(out.manifests) > 0 {
		return parsed{}, badObject(object.Origin{File: file, Line: stranger.Line},
			"this document is no Kubernetes object, unlike others in the file: apiVersion, kind and metadata are missing")
	}
	return out, nil
}

func repeated(file string, doc object.Document) []string {
	var warnings []string
	for _, r := range doc.Repeated {
		warnings = append(warnings, fmt.Sprintf("%s: key %q stands in the same mapping twice: the last one counts; remove one",
			object.Origin{File: file, Line: r.Line}, r.Key))
	}
	return warnings
}

// parseJSON reads a .json file, which holds exactly one object.
func parseJSON(file string, data []byte) (parsed, error) {
	doc, err := object.ParseJSON(file, data)
	if err != nil {
		return parsed{}, mistakeIn(err)
	}
	if !isManifest(doc.Data) {
		return parsed{}, fault.New(fault.Mistake, "render", "file", file, "a .json file must hold one Kubernetes object",
			"give it apiVersion, kind and metadata, or leave it out with directory.exclude")
	}
	manifests, err := expand(doc.Data, object.Origin{File: file, Line: doc.Line})
	return parsed{manifests: manifests}, err
}

// parseEvaluated reads what a Jsonnet file evaluates to: an object, or an array of objects. As in Argo CD, null is none.
func parseEvaluated(file string, data []byte) (parsed, error) {
	var elements []json.RawMessage
	if json.Unmarshal(data, &elements) != nil {
		elements = []json.RawMessage{data}
	}
	var out parsed
	for _, element := range elements {
		if string(bytes.TrimSpace(element)) == "null" {
			continue
		}
		read, err := parseJSON(file, element)
		if err != nil {
			return parsed{}, err
		}
		out.manifests = append(out.manifests, read.manifests...)
	}
	return out, nil
}

// Documents reads the YAML that a tool gave: every document is an object or empty. file names it for errors and origins,
// index is the source's. Limits on objects and text are the caller's.
func Documents(file string, data []byte, index int) ([]object.Manifest, []string, error) {
	docs, err := object.ParseYAML(file, data)
	if err != nil {
		return nil, nil, mistakeIn(err)
	}
	var manifests []object.Manifest
	var warnings []string
	for _, doc := range docs {
		origin := object.Origin{File: file, Line: doc.Line, Source: index}
		if doc.Data == nil {
			return nil, nil, badObject(origin, "this document is no Kubernetes object: it is a list or a text")
		}
		if len(doc.Data) == 0 {
			continue
		}
		expanded, err := expand(doc.Data, origin)
		if err != nil {
			return nil, nil, err
		}
		manifests = append(manifests, expanded...)
		warnings = append(warnings, repeated(file, doc)...)
	}
	return manifests, warnings, nil
}

// Manifest makes a manifest of an object that a tool gave, checked like one that was read.
func Manifest(doc map[string]any, origin object.Origin) ([]object.Manifest, error) {
	return expand(doc, origin)
}

func mistakeIn(err error) error {
	var parse *object.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	return &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "the manifest",
		Where: object.Origin{File: parse.File, Line: parse.Line}.String(), Err: parse.Err, Fix: "correct the file and push"}
}

// isManifest reports whether a document is meant as a Kubernetes object: it has two of the three keys that make one.
// That it lacks the third is a mistake, not a reason to leave it out.
func isManifest(doc map[string]any) bool {
	n := 0
	for _, key := range []string{"apiVersion", "kind", "metadata"} {
		if _, ok := doc[key]; ok {
			n++
		}
	}
	return n >= 2
}

// isList reports whether a document is a List, and returns its members. Items that are null are none, as long as the
// document has nothing that a List has not.
func isList(doc map[string]any) (items []any, ok bool) {
	kind, _ := doc["kind"].(string)
	value, present := doc["items"]
	if !present || !strings.HasSuffix(kind, "List") {
		return nil, false
	}
	if value == nil {
		return nil, doc["spec"] == nil && doc["status"] == nil
	}
	items, ok = value.([]any)
	return items, ok
}

// expand checks a document and turns a List into its members.
func expand(doc map[string]any, origin object.Origin) ([]object.Manifest, error) {
	items, ok := isList(doc)
	if !ok {
		if err := check(doc, origin); err != nil {
			return nil, err
		}
		return []object.Manifest{{Object: sanitize(doc), Origin: origin}}, nil
	}
	var out []object.Manifest
	for i, item := range items {
		member, ok := item.(map[string]any)
		if !ok {
			return nil, badObject(origin, fmt.Sprintf("items[%d] is not an object", i))
		}
		expanded, err := expand(member, origin)
		if err != nil {
			return nil, err
		}
		out = append(out, expanded...)
	}
	return out, nil
}

// sanitize drops what a commit says of an Application's state or running operation: it is not true of this cluster.
func sanitize(doc map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: doc}
	if u.GroupVersionKind().Group == v1alpha1.Group && u.GetKind() == "Application" {
		delete(doc, "status")
		delete(doc, "operation")
	}
	return u
}
