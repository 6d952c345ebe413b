// SPDX-License-Identifier: Apache-2.0

package tree_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/tree"
)

func link(target string) tree.MemoryFile { return tree.MemoryFile{Content: target, Mode: tree.Link} }

func file(content string) tree.MemoryFile { return tree.MemoryFile{Content: content} }

func TestClean(t *testing.T) {
	for _, test := range []struct {
		path, want string
		ok         bool
	}{
		{"", "", true}, {".", "", true}, {"./", "", true}, {"/", "", true}, {"a", "a", true}, {"a/", "a", true}, {"/a//b/./c/", "a/b/c", true},
		{"a/../b", "b", true}, {"a/..", "", true}, {"..", "", false}, {"../a", "", false}, {"a/../../b", "", false}, {"/..", "", false}, {"..a", "..a", true}, {"a/..b", "a/..b", true},
	} {
		if got, ok := tree.Clean(test.path); got != test.want || ok != test.ok {
			t.Errorf("Clean(%q) = %q, %t; want %q, %t", test.path, got, ok, test.want, test.ok)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"a/../..", "//..//", "./a", "..", "a\x00/.."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, p string) {
		cleaned, ok := tree.Clean(p)
		if !ok {
			return
		}
		if strings.HasPrefix(cleaned, "/") || slices.Contains(strings.Split(cleaned, "/"), "..") {
			t.Errorf("Clean(%q) = %q leads out", p, cleaned)
		}
		if again, ok := tree.Clean(cleaned); !ok || again != cleaned {
			t.Errorf("Clean(%q) = %q, of which it makes %q, %t", p, cleaned, again, ok)
		}
	})
}

func TestResolve(t *testing.T) {
	files := map[string]tree.MemoryFile{
		"dir/file": file("content"), "top": file("top"),
		"dir/to-file": link("file"), "dir/up": link("../top"), "to-dir": link("dir"), "dir/to-root": link(".."), "here": link("."),
		"chain": link("to-dir/to-file"), "through": link("to-dir/../top"), "dangling": link("nothing"), "dir/dangling": link("../dir2/x"),
		"absolute": link("/etc/passwd"), "out": link("../x"), "dir/out": link("../../x"), "out-and-in": link("../repo/top"), "to-out": link("dir/out"),
		"far/away/there/x": file("1"), "far/away/beside": file("1"), "deep/link": link("../far/away/there"), "deep/through": link("link/../beside"), "deep/beside": file("not this one"),
		"file-up": link("top/../dir/file"), "loop": link("loop"), "a": link("b"), "b": link("a"), "sub": {Content: "1", Mode: tree.Submodule}, "empty": link(""),
	}
	for i := range 50 {
		files[fmt.Sprintf("long%d", i)] = link(fmt.Sprintf("long%d", i+1))
	}
	files["long50"] = file("end")
	m := tree.Memory(files)
	for _, test := range []struct{ path, want string }{
		{"", ""}, {"top", "top"}, {"dir/file", "dir/file"}, {"/dir/./file", "dir/file"},
		{"dir/to-file", "dir/file"}, {"to-dir", "dir"}, {"to-dir/file", "dir/file"}, {"dir/up", "top"}, {"to-dir/up", "top"},
		{"dir/to-root", ""}, {"dir/to-root/top", "top"}, {"here/here/top", "top"}, {"chain", "dir/file"}, {"sub", "sub"}, {"long20", "long50"},
		{"through", "top"}, {"deep/through", "far/away/beside"}, // ".." after a link is beside its target, not beside the link
	} {
		got, entry, err := tree.Resolve(t.Context(), m, test.path)
		if err != nil || got != test.want || entry.Mode == tree.Link {
			t.Errorf("Resolve(%q) = %q, %+v, %v; want %q", test.path, got, entry, err, test.want)
		}
	}
	for _, path := range []string{"..", "../x", "dir/../../x", "absolute", "out", "dir/out", "out-and-in", "to-out", "to-dir/out", "absolute/x"} {
		var escape *tree.EscapeError
		if got, _, err := tree.Resolve(t.Context(), m, path); !errors.As(err, &escape) || errors.Is(err, tree.ErrAbsent) {
			t.Errorf("Resolve(%q) = %q, %v; want an EscapeError", path, got, err)
		}
	}
	for _, path := range []string{"nothing", "dir/nothing", "top/below", "dangling", "dir/dangling", "to-dir/nothing", "sub/x", "file-up"} {
		if got, _, err := tree.Resolve(t.Context(), m, path); !errors.Is(err, tree.ErrAbsent) {
			t.Errorf("Resolve(%q) = %q, %v; want ErrAbsent", path, got, err)
		}
	}
	for _, path := range []string{"loop", "a", "b/x", "long0"} {
		if got, _, err := tree.Resolve(t.Context(), m, path); err == nil || errors.Is(err, tree.ErrAbsent) || !errors.Is(err, tree.ErrLinks) {
			t.Errorf("Resolve(%q) = %q, %v; want an error about links", path, got, err)
		}
	}
}

