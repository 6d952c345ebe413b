// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// ThreeWayPatch returns the patch that brings live to applied (made by ForApply, so with the last-applied
// annotation) as `kubectl apply` on the client computes it: what last-applied had and applied lacks is removed, what
// others added stays. Built-in kinds get a strategic merge patch, others a JSON merge patch.
func ThreeWayPatch(applied, live *unstructured.Unstructured) (types.PatchType, []byte, error) {
	var original []byte
	if text := lastAppliedText(live); text != "" {
		original = []byte(text)
	}
	modified, err := json.Marshal(applied.Object)
	if err != nil {
		return "", nil, fmt.Errorf("write the desired form: %w", err)
	}
	current, err := json.Marshal(live.Object)
	if err != nil {
		return "", nil, fmt.Errorf("write the live form: %w", err)
	}
	unchanged := []mergepatch.PreconditionFunc{mergepatch.RequireKeyUnchanged("apiVersion"),
		mergepatch.RequireKeyUnchanged("kind"), mergepatch.RequireMetadataKeyUnchanged("name")}
	obj, err := typedScheme().New(applied.GroupVersionKind())
	if err != nil { // not built in
		patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(original, modified, current, unchanged...)
		return types.MergePatchType, patch, named(err)
	}
	meta, err := strategicpatch.NewPatchMetaFromStruct(obj)
	if err != nil {
		return "", nil, named(err)
	}
	patch, err := strategicpatch.CreateThreeWayMergePatch(original, modified, current, meta, true, unchanged...)
	return types.StrategicMergePatchType, patch, named(err)
}

func named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("compute the three-way patch: %w", err)
}
