// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bowline-cd/bowline/internal/cli"
)

// example is one section of docs/sources.md: the files it shows, and the commands with the answers it promises.
type example struct {
	title    string
	files    map[string]string
	commands []shown
}

// shown is a command of an example; answer is "" where the page shows none.
type shown struct{ line, answer string }

var (
	heading = regexp.MustCompile(`(?m)^## (.+)$`)
	fence   = regexp.MustCompile("(?ms)^```(\\w+)(?: (\\S+))?\n(.*?)^```$")
)

// examples reads the sections of a page that have commands.
func examples(page string) []example {
	var out []example
	at := heading.FindAllStringSubmatchIndex(page, -1)
	for i, h := range at {
		end := len(page)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		e := example{title: page[h[2]:h[3]], files: map[string]string{}}
		for _, block := range fence.FindAllStringSubmatch(page[h[1]:end], -1) {
			switch {
			case block[1] == "console":
				line, answer, _ := strings.Cut(block[3], "\n")
				e.commands = append(e.commands, shown{strings.TrimPrefix(line, "$ bowline "), answer})
			case block[2] != "":
				e.files[block[2]] = block[3]
			}
		}
		if len(e.commands) > 0 {
			out = append(out, e)
		}
	}
	return out
}

// TestTheExamplesOfTheSourcesPage does what docs/sources.md tells its readers to do.
func TestTheExamplesOfTheSourcesPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	all := examples(string(page))
	if len(all) < 9 {
		t.Fatalf("found %d examples", len(all))
	}
	places := servePlaces(t)
	for _, e := range all {
		t.Run(e.title, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range e.files {
				writeFile(t, filepath.Join(dir, name), places.Replace(content))
			}
			t.Chdir(dir)
			for _, c := range e.commands {
				var out, errs bytes.Buffer
				root := newRoot()
				root.SetOut(&out)
				root.SetErr(&errs)
				code := cli.Execute(context.Background(), root, strings.Fields(places.Replace(c.line)))
				if code != 0 {
					t.Fatalf("bowline %s: exit code %d: %s", c.line, code, errs.String())
				}
				if c.answer == "" && out.Len() == 0 {
					t.Errorf("bowline %s: no answer", c.line)
				}
				if diff := cmp.Diff(c.answer, out.String()); c.answer != "" && diff != "" {
					t.Errorf("bowline %s (-page +answer)\n%s", c.line, diff)
				}
			}
		})
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
