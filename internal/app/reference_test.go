// SPDX-License-Identifier: Apache-2.0

package app

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/bowline-cd/bowline/internal/cli/reference"
)

// TestTheReferenceIsThatOfTheCommands holds docs/reference/cli and docs/man against what the commands say of themselves.
func TestTheReferenceIsThatOfTheCommands(t *testing.T) {
	root := newRoot()
	for folder, pages := range map[string]map[string][]byte{"../../docs/reference/cli": reference.Markdown(root), "../../docs/man": reference.Man(root)} {
		for name, page := range pages {
			got, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil || string(got) != string(page) {
				t.Errorf("%s/%s is not what the commands say (%v): write it anew with `make generate`", folder, name, err)
			}
		}
		there, err := filepath.Glob(filepath.Join(folder, "bowline*"))
		if err != nil || len(there) != len(pages) {
			t.Errorf("%s has %d pages, want %d: write them anew with `make generate`", folder, len(there), len(pages))
		}
	}
}
