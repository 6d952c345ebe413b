// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Between returns the fields that differ between two forms of an object, by their paths. Lists of different lengths differ as a
// whole.
func Between(live, desired map[string]any) []Change { return between(nil, "", live, desired) }

func between(out []Change, path string, live, desired any) []Change {
	if reflect.DeepEqual(live, desired) {
		return out
	}
	if a, ok := live.(map[string]any); ok {
		if b, ok := desired.(map[string]any); ok {
			keys := maps.Clone(a)
			maps.Copy(keys, b)
			for _, key := range slices.Sorted(maps.Keys(keys)) {
				out = between(out, strings.TrimPrefix(path+"."+key, "."), a[key], b[key])
			}
			return out
		}
	}
	if a, ok := live.([]any); ok {
		if b, ok := desired.([]any); ok && len(a) == len(b) {
			for i := range a {
				out = between(out, fmt.Sprintf("%s[%d]", path, i), a[i], b[i])
			}
			return out
		}
	}
	return append(out, Change{Path: path, Live: live, Desired: desired})
}

// Write writes changes for people.
func Write(w io.Writer, changes []Change) {
	for _, change := range changes {
		writeChange(w, change)
	}
}
