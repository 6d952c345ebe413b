// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/bowline-cd/bowline/internal/object"
)

// Manager is the field manager that objects from sources are applied by. It is Argo CD's, so that objects keep
// their owner on the way in and on the way out.
const Manager = "argocd-controller"

// DefaultAdopt names the field managers whose entries are folded into ours before the first apply; globs are
// allowed. They are the programs that declare whole objects: what they declared lapses when the declaration
// does. Programs that change a field by hand (kubectl-edit, kubectl-label, kubectl-patch …) declare nothing, and an
// object of `kubectl create` was made once by hand: their fields stay until somebody takes them away.
var DefaultAdopt = []string{
	Manager,
	"argocd-application-controller", // Argo CD before it named its manager
	"kubectl-client-side-apply",
	"kubectl", // kubectl apply before 1.18
	"helm",
	"helm-controller",      // Flux
	"kustomize-controller", // Flux
	"terraform-provider-helm*",
}

// entry is one entry of managedFields.
type entry struct {
	manager, operation, version, subresource, time string

	fields map[string]any
}

func (e entry) set() (*fieldpath.Set, error) {
	set, err := parseFields(e.fields)
	if err != nil {
		return nil, fmt.Errorf("managedFields of manager %q: %w", e.manager, err)
	}
	return set, nil
}