func TestReadFile(t *testing.T) {
	m := tree.Memory(map[string]tree.MemoryFile{"dir/file": file("content"), "link": link("dir/file"), "sub": {Mode: tree.Submodule}})
	if data, err := tree.ReadFile(t.Context(), m, "link", 100); err != nil || string(data) != "content" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := tree.ReadFile(t.Context(), m, "link", 3); !errors.Is(err, tree.ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
	for path, want := range map[string]string{"dir": "directory", "sub": "submodule"} {
		if _, err := tree.ReadFile(t.Context(), m, path, -1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestMemory(t *testing.T) {
	files := map[string]tree.MemoryFile{"a/x": file("1"), "a/y": file("2"), "b/x": file("1"), "b/y": file("2"), "c": {Content: "#!", Mode: tree.Executable}}
	m := tree.Memory(files)
	list, err := m.List(t.Context(), "")
	if err != nil || len(list) != 3 || list[0].Name != "a" || list[0].Mode != tree.Dir || list[2].Mode != tree.Executable || list[2].Size != 2 {
		t.Errorf("list %+v, %v", list, err)
	}
	if list[0].ID != list[1].ID {
		t.Error("equal folders have different ids")
	}
	for name, change := range map[string]tree.MemoryFile{"a/x": file("changed"), "a/z": file("new"), "c": {Content: "#!", Mode: tree.File}} {
		changed := map[string]tree.MemoryFile{name: change}
		for path, f := range files {
			if _, ok := changed[path]; !ok {
				changed[path] = f
			}
		}
		if tree.Memory(changed).Root() == m.Root() {
			t.Errorf("%s changed and the root's id did not", name)
		}
	}
	if tree.Memory(files).Root() != m.Root() {
		t.Error("the root's id is not one of content")
	}
	for _, path := range []string{"a", "x", "a/x/y"} {
		if _, err := m.Read(t.Context(), path, -1); !errors.Is(err, tree.ErrAbsent) {
			t.Errorf("Read(%q): %v", path, err)
		}
	}
	if _, err := m.List(t.Context(), "c"); !errors.Is(err, tree.ErrAbsent) {
		t.Errorf("listing a file: %v", err)
	}
	if _, err := tree.Memory(nil).List(t.Context(), ""); err != nil {
		t.Errorf("the root of nothing: %v", err)
	}
}

// traced reads a folder, a link, a file elsewhere and something absent, as a renderer does.
func traced(t *testing.T, m tree.Tree) tree.ReadSet {
	t.Helper()
	tracer := tree.Trace(m)
	list, err := tracer.List(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Mode == tree.File {
			if _, err := tracer.Read(t.Context(), "app/"+e.Name, -1); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := tree.ReadFile(t.Context(), tracer, "values", -1); err != nil {
		t.Fatal(err)
	}
	if _, err := tracer.Lookup(t.Context(), "absent/file"); !errors.Is(err, tree.ErrAbsent) {
		t.Fatal(err)
	}
	if _, err := tracer.List(t.Context(), "absent/dir"); !errors.Is(err, tree.ErrAbsent) {
		t.Fatal(err)
	}
	return tracer.ReadSet()
}

func TestReadSetHoldsExactlyWhileWhatWasReadIsTheSame(t *testing.T) {
	base := map[string]tree.MemoryFile{"app/a": file("1"), "app/sub/deep": file("1"), "values": link("shared/values"), "shared/values": file("1"), "shared/other": file("1"), "else/x": file("1")}
	set := traced(t, tree.Memory(base))
	for _, test := range []struct {
		name   string
		change map[string]tree.MemoryFile
		gone   string
		holds  bool
	}{
		{name: "nothing", holds: true},
		{name: "an unread file", change: map[string]tree.MemoryFile{"else/x": file("2")}, holds: true},
		{name: "a neighbour of a read file", change: map[string]tree.MemoryFile{"shared/other": file("2"), "shared/new": file("2")}, holds: true},
		{name: "a new folder", change: map[string]tree.MemoryFile{"new/x": file("1")}, holds: true},
		{name: "a read file", change: map[string]tree.MemoryFile{"app/a": file("2")}},
		{name: "a new file in a listed folder", change: map[string]tree.MemoryFile{"app/b": file("1")}},
		{name: "a file gone from a listed folder", gone: "app/a"},
		{name: "the target of a link", change: map[string]tree.MemoryFile{"shared/values": file("2")}},
		{name: "the link itself", change: map[string]tree.MemoryFile{"values": link("shared/other")}},
		{name: "a read file gone", gone: "shared/values"},
		{name: "what was absent is there", change: map[string]tree.MemoryFile{"absent/file": file("1")}},
		{name: "the absent folder is there", change: map[string]tree.MemoryFile{"absent/dir/x": file("1")}},
		{name: "the absent file's folder only", change: map[string]tree.MemoryFile{"absent/unrelated": file("1")}, holds: true},
	} {
		now := map[string]tree.MemoryFile{}
		for path, f := range base {
			if path != test.gone {
				now[path] = f
			}
		}
		for path, f := range test.change {
			now[path] = f
		}
		holds, err := set.Holds(t.Context(), tree.Memory(now))
		if err != nil || holds != test.holds {
			t.Errorf("%s: holds %t, %v; want %t", test.name, holds, err, test.holds)
		}
		touched := false
		for path := range test.change {
			touched = touched || set.Touched(path)
		}
		if test.gone != "" {
			touched = touched || set.Touched(test.gone)
		}
		if !test.holds && !touched {
			t.Errorf("%s: the set does not hold, and no changed path touches it", test.name)
		}
	}
}

func TestTouchedAndRoots(t *testing.T) {
	set := tree.ReadSet{Paths: map[string]string{"values/a": "1", "app": "", "app/x": "2"}, Lists: map[string]string{"charts": "3", "charts/sub": "4"}}
	for path, want := range map[string]bool{
		"values/a": true, "values/b": false, "values": false, "app": true, "app/y": true, "application": false, "charts/new": true, "charts/sub/deep/x": true, "chart": false,
	} {
		if got := set.Touched(path); got != want {
			t.Errorf("Touched(%q) = %t", path, got)
		}
	}
	if got := strings.Join(set.Roots(), " "); got != "app charts values/a" {
		t.Errorf("roots %s", got)
	}
	if got := (tree.ReadSet{Lists: map[string]string{"": "1", "a": "2"}}).Roots(); len(got) != 1 || got[0] != "" {
		t.Errorf("roots %q", got)
	}
}

// broken is a Tree that cannot be read: its errors must never look like absence.
type broken struct{ tree.Tree }

var errBroken = errors.New("the disk is on fire")

func (broken) Lookup(context.Context, string) (tree.Entry, error)  { return tree.Entry{}, errBroken }
func (broken) List(context.Context, string) ([]tree.Entry, error)  { return nil, errBroken }
func (broken) Read(context.Context, string, int64) ([]byte, error) { return nil, errBroken }

func TestErrorsAreNeverAbsence(t *testing.T) {
	tracer := tree.Trace(broken{})
	for name, call := range map[string]func() error{
		"Lookup":   func() error { _, err := tracer.Lookup(t.Context(), "a"); return err },
		"List":     func() error { _, err := tracer.List(t.Context(), "a"); return err },
		"Read":     func() error { _, err := tracer.Read(t.Context(), "a", -1); return err },
		"ReadFile": func() error { _, err := tree.ReadFile(t.Context(), tracer, "a", -1); return err },
		"Resolve":  func() error { _, _, err := tree.Resolve(t.Context(), tracer, "a"); return err },
		"Holds": func() error {
			_, err := tree.ReadSet{Paths: map[string]string{"a": ""}}.Holds(t.Context(), broken{})
			return err
		},
	} {
		if err := call(); !errors.Is(err, errBroken) || errors.Is(err, tree.ErrAbsent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if set := tracer.ReadSet(); len(set.Paths)+len(set.Lists) > 0 {
		t.Errorf("a failure was noted as something seen: %+v", set)
	}
}

// mounted shows another tree in the folder "sub" of a tree in memory.
type mounted struct {
	tree.Tree
	id string
}

func (m mounted) Mount(_ context.Context, p string) (at, id string, ok bool, err error) {
	if p == "sub" || strings.HasPrefix(p, "sub/") {
		return "sub", m.id, true, nil
	}
	return "", "", false, nil
}

func (m mounted) Lookup(ctx context.Context, p string) (tree.Entry, error) {
	e, err := m.Tree.Lookup(ctx, p)
	if p == "sub" {
		e.ID = m.id
	}
	return e, err
}

func TestReadsInAMountAreReadsOfTheMount(t *testing.T) {
	files := tree.Memory(map[string]tree.MemoryFile{"sub/lib/x": file("x"), "sub/y": file("y"), "own": file("own"), "in": link("sub/lib")})
	for _, tt := range []struct {
		name string
		read func(tree.Tree) error
	}{
		{"a file", func(t tree.Tree) error { _, err := t.Read(context.Background(), "sub/lib/x", -1); return err }},
		{"a file through a link", func(t tree.Tree) error { _, err := tree.ReadFile(context.Background(), t, "in/x", -1); return err }},
		{"a folder", func(t tree.Tree) error { _, err := t.List(context.Background(), "sub"); return err }},
		{"nothing", func(t tree.Tree) error {
			if _, err := t.Lookup(context.Background(), "sub/none"); !errors.Is(err, tree.ErrAbsent) {
				return fmt.Errorf("got %w, want absence", err)
			}
			return nil
		}},
	} {
		tracer := tree.Trace(mounted{files, "pin-1"})
		if err := tt.read(tracer); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		set := tracer.ReadSet()
		if set.Paths["sub"] != "pin-1" {
			t.Errorf("%s: the read set %v does not hold the mount", tt.name, set)
		}
		if !set.Touched("sub") || set.Touched("own") {
			t.Errorf("%s: touched by a change of sub %t, of own %t; want true, false", tt.name, set.Touched("sub"), set.Touched("own"))
		}
		if holds, err := set.Holds(t.Context(), mounted{files, "pin-1"}); err != nil || !holds {
			t.Errorf("%s: holds in the same tree: %t, %v", tt.name, holds, err)
		}
		if holds, err := set.Holds(t.Context(), mounted{files, "pin-2"}); err != nil || holds {
			t.Errorf("%s: holds although the mount shows another tree: %t, %v", tt.name, holds, err)
		}
	}
	tracer := tree.Trace(mounted{files, "pin-1"})
	if _, err := tracer.Read(t.Context(), "own", -1); err != nil {
		t.Fatal(err)
	}
	if set := tracer.ReadSet(); set.Touched("sub") || len(set.Paths) != 1 {
		t.Errorf("a read beside the mount depends on it: %v", set)
	}
}
