// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"

	"github.com/bowline-cd/bowline/internal/fault"
)

// adoptAttempts is how often Adopt reads again after a conflict.
const adoptAttempts = 5

// Adopt makes the fields that the given managers own by Update ours: their managedFields entries are folded into the Apply
// entry of the manager into, so that a field which is no longer desired goes away with the next apply instead of
// staying with an owner that never writes again. live is the object it was decided on; if it has changed, the newer one
// is folded. It returns the object as it is after, and whether anything had to be done. Errors are *Error.
func (c *Cluster) Adopt(ctx context.Context, live *unstructured.Unstructured, into string, managers []string) (*unstructured.Unstructured, bool, error) {
	t, err := c.target(ctx, "adopt", live.GroupVersionKind(), live.GetNamespace(), live.GetName())
	if err != nil {
		return nil, false, err
	}
	uid := live.GetUID()
	for attempt := 1; ; attempt++ {
		patch, err := foldPatch(live, into, managers)
		if err != nil {
			return nil, false, newError(Invalid, fault.Stalled, "adopt", t.key.String(), err.Error(), "remove the managedFields of the object")
		}
		if patch == nil {
			return live, false, nil
		}
		folded, err := c.Patch(ctx, t.res.GVK, t.key.Namespace, t.key.Name, types.JSONPatchType, patch, WriteOptions{Manager: into, Validation: Ignore})
		if !errors.Is(err, Conflict) || attempt == adoptAttempts {
			return folded, err == nil, err
		}
		if live, err = c.Read(ctx, t.res.GVK, t.key.Namespace, t.key.Name); err != nil {
			return nil, false, err
		}
		if live.GetUID() != uid {
			return nil, false, newError(Conflict, fault.Retry, "adopt", t.key.String(), "another object of this name has taken its place", "")
		}
	}
}

// foldPatch returns the JSON patch that folds the managers' Update entries into one Apply entry, nil if there are none.
// The patch replaces the resourceVersion with itself, which makes the API server answer 409 when it has moved.
func foldPatch(live *unstructured.Unstructured, into string, managers []string) ([]byte, error) {
	before := live.GetManagedFields()
	folded := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{}}}
	folded.SetManagedFields(alignVersions(before, into, managers))
	for _, manager := range managers { // one after the other: which entry becomes ours must not depend on a map's order
		if err := csaupgrade.UpgradeManagedFields(folded, sets.New(manager), into); err != nil {
			return nil, fmt.Errorf("fold the fields of manager %s: %w", manager, err)
		}
	}
	after := folded.GetManagedFields()
	if reflect.DeepEqual(before, after) {
		return nil, nil
	}
	return json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/managedFields", "value": after},
		{"op": "replace", "path": "/metadata/resourceVersion", "value": live.GetResourceVersion()},
	})
}

// alignVersions writes one apiVersion over the entries that are to be folded: csaupgrade throws away entries in another
// version than the one they are folded into, and their fields would then belong to nobody and stay for ever. Field paths
// that the other version does not have are dropped by the API server when it applies.
func alignVersions(entries []metav1.ManagedFieldsEntry, into string, managers []string) []metav1.ManagedFieldsEntry {
	out := make([]metav1.ManagedFieldsEntry, len(entries))
	copy(out, entries)
	version := ""
	folds := func(e metav1.ManagedFieldsEntry) bool {
		return e.Operation == metav1.ManagedFieldsOperationUpdate && e.Subresource == "" && sets.New(managers...).Has(e.Manager)
	}
	for _, e := range out {
		if e.Manager == into && e.Operation == metav1.ManagedFieldsOperationApply && e.Subresource == "" {
			version = e.APIVersion
		}
	}
	for i, e := range out {
		if !folds(e) {
			continue
		}
		if version == "" {
			version = e.APIVersion
		}
		out[i].APIVersion = version
	}
	return out
}
