// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// FuzzKustomization renders a folder with any kustomization file, beside files that it may name. It ends, whatever stands
// there; it shows nothing of what lies outside; and it starts nothing and calls nobody (TestMain watches).
func FuzzKustomization(f *testing.F) {
	seeds, err := filepath.Glob("../../../test/render/kustomize/testdata/*.txtar")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("found no seeds: %v", err)
	}
	for _, seed := range seeds {
		archive, err := txtar.ParseFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.HasSuffix(file.Name, "kustomization.yaml") {
				f.Add(string(file.Data))
			}
		}
	}
	f.Add("generators: ['https://169.254.169.254/{x}', 'https://169.254.169.254/a: b', 'git@169.254.169.254:a: b']\n")
	f.Add("patchesStrategicMerge: ['https://169.254.169.254/{x}', 'http:/x', '{https://169.254.169.254/a: b}']\nresources: [cm.yaml]\n")
	dir := f.TempDir()
	files := map[string]string{
		"app/deploy.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: main, image: a:1}]}}}\n",
		"app/cm.yaml":     configMap, "app/data.txt": "a=b\n", "app/a.env": "A=1\nB\n", "app/link": "-> " + dir, "app/up": "-> ../../..",
		"low/kustomization.yaml": "resources: [cm.yaml]\n", "low/cm.yaml": configMap,
		"part/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: x-\n",
	}
	chartFiles(files)
	f.Fuzz(func(t *testing.T, kustomization string) {
		if strings.Contains(kustomization, mark) || strings.Contains(kustomization, home) {
			t.Skip("these names are ours, and are looked for below")
		}
		files["app/kustomization.yaml"] = kustomization
		in := input(files)
		in.Options.KustomizeBuildOptions = "--enable-helm"
		in.Cluster = facts{}
		in.Remotes = []render.Remote{{
			Need: render.Need{Kind: render.NeedGit, URL: "https://github.com/org/repo", Revision: "v1"},
			Tree: tree.Memory(map[string]tree.MemoryFile{"deploy/base/kustomization.yaml": {Content: "namePrefix: r-\n"}}),
		}}
		out, err := Render(t.Context(), in)
		if len(went) > 0 {
			t.Fatalf("the network was used: %q", went)
		}
		if err == nil {
			return
		}
		if len(out.Manifests) > 0 {
			t.Errorf("both objects and an error: %v", err)
		}
		if strings.Contains(err.Error(), dir) && !strings.Contains(err.Error(), "outside of the repository") || strings.Contains(err.Error(), home+"/") {
			t.Errorf("the error names a place that the user does not know: %v", err)
		}
	})
}
