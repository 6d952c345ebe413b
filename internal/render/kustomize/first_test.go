// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

func TestFirst(t *testing.T) {
	out, err := Render(t.Context(), render.Input{Source: v1alpha1.ApplicationSource{Path: "a"}, Tree: tree.Memory(map[string]tree.MemoryFile{
		"a/kustomization.yaml": {Content: "resources: [cm.yaml, ../b]\nnamePrefix: x-\n"},
		"a/cm.yaml":            {Content: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"},
		"b/kustomization.yaml": {Content: "configMapGenerator: [{name: g, literals: [a=b]}]\n"},
	})})
	if err != nil || len(out.Manifests) != 2 {
		t.Fatal(out, err)
	}
	for _, m := range out.Manifests {
		t.Log(m.Object.GetName())
	}
}
