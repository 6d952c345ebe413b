// SPDX-License-Identifier: Apache-2.0

package jsonnet_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/jsonnet"
	"github.com/bowline-cd/bowline/internal/tree"
)

// Each case is an archive: "jsonnet" holds the settings, "want" the JSON (without spaces) or "error" the text, all else is
// the repository, with "LINK target" for links. app/main.jsonnet is evaluated.
func TestEvaluate(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			repo, settings, want := map[string]tree.MemoryFile{}, v1alpha1.ApplicationSourceJsonnet{}, ""
			for _, f := range archive.Files {
				text := string(f.Data)
				switch f.Name {
				case "jsonnet":
					if err := yaml.UnmarshalStrict(f.Data, &settings); err != nil {
						t.Fatal(err)
					}
				case "want", "error":
					want = f.Name + ": " + strings.TrimSpace(text)
				default:
					repo[f.Name] = memoryFile(text)
				}
			}
			out, err := evaluate(repo, settings)
			got := "want: " + strings.NewReplacer("\n", "", "   ", "", " ", "").Replace(out)
			if err != nil {
				got = "error: " + err.Error()
				if !fault.Is(err, fault.Mistake) {
					t.Errorf("its kind is %s", fault.KindOf(err))
				}
			}
			if got != want {
				t.Errorf("\ngot  %s\nwant %s", got, want)
			}
		})
	}
}

func memoryFile(text string) tree.MemoryFile {
	if target, ok := strings.CutPrefix(text, "LINK "); ok {
		return tree.MemoryFile{Content: strings.TrimSpace(target), Mode: tree.Link}
	}
	return tree.MemoryFile{Content: text}
}

func evaluate(repo map[string]tree.MemoryFile, settings v1alpha1.ApplicationSourceJsonnet) (string, error) {
	in := render.Input{Tree: tree.Memory(repo), Source: v1alpha1.ApplicationSource{Path: "app", Directory: &v1alpha1.ApplicationSourceDirectory{Jsonnet: settings}}}
	out, err := jsonnet.Evaluate(context.Background(), in, "app/main.jsonnet")
	return string(out), err
}

const canary = "canary-7c1f"

// Nothing outside of the repository is read, by whatever word it is asked for.
func TestHostileImports(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("'"+canary+"'"), 0o600); err != nil {
		t.Fatal(err)
	}
	up := strings.Repeat("../", 20)
	targets := map[string]string{
		"absolute": secret, "up": up + strings.TrimPrefix(secret, "/"), "passwd": "/etc/passwd", "environment": "/proc/self/environ",
		"url": "file://" + secret, "double slash": "/" + secret, "back and forth": "sub/../../" + up + strings.TrimPrefix(secret, "/"),
		"link": "out", "link to a folder": "dir/secret", "chain": "chain", "link up": "up", "library link": "lib-out",
	}
	repo := func(body string) map[string]tree.MemoryFile {
		link := func(to string) tree.MemoryFile { return tree.MemoryFile{Content: to, Mode: tree.Link} }
		return map[string]tree.MemoryFile{
			"app/main.jsonnet": {Content: body}, "app/out": link(secret), "app/dir": link(filepath.Dir(secret)), "app/chain": link("out"),
			"app/up": link(up + strings.TrimPrefix(secret, "/")), "lib/lib-out": link(secret), "lib/x": {Content: "1"},
		}
	}
	for _, word := range []string{"import", "importstr", "importbin"} {
		for name, target := range targets {
			t.Run(word+"/"+name, func(t *testing.T) {
				out, err := evaluate(repo(word+" '"+target+"'"), v1alpha1.ApplicationSourceJsonnet{Libs: []string{"lib"}})
				if err == nil || !fault.Is(err, fault.Mistake) {
					t.Fatalf("got %q, %v", out, err)
				}
				if strings.Contains(out+err.Error(), canary) {
					t.Errorf("%s read what is outside: %v", word, err)
				}
			})
		}
	}
	for _, lib := range []string{secret, filepath.Dir(secret), "../", up + "etc", "/etc", "app/dir", "app/out", "app/main.jsonnet"} {
		if out, err := evaluate(repo("1"), v1alpha1.ApplicationSourceJsonnet{Libs: []string{lib}}); err == nil || !fault.Is(err, fault.Mistake) {
			t.Errorf("library %s: %q, %v", lib, out, err)
		}
	}
	// Code of variables may import too.
	code := v1alpha1.ApplicationSourceJsonnet{ExtVars: []v1alpha1.JsonnetVar{{Name: "x", Code: true, Value: "importstr '" + secret + "'"}}}
	if out, err := evaluate(repo("std.extVar('x')"), code); err == nil || strings.Contains(out+err.Error(), canary) {
		t.Errorf("got %q, %v", out, err)
	}
	if out, err := evaluate(repo("std.native('exec')('id')"), code); err == nil {
		t.Errorf("std.native gives %q", out)
	}
}

