// SPDX-License-Identifier: Apache-2.0

package output_test

import (
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/cli/output"
)

func TestForeignTextCannotSteerATerminal(t *testing.T) {
	for in, want := range map[string]string{
		"plain ä\ttext":            "plain ä\ttext",
		"\x1b[2Jgone":              "[2Jgone",
		"\x1b]0;title\x07name":     "]0;titlename",
		"c1 \u009b31m":             "c1 31m",
		"over\rwritten":            "overwritten",
		"two\nlines":               "twolines",
		"a\u202eb\u2066c\u2028d":   "abcd",
		"not \xff\x9b valid UTF-8": "not \ufffd\ufffd valid UTF-8",
	} {
		if got := output.Clean(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	var b strings.Builder
	output.Table(&b, []string{"A", "B"}, [][]string{{"x\x1b[2J", "y\ty\ny"}})
	if want := "A     B\nx[2J  y yy\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
