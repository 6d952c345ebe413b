// SPDX-License-Identifier: Apache-2.0

package source

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/tree"
	"github.com/bowline-cd/bowline/test/registry"
)

var small = unpacking{thing: "the archive", bytes: 1 << 20, setting: chartSetting, files: 100}

// unpackedTree unpacks an archive to a tree whose pack is a file of the test.
func unpackedTree(t *testing.T, archive []byte, how unpacking) (*archiveTree, error) {
	t.Helper()
	pack, err := os.Create(filepath.Join(t.TempDir(), "pack"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pack.Close() })
	entries, err := unpack(t.Context(), bytes.NewReader(archive), pack, how)
	if err != nil {
		return nil, err
	}
	return newArchiveTree(pack, entries, func() { t.Error("damaged") }), nil
}

// listing writes a tree as one line for each path.
func listing(t *testing.T, files tree.Tree, dir string) string {
	t.Helper()
	entries, err := files.List(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		at := tree.Join(dir, e.Name)
		found, err := files.Lookup(t.Context(), at)
		if err != nil || found != e {
			t.Errorf("%s: listed as %+v, found as %+v, %v", at, e, found, err)
		}
		if e.Mode == tree.Dir {
			b.WriteString(listing(t, files, at))
			continue
		}
		content, err := files.Read(t.Context(), at, -1)
		if err != nil || int64(len(content)) != e.Size {
			t.Errorf("%s: %q, %v, size %d", at, content, err, e.Size)
		}
		fmt.Fprintf(&b, "%s %d %s\n", at, e.Mode, content)
	}
	return b.String()
}

func TestUnpack(t *testing.T) {
	archive := registry.Tar(
		registry.Entry{Name: "pax_global_header", Type: tar.TypeXGlobalHeader},
		registry.Entry{Name: "./", Type: tar.TypeDir},
		registry.Entry{Name: "./a/x", Content: "1"}, registry.Entry{Name: "a-b", Content: "2"}, registry.Entry{Name: "a.b", Content: ""},
		registry.Entry{Name: "a/c/run", Content: "#!", Mode: 0o755}, registry.Entry{Name: "link", Link: "../../etc/passwd", Type: tar.TypeSymlink},
		registry.Entry{Name: "empty/", Type: tar.TypeDir}, registry.Entry{Name: "hard", Link: "a/x", Type: tar.TypeLink},
		registry.Entry{Name: "twice", Content: "old"}, registry.Entry{Name: "twice", Content: "new"},
	)
	want := fmt.Sprintf("a/c/run %d #!\na/x %d 1\na-b %d 2\na.b %d \nhard %d 1\nlink %d ../../etc/passwd\ntwice %d new\n",
		tree.Executable, tree.File, tree.File, tree.File, tree.File, tree.Link, tree.File)
	for name, content := range map[string][]byte{"tar": archive, "tar.gz": registry.Gzip(archive)} {
		files, err := unpackedTree(t, content, small)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := listing(t, files, ""); got != want {
			t.Errorf("%s:\n%swant\n%s", name, got, want)
		}
		var escape *tree.EscapeError
		if _, err := tree.ReadFile(t.Context(), files, "link", -1); !errors.As(err, &escape) {
			t.Errorf("a link out of the archive: %v", err)
		}
		for _, path := range []string{"none", "a/none", "a/x/y", "link/x", "a/"} {
			if _, err := files.Lookup(t.Context(), path); !errors.Is(err, tree.ErrAbsent) {
				t.Errorf("%s: %v", path, err)
			}
		}
		if _, err := files.List(t.Context(), "a/x"); !errors.Is(err, tree.ErrAbsent) {
			t.Errorf("listing a file: %v", err)
		}
		if _, err := files.Read(t.Context(), "a/x", 0); !errors.Is(err, tree.ErrTooLarge) {
			t.Errorf("reading more than the limit: %v", err)
		}
	}
}

