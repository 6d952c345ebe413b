// SPDX-License-Identifier: Apache-2.0

package kustomize_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/kustomize"
	"github.com/bowline-cd/bowline/internal/tree"
)

// usual is an overlay over a base with services, each a Deployment, a Service and a ConfigMap, as teams have it.
func usual(services int) map[string]string {
	files := map[string]string{
		"overlays/prod/kustomization.yaml": "namespace: shop\nnamePrefix: prod-\nresources: [../../base]\nlabels: [{pairs: {env: prod}, includeSelectors: true}]\n" +
			"patches:\n- target: {kind: Deployment}\n  patch: |\n    - {op: replace, path: /spec/replicas, value: 3}\nimages: [{name: example.org/web, newTag: v2}]\n" +
			"configMapGenerator: [{name: env, files: [settings.ini]}]\n",
		"overlays/prod/settings.ini": "a=b\n",
	}
	base := "resources:\n"
	for i := range services {
		name := fmt.Sprintf("service-%02d", i)
		base += "- " + name + ".yaml\n"
		files["base/"+name+".yaml"] = fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s, labels: {app: %[1]s}}
spec:
  replicas: 1
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      containers:
      - name: main
        image: example.org/web:v1
        envFrom: [{configMapRef: {name: %[1]s}}]
        ports: [{containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec: {selector: {app: %[1]s}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: %[1]s}
data: {color: green}
`, name)
	}
	files["base/kustomization.yaml"] = base
	return files
}

// BenchmarkRender and BenchmarkLibraryOnDisk are to be read together: what a render costs beside the library called on a
// folder on disk, its output read as well.
func BenchmarkRender(b *testing.B) {
	for _, services := range []int{3, 30} {
		files := map[string]tree.MemoryFile{}
		for name, content := range usual(services) {
			files[name] = tree.MemoryFile{Content: content}
		}
		repository := tree.Memory(files)
		b.Run(fmt.Sprintf("objects=%d", 3*services+1), func(b *testing.B) {
			for b.Loop() {
				in := render.Input{Tree: tree.Trace(repository), Source: v1alpha1.ApplicationSource{Path: "overlays/prod"}, Trace: &render.Trace{}}
				out, err := kustomize.Render(b.Context(), in)
				if err != nil || len(out.Manifests) != 3*services+1 {
					b.Fatal(len(out.Manifests), err)
				}
			}
		})
	}
}

func BenchmarkLibraryOnDisk(b *testing.B) {
	for _, services := range []int{3, 30} {
		dir := b.TempDir()
		for name, content := range usual(services) {
			p := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprintf("objects=%d", 3*services+1), func(b *testing.B) {
			for b.Loop() {
				options := &krusty.Options{Reorder: krusty.ReorderOptionUnspecified, PluginConfig: types.DisabledPluginConfig()}
				m, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), filepath.Join(dir, "overlays/prod"))
				if err != nil {
					b.Fatal(err)
				}
				text, err := m.AsYaml()
				if err != nil {
					b.Fatal(err)
				}
				docs, err := object.ParseYAML("output", text)
				if err != nil || len(docs) != 3*services+1 {
					b.Fatal(len(docs), err)
				}
			}
		})
	}
}
