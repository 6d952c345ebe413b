// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// went notes every attempt to leave the process: over the network, or by starting git or helm.
var went []string

// outside is a network that notes who calls, and answers nobody.
type outside struct{}

func (outside) RoundTrip(r *http.Request) (*http.Response, error) {
	went = append(went, r.URL.String())
	return nil, errors.New("there is no network here")
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	http.DefaultTransport = outside{}
	dir, err := os.MkdirTemp("", "kustomize")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	started := filepath.Join(dir, "started")
	for _, program := range []string{"git", "helm"} {
		script := "#!/bin/sh\necho \"$0 $*\" >> " + started + "\nexit 1\n"
		if err := os.WriteFile(filepath.Join(dir, program), []byte(script), 0o700); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	if err := os.Setenv("PATH", dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if log, err := os.ReadFile(started); err == nil {
		fmt.Fprintf(os.Stderr, "programs were started:\n%s", log)
		code = 1
	}
	if len(went) > 0 {
		fmt.Fprintf(os.Stderr, "the network was used: %q\n", went)
		code = 1
	}
	return code
}

// repo is a tree of files; a content that begins with "-> " is a link.
func repo(files map[string]string) tree.Tree {
	out := map[string]tree.MemoryFile{}
	for name, content := range files {
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			out[name] = tree.MemoryFile{Content: target, Mode: tree.Link}
			continue
		}
		out[name] = tree.MemoryFile{Content: content}
	}
	return tree.Memory(out)
}

func input(files map[string]string) render.Input {
	return render.Input{Tree: repo(files), Source: v1alpha1.ApplicationSource{Path: "app"}, Trace: &render.Trace{}}
}

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata: {color: green}\n"

// facts are what the destination can do.
type facts struct{}

func (facts) KubeVersion(context.Context) (string, error)   { return "v1.34.2", nil }
func (facts) APIVersions(context.Context) ([]string, error) { return nil, nil }
