// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

func sample(t *testing.T) *files {
	t.Helper()
	f := newFiles(t.Context(), render.Input{Limits: render.Limits{}.WithDefaults(), Tree: repo(map[string]string{
		"a/file": "content", "a/sub/deep": "deep", "link": "-> a", "a/up": "-> ../b/other", "b/other": "other", "a/gone": "-> nowhere",
		"out": "-> ../x", "loop": "-> loop",
	})})
	f.mount(home+"/a/.m", repo(map[string]string{"in/file": "mounted", "up": "-> ../../b/other", "ln": "-> in/file"}))
	f.replace(home+"/a/new", []byte("laid over"))
	return f
}

// TestFilesAreLikeThoseOnDisk holds every path against the library's own file system on a folder with the same files.
func TestFilesAreLikeThoseOnDisk(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"a/file": "content", "a/sub/deep": "deep", "b/other": "other", "a/.m/in/file": "mounted", "a/new": "laid over"} {
		p := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"link": "a", "a/up": "../b/other", "a/gone": "nowhere", "a/.m/ln": "in/file"} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	disk, ours := filesys.MakeFsOnDisk(), sample(t)
	for _, p := range []string{
		"", "a", "a/file", "a/", "a/./file", "a/sub/../file", "a/sub", "a/sub/deep", "link", "link/file", "link/sub/deep", "link/up", "a/up", "a/gone", "gone", "a/file/x",
		"a/.m", "a/.m/in", "a/.m/in/file", "a/.m/ln", "a/.m/nothing", "a/new", "a/sub/../new",
	} {
		wantDir, wantFile, wantErr := disk.CleanedAbs(filepath.Join(root, p))
		gotDir, gotFile, gotErr := ours.CleanedAbs(home + "/" + p)
		want, got := strings.TrimPrefix(string(wantDir), root)+"|"+wantFile, strings.TrimPrefix(string(gotDir), home)+"|"+gotFile
		if got != want || (gotErr == nil) != (wantErr == nil) || errors.Is(gotErr, fs.ErrNotExist) != (gotErr != nil) {
			t.Errorf("%q: %s, %v; on disk %s, %v", p, got, gotErr, want, wantErr)
		}
		wantText, wantErr := disk.ReadFile(filepath.Join(root, p))
		gotText, gotErr := ours.ReadFile(home + "/" + p)
		if string(gotText) != string(wantText) || (gotErr == nil) != (wantErr == nil) {
			t.Errorf("%q: %q, %v; on disk %q, %v", p, gotText, gotErr, wantText, wantErr)
		}
		if got, want := ours.IsDir(home+"/"+p), disk.IsDir(filepath.Join(root, p)); got != want {
			t.Errorf("%q is a folder: %t, on disk %t", p, got, want)
		}
		if got, want := ours.Exists(home+"/"+p), disk.Exists(filepath.Join(root, p)); got != want {
			t.Errorf("%q exists: %t, on disk %t", p, got, want)
		}
	}
	if ours.failure != nil {
		t.Errorf("what is absent is no failure: %v", ours.failure)
	}
	names, err := ours.ReadDir(home + "/a")
	if want := ".m file gone sub up"; err != nil || strings.Join(names, " ") != want {
		t.Errorf("%q, %v; want %s", names, err, want)
	}
}

func TestFilesLeadNowhereElse(t *testing.T) {
	for _, p := range []string{"/", "/etc/passwd", home + "/../etc/passwd", home + "/out", home + "/out/x", home + "/a/.m/up", home + "/loop", "relative", home + "other/x"} {
		f := sample(t)
		_, _, err := f.CleanedAbs(p)
		var escape *tree.EscapeError
		if err == nil || f.failure == nil || !errors.As(f.failure, &escape) && !errors.Is(f.failure, tree.ErrLinks) {
			t.Errorf("%s: %v, failure %v", p, err, f.failure)
		}
		if strings.Contains(f.failure.Error(), home+"/") {
			t.Errorf("%s: the error names a place that the user does not know: %v", p, f.failure)
		}
	}
}

func TestFilesAreReadOnly(t *testing.T) {
	p := home + "/a/file"
	for name, call := range map[string]func(f *files) error{
		"Create":    func(f *files) error { _, err := f.Create(p); return err },
		"Open":      func(f *files) error { _, err := f.Open(p); return err },
		"Mkdir":     func(f *files) error { return f.Mkdir(p) },
		"MkdirAll":  func(f *files) error { return f.MkdirAll(p) },
		"RemoveAll": func(f *files) error { return f.RemoveAll(p) },
		"WriteFile": func(f *files) error { return f.WriteFile(p, nil) },
		"Walk":      func(f *files) error { return f.Walk(p, nil) },
		"Glob":      func(f *files) error { _, err := f.Glob(p); return err },
	} {
		f := sample(t)
		if err := call(f); !fault.Is(err, fault.Bug) || f.failure == nil {
			t.Errorf("%s: %v, failure %v", name, err, f.failure)
		}
	}
}

func TestFilesAreNotSharedWithTheirReaders(t *testing.T) {
	f := sample(t)
	for _, p := range []string{home + "/a/file", home + "/a/new"} {
		first, err := f.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		before := string(first)
		first[0] = 'X'
		if again, _ := f.ReadFile(p); string(again) != before {
			t.Errorf("%s: %s", p, again)
		}
	}
}
