// SPDX-License-Identifier: Apache-2.0

package action

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// Operation is what is done to the object of an impact.
type Operation string

// The operations, by the names that users' programs give them.
const (
	Create Operation = "create"
	Patch  Operation = "patch"
)

// Impact is one object that an action would write.
type Impact struct {
	Operation Operation
	// Object is the object as it would be. A created one may have generateName in place of a name.
	Object *unstructured.Unstructured
	// Patch and StatusPatch are JSON merge patches (RFC 7386) that lead there, apart for the object and its status
	// subresource; nil where nothing changes, and for objects that are created. Where a kind has no such subresource
	// the two are one patch.
	Patch, StatusPatch map[string]any
}

// maxImpacts is how many objects one action may write.
const maxImpacts = 50

// checked keeps an action to its own object and namespace, and adds the patches.
func checked(name string, before *unstructured.Unstructured, impacts []Impact) ([]Impact, error) {
	if len(impacts) == 0 {
		return nil, refused(name, before, "it gave nothing to write", "")
	}
	if len(impacts) > maxImpacts {
		return nil, refused(name, before, fmt.Sprintf("it wants to write %d objects, more than %d", len(impacts), maxImpacts), "")
	}
	patches := 0
	for i := range impacts {
		impact := &impacts[i]
		var err error
		switch impact.Operation {
		case Create:
			err = checkCreated(before, impact.Object)
		case Patch:
			if patches++; patches > 1 {
				err = errors.New("it patches the object more than once")
				break
			}
			err = impact.fill(before)
		default:
			err = fmt.Errorf("operation %q is neither create nor patch", impact.Operation)
		}
		if err != nil {
			return nil, fault.Wrap(fault.Mistake, "run action "+name+" on", object.KeyOf(before).String(), err, "")
		}
	}
	return impacts, nil
}

func checkCreated(source, obj *unstructured.Unstructured) error {
	gvk := obj.GroupVersionKind()
	what := "the " + gvk.Kind + " that it creates"
	if gvk.Kind == "" || gvk.Version == "" {
		return errors.New("an object that it creates lacks its apiVersion or kind")
	}
	name := obj.GetName()
	if name == "" {
		name = obj.GetGenerateName() + "x"
	}
	if obj.GetName() == "" && obj.GetGenerateName() == "" || len(validation.IsDNS1123Subdomain(name)) > 0 {
		return fmt.Errorf("%s has no valid name: %q", what, obj.GetName())
	}
	switch obj.GetNamespace() {
	case source.GetNamespace():
	case "":
		obj.SetNamespace(source.GetNamespace())
	default:
		return fmt.Errorf("%s is in namespace %q: an action creates objects in the namespace of its own object only", what, obj.GetNamespace())
	}
	return nil
}

// fill adds the patches that lead from before to the object.
func (i *Impact) fill(before *unstructured.Unstructured) error {
	after := i.Object
	was, is := object.KeyOf(before), object.KeyOf(after)
	if is.Namespace == "" && was.Namespace != "" {
		after.SetNamespace(was.Namespace)
		is.Namespace = was.Namespace
	}
	if was != is || before.GetAPIVersion() != after.GetAPIVersion() {
		return fmt.Errorf("it patches %s (%s): an action patches its own object only", is, after.GetAPIVersion())
	}
	if before.GetUID() != after.GetUID() {
		return errors.New("it changes metadata.uid: an action cannot change which object it is about")
	}
	// What the API server keeps is not for an action to write.
	for _, field := range []string{"managedFields", "resourceVersion", "generation", "creationTimestamp", "selfLink"} {
		value, found, _ := unstructured.NestedFieldNoCopy(before.Object, "metadata", field)
		if !found {
			unstructured.RemoveNestedField(after.Object, "metadata", field)
		} else if meta, ok := after.Object["metadata"].(map[string]any); ok {
			meta[field] = value
		}
	}
	patch := mergePatch(before.Object, after.Object)
	if status, ok := patch["status"]; ok {
		delete(patch, "status")
		i.StatusPatch = map[string]any{"status": status}
	}
	if len(patch) > 0 {
		i.Patch = patch
	}
	return nil
}

// mergePatch is the JSON merge patch from one object to another. A null of the other cannot be said in it and is absence.
func mergePatch(from, to map[string]any) map[string]any {
	patch := map[string]any{}
	for key, value := range to {
		was, had := from[key]
		child, isMap := value.(map[string]any)
		wasChild, wasMap := was.(map[string]any)
		switch {
		case isMap:
			if inner := mergePatch(wasChild, child); len(inner) > 0 || !wasMap {
				patch[key] = inner
			}
		case !had && value == nil:
		case !had || !same(was, value):
			patch[key] = value
		}
	}
	for key := range from {
		if _, ok := to[key]; !ok {
			patch[key] = nil
		}
	}
	return patch
}

// same reports whether two values are the same in JSON: programs make 2.0 of 2.
func same(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}
