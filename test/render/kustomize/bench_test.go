// SPDX-License-Identifier: Apache-2.0

package kustomize_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

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

// BenchmarkRender compares what a render costs with what the library costs on a folder on disk, its output read as well:
// both in turn, so that whatever else the machine does falls on both.
func BenchmarkRender(b *testing.B) {
	for _, services := range []int{3, 30} {
		files := usual(services)
		repository := scenario{files: files}.tree("")
		dir := filepath.Join(scenario{files: files}.write(b), "overlays/prod")
		objects := 3*services + 1
		b.Run(fmt.Sprintf("objects=%d", objects), func(b *testing.B) {
			var ours, library time.Duration
			for b.Loop() {
				begin := time.Now()
				if n, err := rendered(b, repository); n != objects {
					b.Fatal(n, err)
				}
				middle := time.Now()
				if n, err := built(dir); n != objects {
					b.Fatal(n, err)
				}
				ours, library = ours+middle.Sub(begin), library+time.Since(middle)
			}
			b.ReportMetric(ours.Seconds()/library.Seconds(), "x-library")
			b.ReportMetric(library.Seconds()*1000/float64(b.N), "ms-library")
			b.ReportMetric(ours.Seconds()*1000/float64(b.N), "ms-render")
		})
	}
}

func rendered(b *testing.B, repository tree.Tree) (int, error) {
	in := render.Input{Tree: tree.Trace(repository), Source: v1alpha1.ApplicationSource{Path: "overlays/prod"}, Trace: &render.Trace{}}
	out, err := kustomize.Render(b.Context(), in)
	return len(out.Manifests), err
}

func built(dir string) (int, error) {
	options := &krusty.Options{Reorder: krusty.ReorderOptionUnspecified, PluginConfig: types.DisabledPluginConfig()}
	m, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return 0, err
	}
	text, err := m.AsYaml()
	if err != nil {
		return 0, err
	}
	docs, err := object.ParseYAML("output", text)
	return len(docs), err
}
