// SPDX-License-Identifier: Apache-2.0

package desired

// Touches reports whether a change of the file at a path of a Git repository concerns the state: one of its renders read
// it, or the names in a folder above it, from the repository of a source.
func (s *State) Touches(repo Repo, path string) bool {
	for i := range s.made {
		for k := range s.made[i].mounts {
			m := &s.made[i].mounts[k]
			if m.role != remote && m.commit.Kind == KindGit && m.commit.Repo == repo && m.reads.touched(path) {
				return true
			}
		}
	}
	return false
}
