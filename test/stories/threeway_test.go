// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/rogpeppe/go-internal/testscript"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
)

// three-way [manager=NAME] FILE... applies objects as client-side apply does: what the last applied configuration had and
// the file lacks is removed.
func threeWay(ts *testscript.TestScript, neg bool, args []string) {
	opts, files := options(args, "manager")
	s := of(ts)
	for _, file := range files {
		for _, u := range manifests(ts, file) {
			done(ts, neg, s.write(ts, u, func(ctx context.Context, c dynamic.ResourceInterface) error {
				live, err := c.Get(ctx, u.GetName(), metav1.GetOptions{})
				if err != nil {
					return err
				}
				patch, err := threeWayPatch(u, live)
				if err != nil {
					return err
				}
				_, err = c.Patch(ctx, u.GetName(), types.StrategicMergePatchType, patch, metav1.PatchOptions{FieldManager: cmp.Or(opts["manager"], manager)})
				return err
			}))
		}
	}
}

func threeWayPatch(want, live *unstructured.Unstructured) ([]byte, error) {
	raw, err := want.MarshalJSON()
	if err != nil {
		return nil, err
	}
	modified := want.DeepCopy()
	modified.SetAnnotations(map[string]string{lastApplied: string(raw)})
	typed, err := scheme.Scheme.New(want.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	meta, err := strategicpatch.NewPatchMetaFromStruct(typed)
	if err != nil {
		return nil, err
	}
	after, err := json.Marshal(modified)
	if err != nil {
		return nil, err
	}
	current, err := json.Marshal(live)
	if err != nil {
		return nil, err
	}
	return strategicpatch.CreateThreeWayMergePatch([]byte(live.GetAnnotations()[lastApplied]), after, current, meta, true)
}
