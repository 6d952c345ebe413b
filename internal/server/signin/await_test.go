// SPDX-License-Identifier: Apache-2.0

package signin_test

import (
	"testing"
	"time"
)

// await returns when something is so; the test's own time limit bounds it.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for !so() {
		select {
		case <-t.Context().Done():
			t.Fatalf("%s did not come", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
