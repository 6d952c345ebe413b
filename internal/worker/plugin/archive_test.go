// SPDX-License-Identifier: Apache-2.0

package plugin_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
	"github.com/bowline-cd/bowline/internal/worker/plugin"
)

func TestTheWholeTreeIsSentAndTraced(t *testing.T) {
	b := newBench(t, settings(plugin.Settings{Exclusions: []string{"big", "*.bin", "apps/*/secret.txt"}}))
	b.run("look", "preserveFileMode: true\n"+`init: {command: [sh, -c, 'echo made > by-init']}
generate:
  command: [sh, -c]
  args:
  - |
    cd ../..
    printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made}\ndata:\n'
    find . -type f -printf "  '%p': '%m'\n" -o -type l -printf "  '%p': '%l'\n"
    printf "  content: '%s'\n" "$(cat chain apps/web/link apps/web/up/web/app.txt | tr -d '\n')"`)
	files := tree.Memory(map[string]tree.MemoryFile{
		"apps/web/app.txt": {Content: "hello\n"}, "apps/web/run.sh": {Content: "#!/bin/sh\n", Mode: tree.Executable},
		"README.md": {Content: "read me\n"}, "big/file": {Content: "x"}, "x.bin": {Content: "x"}, "apps/web/secret.txt": {Content: "x"},
		"apps/web/link": {Content: "../../shared/one.txt", Mode: tree.Link}, "shared/one.txt": {Content: "one\n"},
		"apps/web/up": {Content: "..", Mode: tree.Link}, "chain": {Content: "apps/web/link", Mode: tree.Link},
		"apps/web/dangling": {Content: "nowhere", Mode: tree.Link}, "apps/web/sub": {Mode: tree.Submodule},
		"big/out": {Content: "/etc/passwd", Mode: tree.Link},
	})
	traced := tree.Trace(files)
	got := b.renderData(inputOf(traced, named("look")))
	if cmpServer != "" { // it makes all links absolute
		for link, target := range map[string]string{"apps/web/link": "../../shared/one.txt", "apps/web/up": "..", "chain": "shared/one.txt", "apps/web/dangling": "nowhere"} {
			if strings.HasPrefix(got["./"+link], b.work) {
				got["./"+link] = target
			}
		}
	}
	expectData(t, got, map[string]string{
		"./apps/web/app.txt": "644", "./apps/web/run.sh": "755", "./README.md": "644", "./shared/one.txt": "644", "./apps/web/by-init": "644",
		"./apps/web/link": "../../shared/one.txt", "./apps/web/up": "..", "./chain": "shared/one.txt", "./apps/web/dangling": "nowhere",
		"content": "oneonehello",
	})
	for _, changed := range []string{"README.md", "shared/one.txt", "new/file"} {
		if !traced.ReadSet().Touched(changed) {
			t.Errorf("a change of %s is not noticed", changed)
		}
	}
}

func TestHostileLinks(t *testing.T) {
	b := newBench(t)
	b.run("any", echo(""))
	for _, target := range []string{"/etc/passwd", "../../../etc/passwd", "../../..", "nowhere/../../../../x", "loop/../../../..", strings.Repeat("x/", 3000)} {
		files := tree.Memory(map[string]tree.MemoryFile{
			"apps/web/app.txt": {Content: "x"}, "apps/web/evil": {Content: target, Mode: tree.Link}, "apps/web/loop": {Content: "deep/deeper", Mode: tree.Link},
			"apps/web/deep/deeper/x": {Content: "x"},
		})
		_, err := b.client.Render(t.Context(), inputOf(files, named("any")))
		expectFault(t, err, fault.Mistake, "apps/web/evil", "outside of the repository", "reposerver.plugin.tar.exclusions")
	}
}

func TestLimitsOfTheArchive(t *testing.T) {
	b := newBench(t, settings(plugin.Settings{MaxTar: 1 << 20}))
	b.run("any", echo(""))
	_, err := b.client.Render(t.Context(), input(map[string]string{"huge": strings.Repeat("x", 1<<20)}, named("any")))
	expectFault(t, err, fault.Mistake, "huge", "1 MiB", "bowline.plugin.maxTar")
	many := map[string]string{}
	for i := range 2100 {
		many["many/"+strings.Repeat("x", i%7)+string(rune('a'+i%26))+strings.Repeat("y", i/26)] = ""
	}
	_, err = b.client.Render(t.Context(), input(many, named("any")))
	expectFault(t, err, fault.Mistake, "many/")
	bad := newBench(t, settings(plugin.Settings{Exclusions: []string{"[a"}}))
	bad.run("any", echo(""))
	_, err = bad.client.Render(t.Context(), input(nil, named("any")))
	expectFault(t, err, fault.Stalled, "reposerver.plugin.tar.exclusions", "[a")
}

// A request for each file would be as many requests as there are files.
func TestAllThatIsMissingIsMetAtOnce(t *testing.T) {
	b := newBench(t)
	b.run("any", echo(""))
	files := &unfetched{Tree: tree.Memory(map[string]tree.MemoryFile{
		"apps/web/app.txt": {Content: "x"}, "apps/web/link": {Content: "app.txt", Mode: tree.Link}, "README.md": {Content: "x"},
	})}
	_, err := b.client.Render(t.Context(), inputOf(files, named("any")))
	var missing *unfetchedError
	if !errors.As(err, &missing) {
		t.Errorf("%v", err)
	}
	if want := []string{"README.md", "apps/web/app.txt", "apps/web/link"}; !slices.Equal(files.met, want) {
		t.Errorf("met %q, want %q", files.met, want)
	}
}

// unfetched is a tree whose files are not there yet.
type unfetched struct {
	tree.Tree
	met []string
}

type unfetchedError struct{ path string }

func (e *unfetchedError) Error() string       { return e.path + " was not fetched" }
func (e *unfetchedError) MissingPath() string { return e.path }

func (u *unfetched) Read(_ context.Context, p string, _ int64) ([]byte, error) {
	u.met = append(u.met, p)
	return nil, &unfetchedError{p}
}
