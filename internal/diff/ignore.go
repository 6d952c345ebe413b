// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// StatusMode says for which objects status is not compared (ignoreResourceStatusField of resource.compareoptions).
type StatusMode string

// The modes. Argo CD's default, and that of an empty mode, is all.
const (
	StatusIgnoredForAll  StatusMode = "all"
	StatusIgnoredForCRDs StatusMode = "crd" // objects of kind CustomResourceDefinition only
	StatusCompared       StatusMode = "none"
)

// RuleSettings are the settings that Rules are made of. The caller has merged the levels (system, application).
type RuleSettings struct {
	// Ignore are the rules whose globs are still to be matched: group, kind, name and namespace. An empty name or
	// namespace matches any, an empty group only the core group.
	Ignore []v1alpha1.ResourceIgnoreDifferences
	// Common are such rules that hold for every application.
	Common          []v1alpha1.ResourceIgnoreDifferences
	Status          StatusMode
	AggregatedRoles bool // ignoreAggregatedRoles: rules that the cluster aggregates are not compared
	// SensitiveAnnotations are annotation keys whose values never show in Changes.
	SensitiveAnnotations []string
	JQTimeout            time.Duration // ignore.normalizer.jq.timeout; 0 means one second
	// FindPaths runs the jq expressions of Ignore; nil means in process, as those of Common always do. Callers that must
	// bound the memory of tenants' expressions hand in a function that runs them elsewhere.
	FindPaths PathFinder
}

// PathFinder returns the paths in doc that a jq path expression selects, each of strings (fields) and ints (places
// in lists). It does not change doc. limit bounds the time that the expression itself may take; what else has to be waited
// for, ctx bounds.
type PathFinder func(ctx context.Context, expression string, doc map[string]any, limit time.Duration) ([][]any, error)

// Rules says what is not compared. It is immutable; a nil *Rules has Argo CD's defaults.
type Rules struct {
	settings RuleSettings
	rules    []rule
}

type rule struct {
	v1alpha1.ResourceIgnoreDifferences
	pointers [][]string
	programs []program
}

// NewRules compiles settings. A rule that cannot be used is an error that names it: a rule dropped in silence would
// show differences, or put back fields, that a user has asked to leave alone.
func NewRules(s RuleSettings) (*Rules, error) {
	r := &Rules{settings: s}
	switch s.Status {
	case "", StatusIgnoredForAll, StatusIgnoredForCRDs, StatusCompared:
	default:
		return nil, fault.New(fault.Mistake, "use", "ignoreResourceStatusField", "resource.compareoptions",
			fmt.Sprintf("there is no mode %q", s.Status), "write all, crd or none")
	}
	for _, of := range []struct {
		field     string
		rules     []v1alpha1.ResourceIgnoreDifferences
		elsewhere bool
	}{{"resource.customizations.ignoreDifferences in argocd-cm", s.Common, false}, {"spec.ignoreDifferences", s.Ignore, s.FindPaths != nil}} {
		for i, given := range of.rules {
			compiled, err := compileRule(given, of.elsewhere)
			if err != nil {
				return nil, &fault.Error{Kind: fault.Mistake, Op: "use", Thing: "the ignore rule for " + given.Kind,
					Where: fmt.Sprintf("%s[%d]", of.field, i), Err: err, Fix: "correct the rule or remove it"}
			}
			r.rules = append(r.rules, compiled)
		}
	}
	return r, nil
}

// CheckRule says what is wrong with a rule; nil if it can be used.
func CheckRule(given v1alpha1.ResourceIgnoreDifferences) error {
	_, err := compileRule(given, false)
	return err
}

func compileRule(given v1alpha1.ResourceIgnoreDifferences, elsewhere bool) (rule, error) {
	out := rule{ResourceIgnoreDifferences: given}
	for _, pattern := range []string{given.Group, given.Kind, given.Name, given.Namespace} {
		if _, err := object.CompileGlob(pattern); err != nil {
			return rule{}, fmt.Errorf("%q is not a pattern: %w", pattern, err)
		}
	}
	for _, p := range given.JSONPointers {
		tokens, err := parsePointer(p)
		if err != nil {
			return rule{}, err
		}
		out.pointers = append(out.pointers, tokens)
	}
	for _, expression := range given.JQPathExpressions {
		p, err := compileJQ(expression, elsewhere)
		if err != nil {
			return rule{}, err
		}
		out.programs = append(out.programs, p)
	}
	return out, nil
}

