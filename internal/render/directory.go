// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/gobwas/glob"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/tree"
)

// skipMarker keeps the file it stands in out of the manifests (Argo CD's comment).
const skipMarker = "# " + v1alpha1.SkipFileRenderingMarker

// maxErrors bounds how many broken files one error names.
const maxErrors = 10

// walker renders one Directory source.
type walker struct {
	in      Input
	base    string // folder of the source, as a tree path
	recurse bool
	include glob.Glob // nil: everything
	exclude glob.Glob // nil: nothing
	anyFile bool      // disableExtensionFilter
	left    int64     // bytes left of the limit
	out     []object.Manifest
	errs    []error
	hidden  int // errors past maxErrors
}

func directory(ctx context.Context, in Input) ([]object.Manifest, error) {
	w, err := newWalker(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := w.walk(ctx, w.base); err != nil {
		return nil, err
	}
	if w.hidden > 0 {
		w.errs = append(w.errs, fmt.Errorf("and %d more broken files", w.hidden))
	}
	if len(w.errs) > 0 {
		return nil, errors.Join(w.errs...)
	}
	return w.out, nil
}

func newWalker(ctx context.Context, in Input) (*walker, error) {
	base, err := folder(ctx, in.Tree, in.Source.Path)
	if err != nil {
		return nil, err
	}
	w := &walker{in: in, base: base, left: in.Limits.TotalBytes}
	if w.left == 0 {
		w.left = DefaultTotalBytes
	}
	dir := in.Source.Directory
	if dir == nil {
		return w, nil
	}
	if len(dir.Jsonnet.ExtVars)+len(dir.Jsonnet.TLAs)+len(dir.Jsonnet.Libs) > 0 {
		return nil, jsonnetUnsupported("spec.source.directory.jsonnet")
	}
	w.recurse, w.anyFile = dir.Recurse, dir.DisableExtensionFilter
	if w.include, err = compileGlob("include", dir.Include); err != nil {
		return nil, err
	}
	w.exclude, err = compileGlob("exclude", dir.Exclude)
	return w, err
}

func compileGlob(field, pattern string) (glob.Glob, error) {
	if pattern == "" {
		return nil, nil
	}
	g, err := glob.Compile(pattern)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Mistake, Op: "render", Thing: "the source", Where: "spec.source.directory." + field,
			Err: fmt.Errorf("%q is not a glob pattern: %w", pattern, err), Fix: "write it like *.yaml or {a,b}/*"}
	}
	return g, nil
}

func jsonnetUnsupported(where string) error {
	return fault.New(fault.Wait, "render", "the source", where,
		"it needs Jsonnet, which this version of Bowline does not render yet", "exclude the file with spec.source.directory.exclude")
}

