// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bowline-cd/bowline/test/page/browser"
)

// browse plays a phase in a Chromium of the story's own, whose windows stay open until the next: see test/page/browser/README.md.
// [!] browse [@name] FILE [NAME=VALUE...]; the phase has the script's variables in env, and those given here.
func browse(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts)
	p, args := s.addressed(ts, args)
	if neg || len(args) == 0 {
		ts.Fatalf("usage: browse [@name] FILE [NAME=VALUE...]")
	}
	b, err := s.browser()
	ts.Check(err)
	env := map[string]string{}
	for _, name := range []string{"S", "NS", "CD", "GIT", "HEAD", "PREV", "REPO", "PASSWORD"} {
		env[name] = ts.Getenv(name)
	}
	for _, arg := range args[1:] {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			ts.Fatalf("browse: what is %s?", arg)
		}
		env[name] = expand(ts, value)
	}
	said, err := b.Do(browser.Phase{Name: s.id + "-" + args[0], Script: ts.ReadFile(args[0]), Address: "http://" + p.address, Env: env})
	for _, line := range said {
		_, err := fmt.Fprintln(ts.Stdout(), line)
		ts.Check(err)
	}
	ts.Check(err)
}

// browser returns the story's Chromium, and starts it when there is none yet. It ends with the story.
func (s *story) browser() (*browser.Browser, error) {
	if s.page != nil {
		return s.page, nil
	}
	dir, err := picturesFolder(s.tb)
	if err != nil {
		return nil, err
	}
	s.page, err = browser.Start(browser.Options{Pictures: dir})
	return s.page, err
}

// picturesFolder is a folder that stays if the test fails.
func picturesFolder(t testing.TB) (string, error) {
	dir, err := os.MkdirTemp("", "bowline-pictures-")
	if err != nil {
		return "", err
	}
	t.Cleanup(func() {
		if !t.Failed() {
			_ = os.RemoveAll(dir)
		}
	})
	return dir, nil
}