func TestUnpackedTreesAreNamedByTheirContent(t *testing.T) {
	roots := map[string]string{}
	for name, entries := range map[string][]registry.Entry{
		"one":        {{Name: "a", Content: "1"}, {Name: "b/c", Content: "2"}},
		"same":       {{Name: "b/", Type: tar.TypeDir}, {Name: "b/c", Content: "2"}, {Name: "a", Content: "1"}},
		"content":    {{Name: "a", Content: "1"}, {Name: "b/c", Content: "3"}},
		"name":       {{Name: "a", Content: "1"}, {Name: "b/d", Content: "2"}},
		"executable": {{Name: "a", Content: "1", Mode: 0o755}, {Name: "b/c", Content: "2"}},
		"link":       {{Name: "a", Link: "1", Type: tar.TypeSymlink}, {Name: "b/c", Content: "2"}},
	} {
		files, err := unpackedTree(t, registry.Tar(entries...), small)
		if err != nil {
			t.Fatal(err)
		}
		roots[files.Root()] += name
	}
	if len(roots) != 5 {
		t.Errorf("trees by their id: %v", roots)
	}
}

func TestUnpackWithoutTheFirstFolder(t *testing.T) {
	how := small
	how.strip = true
	files, err := unpackedTree(t, registry.Chart("web", "1.0.0", map[string]string{"charts/sub/Chart.yaml": "x"}), how)
	if err != nil {
		t.Fatal(err)
	}
	if got := listing(t, files, "charts"); !strings.Contains(got, "charts/sub/Chart.yaml") {
		t.Errorf("%s", got)
	}
}

func TestHostileArchives(t *testing.T) {
	zeros := strings.Repeat("\x00", 2<<20)
	many := make([]registry.Entry, 101)
	for i := range many {
		many[i] = registry.Entry{Name: fmt.Sprint(i)}
	}
	for name, tt := range map[string]struct {
		archive []byte
		want    []string
	}{
		"absolute":        {registry.Tar(registry.Entry{Name: "/etc/passwd", Content: "x"}), []string{"absolute"}},
		"climbs":          {registry.Tar(registry.Entry{Name: "a/../../b", Content: "x"}), []string{"climbs"}},
		"climbs at end":   {registry.Tar(registry.Entry{Name: "a/..", Content: "x"}), []string{"climbs"}},
		"device":          {registry.Tar(registry.Entry{Name: "null", Type: tar.TypeChar}), []string{"neither"}},
		"pipe":            {registry.Tar(registry.Entry{Name: "pipe", Type: tar.TypeFifo}), []string{"neither"}},
		"below a link":    {registry.Tar(registry.Entry{Name: "a", Link: "/etc", Type: tar.TypeSymlink}, registry.Entry{Name: "a/passwd", Content: "x"}), []string{"not a folder"}},
		"below a file":    {registry.Tar(registry.Entry{Name: "a", Content: "x"}, registry.Entry{Name: "a/b", Content: "x"}), []string{"not a folder"}},
		"hard link out":   {registry.Tar(registry.Entry{Name: "a", Link: "../x", Type: tar.TypeLink}), []string{"climbs"}},
		"hard link to /":  {registry.Tar(registry.Entry{Name: "a", Link: "/etc/passwd", Type: tar.TypeLink}), []string{"absolute"}},
		"hard to a link":  {registry.Tar(registry.Entry{Name: "l", Link: "/etc", Type: tar.TypeSymlink}, registry.Entry{Name: "a", Link: "l", Type: tar.TypeLink}), []string{"not in the archive"}},
		"deep":            {registry.Tar(registry.Entry{Name: strings.Repeat("a/", 100) + "b"}), []string{"folders"}},
		"long name":       {registry.Tar(registry.Entry{Name: strings.Repeat("a", 2000)}), []string{"longer"}},
		"long link":       {registry.Tar(registry.Entry{Name: "a", Link: strings.Repeat("a", 5000), Type: tar.TypeSymlink}), []string{"too long"}},
		"many":            {registry.Tar(many...), []string{"100", filesSetting}},
		"gzip bomb":       {registry.Gzip(registry.Tar(registry.Entry{Name: "a", Content: zeros})), []string{"1Mi", chartSetting}},
		"bomb behind":     {registry.Gzip(append(registry.Tar(registry.Entry{Name: "a"})[:512], zeros...)), nil},
		"gzip in gzip":    {registry.Gzip(registry.Gzip(registry.Tar())), []string{"tar"}},
		"page":            {[]byte("<!DOCTYPE html><html></html>" + strings.Repeat(" ", 1000)), []string{"tar"}},
		"cut":             {registry.Gzip(registry.Tar(registry.Entry{Name: "a", Content: "xyz"}))[:40], []string{"whole"}},
		"cut tar":         {registry.Tar(registry.Entry{Name: "a", Content: strings.Repeat("x", 2000)})[:1000], []string{"whole"}},
		"broken checksum": {append(registry.Gzip(registry.Tar(registry.Entry{Name: "a", Content: "x"}))[:60], make([]byte, 60)...), []string{"whole"}},
		"sparse bomb":     {sparseBomb(), []string{"1Mi", chartSetting}},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := unpackedTree(t, tt.archive, small)
			if tt.want == nil {
				if err == nil && files.Root() == "" {
					t.Error("no root")
				}
				return
			}
			wantLimit(t, err, append(tt.want, "the archive")...)
		})
	}
}

