// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"regexp"

	"github.com/rogpeppe/go-internal/testscript"
)

// keep VARIABLE REGEXP keeps what the first group of the expression matches in the last standard output.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep VARIABLE REGEXP")
	}
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	found := re.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) < 2 {
		ts.Fatalf("standard output does not match %s, or that has no group", args[1])
	}
	ts.Setenv(args[0], found[1])
}