// missing is a tree of which one file was not fetched.
type missing struct{ tree.Tree }

type missingError struct{}

func (missingError) Error() string       { return "lib/x was not fetched" }
func (missingError) MissingPath() string { return "lib/x" }

func (m missing) Read(ctx context.Context, p string, limit int64) ([]byte, error) {
	if p == "lib/x" {
		return nil, missingError{}
	}
	return m.Tree.Read(ctx, p, limit)
}

// A file that was not fetched is told as such, so that it can be had; it is not "not there".
func TestMissing(t *testing.T) {
	in := render.Input{
		Tree: missing{tree.Memory(map[string]tree.MemoryFile{
			"app/main.jsonnet": {Content: "{a: import 'x'}"}, "lib/x": {Content: "1"},
		})},
		Source: v1alpha1.ApplicationSource{Path: "app", Directory: &v1alpha1.ApplicationSourceDirectory{Jsonnet: v1alpha1.ApplicationSourceJsonnet{Libs: []string{"lib"}}}},
	}
	_, err := jsonnet.Evaluate(context.Background(), in, "app/main.jsonnet")
	var m interface{ MissingPath() string }
	if !errors.As(err, &m) || m.MissingPath() != "lib/x" {
		t.Errorf("got %v", err)
	}
}

func TestLimits(t *testing.T) {
	files := map[string]tree.MemoryFile{"main.jsonnet": {Content: "[importstr 'a', importstr 'b']"}, "a": {Content: strings.Repeat("a", 100)}, "b": {Content: "b"}}
	for _, c := range []struct {
		limits render.Limits
		want   string
	}{
		{render.Limits{}, ""},
		{render.Limits{Files: 3, FileBytes: 100}, ""},
		{render.Limits{Files: 2}, "bowline.render.maxFiles"},
		{render.Limits{FileBytes: 99}, "file a: it is larger than 99 bytes"},
	} {
		_, err := jsonnet.Evaluate(context.Background(), render.Input{Tree: tree.Memory(files), Limits: c.limits}, "main.jsonnet")
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !fault.Is(err, fault.Mistake)) {
			t.Errorf("%+v: got %v, want %s", c.limits, err, c.want)
		}
	}
}

func FuzzEvaluate(f *testing.F) {
	for _, seed := range []string{"{a: 1}", "import 'x'", "std.native('a')", "importbin '../../etc/passwd'", "local f(x) = x; f(1)", "|||\n a\n|||", "error {}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// What can go on for ever is a worker's to end; here is looked for texts that break the reading itself.
		if len(text) > 200 || strings.ContainsAny(text, "([") || strings.Contains(text, "for") {
			t.Skip()
		}
		out, err := evaluate(map[string]tree.MemoryFile{"app/main.jsonnet": {Content: text}, "app/x": {Content: "1"}}, v1alpha1.ApplicationSourceJsonnet{})
		if err != nil && out != "" || err == nil && out == "" {
			t.Errorf("%q gives %q, %v", text, out, err)
		}
	})
}
