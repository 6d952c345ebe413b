// SPDX-License-Identifier: Apache-2.0

package app

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var proof = regexp.MustCompile(`\[([A-Za-z0-9.-]+)\]\((\.\./[^)]*(?:_test\.go|\.txtar))\)`)

// docs/security.md names the test behind each claim. Each of them is there, and every row has one.
func TestTheTestsOfTheSecurityTableExist(t *testing.T) {
	page, err := os.ReadFile(filepath.FromSlash("../../docs/security.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(page)) {
		named := proof.FindAllStringSubmatch(line, -1)
		if regexp.MustCompile(`^\| \d+ \|`).MatchString(line) {
			if rows++; len(named) == 0 {
				t.Errorf("a row without a test: %s", line)
			}
		}
		for _, n := range named {
			text, err := os.ReadFile(filepath.Join("..", "..", "docs", filepath.FromSlash(n[2])))
			switch {
			case err != nil:
				t.Error(err)
			case strings.HasSuffix(n[2], ".txtar"):
			case !strings.Contains(string(text), "\nfunc "+n[1]+"("):
				t.Errorf("%s has no %s", n[2], n[1])
			}
		}
	}
	if rows != 20 {
		t.Errorf("the table has %d rows, want 20", rows)
	}
}
