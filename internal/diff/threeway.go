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

// ThreeWayPatch returns the patch that brings in.Live to applied (made by ForApply, so with the last-applied
// annotation) as `kubectl apply` on the client computes it: what was applied last and applied lacks is removed, what
// others added stays. Built-in kinds get a strategic merge patch, others a JSON merge patch. What was applied last is
// what the annotation holds, and what we own by server-side apply, as the object may have been written before.
func ThreeWayPatch(in Input, applied *unstructured.Unstructured) (types.PatchType, []byte, error) {
	forms, err := patchForms(in, applied)
	if err != nil {
		return "", nil, err
	}
	unchanged := []mergepatch.PreconditionFunc{mergepatch.RequireKeyUnchanged("apiVersion"),
		mergepatch.RequireKeyUnchanged("kind"), mergepatch.RequireMetadataKeyUnchanged("name")}
	obj, err := typedScheme().New(applied.GroupVersionKind())
	if err != nil { // not built in
		original, modified, current, err := forms.encode()
		if err != nil {
			return "", nil, named(err)
		}
		patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(original, modified, current, unchanged...)
		return types.MergePatchType, patch, named(err)
	}
	meta, err := strategicpatch.NewPatchMetaFromStruct(obj)
	if err != nil {
		return "", nil, named(err)
	}
	var u untangler
	u.fields(forms.original, forms.modified, forms.current, schemaOf(applied, in.Schema).top, nil)
	original, modified, current, err := forms.encode()
	if err != nil {
		return "", nil, named(err)
	}
	patch, err := strategicpatch.CreateThreeWayMergePatch(original, modified, current, meta, true, unchanged...)
	if err != nil || len(u.replacements) == 0 {
		return types.StrategicMergePatchType, patch, named(err)
	}
	patch, err = u.into(patch)
	return types.StrategicMergePatchType, patch, named(err)
}

// forms are what a three-way patch is computed from.
type forms struct {
	original, modified, current map[string]any
}

func patchForms(in Input, applied *unstructured.Unstructured) (forms, error) {
	original, err := appliedBefore(in)
	if err != nil {
		return forms{}, err
	}
	return forms{original, applied.DeepCopy().Object, in.Live.DeepCopy().Object}, nil
}

// appliedBefore returns what was applied last: what the annotation holds. Without one, the fields that we own by
// server-side apply; nil if there are none either.
func appliedBefore(in Input) (map[string]any, error) {
	content, err := lastApplied(in.Live)
	if content != nil || err != nil {
		return content, err
	}
	own, err := ownershipOf(in.Live, managerOr(in.Manager), adoptOr(in.Adopt))
	if err != nil || len(own.applied) == 0 {
		return nil, err
	}
	ours, err := union(own.applied)
	if err != nil {
		return nil, err
	}
	p := projector{schema: schemaOf(in.Live, in.Schema)}
	return p.form(nil, in.Live.Object, ours, nil)
}

func (f forms) encode() (original, modified, current []byte, err error) {
	if f.original != nil {
		if original, err = json.Marshal(f.original); err != nil {
			return nil, nil, nil, err
		}
	}
	if modified, err = json.Marshal(f.modified); err != nil {
		return nil, nil, nil, err
	}
	current, err = json.Marshal(f.current)
	return original, modified, current, err
}

// into writes all replacements into a strategic merge patch.
func (u *untangler) into(patch []byte) ([]byte, error) {
	var content map[string]any
	if err := json.Unmarshal(patch, &content); err != nil {
		return nil, err
	}
	for _, r := range u.replacements {
		r.into(content)
	}
	return json.Marshal(content)
}

func named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("compute the three-way patch: %w", err)
}
