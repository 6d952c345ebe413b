// SPDX-License-Identifier: Apache-2.0

package library

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/script/cel"
)

var (
	docRow  = regexp.MustCompile("(?m)^\\| `([^`/]+)` \\| ((?:`[^`]+`(?:, )?)+) \\|$")
	docYAML = regexp.MustCompile("(?s)```yaml\n(.*?)```")
	docKind = regexp.MustCompile("`([^`]+)`")
)

// What the manual shows as an example can be used.
func TestTheManualsExamplesCompile(t *testing.T) {
	page, err := os.ReadFile("../../../docs/reference/health.md")
	if err != nil {
		t.Fatal(err)
	}
	rules, checks := 0, 0
	for _, block := range docYAML.FindAllStringSubmatch(string(page), -1) {
		if _, expr, ok := strings.Cut(block[1], ": |\n"); ok {
			checks++
			if _, err := cel.Compile("the manual", expr, cel.Default); err != nil {
				t.Errorf("%v:\n%s", err, expr)
			}
			continue
		}
		rules++
		if _, err := parse("the manual", []byte(block[1])); err != nil {
			t.Errorf("%v:\n%s", err, block[1])
		}
	}
	if rules == 0 || checks == 0 {
		t.Errorf("found %d rules and %d checks", rules, checks)
	}
}

// The manual's table of kinds is the library's.
func TestTheManualListsTheLibrary(t *testing.T) {
	page, err := os.ReadFile("../../../docs/reference/health.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## The library\n")
	section, _, _ = strings.Cut(section, "### The form of a rule")
	var listed []string
	for _, row := range docRow.FindAllStringSubmatch(section, -1) {
		for _, kind := range docKind.FindAllStringSubmatch(row[2], -1) {
			listed = append(listed, row[1]+"/"+kind[1])
		}
	}
	slices.Sort(listed)
	want := kinds()
	for _, name := range want {
		if !slices.Contains(listed, name) {
			t.Errorf("docs/reference/health.md does not list %s", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(want, name) {
			t.Errorf("docs/reference/health.md lists %s, which has no rule", name)
		}
	}
	if !strings.HasPrefix(strings.TrimSpace(section), strconv.Itoa(len(want))+" rules") {
		t.Errorf("docs/reference/health.md does not say that there are %d rules", len(want))
	}
}
