// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// aliases is a YAML text that is small and, with its aliases, of no size that anyone has room for.
func aliases() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 12 {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	}
	return b.String()
}

// archive is a chart archive of one file that inflates to size bytes of nothing.
func archive(t *testing.T, size int64) string {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	files := tar.NewWriter(zip)
	write := func(name string, n int64, content []byte) {
		if err := files.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: n, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		for n > 0 {
			if int64(len(content)) > n {
				content = content[:n]
			}
			if _, err := files.Write(content); err != nil {
				t.Fatal(err)
			}
			n -= int64(len(content))
		}
	}
	meta := []byte("apiVersion: v2\nname: bomb\nversion: 1.0.0\n")
	write("bomb/Chart.yaml", int64(len(meta)), meta)
	write("bomb/files/zero", size, make([]byte, 1<<20))
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func template(body string) tree.Tree {
	return chart(map[string]string{"templates/bomb.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\ndata:\n  x: " + body + "\n"})
}

func jsonnetFile(text string) tree.Tree {
	return tree.Memory(map[string]tree.MemoryFile{"web/bomb.jsonnet": {Content: text}})
}

func kustomization(more map[string]string) tree.Tree {
	files := map[string]tree.MemoryFile{}
	for p, content := range more {
		files["web/"+p] = tree.MemoryFile{Content: content}
	}
	return tree.Memory(files)
}

// A bomb ends its own render. The renders of others go on meanwhile, and nothing is left of it.
func TestHostileBombs(t *testing.T) {
	bombs := map[string]tree.Tree{
		"aliases in values":          chart(map[string]string{"values.yaml": aliases()}),
		"aliases in Chart.yaml":      chart(map[string]string{"Chart.yaml": chartYAML + aliases()}),
		"aliases in a template":      chart(map[string]string{"templates/bomb.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\n" + aliases()}),
		"aliases in a resource":      kustomization(map[string]string{"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\n" + aliases()}),
		"aliases in a kustomization": kustomization(map[string]string{"kustomization.yaml": aliases()}),
		"kustomization of itself":    kustomization(map[string]string{"kustomization.yaml": "resources: [sub]\n", "sub/kustomization.yaml": "resources: [../]\n"}),
		"archive":                    chart(map[string]string{"charts/bomb-1.0.0.tgz": archive(t, 256<<20)}),
		"template loops":             template("{{ range until 100000 }}{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}{{ end }}"),
		"template includes itself":   chart(map[string]string{"templates/_a.tpl": `{{ define "a" }}{{ include "a" . }}{{ end }}`, "templates/b.yaml": `{{ include "a" . }}`}),
		"template calls itself":      chart(map[string]string{"templates/_a.tpl": `{{ define "a" }}{{ template "a" . }}{{ end }}`, "templates/b.yaml": `{{ template "a" . }}`}),
		"template repeats":           template(`{{ repeat 2000000000 "0123456789" | len }}`),
		"template list":              template("{{ until 2000000000 | len }}"),
		"template regex":             template(`{{ range until 100000 }}{{ regexFindAll "(a*)*(a*)*b" (repeat 200000 "a") -1 }}{{ end }}`),
		"template doubles":           template(`{{ $x := "0123456789" }}{{ range until 60 }}{{ $x = print $x $x }}{{ end }}{{ len $x }}`),
		"jsonnet recursion":          jsonnetFile("local f(x) = f(x + 1) tailstrict; f(1)"),
		"jsonnet array":              jsonnetFile("std.length(std.makeArray(2000000000, function(i) i * i))"),
		"jsonnet text":               jsonnetFile("std.length(std.foldl(function(a, i) a + a, std.range(1, 60), 'x'))"),
		"jsonnet nests":              jsonnetFile(strings.Repeat("[", 5_000_000)),
		"jsonnet objects":            jsonnetFile("local f(n) = if n == 0 then {} else { a: f(n - 1), b: f(n - 1), c: f(n - 1) }; f(60)"),
	}
	p, _ := newPool(t, Options{Max: 2})
	stop := make(chan struct{})
	var others sync.WaitGroup
	rendered := 0
	others.Go(func() {
		for {
			if out, err := p.Render(context.Background(), chartInput(chart(nil))); err != nil || len(out.Manifests) != 1 {
				t.Errorf("another render meanwhile: %d objects, %v", len(out.Manifests), err)
				return
			}
			rendered++
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for name, bomb := range bombs {
		t.Run(name, func(t *testing.T) {
			in := chartInput(bomb)
			in.Limits = render.Limits{Time: time.Second, Memory: 300 << 20}
			out, err := p.Render(context.Background(), in)
			if err == nil || !fault.Is(err, fault.Mistake) || len(out.Manifests) > 0 {
				t.Errorf("%d objects, %v (%s)", len(out.Manifests), err, fault.KindOf(err))
			}
		})
	}
	close(stop)
	others.Wait()
	if rendered < len(bombs) {
		t.Errorf("only %d other renders meanwhile", rendered)
	}
	until(t, "only processes that wait are left", func() bool { return len(p.pids()) == p.waiting() })
}
