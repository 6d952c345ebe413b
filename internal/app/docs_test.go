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
	"github.com/bowline-cd/bowline/internal/worker"
	"github.com/bowline-cd/bowline/internal/worker/plugin"
	"github.com/bowline-cd/bowline/test/registry"
	"github.com/bowline-cd/bowline/test/sidecar"
)

// TestMain lets the test binary be the render processes of the commands it runs.
func TestMain(m *testing.M) {
	worker.MainIfAsked()
	os.Exit(m.Run())
}

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

// servePlaces serves what the page's addresses stand for, and returns what to write instead of them.
func servePlaces(t *testing.T) *strings.Replacer {
	server := registry.New(t, registry.Options{Username: "reader", Password: "not-so-secret"})
	charts := registry.New(t, registry.Options{})
	for _, version := range []string{"1.1.0", "1.2.7", "1.3.0"} {
		charts.AddChart("", "cache", version, map[string]string{
			"values.yaml":           "size: 64\n",
			"templates/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {size: {{ .Values.size | quote }}, version: {{ .Chart.Version }}}\n",
		})
	}
	layer := registry.Gzip(registry.Tar(registry.Files(map[string]string{"manifests/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: platform}\n"})...))
	server.Push("bundles/platform", "3.1.0", registry.Manifest{
		ConfigType: "application/vnd.oci.image.config.v1+json",
		Layers:     []registry.Layer{{MediaType: "application/vnd.oci.image.layer.v1.tar+gzip", Content: layer}},
	})
	return strings.NewReplacer(
		"https://charts.example.com", charts.URL,
		"registry.example.com/bundles", server.Host+"/bundles",
		"type: oci, ", `type: oci, insecureOCIForceHttp: "true", `,
		plugin.DefaultDir, servePlugin(t),
	)
}

// servePlugin runs the plugin of docs/examples and returns the folder of its socket.
func servePlugin(t *testing.T) string {
	spec, err := os.ReadFile("../../docs/examples/plugin/plugin.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sockets, err := os.MkdirTemp("", "plugins") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(sockets) })
	s, err := sidecar.Start(sidecar.Options{Sockets: sockets, Work: t.TempDir(), Plugin: spec})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return sockets
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
