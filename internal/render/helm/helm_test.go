// SPDX-License-Identifier: Apache-2.0

package helm_test

import (
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/helm"
	"github.com/bowline-cd/bowline/internal/tree"
)

func TestRender(t *testing.T) {
	in := render.Input{
		Tree: tree.Memory(map[string]tree.MemoryFile{
			"apps/web/Chart.yaml":            {Content: "apiVersion: v2\nname: web\nversion: 1.0.0\n"},
			"apps/web/values.yaml":           {Content: "greeting: hello\n"},
			"apps/web/templates/config.yaml": {Content: "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  greeting: {{ .Values.greeting }}\n"},
		}),
		Source:  v1alpha1.ApplicationSource{Path: "apps/web", Helm: &v1alpha1.ApplicationSourceHelm{Values: "greeting: servus"}},
		Release: "shop", Namespace: "shop", Trace: &render.Trace{},
	}
	out, err := helm.Render(t.Context(), in)
	if err != nil || len(out.Manifests) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	m := out.Manifests[0]
	if m.Object.GetName() != "shop" || m.Origin.File != "apps/web/templates/config.yaml" {
		t.Errorf("%+v", m)
	}
	data := m.Object.Object["data"].(map[string]any)
	if data["greeting"] != "servus" {
		t.Errorf("%v", data)
	}
}
