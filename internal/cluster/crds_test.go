// SPDX-License-Identifier: Apache-2.0

package cluster

import "testing"

// Definitions of a storage that was restored from a backup are older than what was told of before, and are right.
func TestDefinitionsGoBackWithTheirStorage(t *testing.T) {
	c := &Cluster{}
	for name, s := range map[string]sink{"definitions": newCRDWatch(c), "API services": &apiServices{c: c}} {
		if s.wentBack("", "15") {
			t.Errorf("%s: the first list is an older one", name)
		}
		s.relisted("", "30", nil, false)
		s.progress("", "40")
		s.progress("", "") // the watch was opened again
		if s.wentBack("", "40") || !s.wentBack("", "15") {
			t.Errorf("%s: after 40 the list at 40 went back, or the one at 15 did not", name)
		}
		if s.relisted("", "15", nil, true); s.wentBack("", "15") {
			t.Errorf("%s: what was listed anew is not believed", name)
		}
	}
}
