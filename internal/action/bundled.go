// SPDX-License-Identifier: Apache-2.0

package action

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// rule is a bundled action.
type rule struct {
	Action
	// unless reports that the action is of no use to the object as it is now; nil never does.
	unless func(obj *unstructured.Unstructured) bool
	// defaults are values of parameters that the object has now.
	defaults map[string]func(obj *unstructured.Unstructured) string
	// Exactly one of the two: change changes the input's object, create makes another.
	change func(in input) error
	create func(in input) (*unstructured.Unstructured, error)
}

// bundled are the bundled actions of each kind.
var bundled = func() map[schema.GroupKind][]rule {
	out := map[schema.GroupKind][]rule{}
	for _, table := range []map[schema.GroupKind][]rule{workloads(), argo(), flux(), operators(), numa()} {
		maps.Copy(out, table)
	}
	return out
}()

func (r rule) offer(obj *unstructured.Unstructured) offer {
	a := r.Action
	a.Disabled = r.unless != nil && r.unless(obj)
	a.Params = append([]Param(nil), a.Params...)
	for i, p := range a.Params {
		if of := r.defaults[p.Name]; of != nil {
			a.Params[i].Default = of(obj)
		}
	}
	return offer{a, r.run}
}

func (r rule) run(in input) ([]Impact, error) {
	if r.create != nil {
		obj, err := r.create(in)
		return []Impact{{Operation: Create, Object: obj}}, err
	}
	if err := r.change(in); err != nil {
		return nil, err
	}
	return []Impact{{Operation: Patch, Object: in.obj}}, nil
}

func kind(group, kind string) schema.GroupKind { return schema.GroupKind{Group: group, Kind: kind} }

// named makes an action's description. The icon is one of Font Awesome's free set.
func named(name, display, icon string) Action {
	return Action{Name: name, DisplayName: display, IconClass: "fa fa-fw fa-" + icon}
}

// steps are changes, one after the other.
func steps(changes ...func(in input) error) func(in input) error {
	return func(in input) error {
		for _, change := range changes {
			if err := change(in); err != nil {
				return err
			}
		}
		return nil
	}
}

// set sets a field.
func set(value any, path ...string) func(in input) error {
	return func(in input) error { return unstructured.SetNestedField(in.obj.Object, value, path...) }
}

// remove removes a field.
func remove(path ...string) func(in input) error {
	return func(in input) error {
		unstructured.RemoveNestedField(in.obj.Object, path...)
		return nil
	}
}

// stamp sets a field to the time of the action.
func stamp(layout string, path ...string) func(in input) error {
	return func(in input) error {
		return unstructured.SetNestedField(in.obj.Object, in.now.UTC().Format(layout), path...)
	}
}

// mark sets an annotation.
func mark(name, value string) func(in input) error {
	return set(value, "metadata", "annotations", name)
}

// unmark removes an annotation.
func unmark(name string) func(in input) error { return remove("metadata", "annotations", name) }

// isTrue reports whether a field is the value true.
func isTrue(path ...string) func(obj *unstructured.Unstructured) bool {
	return func(obj *unstructured.Unstructured) bool {
		value, _, _ := unstructured.NestedBool(obj.Object, path...)
		return value
	}
}

// is reports whether a field is one of these texts.
func is(path []string, values ...string) func(obj *unstructured.Unstructured) bool {
	return func(obj *unstructured.Unstructured) bool {
		text := textAt(obj, path...)
		for _, value := range values {
			if text == value {
				return true
			}
		}
		return false
	}
}

func marked(name, value string) func(obj *unstructured.Unstructured) bool {
	return func(obj *unstructured.Unstructured) bool { return obj.GetAnnotations()[name] == value }
}

func not(f func(obj *unstructured.Unstructured) bool) func(obj *unstructured.Unstructured) bool {
	return func(obj *unstructured.Unstructured) bool { return !f(obj) }
}

func either(list ...func(obj *unstructured.Unstructured) bool) func(obj *unstructured.Unstructured) bool {
	return func(obj *unstructured.Unstructured) bool {
		for _, f := range list {
			if f(obj) {
				return true
			}
		}
		return false
	}
}

func textAt(obj *unstructured.Unstructured, path ...string) string {
	text, _, _ := unstructured.NestedString(obj.Object, path...)
	return text
}

// wholeAt is the number of a field as text, fallback if there is none.
func wholeAt(fallback string, path ...string) func(obj *unstructured.Unstructured) string {
	return func(obj *unstructured.Unstructured) string {
		if n, ok, _ := unstructured.NestedInt64(obj.Object, path...); ok {
			return strconv.FormatInt(n, 10)
		}
		return fallback
	}
}

// replicas reads the parameter of that name.
func (in input) replicas() (int64, error) {
	text := in.params["replicas"]
	if text == "" {
		return 0, errors.New("the parameter replicas is missing; give it as replicas=3")
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("the parameter replicas is %q, which is no number of replicas", text)
	}
	return n, nil
}

// child returns the beginnings of an object that the input's object owns, with a name of its own for each second. A
// name of more than 63 characters could not be a label, which controllers make of it.
func (in input) child(apiVersion, kindName string, controller bool) *unstructured.Unstructured {
	const stampLayout = "20060102150405"
	name := in.obj.GetName()
	name = name[:min(len(name), 63-1-len(stampLayout))] + "-" + in.now.UTC().Format(stampLayout)
	owner := map[string]any{
		"apiVersion": in.obj.GetAPIVersion(), "kind": in.obj.GetKind(), "name": in.obj.GetName(), "uid": string(in.obj.GetUID()),
	}
	if controller {
		owner["controller"], owner["blockOwnerDeletion"] = true, true
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": apiVersion, "kind": kindName,
		"metadata": map[string]any{"name": name, "namespace": in.obj.GetNamespace(), "ownerReferences": []any{owner}},
	}}
}

// texts copies the map of texts at a path of the input's object into the metadata of another.
func (in input) texts(into *unstructured.Unstructured, field string, extra map[string]string, path ...string) error {
	all, _, err := unstructured.NestedStringMap(in.obj.Object, path...)
	if err != nil {
		return err
	}
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, extra)
	if len(all) == 0 {
		return nil
	}
	return unstructured.SetNestedStringMap(into.Object, all, "metadata", field)
}

const rfc3339 = time.RFC3339
