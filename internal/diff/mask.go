// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What stands in the place of a value that people may not see. Nothing of the value is in it, not its length either. Where
// two forms of one object differ in a field, the later one says so; fields of different names cannot be told apart or
// together.
const (
	masked        = "++++++++"
	maskedChanged = masked + " (changed)"
)

// Mask hides what people may not see in the forms of one object: the values of a Secret, the annotation
// kubectl.kubernetes.io/last-applied-configuration, which repeats them, and the annotations that sensitive names (nil for
// none). What is equal in all forms has the same mask in all; a value that is not live's is marked as changed. The forms
// given are not changed.
func Mask(f Forms, sensitive func(annotationKey string) bool) Forms {
	all := []**unstructured.Unstructured{&f.Live, &f.NormalizedLive, &f.Desired, &f.Predicted}
	secret := false
	for _, u := range all {
		if *u != nil {
			*u = (*u).DeepCopy()
			secret = secret || isSecret(*u)
		}
	}
	hidden := func(key string) bool {
		return key == corev1.LastAppliedConfigAnnotation || sensitive != nil && sensitive(key)
	}
	m := masker{seen: map[string][]string{}}
	for _, u := range all {
		if *u == nil {
			continue
		}
		m.annotations((*u).Object, hidden)
		if secret {
			m.values((*u).Object, "data", everyKey, decoded)
			m.values((*u).Object, "stringData", everyKey, encoded)
		}
	}
	return f
}

// Masked reports whether an object is a Secret with a value that Mask has hidden: nothing can be told from that value.
func Masked(u *unstructured.Unstructured) bool {
	if !isSecret(u) {
		return false
	}
	for _, field := range []string{"data", "stringData"} {
		values, _ := u.Object[field].(map[string]any)
		for _, v := range values {
			if text, ok := v.(string); ok && strings.HasPrefix(text, masked) {
				return true
			}
		}
	}
	return false
}

func everyKey(string) bool { return true }

// masker knows which values a field had, by its name.
type masker struct {
	seen map[string][]string
}

func (m *masker) annotations(content map[string]any, hidden func(string) bool) {
	metadata, _ := content["metadata"].(map[string]any)
	m.values(metadata, "annotations", hidden, verbatim)
}

// values masks the values of a map. Anything but a map in its place is masked whole: a Secret that is not as it should be may
// hold secrets all the same.
func (m *masker) values(content map[string]any, field string, hidden func(string) bool, id func(any) string) {
	v, ok := content[field]
	if !ok || v == nil {
		return
	}
	of, isMap := v.(map[string]any)
	if !isMap {
		content[field] = m.mask(field, id(v))
		return
	}
	name := field
	if field == "stringData" {
		name = "data" // which it becomes
	}
	for key, v := range of {
		if hidden(key) {
			of[key] = m.mask(name+"/"+key, id(v))
		}
	}
}

func (m *masker) mask(name, id string) string {
	place := slices.Index(m.seen[name], id)
	if place < 0 {
		place = len(m.seen[name])
		m.seen[name] = append(m.seen[name], id)
	}
	switch place {
	case 0:
		return masked
	case 1:
		return maskedChanged
	default:
		return fmt.Sprintf("%s (changed, %d)", masked, place)
	}
}

// decoded tells base64 values apart whatever way they are written.
func decoded(v any) string {
	if text, ok := v.(string); ok {
		if value, err := base64.StdEncoding.DecodeString(text); err == nil {
			return "b" + string(value)
		}
	}
	return verbatim(v)
}

func encoded(v any) string {
	if text, ok := v.(string); ok {
		return "b" + text
	}
	return verbatim(v)
}

func verbatim(v any) string { return fmt.Sprintf("%T %v", v, v) }
