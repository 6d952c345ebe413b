// SPDX-License-Identifier: Apache-2.0

package helm_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	valuesutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/helm"
)

// ordinary returns the files of a chart of an ordinary size: n templates with an object each, with helpers, values and a
// dependency.
func ordinary(n int) map[string]string {
	const object = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "web.name" . }}-%[1]d
  labels: {{- include "web.labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {{- include "web.labels" . | nindent 8 }}
    spec:
      containers:
        - name: web
          image: "{{ .Values.image.name }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          {{- with .Values.resources }}
          resources: {{- toYaml . | nindent 12 }}
          {{- end }}
          env:
            {{- range $name, $value := .Values.env }}
            - {name: {{ $name }}, value: {{ $value | quote }}}
            {{- end }}
`
	files := map[string]string{
		"chart/Chart.yaml":                  "apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: \"1.0\"\n",
		"chart/.helmignore":                 "*.bak\n.git/\n",
		"chart/values.yaml":                 "replicas: 2\nimage: {name: nginx}\nresources: {limits: {cpu: 1, memory: 128Mi}}\nenv: {A: a, B: b, C: c}\n",
		"chart/templates/_h.tpl":            "{{ define \"web.name\" }}{{ .Release.Name | trunc 63 }}{{ end }}\n{{ define \"web.labels\" }}\napp: web\nchart: {{ .Chart.Name }}-{{ .Chart.Version }}\n{{- end }}\n",
		"chart/charts/sub/Chart.yaml":       "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
		"chart/charts/sub/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sub}\n",
	}
	for i := range n {
		files[fmt.Sprintf("chart/templates/object-%d.yaml", i)] = fmt.Sprintf(object, i)
	}
	return files
}

// direct is what the library has to do at least: read the chart from disk, run its templates, and sort what they give.
func direct(dir string) (int, error) {
	c, err := loader.LoadDir(dir)
	if err != nil {
		return 0, err
	}
	if err := chartutil.ProcessDependencies(c, nil); err != nil {
		return 0, err
	}
	caps := common.DefaultCapabilities.Copy()
	top, err := valuesutil.ToRenderValues(c, nil, common.ReleaseOptions{Name: releaseName, Namespace: namespace, IsInstall: true, Revision: 1}, caps)
	if err != nil {
		return 0, err
	}
	texts, err := engine.Render(c, top)
	if err != nil {
		return 0, err
	}
	hooks, manifests, err := releaseutil.SortManifests(texts, nil, releaseutil.InstallOrder)
	return len(hooks) + len(manifests), err
}

// BenchmarkRender compares a render from a tree in memory, which gives objects, with the library called on a folder on
// disk, which gives text.
func BenchmarkRender(b *testing.B) {
	for _, n := range []int{1, 10, 50} {
		files := ordinary(n)
		b.Run(fmt.Sprintf("bowline/%d", n), func(b *testing.B) {
			in := render.Input{
				Tree: memory(files, nil), Source: v1alpha1.ApplicationSource{Path: "chart"}, Release: releaseName, Namespace: namespace, Cluster: facts{},
			}
			for b.Loop() {
				out, err := helm.Render(b.Context(), in)
				if err != nil || len(out.Manifests) != n+1 {
					b.Fatalf("%d objects, %v", len(out.Manifests), err)
				}
			}
		})
		b.Run(fmt.Sprintf("library/%d", n), func(b *testing.B) {
			root := b.TempDir()
			for name, content := range files {
				file := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					b.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if got, err := direct(filepath.Join(root, "chart")); err != nil || got != n+1 {
					b.Fatalf("%d objects, %v", got, err)
				}
			}
		})
	}
}
