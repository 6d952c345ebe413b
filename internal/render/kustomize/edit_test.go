// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// What edits give is held against hand-edited kustomizations in test/render/kustomize; this is what they refuse.
func TestEditsThatAreRefused(t *testing.T) {
	kustomization := "resources: [cm.yaml]\ncommonLabels: {team: old}\ncommonAnnotations: {note: old}\nlabels: [{pairs: {cost: old}}]\n"
	for want, source := range map[string]v1alpha1.ApplicationSourceKustomize{
		`spec.source.kustomize.commonLabels.team: the kustomization sets this label already; set forceCommonLabels`: {CommonLabels: map[string]string{"team": "new"}},
		`spec.source.kustomize.commonLabels.cost: the kustomization sets this label already`: {
			CommonLabels: map[string]string{"cost": "new"}, LabelWithoutSelector: true},
		`spec.source.kustomize.commonAnnotations.note: the kustomization sets this annotation already`: {CommonAnnotations: map[string]string{"note": "new"}},
		`spec.source.kustomize.labelIncludeTemplates: it only has a meaning together with labelWithoutSelector`: {
			CommonLabels: map[string]string{"x": "y"}, LabelIncludeTemplates: true},
		`spec.source.kustomize.images[1]: "nginx" replaces nothing`:                               {Images: v1alpha1.KustomizeImages{"a:1", "nginx"}},
		`spec.source.kustomize.images[0]: "nginx=" replaces nothing`:                              {Images: v1alpha1.KustomizeImages{"nginx="}},
		`spec.source.kustomize.replicas[0].count: "many" is no number`:                            {Replicas: v1alpha1.KustomizeReplicas{{Name: "a", Count: intstr.FromString("many")}}},
		`spec.source.kustomize.replicas[0].count: "-1" is no number`:                              {Replicas: v1alpha1.KustomizeReplicas{{Name: "a", Count: intstr.FromInt32(-1)}}},
		`spec.source.kustomize.patches[0].options.force: patches have no`:                         {Patches: v1alpha1.KustomizePatches{{Patch: "x", Options: map[string]bool{"force": true}}}},
		`use components[0] at app/kustomization.yaml: there is no file or folder app/nope`:        {Components: []string{"nope"}},
		`use patches[0].path at app/kustomization.yaml: there is no file or folder app/nope.yaml`: {Patches: v1alpha1.KustomizePatches{{Path: "nope.yaml"}}},
	} {
		in := input(map[string]string{"app/kustomization.yaml": kustomization, "app/cm.yaml": configMap})
		in.Source.Kustomize = &source
		_, err := Render(t.Context(), in)
		if err == nil || !strings.Contains(err.Error(), want) || !fault.Is(err, fault.Mistake) {
			t.Errorf("%v\nwant one that says %s", err, want)
		}
	}
}

func TestParseImage(t *testing.T) {
	for text, want := range map[string]types.Image{
		"nginx:1.2":                     {Name: "nginx", NewTag: "1.2"},
		"nginx@sha256:abc":              {Name: "nginx", Digest: "sha256:abc"},
		"nginx:1.2@sha256:abc":          {Name: "nginx", NewTag: "1.2", Digest: "sha256:abc"},
		"nginx=mirror/nginx":            {Name: "nginx", NewName: "mirror/nginx"},
		"nginx=mirror:5000/nginx:1.2":   {Name: "nginx", NewName: "mirror:5000/nginx", NewTag: "1.2"},
		"nginx=mirror/nginx@sha256:abc": {Name: "nginx", NewName: "mirror/nginx", Digest: "sha256:abc"},
		"localhost:5000/nginx:1":        {Name: "localhost:5000/nginx", NewTag: "1"},
		"nginx=*:2":                     {Name: "nginx", NewName: "*", NewTag: "2"},
	} {
		if got, ok := parseImage(text); !ok || got != want {
			t.Errorf("%s: %+v, %t", text, got, ok)
		}
	}
	for _, text := range []string{"nginx", "localhost:5000/nginx", "", "nginx="} {
		if got, ok := parseImage(text); ok {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func TestVariablesThatEditsUse(t *testing.T) {
	in := input(map[string]string{"app/kustomization.yaml": "resources: [cm.yaml]\n", "app/cm.yaml": configMap})
	in.Build = map[string]string{"ARGOCD_APP_NAME": "shop", "ARGOCD_APP_REVISION": "abc", "ARGOCD_APP_PROJECT_NAME": "p"}
	in.Source.Kustomize = &v1alpha1.ApplicationSourceKustomize{
		CommonAnnotations: map[string]string{"a": "$ARGOCD_APP_REVISION"}, CommonLabels: map[string]string{"b": "$ARGOCD_APP_NAME"},
	}
	out, err := Render(t.Context(), in)
	if err != nil || strings.Join(out.Used.Build, ",") != "ARGOCD_APP_NAME" {
		t.Errorf("used %v, %v", out.Used.Build, err)
	}
}
