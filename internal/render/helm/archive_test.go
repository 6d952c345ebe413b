// SPDX-License-Identifier: Apache-2.0

package helm_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/helm"
)

// member is a file of an archive.
type member struct {
	name, content string
	link          string
	kind          byte
}

func archive(t testing.TB, members ...member) string {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	for _, m := range members {
		kind := m.kind
		if kind == 0 {
			kind = tar.TypeReg
		}
		if err := w.WriteHeader(&tar.Header{Name: m.name, Linkname: m.link, Typeflag: kind, Mode: 0o644, Size: int64(len(m.content)), Format: tar.FormatGNU}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// names is a template that lists the files of its chart.
const names = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: names}\ndata:\n  x: {{ $l := list }}{{ range $p, $c := .Files }}{{ $l = append $l (printf \"%s=%s\" $p $c) }}{{ end }}{{ toJson $l | quote }}\n"

var subChart = []member{{name: "sub/Chart.yaml", content: "name: sub\nversion: 1.0.0\n"}, {name: "sub/templates/a.yaml", content: names}}

// renderArchive renders a chart that has nothing but an archive in its charts folder, and returns the files of that.
func renderArchive(t testing.TB, data string, limits render.Limits) ([]string, []string, error) {
	t.Helper()
	in := input(files{"apps/web/charts/sub.tgz": data}, v1alpha1.ApplicationSourceHelm{})
	in.Limits = limits
	out, err := helm.Render(t.Context(), in)
	var list []string
	for _, m := range out.Manifests {
		if x, ok, _ := runtimeString(m.Object.Object, "data", "x"); ok && m.Object.GetName() == "names" {
			if err := json.Unmarshal([]byte(x), &list); err != nil {
				t.Fatal(err)
			}
		}
	}
	return list, out.Warnings, err
}

func TestArchives(t *testing.T) {
	zeros := strings.Repeat("\x00", 1<<20)
	many := make([]member, 500)
	for i := range many {
		many[i] = member{name: "sub/x"}
	}
	bomb := make([]member, 17)
	for i := range bomb {
		bomb[i] = member{name: "sub/x", content: zeros}
	}
	for _, test := range []struct {
		name    string
		members []member
		files   []string
		fails   string
		warns   string
	}{
		{name: "files", members: []member{{name: "sub/a.txt", content: "1"}, {name: "sub/b/c.txt", content: "\xef\xbb\xbf2"}}, files: []string{"a.txt=1", "b/c.txt=2"}},
		{name: "any folder", members: []member{{name: "other/a.txt", content: "1"}, {name: "./b.txt", content: "2"}, {name: "/c.txt", content: "3"}}, files: []string{"a.txt=1", "b.txt=2", "c.txt=3"}},
		{name: "windows", members: []member{{name: `sub\b\c.txt`, content: "2"}}, files: []string{"b/c.txt=2"}},
		{name: "odd but inside", members: []member{{name: "sub/./b/../c.txt", content: "2"}}, files: []string{"c.txt=2"}},
		{name: "folders", members: []member{{name: "sub/d/", kind: tar.TypeDir}}},
		{name: "symbolic link", members: []member{{name: "sub/a.txt", link: "/etc/passwd", kind: tar.TypeSymlink}}, files: []string{"a.txt="}, warns: "a.txt is a link in an archive"},
		{name: "hard link", members: []member{{name: "sub/a.txt", link: "../../etc/passwd", kind: tar.TypeLink}}, files: []string{"a.txt="}, warns: "a.txt is a link in an archive"},
		{name: "link to a folder, file below", members: []member{{name: "sub/d", link: "/etc", kind: tar.TypeSymlink}, {name: "sub/d/passwd", content: "x"}}, files: []string{"d/passwd=x", "d="}, warns: "link"},
		{name: "device", members: []member{{name: "sub/zero", kind: tar.TypeChar}}, files: []string{"zero="}},
		{name: "climbs out", members: []member{{name: "sub/../../x", content: "1"}}, fails: "leads out of the chart"},
		{name: "climbs out at once", members: []member{{name: "../../x", content: "1"}}, fails: "leads out of the chart"},
		{name: "absolute", members: []member{{name: "sub//etc/passwd", content: "1"}}, fails: "leads out of the chart"},
		{name: "drive", members: []member{{name: "sub/c:/x", content: "1"}}, fails: "leads out of the chart"},
		{name: "no folder", members: []member{{name: "Chart.yaml", content: "1"}}, fails: "does not lie in a folder"},
		{name: "bomb", members: bomb, fails: "what is in it is too large"},
		{name: "large file", members: []member{{name: "sub/x", content: strings.Repeat(zeros, 3)}}, fails: "the file x in it is larger than 2 MiB"},
		{name: "many files", members: many, fails: "more than 400 files"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, warnings, err := renderArchive(t, archive(t, append(slices.Clone(subChart), test.members...)...), render.Limits{FileBytes: 2 << 20, Files: 400})
			if test.fails != "" {
				if !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), test.fails) || !strings.Contains(err.Error(), "apps/web/charts/sub.tgz") {
					t.Errorf("error %v; want %q", err, test.fails)
				}
				return
			}
			slices.Sort(got)
			if slices.Sort(test.files); err != nil || !slices.Equal(got, test.files) {
				t.Errorf("files %q, want %q, %v", got, test.files, err)
			}
			if shown := strings.Join(warnings, "\n"); (test.warns == "") != (shown == "") || !strings.Contains(shown, test.warns) {
				t.Errorf("warnings %q", shown)
			}
		})
	}
}

func TestHostileArchivesWithinArchivesEnd(t *testing.T) {
	data := archive(t, subChart...)
	for range 60 {
		data = archive(t, member{name: "sub/Chart.yaml", content: "name: sub\nversion: 1.0.0\n"}, member{name: "sub/charts/sub.tgz", content: data})
	}
	if _, _, err := renderArchive(t, data, render.Limits{}); err == nil || !strings.Contains(err.Error(), "more than 40 deep") {
		t.Error(err)
	}
}

// A sparse file takes no room in its archive, whatever its size.
func TestHostileSparseFilesCountWithTheirSize(t *testing.T) {
	if _, _, err := renderArchive(t, sparseArchive(t, 120, 1<<20), render.Limits{}); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Error(err)
	}
}

// sparseArchive makes an archive of n files that are nothing but a hole of a size, in the format of old GNU tar.
func sparseArchive(t *testing.T, n int, size int64) string {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	for range n {
		if _, err := zipped.Write(hole(t, size)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := zipped.Write(make([]byte, 1024)); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// hole is the header of a sparse file: one block of no data at its end.
func hole(t *testing.T, size int64) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&tar.Header{Name: "sub/x", Typeflag: tar.TypeReg, Mode: 0o644, Format: tar.FormatGNU}); err != nil {
		t.Fatal(err)
	}
	block := out.Bytes()[:512]
	block[156] = 'S'
	copy(block[386:], fmt.Sprintf("%011o\x00%011o\x00", size, 0))
	copy(block[483:], fmt.Sprintf("%011o\x00", size))
	copy(block[148:156], "        ")
	sum := 0
	for _, b := range block {
		sum += int(b)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return block
}

func FuzzArchive(f *testing.F) {
	plain := func(members ...member) []byte {
		r, err := gzip.NewReader(strings.NewReader(archive(f, append(slices.Clone(subChart), members...)...)))
		if err != nil {
			f.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			f.Fatal(err)
		}
		return data
	}
	f.Add(plain(), true)
	f.Add(plain(member{name: "sub/../../x", content: "1"}, member{name: "sub/l", link: "/etc/passwd", kind: tar.TypeSymlink}), true)
	f.Add(plain(member{name: "sub/values.yaml", content: "a: &a [x]\nb: [*a, *a]\n"}, member{name: "sub/charts/x.tgz", content: archive(f, subChart...)}), true)
	f.Add([]byte("\x1f\x8b\x08\x00"), false)
	f.Fuzz(func(t *testing.T, data []byte, zip bool) {
		if zip {
			var out bytes.Buffer
			w := gzip.NewWriter(&out)
			if _, err := w.Write(data); err != nil || w.Close() != nil {
				t.Fatal(err)
			}
			data = out.Bytes()
		}
		_, _, err := renderArchive(t, string(data), render.Limits{FileBytes: 1 << 20, Files: 200, Objects: 100, OutputBytes: 1 << 20})
		if err != nil && fault.KindOf(err) == fault.Retry {
			t.Errorf("an error that nobody judged: %v", err)
		}
	})
}

func FuzzNamesInArchives(f *testing.F) {
	for _, name := range []string{"sub/a", "sub/../../a", `sub\..\..\a`, "/a/b", "sub//a", "sub/c:/x", "sub/./../a/..", "a", ".", "..", "sub/%2e%2e/a"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" || strings.ContainsRune(name, 0) || len(name) > 90 || strings.HasSuffix(name, "/") {
			t.Skip()
		}
		got, _, err := renderArchive(t, archive(t, append(slices.Clone(subChart), member{name: name, content: "1"})...), render.Limits{})
		if err != nil && fault.KindOf(err) == fault.Retry {
			t.Errorf("an error that nobody judged: %v", err)
		}
		for _, file := range got {
			p, _, _ := strings.Cut(file, "=")
			if path.IsAbs(p) || p == ".." || strings.HasPrefix(p, "../") || path.Clean(p) != p {
				t.Errorf("%q became the file %q", name, p)
			}
		}
	})
}
