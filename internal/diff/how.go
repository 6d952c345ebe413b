// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// How is the way an object is written, which decides how it is compared.
type How int

const (
	// ServerSide is server-side apply. Fields that desired no longer has are known by ownership in managedFields.
	ServerSide How = iota
	// Replace is a PUT of desired. The server records it as an update, so ownership is that of our manager's Update
	// entry, and co-owners do not keep a field.
	Replace
	// ThreeWay is what the client does itself: it computes a patch from the last-applied annotation, desired and live. Fields that desired
	// no longer has are known by the annotation.
	ThreeWay
)

func (h How) String() string {
	switch h {
	case Replace:
		return "replace"
	case ThreeWay:
		return "three-way patch"
	default:
		return "server-side apply"
	}
}

// ancientChanges is the entry into which the API server folds the oldest Update entries when there are too many.
const ancientChanges = "ancient-changes"

// HowTo returns how an object has to be written and compared, and a reason for people where that is not how in.How
// says. What replaces server-side apply, by what desired holds and what live still tells of who owns what:
//
//	desired or live has                                           | how
//	------------------------------------------------------------- | ----------------------------------------------
//	two elements of one key in a list of desired                  | three-way patch, by last-applied
//	two elements of one key in a list of live, and last-applied   | three-way patch, by last-applied
//	an Apply entry of ours, or an Update entry to adopt           | server-side apply, by ownership
//	no managedFields at all (stripped, or a server without them)  | three-way patch, by last-applied
//	only others' entries, one of them ancient-changes, and        |
//	the last-applied annotation                                   | three-way patch, by last-applied
//	only others' entries otherwise                                | server-side apply: nothing of it was ever ours
//
// An object without managedFields must not be applied: the server would record all of it as somebody else's
// ("before-first-apply"), and nothing that leaves desired would ever be removed.
func HowTo(in Input) (how How, reason string, err error) {
	if in.How != ServerSide {
		return in.How, "", nil
	}
	if lists := Refused(in.Desired, in.Schema); len(lists) > 0 {
		return ThreeWay, "server-side apply refuses two elements with the same key in " + strings.Join(lists, ", "), nil
	}
	if in.Live == nil {
		return ServerSide, "", nil
	}
	if lists := tangled(in.Live, in.Schema); len(lists) > 0 {
		return ThreeWay, "the live object has two elements with the same key in " + strings.Join(lists, ", ") + ", which nobody owns", nil
	}
	own, err := ownershipOf(in.Live, managerOr(in.Manager), adoptOr(in.Adopt))
	if err != nil {
		return ServerSide, "", err
	}
	how, reason = own.how(in.Live)
	return how, reason, nil
}

func (o ownership) how(live *unstructured.Unstructured) (How, string) {
	if len(o.entries) == 0 {
		return ThreeWay, "the live object has no managedFields"
	}
	if len(o.applied) > 0 || len(o.pending) > 0 {
		return ServerSide, ""
	}
	for _, e := range o.entries {
		if e.manager == ancientChanges && lastAppliedText(live) != "" {
			return ThreeWay, "the API server has folded the entries of its earlier writers into " + ancientChanges
		}
	}
	return ServerSide, ""
}

func lastAppliedText(u *unstructured.Unstructured) string {
	text, _, _ := unstructured.NestedString(u.Object, "metadata", "annotations", corev1.LastAppliedConfigAnnotation)
	return text
}

// lastApplied returns what the last-applied annotation holds; nil if there is none.
func lastApplied(u *unstructured.Unstructured) (map[string]any, error) {
	text := lastAppliedText(u)
	if text == "" {
		return nil, nil
	}
	var content map[string]any
	if err := json.Unmarshal([]byte(text), &content); err != nil {
		// The cause would quote the annotation, which holds a Secret's data.
		return nil, fmt.Errorf("annotation %s is not JSON", corev1.LastAppliedConfigAnnotation)
	}
	foldIfSecret(u, content)
	return normalNumbers(content).(map[string]any), nil
}

func foldIfSecret(u *unstructured.Unstructured, content map[string]any) {
	if isSecret(u) {
		foldStringData(content)
	}
}

// lastAppliedLimit is the API server's limit for all annotations of an object together.
const lastAppliedLimit = 256 << 10

// setLastApplied writes the annotation as kubectl does; content that is too large for it is left without.
func setLastApplied(u *unstructured.Unstructured) error {
	annotations := u.GetAnnotations()
	delete(annotations, corev1.LastAppliedConfigAnnotation)
	u.SetAnnotations(annotations)
	text, err := json.Marshal(u.Object)
	if err != nil {
		return fmt.Errorf("write annotation %s: %w", corev1.LastAppliedConfigAnnotation, err)
	}
	if len(text) >= lastAppliedLimit {
		return nil
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[corev1.LastAppliedConfigAnnotation] = string(text) + "\n"
	u.SetAnnotations(annotations)
	return nil
}
