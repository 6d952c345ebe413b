// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// grown returns u with n more fields, as far as the API server takes them.
func (l *life) grown(u *unstructured.Unstructured, n int) *unstructured.Unstructured {
	for range n {
		next := u.DeepCopy()
		if l.rng.IntN(6) == 0 {
			l.growMetadata(next)
		} else {
			l.grower.grow(next.Object, l.base.typ, 0)
		}
		if next = l.repaired(next); next != nil {
			u = next
		}
	}
	return u
}

func (l *life) growMetadata(u *unstructured.Unstructured) {
	metadata := u.Object["metadata"].(map[string]any)
	switch l.rng.IntN(5) {
	case 0:
		metadata["creationTimestamp"] = nil
	case 1:
		metadata["labels"] = nil
	default:
		field := pick(l.rng, "labels", "annotations")
		m, _ := metadata[field].(map[string]any)
		if m == nil {
			m = map[string]any{}
		}
		m[l.grower.word()] = pick[any](l.rng, "a", "b", "")
		metadata[field] = m
	}
}

// changed returns another form of u: with fewer, more or other fields, with lists in another order or with two
// elements of one key.
func (l *life) changed(u *unstructured.Unstructured) *unstructured.Unstructured {
	out := u.DeepCopy()
	for range 1 + l.rng.IntN(3) {
		switch l.rng.IntN(8) {
		case 0, 1, 2:
			out = l.grown(out, 1)
		case 3:
			if lists := listsIn(out.Object); len(lists) > 0 {
				list := lists[l.rng.IntN(len(lists))]
				l.rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			}
		case 4:
			l.repeat(out)
		default:
			l.dropOne(out)
		}
		if out = l.repaired(out); out == nil {
			return u
		}
	}
	return out
}

// repeat gives an environment two variables of one name, where there is one.
func (l *life) repeat(u *unstructured.Unstructured) {
	for _, list := range envsIn(u.Object) {
		env := list["env"].([]any)
		twin := runtime.DeepCopyJSONValue(env[0]).(map[string]any)
		delete(twin, "valueFrom")
		twin["value"] = "twin"
		list["env"] = append(env, twin)
		l.log = append(l.log, "a variable twice")
		return
	}
}

func envsIn(v any) []map[string]any {
	var out []map[string]any
	switch v := v.(type) {
	case map[string]any:
		if env, ok := v["env"].([]any); ok && len(env) > 0 && reflect.TypeOf(env[0]) == reflect.TypeFor[map[string]any]() {
			out = append(out, v)
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out = append(out, envsIn(v[name])...)
		}
	case []any:
		for _, item := range v {
			out = append(out, envsIn(item)...)
		}
	}
	return out
}

// dropOne takes away a field that the base does not have.
func (l *life) dropOne(u *unstructured.Unstructured) {
	var paths [][]any
	eachPath(u.Object, nil, func(path []any) {
		if _, inBase := at(l.base.object.Object, path); !inBase && !reflect.DeepEqual(path[:1], []any{"metadata"}) || len(path) > 2 && path[1] == "labels" {
			paths = append(paths, path)
		}
	})
	if len(paths) > 0 {
		cut(u.Object, paths[l.rng.IntN(len(paths))])
	}
}

func eachPath(v any, path []any, do func([]any)) {
	if len(path) > 0 {
		do(path)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			eachPath(v[name], append(slices.Clone(path), name), do)
		}
	case []any:
		for i, item := range v {
			eachPath(item, append(slices.Clone(path), i), do)
		}
	}
}

func at(v any, path []any) (any, bool) {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok || !has(m, step) {
				return nil, false
			}
			v = m[step]
		case int:
			list, ok := v.([]any)
			if !ok || step >= len(list) {
				return nil, false
			}
			v = list[step]
		}
	}
	return v, true
}

// cut takes away what is at path.
func cut(content map[string]any, path []any) {
	above, _ := at(content, path[:len(path)-1])
	switch last := path[len(path)-1].(type) {
	case string:
		delete(above.(map[string]any), last)
	case int:
		list := slices.Delete(slices.Clone(above.([]any)), last, last+1)
		over, _ := at(content, path[:len(path)-2])
		switch name := path[len(path)-2].(type) {
		case string:
			over.(map[string]any)[name] = list
		case int:
			over.([]any)[name] = list
		}
	}
}

// repaired returns u without the fields that the API server refuses; nil if it does not get through.
func (l *life) repaired(u *unstructured.Unstructured) *unstructured.Unstructured {
	for range 8 {
		probe := u.DeepCopy()
		probe.SetName("probe-" + l.name)
		if u.GetKind() == "CustomResourceDefinition" {
			probe.SetName(l.name)
		}
		_, err := l.resource(probe).Create(l.Context(), probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil || apierrors.IsAlreadyExists(err) {
			return u
		}
		var status *apierrors.StatusError
		if !errors.As(err, &status) || status.ErrStatus.Details == nil {
			break
		}
		cutAny := false
		for _, cause := range status.ErrStatus.Details.Causes {
			cutAny = l.cutRefused(u, stepsIn(cause.Field)) || cutAny
		}
		if !cutAny {
			break
		}
	}
	l.w.mu.Lock()
	l.w.invalid++
	l.w.mu.Unlock()
	return nil
}

// cutRefused takes away the last of a path that is there and not in the base.
func (l *life) cutRefused(u *unstructured.Unstructured, path []any) bool {
	for n := len(path); n > 0; n-- {
		now, there := at(u.Object, path[:n])
		if !there {
			continue
		}
		before, inBase := at(l.base.object.Object, path[:n])
		if !inBase {
			cut(u.Object, path[:n])
			return true
		}
		if !reflect.DeepEqual(now, before) {
			above, _ := at(u.Object, path[:n-1])
			if m, ok := above.(map[string]any); ok {
				m[path[n-1].(string)] = runtime.DeepCopyJSONValue(before)
				return true
			}
		}
	}
	return false
}

// stepsIn reads a path as validation writes it: spec.containers[0].resources.requests[cpu].
func stepsIn(field string) []any {
	var out []any
	for field != "" {
		switch field[0] {
		case '.':
			field = field[1:]
		case '[':
			inside, rest, _ := strings.Cut(field[1:], "]")
			if i, err := strconv.Atoi(inside); err == nil {
				out = append(out, i)
			} else {
				out = append(out, inside)
			}
			field = rest
		default:
			end := strings.IndexAny(field, ".[")
			if end < 0 {
				end = len(field)
			}
			out = append(out, field[:end])
			field = field[end:]
		}
	}
	return out
}