// entriesOf reads metadata.managedFields without the detour through typed structs. Entries that do not have the
// form of one are an error: what they own would be taken for nobody's.
func entriesOf(u *unstructured.Unstructured) ([]entry, error) {
	metadata, _ := u.Object["metadata"].(map[string]any)
	raw, present := metadata["managedFields"]
	if !present || raw == nil {
		return nil, nil
	}
	list, ok := raw.([]any)
	if !ok {
		return nil, errors.New("managedFields is not a list")
	}
	entries := make([]entry, 0, len(list))
	for i, item := range list {
		m, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("managedFields[%d] is not an object", i)
		}
		e := entry{}
		e.manager, _ = m["manager"].(string)
		e.operation, _ = m["operation"].(string)
		e.version, _ = m["apiVersion"].(string)
		e.subresource, _ = m["subresource"].(string)
		e.time, _ = m["time"].(string)
		switch fields := m["fieldsV1"].(type) {
		case map[string]any:
			e.fields = fields
		case nil:
		default:
			return nil, fmt.Errorf("managedFields[%d].fieldsV1 is not an object", i)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// maxFieldDepth bounds the nesting of a field set; the API server's own objects stay far below it.
const maxFieldDepth = 200

// parseFields reads a FieldsV1 tree (https://kubernetes.io/docs/reference/using-api/server-side-apply/) as decoded
// from JSON into a field set. Nothing to read gives an empty set.
func parseFields(fields map[string]any) (*fieldpath.Set, error) {
	set := fieldpath.NewSet()
	return set, parseInto(set, fields, 0)
}

func parseInto(set *fieldpath.Set, fields map[string]any, depth int) error {
	if depth > maxFieldDepth {
		return fmt.Errorf("nested more than %d deep", maxFieldDepth)
	}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)                       // the set keeps its elements sorted: mostly appended to this way
	fieldNames := make([]string, len(names)) // that elements point to
	for i, name := range names {
		if name == "." {
			continue // the parent's own membership, seen from the parent
		}
		elem, err := elementOf(name, &fieldNames[i])
		if errors.Is(err, fieldpath.ErrUnknownPathElementType) {
			continue // of a later API server; structured-merge-diff skips these as well
		}
		if err != nil {
			return fmt.Errorf("field %q: %w", name, err)
		}
		below, ok := fields[name].(map[string]any)
		if !ok {
			return fmt.Errorf("field %q is not an object", name)
		}
		if len(below) == 0 {
			set.Members.Insert(elem)
			continue
		}
		child := fieldpath.NewSet()
		if err := parseInto(child, below, depth+1); err != nil {
			return err
		}
		if has(below, ".") || child.Empty() {
			set.Members.Insert(elem)
		}
		if !child.Empty() {
			*set.Children.Descend(elem) = *child
		}
	}
	return nil
}

// elementOf reads an element's name; that of a field is kept where field points to.
func elementOf(name string, field *string) (fieldpath.PathElement, error) {
	if text, ok := strings.CutPrefix(name, "f:"); ok {
		*field = text
		return fieldpath.PathElement{FieldName: field}, nil
	}
	return fieldpath.DeserializePathElement(name)
}

// ownership is who owns what of a live object, as far as the comparison asks.
type ownership struct {
	entries []entry
	// applied is our own Apply entry; pending are the entries to adopt, main resource only: what is written through
	// a subresource (scale, status) is not part of a declaration.
	applied []entry
	pending []entry
	others  []entry
	// otherVersion is set if one of ours is written in another version than the object was read in: its fields
	// are named as that version names them, and may have other names here.
	otherVersion bool
}

func ownershipOf(live *unstructured.Unstructured, manager string, adopt []string) (ownership, error) {
	var o ownership
	var err error
	if o.entries, err = entriesOf(live); err != nil {
		return ownership{}, err
	}
	version := live.GetAPIVersion()
	first := !slices.ContainsFunc(o.entries, func(e entry) bool { return e.appliedBy(manager) })
	for _, e := range o.entries {
		switch {
		case e.appliedBy(manager):
			o.applied = append(o.applied, e)
		case e.toAdopt(adopt, first):
			o.pending = append(o.pending, e)
		default:
			o.others = append(o.others, e)
			continue
		}
		o.otherVersion = o.otherVersion || e.version != "" && e.version != version
	}
	return o, nil
}

// appliedBy reports whether an entry is the Apply entry of a manager.
func (e entry) appliedBy(manager string) bool {
	return e.subresource == "" && e.operation == "Apply" && e.manager == manager
}

// toAdopt reports whether an entry is one to adopt. Who applied the object from the server (Helm 4, kubectl apply
// --server-side) before we did is an earlier writer; who does so beside us is a co-owner, and keeps what it owns.
func (e entry) toAdopt(adopt []string, first bool) bool {
	return e.subresource == "" && (e.operation == "Update" || first && e.operation == "Apply") && isAdopted(e.manager, adopt)
}

// isAdopted reports whether a manager is one of those to adopt.
func isAdopted(manager string, adopt []string) bool {
	return slices.ContainsFunc(adopt, func(pattern string) bool { return pattern == manager || matches(pattern, manager) })
}

var globs sync.Map // pattern -> object.Glob; patterns come from settings, so they are few

// matches reports whether a glob matches all of s. A pattern that is none matches nothing; NewRules refuses those.
func matches(pattern, s string) bool {
	if !strings.ContainsAny(pattern, `*?[{\`) {
		return pattern == s
	}
	g, ok := globs.Load(pattern)
	if !ok {
		compiled, err := object.CompileGlob(pattern)
		if err != nil {
			return false
		}
		g, _ = globs.LoadOrStore(pattern, compiled)
	}
	return g.(object.Glob).Match(s)
}

// union returns the fields of all entries.
func union(entries []entry) (*fieldpath.Set, error) {
	sum := fieldpath.NewSet()
	for i, e := range entries {
		set, err := e.set()
		if err != nil {
			return nil, err
		}
		if i == 0 {
			sum = set
			continue
		}
		sum = sum.Union(set)
	}
	return sum, nil
}

// Owner is who wrote fields of an object, as an entry of its managedFields says.
type Owner struct {
	Manager     string
	Operation   string // Apply or Update
	Subresource string
	Time        string // RFC 3339; "" if the entry does not say
}

// Owners returns those who wrote fields of an object, in the order of managedFields. Entries that are none are left out.
func Owners(u *unstructured.Unstructured) []Owner {
	entries, _ := entriesOf(u)
	out := make([]Owner, 0, len(entries))
	for _, e := range entries {
		out = append(out, e.owner())
	}
	return out
}

func (e entry) owner() Owner {
	return Owner{Manager: e.manager, Operation: e.operation, Subresource: e.subresource, Time: e.time}
}

// owners are the entries that own the field at path or something below it, in the order of managedFields.
func (o ownership) owners(path fieldpath.Path) []Owner {
	var out []Owner
	for _, e := range o.entries {
		set, err := e.set()
		if err != nil {
			continue // reported where the sets are read for the comparison
		}
		if covers(set, path) {
			out = append(out, e.owner())
		}
	}
	return out
}

// covers reports whether set has the place at path or something below it.
func covers(set *fieldpath.Set, path fieldpath.Path) bool {
	for i, elem := range path {
		if i == len(path)-1 && set.Members.Has(elem) {
			return true
		}
		below, ok := set.Children.Get(elem)
		if !ok {
			return false
		}
		set = below
	}
	return len(path) > 0
}
