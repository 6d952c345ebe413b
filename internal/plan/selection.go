// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// Selected reports whether a selection takes in the object. An empty selection takes in all. "*" in a field stands for
// any text; an empty namespace matches any, an empty group only the core group.
func Selected(selection []v1alpha1.SyncOperationResource, key object.Key) bool {
	if len(selection) == 0 {
		return true
	}
	for _, r := range selection {
		if wildcard(r.Group, key.Group) && wildcard(r.Kind, key.Kind) && wildcard(r.Name, key.Name) &&
			(r.Namespace == "" || wildcard(r.Namespace, key.Namespace)) {
			return true
		}
	}
	return false
}

// wildcard matches a pattern in which only "*" has a meaning. Whoever may sync an application writes it, so it has to be
// matched in a time that they cannot choose: from left to right, each piece at its first place.
func wildcard(pattern, value string) bool {
	pieces := strings.Split(pattern, "*")
	if len(pieces) == 1 {
		return pattern == value
	}
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(value) < len(first)+len(last) || !strings.HasPrefix(value, first) || !strings.HasSuffix(value, last) {
		return false
	}
	value = value[len(first) : len(value)-len(last)]
	for _, piece := range pieces[1 : len(pieces)-1] {
		i := strings.Index(value, piece)
		if i < 0 {
			return false
		}
		value = value[i+len(piece):]
	}
	return true
}
