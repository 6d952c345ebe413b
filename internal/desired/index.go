// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"slices"
	"strings"
)

// index answers "whom does a change of this path concern" without asking every application: from path to the
// applications whose renders depend on it or on all that is below it.
type index map[string]map[string]struct{}

func (x index) set(id string, roots []string) {
	for _, root := range roots {
		if x[root] == nil {
			x[root] = map[string]struct{}{}
		}
		x[root][id] = struct{}{}
	}
}

func (x index) drop(id string, roots []string) {
	for _, root := range roots {
		delete(x[root], id)
		if len(x[root]) == 0 {
			delete(x, root)
		}
	}
}

// touched returns the applications that read any of the changed paths, in whichever repository.
func (x index) touched(changed []string) map[string]bool {
	hit := map[string]bool{}
	seen := map[string]bool{}
	for _, p := range changed {
		for at, more := p, true; more && !seen[at]; at, more = parent(at) {
			seen[at] = true
			for id := range x[at] {
				hit[id] = true
			}
		}
	}
	return hit
}

// parent returns the folder above p; ok is false above the root.
func parent(p string) (dir string, ok bool) {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i], true
	}
	return "", p != ""
}

func sameStrings(a, b []string) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || slices.Equal(a, b))
}