// walk reads a folder's files in order of their names, then its folders, as a sorted walk of paths would. Links to
// folders are not followed: a walk through them could go round in circles, and Argo CD does not either.
func (w *walker) walk(ctx context.Context, dir string) error {
	entries, err := w.in.Tree.List(ctx, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		p := tree.Join(dir, e.Name)
		switch {
		case e.Mode == tree.Dir && w.recurse:
			err = w.walk(ctx, p)
		case e.Mode == tree.Dir || e.Mode == tree.Submodule || !w.wanted(p):
			continue
		default:
			err = w.file(ctx, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var extensions = []string{".yaml", ".yml", ".json", ".jsonnet"}

func (w *walker) wanted(p string) bool {
	if !w.anyFile && !slices.Contains(extensions, path.Ext(p)) {
		return false
	}
	rel := strings.TrimPrefix(strings.TrimPrefix(p, w.base), "/")
	if w.exclude != nil && w.exclude.Match(rel) {
		return false
	}
	return w.include == nil || w.include.Match(rel)
}

// file reads one file. What is wrong with its content is collected, so that a user sees every broken file at once;
// what keeps it from being read ends the walk.
func (w *walker) file(ctx context.Context, p string) error {
	data, err := w.read(ctx, p)
	if err != nil || data == nil {
		return err
	}
	if bytes.Contains(data, []byte(skipMarker)) {
		return nil
	}
	var manifests []object.Manifest
	switch path.Ext(p) {
	case ".jsonnet":
		err = jsonnetUnsupported(p)
	case ".json":
		manifests, err = parseJSON(p, data)
	default:
		manifests, err = parseYAML(p, data)
	}
	if err != nil {
		w.note(err)
		return nil
	}
	for _, m := range manifests {
		m.Origin.Source = w.in.Index
		w.out = append(w.out, m)
	}
	return nil
}

func (w *walker) read(ctx context.Context, p string) ([]byte, error) {
	at, entry, err := tree.Resolve(ctx, w.in.Tree, p)
	var escape *tree.EscapeError
	switch {
	case errors.As(err, &escape):
		w.note(fault.Wrap(fault.Mistake, "render", "file "+p, err, "keep links inside the repository"))
		return nil, nil
	case errors.Is(err, tree.ErrAbsent):
		w.note(fault.New(fault.Mistake, "render", "file "+p, "", "it is a link to nothing", "mend or remove the link"))
		return nil, nil
	case err != nil:
		return nil, err
	case entry.Mode == tree.Dir || entry.Mode == tree.Submodule:
		return nil, nil
	}
	data, err := w.in.Tree.Read(ctx, at, w.left)
	if errors.Is(err, tree.ErrTooLarge) {
		return nil, fault.New(fault.Mistake, "render", "path "+quotePath(w.in.Source.Path), p,
			fmt.Sprintf("its manifests are larger than %d bytes together", w.limit()),
			"leave files that are no manifests out with spec.source.directory.exclude, or split the application")
	}
	w.left -= int64(len(data))
	return data, err
}

func (w *walker) limit() int64 {
	if w.in.Limits.TotalBytes > 0 {
		return w.in.Limits.TotalBytes
	}
	return DefaultTotalBytes
}

func (w *walker) note(err error) {
	if len(w.errs) >= maxErrors {
		w.hidden++
		return
	}
	w.errs = append(w.errs, err)
}

// manifestLike matches the three keys that make a YAML file a manifest even if it does not parse.
var manifestLike = [...]*regexp.Regexp{
	regexp.MustCompile(`(?m)^\s*"?apiVersion"?\s*:`), regexp.MustCompile(`(?m)^\s*"?kind"?\s*:`), regexp.MustCompile(`(?m)^\s*"?metadata"?\s*:`),
}

func looksLikeManifest(data []byte) bool {
	for _, re := range manifestLike {
		if !re.Match(data) {
			return false
		}
	}
	return true
}

func parseYAML(file string, data []byte) ([]object.Manifest, error) {
	docs, err := object.ParseYAML(file, data)
	if err != nil {
		if !looksLikeManifest(data) {
			return nil, nil
		}
		return nil, mistakeIn(err)
	}
	var out []object.Manifest
	for _, doc := range docs {
		if !isManifest(doc.Data) {
			continue
		}
		expanded, err := expand(doc.Data, object.Origin{File: file, Line: doc.Line})
		if err != nil {
			return nil, err
		}
		out = append(out, expanded...)
	}
	return out, nil
}

// parseJSON reads a .json file, which holds exactly one object.
func parseJSON(file string, data []byte) ([]object.Manifest, error) {
	if !json.Valid(data) {
		var v any
		err := json.Unmarshal(data, &v)
		return nil, mistakeIn(&object.ParseError{File: file, Line: jsonLine(data, err), Err: fmt.Errorf("not valid JSON: %w", err)})
	}
	docs, err := object.ParseYAML(file, data)
	if err != nil {
		return nil, mistakeIn(err)
	}
	if len(docs) != 1 || !isManifest(docs[0].Data) {
		return nil, fault.New(fault.Mistake, "render", "file", file, "a .json file must hold one Kubernetes object",
			"give it apiVersion, kind and metadata, or leave it out with spec.source.directory.exclude")
	}
	return expand(docs[0].Data, object.Origin{File: file, Line: 1})
}

func jsonLine(data []byte, err error) int {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) || syntax.Offset > int64(len(data)) {
		return 0
	}
	return 1 + bytes.Count(data[:syntax.Offset], []byte("\n"))
}

func mistakeIn(err error) error {
	var parse *object.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	return &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "the manifest",
		Where: object.Origin{File: parse.File, Line: parse.Line}.String(), Err: parse.Err, Fix: "correct the file and push"}
}

// isManifest reports whether a document is meant as a Kubernetes object. Others are left out silently: values
// files, CI settings and the like live beside manifests.
func isManifest(doc map[string]any) bool {
	_, hasVersion := doc["apiVersion"]
	_, hasKind := doc["kind"]
	_, hasMeta := doc["metadata"]
	return hasVersion && hasKind && (hasMeta || isList(doc))
}

func isList(doc map[string]any) bool {
	kind, _ := doc["kind"].(string)
	_, hasItems := doc["items"].([]any)
	return strings.HasSuffix(kind, "List") && hasItems
}

// expand checks a document and turns a List into its members.
func expand(doc map[string]any, origin object.Origin) ([]object.Manifest, error) {
	if isList(doc) {
		var out []object.Manifest
		for i, item := range doc["items"].([]any) {
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
	if err := check(doc, origin); err != nil {
		return nil, err
	}
	u := &unstructured.Unstructured{Object: doc}
	if u.GroupVersionKind().Group == v1alpha1.Group && u.GetKind() == "Application" {
		// What a commit says of an Application's state or running operation is not true of this cluster.
		unstructured.RemoveNestedField(doc, "status")
		unstructured.RemoveNestedField(doc, "operation")
	}
	return []object.Manifest{{Object: u, Origin: origin}}, nil
}

func check(doc map[string]any, origin object.Origin) error {
	for _, field := range []string{"apiVersion", "kind"} {
		if s, ok := doc[field].(string); !ok || s == "" {
			return badObject(origin, field+" is missing or not a string")
		}
	}
	meta, ok := doc["metadata"].(map[string]any)
	if !ok {
		return badObject(origin, "metadata is missing or not a mapping")
	}
	name, _ := meta["name"].(string)
	generate, _ := meta["generateName"].(string)
	if name == "" && generate == "" {
		return badObject(origin, fmt.Sprintf("metadata.name of this %v is missing or not a string", doc["kind"]))
	}
	for _, field := range []string{"labels", "annotations"} {
		if err := checkStringMap(meta, field, origin); err != nil {
			return err
		}
	}
	return nil
}

func checkStringMap(meta map[string]any, field string, origin object.Origin) error {
	value, ok := meta[field]
	if !ok || value == nil {
		return nil
	}
	m, ok := value.(map[string]any)
	if !ok {
		return badObject(origin, "metadata."+field+" is not a mapping")
	}
	for k, v := range m {
		if _, ok := v.(string); !ok && v != nil {
			return badObject(origin, fmt.Sprintf("metadata.%s[%q] is %v, which is not a string: put it in quotes", field, k, v))
		}
	}
	return nil
}

func badObject(origin object.Origin, cause string) error {
	return fault.New(fault.Mistake, "read", "the manifest", origin.String(), cause, "correct the file and push")
}
