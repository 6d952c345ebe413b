// SPDX-License-Identifier: Apache-2.0

package desired

import "strings"

// index answers "whom does a change of this path concern" without asking every application: from path to the
// applications whose renders depend on it or on all that is below it.
type index map[string]map[string]*entry

func (x index) set(id string, n *entry) {
	for _, root := range n.roots() {
		if x[root] == nil {
			x[root] = map[string]*entry{}
		}
		x[root][id] = n
	}
}

func (x index) drop(id string, n *entry) {
	for _, root := range n.roots() {
		delete(x[root], id)
		if len(x[root]) == 0 {
			delete(x, root)
		}
	}
}

// roots returns the paths under which a change concerns the application.
func (n *entry) roots() []string {
	var roots []string
	for _, r := range n.sources {
		roots = append(roots, r.reads.Roots()...)
	}
	return roots
}

// touched returns the applications that read any of the changed paths in a matching repository.
func (x index) touched(match func(Repo) bool, changed []string) map[string]bool {
	hit := map[string]bool{}
	seen := map[string]bool{}
	for _, p := range changed {
		for at := p; ; at = parent(at) {
			if seen[at] {
				break
			}
			seen[at] = true
			for id, n := range x[at] {
				if n.reads(match) {
					hit[id] = true
				}
			}
			if at == "" {
				break
			}
		}
	}
	return hit
}

func (n *entry) reads(match func(Repo) bool) bool {
	for _, r := range n.sources {
		if match(r.commit.Repo) {
			return true
		}
	}
	return false
}

func parent(p string) string {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i]
	}
	return ""
}
