// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strings"

	"github.com/gobwas/glob"

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

func wildcard(pattern, value string) bool {
	if !strings.Contains(pattern, "*") {
		return pattern == value
	}
	g, err := glob.Compile(pattern)
	return err == nil && g.Match(value)
}