// parsePointer reads a JSON pointer (RFC 6901).
func parsePointer(p string) ([]string, error) {
	if !strings.HasPrefix(p, "/") {
		return nil, fmt.Errorf("JSON pointer %q does not begin with /", p)
	}
	tokens := strings.Split(p[1:], "/")
	for i, t := range tokens {
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(t, "~1", "/"), "~0", "~")
	}
	return tokens, nil
}

func (r rule) matches(u *unstructured.Unstructured) bool {
	gvk := u.GroupVersionKind()
	return matches(r.Group, gvk.Group) && matches(r.Kind, gvk.Kind) &&
		(r.Name == "" || matches(r.Name, u.GetName())) &&
		(r.Namespace == "" || matches(r.Namespace, u.GetNamespace()))
}

// ignoresStatus reports whether status is not compared for a kind.
func (r *Rules) ignoresStatus(gk schema.GroupKind) bool {
	if r == nil {
		return true
	}
	switch r.settings.Status {
	case StatusCompared:
		return false
	case StatusIgnoredForCRDs:
		return gk == schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
	default:
		return true
	}
}

func (r *Rules) sensitive(annotation string) bool {
	return r != nil && slices.Contains(r.settings.SensitiveAnnotations, annotation)
}

var clusterRoleKind = schema.GroupKind{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}

// ignored finds the fields of an object's content that rules ignore. id is the object whose identity the rules are
// matched with, doc the content to look in (desired, live, or an answer). Fields that are not there are not found.
func (r *Rules) ignored(id *unstructured.Unstructured, doc map[string]any, s *Schema) (*fieldpath.Set, error) {
	set := fieldpath.NewSet()
	if r == nil {
		return set, nil
	}
	add := func(path []any) {
		if p, ok := locate(doc, path, s); ok {
			set.Insert(p)
		}
	}
	if r.settings.AggregatedRoles && id.GroupVersionKind().GroupKind() == clusterRoleKind && doc["aggregationRule"] != nil {
		add([]any{"rules"})
	}
	for _, rule := range r.rules {
		if !rule.matches(id) {
			continue
		}
		for _, p := range rule.pointers {
			path := make([]any, len(p))
			for i, token := range p {
				path[i] = token
			}
			add(path)
		}
		for _, p := range rule.programs {
			paths, err := r.find(p, doc)
			if err != nil {
				return nil, err
			}
			for _, path := range paths {
				add(path)
			}
		}
	}
	return set, nil
}

// ignoredManagers returns the fields that ignored managers own on the live object.
func (r *Rules) ignoredManagers(id *unstructured.Unstructured, entries []entry) (*fieldpath.Set, error) {
	set := fieldpath.NewSet()
	if r == nil {
		return set, nil
	}
	for _, rule := range r.rules {
		if len(rule.ManagedFieldsManagers) == 0 || !rule.matches(id) {
			continue
		}
		for _, e := range entries {
			if !slices.Contains(rule.ManagedFieldsManagers, e.manager) {
				continue
			}
			fields, err := e.set()
			if err != nil {
				return nil, err
			}
			set = set.Union(fields.Leaves())
		}
	}
	return set, nil
}

// locate turns a path of field names and list places into a field path: elements of keyed lists and sets by their
// identity, others by their place. ok is false if doc has nothing there.
func locate(doc map[string]any, path []any, s *Schema) (fieldpath.Path, bool) {
	var out fieldpath.Path
	var at any = doc
	shapes := s.top
	var here shape
	for _, step := range path {
		switch v := at.(type) {
		case map[string]any:
			name, ok := step.(string)
			if !ok || !has(v, name) {
				return nil, false
			}
			at, here = v[name], shapes(name)
			out = append(out, fieldpath.FieldNameElement(name))
		case []any:
			i, ok := placeOf(step, len(v))
			if !ok {
				return nil, false
			}
			out = append(out, elementAt(v, i, here))
			at, here = v[i], here.item()
		default:
			return nil, false
		}
		shapes = here.field
	}
	return out, len(out) > 0
}

func elementAt(list []any, i int, s shape) fieldpath.PathElement {
	kind, keys := s.list()
	if items, ok := index(list, kind, keys, s); ok {
		return items.elem(i)
	}
	return fieldpath.IndexElement(i)
}

// placeOf reads a place in a list of n elements; negative places count from the end.
func placeOf(step any, n int) (int, bool) {
	var i int
	switch step := step.(type) {
	case int:
		i = step
	case string:
		parsed, err := strconv.Atoi(step)
		if err != nil {
			return 0, false
		}
		i = parsed
	default:
		return 0, false
	}
	if i < 0 {
		i += n
	}
	return i, i >= 0 && i < n
}