// sparseBomb is an archive of a kilobyte with a file of a gibibyte (GNU tar's PAX format 1.0 of sparse files).
func sparseBomb() []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	record := func(key, value string) string {
		for n := len(key) + len(value) + 3; ; n++ {
			if line := fmt.Sprintf("%d %s=%s\n", n, key, value); len(line) == n {
				return line
			}
		}
	}
	pax := record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0") + record("GNU.sparse.name", "big") + record("GNU.sparse.realsize", "1073741824")
	raw := func(kind byte, name, content string) {
		header := make([]byte, 512)
		copy(header, name)
		copy(header[100:], "0000644\x000000000\x000000000\x00")
		copy(header[124:], fmt.Sprintf("%011o\x00%011o\x00        ", len(content), 0))
		header[156] = kind
		copy(header[257:], "ustar\x0000")
		sum := 0
		for _, b := range header {
			sum += int(b)
		}
		copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
		out.Write(header)
		out.WriteString(content)
		out.Write(make([]byte, (512-len(content)%512)%512))
	}
	raw(tar.TypeXHeader, "pax", pax)
	raw(tar.TypeReg, "big", "1\n0\n0\n"+strings.Repeat("\x00", 506))
	_ = w.Close()
	return out.Bytes()
}

func TestUnpackEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := unpack(ctx, bytes.NewReader(registry.Tar(registry.Entry{Name: "a"})), io.Discard, small); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(registry.Tar(registry.Entry{Name: "a/x", Content: "1"}, registry.Entry{Name: "l", Link: "a", Type: tar.TypeSymlink}), false)
	f.Add(registry.Gzip(registry.Chart("web", "1.0.0", nil)), true)
	f.Add(sparseBomb(), false)
	f.Fuzz(func(t *testing.T, archive []byte, strip bool) {
		how := small
		how.strip = strip
		var pack bytes.Buffer
		entries, err := unpack(t.Context(), bytes.NewReader(archive), &pack, how)
		if err != nil {
			return
		}
		if int64(pack.Len()) > small.bytes || len(entries) > 2*small.files {
			t.Fatalf("%d bytes in %d entries", pack.Len(), len(entries))
		}
		known := map[string]tree.Mode{"": tree.Dir}
		for _, e := range entries {
			cleaned, ok := tree.Clean(e.path)
			if !ok || cleaned != e.path || e.path == "" || known[e.path] != 0 {
				t.Fatalf("the path %q", e.path)
			}
			dir, _, _ := cutLast(e.path, "/")
			if dir == e.path {
				dir = ""
			}
			if known[dir] != tree.Dir {
				t.Fatalf("%q lies in no folder", e.path)
			}
			if e.mode != tree.Dir && (e.offset < 0 || e.size < 0 || e.offset+e.size > int64(pack.Len())) {
				t.Fatalf("%q lies outside of the pack", e.path)
			}
			known[e.path] = e.mode
		}
	})
}
