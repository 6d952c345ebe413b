// SPDX-License-Identifier: Apache-2.0

package diff

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// Leave returns an object without the fields that the rules ignore in it, for previews of rules. Fields that rules ignore by
// their managers stay: those are known of live objects only.
func (r *Rules) Leave(u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	s := BuiltIn(u.GroupVersionKind())
	if s == nil {
		s = &Schema{}
	}
	set, err := r.ignored(u, u.Object, s)
	if err != nil {
		return nil, err
	}
	return &unstructured.Unstructured{Object: without(u.Object, set, s)}, nil
}
